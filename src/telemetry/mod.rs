//! What is seen: metrics and the request log. Nothing here waits, and nothing here is on the caller's way beyond a counter
//! and one record handed to a bounded channel.

pub mod metrics;
pub mod request_log;

pub use metrics::Metrics;
pub use request_log::{Record, RequestLog, Writing};

/// Whose doing an answer was: the label of the request metric and a field of the request log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// Answered as asked.
    Success,
    /// The function failed: still a 200.
    FunctionError,
    /// The function was told to stop: still a 200.
    Cancelled,
    /// The caller asked for what is not there, not well-formed or not permitted.
    ClientFault,
    /// A limit refused.
    Throttled,
    /// The gateway failed.
    ServerFault,
}

impl Outcome {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::FunctionError,
        Self::Cancelled,
        Self::ClientFault,
        Self::Throttled,
        Self::ServerFault,
    ];

    /// What an HTTP status says, where nothing more is known.
    pub fn of_status(status: http::StatusCode) -> Self {
        match status.as_u16() {
            429 => Self::Throttled,
            400..=499 => Self::ClientFault,
            500..=599 => Self::ServerFault,
            _ => Self::Success,
        }
    }

    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::FunctionError => "function_error",
            Self::Cancelled => "cancelled",
            Self::ClientFault => "client_fault",
            Self::Throttled => "throttled",
            Self::ServerFault => "server_fault",
        }
    }
}
