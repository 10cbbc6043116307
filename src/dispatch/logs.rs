//! An invocation's log lines, in AWS's form, and the tail that a caller may ask for.

use std::{fmt::Write, sync::Arc, time::Duration};

use crate::{base::RequestId, functions::Function};

/// Whether this is a line `<time>\t<request id>\t…` of another request.
fn names_another(text: &[u8], id: RequestId) -> bool {
    let named = text.splitn(3, |byte| *byte == b'\t').nth(1).and_then(|field| std::str::from_utf8(field).ok());
    named.is_some_and(|named| uuid::Uuid::parse_str(named).is_ok_and(|named| named.as_bytes() != id.as_bytes()))
}

/// How many bytes of the log an answer carries at most.
const TAIL_MAX: usize = 4096;

/// Where log lines go.
pub trait LogSink: Send + Sync + 'static {
    /// Whether anybody listens; if not, nothing is formatted.
    fn is_on(&self) -> bool;
    /// Takes one event, without its final newline.
    fn event(&self, function: &Function, id: RequestId, text: &str);
}

/// Hands log lines to the gateway's own log, at level `debug` under the target `callgate::function`.
#[derive(Debug)]
pub struct GatewayLog;

impl LogSink for GatewayLog {
    fn is_on(&self) -> bool {
        tracing::enabled!(target: "callgate::function", tracing::Level::DEBUG)
    }

    fn event(&self, function: &Function, id: RequestId, text: &str) {
        tracing::debug!(target: "callgate::function", function = &*function.name, request_id = %id, "{text}");
    }
}

/// One invocation's log.
pub struct Log<'a> {
    tail: Option<Vec<u8>>,
    sink: Option<&'a Arc<dyn LogSink>>,
    function: Arc<Function>,
    id: RequestId,
}

impl<'a> Log<'a> {
    /// A log that nothing is written to unless `tail` is asked for or `sink` listens.
    pub fn new(tail: bool, sink: &'a Arc<dyn LogSink>, function: &Arc<Function>, id: RequestId) -> Self {
        Self { tail: tail.then(Vec::new), sink: sink.is_on().then_some(sink), function: function.clone(), id }
    }

    /// Whether lines are wanted at all.
    pub fn is_wanted(&self) -> bool {
        self.tail.is_some() || self.sink.is_some()
    }

    /// One event, without its final newline.
    pub fn event(&mut self, text: &[u8]) {
        if let Some(sink) = self.sink {
            sink.event(&self.function, self.id, &String::from_utf8_lossy(text));
        }
        // What an earlier invocation logs late (a timer, a promise nobody waited for) is not for this one's caller to see.
        if !names_another(text, self.id) {
            self.append(text);
            self.append(b"\n");
        }
    }

    /// Raw output, cut anywhere.
    pub fn output(&mut self, bytes: &[u8]) {
        if let Some(sink) = self.sink {
            for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                sink.event(&self.function, self.id, &String::from_utf8_lossy(line));
            }
        }
        self.append(bytes);
    }

    fn append(&mut self, bytes: &[u8]) {
        let Some(tail) = &mut self.tail else { return };
        let bytes = &bytes[bytes.len().saturating_sub(TAIL_MAX)..];
        let surplus = (tail.len() + bytes.len()).saturating_sub(TAIL_MAX);
        tail.drain(..surplus);
        tail.extend_from_slice(bytes);
    }

    /// `START RequestId: … Version: …`
    pub fn start(&mut self, version: &str) {
        if self.is_wanted() {
            self.event(format!("START RequestId: {} Version: {version}", self.id).as_bytes());
        }
    }

    /// `END` and `REPORT`.
    pub fn end(&mut self, took: Duration, init: Option<Duration>, memory_mb: u32, used_mb: Option<u64>) {
        if !self.is_wanted() {
            return;
        }
        // What the function wrote last may lack its newline.
        if self.tail.as_ref().is_some_and(|tail| tail.last().is_some_and(|last| *last != b'\n')) {
            self.append(b"\n");
        }
        self.event(format!("END RequestId: {}", self.id).as_bytes());
        let millis = took.as_secs_f64() * 1e3;
        let mut report = format!(
            "REPORT RequestId: {}\tDuration: {millis:.2} ms\tBilled Duration: {} ms\tMemory Size: {memory_mb} MB\tMax Memory Used: {} MB\t",
            self.id,
            took.as_micros().div_ceil(1000),
            used_mb.unwrap_or_default(),
        );
        if let Some(init) = init {
            let _ = write!(report, "Init Duration: {:.2} ms\t", init.as_secs_f64() * 1e3);
        }
        self.event(report.as_bytes());
    }

    /// The tail, if it was asked for.
    pub fn into_tail(self) -> Option<Vec<u8>> {
        self.tail
    }
}
