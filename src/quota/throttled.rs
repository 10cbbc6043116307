//! Refusals: why, by which limit, and when to come back.

use crate::base::OverLimit;

/// Why a request is throttled: the Lambda API's `ThrottleReason`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// All of the account's concurrent executions that no function has reserved are in use.
    ConcurrentInvocationLimitExceeded,
    /// All executions that are reserved for the function are in use.
    ReservedFunctionConcurrentInvocationLimitExceeded,
    /// The invocations a second that go with what is reserved for the function are used up.
    ReservedFunctionInvocationRateLimitExceeded,
    /// The invocations a second of the function, its account or the caller's pool are used up.
    FunctionInvocationRateLimitExceeded,
    /// The caller's own rate, or its address's or app's, is used up.
    CallerRateLimitExceeded,
}

impl Reason {
    /// The name as the API has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
            Self::ReservedFunctionConcurrentInvocationLimitExceeded => {
                "ReservedFunctionConcurrentInvocationLimitExceeded"
            }
            Self::ReservedFunctionInvocationRateLimitExceeded => {
                "ReservedFunctionInvocationRateLimitExceeded"
            }
            Self::FunctionInvocationRateLimitExceeded => "FunctionInvocationRateLimitExceeded",
            Self::CallerRateLimitExceeded => "CallerRateLimitExceeded",
        }
    }
}

/// A refusal.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Rate Exceeded.")]
pub struct Throttled {
    /// Which kind of limit, in AWS's words.
    pub reason: Reason,
    /// Which of our limits, and when it may be tried again with success. For concurrency nobody knows; it says one second.
    pub over: OverLimit,
}
