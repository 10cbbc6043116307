//! Why a sandbox had to be made for a call.

/// Why there was no sandbox for a call. The causes are ours; AWS tells only that a start was cold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColdStart {
    /// Nobody has called the function since the gateway started.
    NewFunction,
    /// Its code or configuration has changed, and this is the first sandbox of the new one.
    NewCode,
    /// All that it has are busy, or are being made.
    Concurrency,
    /// What it had was idle for too long, was old, or has made room for others.
    Expired,
    /// The one before crashed, ran out of time, broke the protocol or could not be made.
    AfterFailure,
}

impl ColdStart {
    /// Every cause, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::NewFunction, Self::NewCode, Self::Concurrency, Self::Expired, Self::AfterFailure];

    /// As metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewFunction => "new_function",
            Self::NewCode => "new_code",
            Self::Concurrency => "concurrency",
            Self::Expired => "expired",
            Self::AfterFailure => "after_failure",
        }
    }
}
