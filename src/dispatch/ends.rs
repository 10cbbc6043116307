//! The words in which each end of an invocation is told, as AWS tells it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::{
    exchange::End,
    invocation::{FunctionError, Outcome},
    logs::Log,
    start::{InitFailure, InitReason, is_classic},
};
use crate::{
    base::{ColdStart, RequestId, Timestamp},
    functions::Target,
    sandbox::{
        Exit,
        protocol::{RESULT_MAX, Status},
    },
};

/// The error's type of an invocation that was told to stop (ours).
const CANCELLED: &str = "Callgate.Cancelled";

/// What an end comes to. `time` is how long the invocation could take, and `deadline` when a time-out struck.
pub fn outcome(
    end: End,
    target: &Target,
    id: RequestId,
    (time, deadline): (Duration, Timestamp),
    tail: Option<Vec<u8>>,
    cold: Option<ColdStart>,
) -> Outcome {
    let classic = is_classic(&target.function);
    let unhandled = Some(FunctionError::Unhandled);
    let (payload, function_error) = match end {
        End::Answered { status: Status::Value, json, .. } => (json, None),
        End::Answered { status: Status::Handled, json, .. } if classic => {
            (json, Some(FunctionError::Handled))
        }
        // AWS tells later runtimes' errors so, whichever way they came.
        End::Answered { status: Status::Handled | Status::Unhandled, json, .. } => (json, unhandled),
        End::Answered { status: Status::TooLarge, .. } => (too_large(), unhandled),
        End::TimedOut => (timed_out(time, id, deadline, classic), unhandled),
        End::Cancelled { .. } => (told_to_stop(id), Some(FunctionError::Cancelled)),
        End::Exited(_) | End::Violated if classic => (exited_classic(id), unhandled),
        End::Exited(exit) => (exited(id, exit), unhandled),
        End::Violated => (exited(id, None), unhandled),
    };
    Outcome { payload, function_error, version: target.version.clone(), log_tail: tail, cold }
}

/// What an invocation comes to that was told to stop before it had begun.
pub fn cancelled(target: &Target, id: RequestId, tail: Option<Vec<u8>>) -> Outcome {
    let end = End::Cancelled { spent: false };
    outcome(end, target, id, (target.function.timeout, Timestamp::default()), tail, None)
}

/// What a function that failed to load comes to, in a sandbox that was made for this cause.
pub fn init_failed(
    failure: &InitFailure,
    target: &Target,
    id: RequestId,
    now: Timestamp,
    mut log: Log,
    cause: ColdStart,
) -> Outcome {
    let classic = is_classic(&target.function);
    let payload = match &failure.reason {
        InitReason::Error(error) => Bytes::from(error.clone()),
        InitReason::Exit(_) if classic => exited_classic(id),
        InitReason::Exit(exit) => exited(id, *exit),
        InitReason::TimedOut => timed_out(target.function.timeout, id, now, classic),
    };
    log.start(&target.version);
    if !failure.log.is_empty() {
        log.output(&failure.log);
    }
    log.end(failure.took, None, target.function.memory_mb, None, None);
    Outcome {
        payload,
        function_error: Some(FunctionError::Unhandled),
        version: target.version.clone(),
        log_tail: log.into_tail(),
        cold: Some(cause),
    }
}

fn error(kind: &str, message: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": message }).to_string().into()
}

fn too_large() -> Bytes {
    error(
        "Function.ResponseSizeTooLarge",
        &format!("Response payload size exceeded maximum allowed payload size ({RESULT_MAX} bytes)."),
    )
}

fn told_to_stop(id: RequestId) -> Bytes {
    error(CANCELLED, &format!("RequestId: {id} Error: The call was cancelled"))
}

fn timed_out(time: Duration, id: RequestId, at: Timestamp, classic: bool) -> Bytes {
    let seconds = time.as_secs_f64();
    if classic {
        let message = format!("{at} {id} Task timed out after {seconds:.2} seconds");
        return json!({ "errorMessage": message }).to_string().into();
    }
    error("Sandbox.Timedout", &format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds"))
}

fn exited(id: RequestId, exit: Option<Exit>) -> Bytes {
    // AWS kills what takes more memory than it may, and tells it in the same words as any other end by a signal; only the
    // type, that of its platform's logs, says why.
    let kind = if exit == Some(Exit::OutOfMemory) { "Runtime.OutOfMemory" } else { "Runtime.ExitError" };
    let how = match exit {
        None | Some(Exit::Status(0)) => "exited without providing a reason".to_owned(),
        Some(Exit::Status(status)) => format!("exited with error: exit status {status}"),
        Some(Exit::OutOfMemory) => "exited with error: signal: killed".to_owned(),
        Some(Exit::Signal(signal)) => format!("exited with error: signal: {}", signal_name(signal)),
    };
    error(kind, &format!("RequestId: {id} Error: Runtime {how}"))
}

/// As in 2014–15.
fn exited_classic(id: RequestId) -> Bytes {
    json!({ "errorMessage": format!("RequestId: {id} Process exited before completing request") })
        .to_string()
        .into()
}

/// The words of the Go runtime, in which AWS's runtime names signals.
fn signal_name(signal: i32) -> String {
    match signal {
        1 => "hangup".to_owned(),
        2 => "interrupt".to_owned(),
        3 => "quit".to_owned(),
        4 => "illegal instruction".to_owned(),
        5 => "trace/breakpoint trap".to_owned(),
        6 => "aborted".to_owned(),
        7 => "bus error".to_owned(),
        8 => "floating point exception".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        13 => "broken pipe".to_owned(),
        15 => "terminated".to_owned(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::SeededRng;

    #[test]
    fn exits_are_told_in_awss_words() {
        let id = RequestId::draw(&SeededRng::new(1));
        let told = |exit| String::from_utf8(exited(id, exit).to_vec()).unwrap();
        let quiet = format!(
            r#"{{"errorMessage":"RequestId: {id} Error: Runtime exited without providing a reason","errorType":"Runtime.ExitError"}}"#
        );
        assert_eq!(told(None), quiet);
        assert_eq!(told(Some(Exit::Status(0))), quiet);
        assert!(told(Some(Exit::Status(127))).contains("Runtime exited with error: exit status 127"));
        assert!(told(Some(Exit::Signal(9))).contains("Runtime exited with error: signal: killed"));
        assert!(told(Some(Exit::Signal(11))).contains("signal: segmentation fault"));
        let memory = told(Some(Exit::OutOfMemory));
        assert!(memory.contains("Runtime exited with error: signal: killed"), "{memory}");
        assert!(memory.contains(r#""errorType":"Runtime.OutOfMemory""#), "{memory}");
    }
}
