//! An invocation's log lines, in AWS's form, and the tail that a caller may ask for.

use std::{
    fmt::{self, Write},
    sync::Arc,
    time::Duration,
};

use super::worker::Loading;
use crate::{base::RequestId, functions::Function};

/// Whether this is a line `<time>\t<request id>\t…` of another request.
fn names_another(text: &[u8], id: RequestId) -> bool {
    let named =
        text.splitn(3, |byte| *byte == b'\t').nth(1).and_then(|field| std::str::from_utf8(field).ok());
    named.is_some_and(|named| {
        uuid::Uuid::parse_str(named).is_ok_and(|named| named.as_bytes() != id.as_bytes())
    })
}

/// How many bytes of the log an answer carries at most.
const TAIL_MAX: usize = 4096;
/// The longest event that is made of output: as long as a LOG frame's.
const LINE_MAX: usize = crate::sandbox::protocol::LOG_MAX;

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
pub struct Log {
    tail: Option<Vec<u8>>,
    // Who listens, and whose log it is.
    sink: Option<(Arc<dyn LogSink>, Arc<Function>)>,
    // Output after its last newline, kept until the line is whole.
    line: Vec<u8>,
    id: RequestId,
}

impl Log {
    /// A log that nothing is written to unless `tail` is asked for or `sink` listens.
    pub fn new(tail: bool, sink: &Arc<dyn LogSink>, function: &Arc<Function>, id: RequestId) -> Self {
        let sink = sink.is_on().then(|| (sink.clone(), function.clone()));
        Self { tail: tail.then(Vec::new), sink, line: Vec::new(), id }
    }

    /// Whether lines are wanted at all.
    pub fn is_wanted(&self) -> bool {
        self.tail.is_some() || self.sink.is_some()
    }

    /// One event, without its final newline.
    pub fn event(&mut self, text: &[u8]) {
        self.hand_over(text);
        // What an earlier invocation logs late (a timer, a promise nobody waited for) is not for this one's caller to see.
        if !names_another(text, self.id) {
            self.end_cut();
            self.append(text);
            self.append(b"\n");
        }
    }

    /// Raw output, cut anywhere. Each line of it is an event; one longer than [`LINE_MAX`] is several. A line stands in the
    /// log when it is whole: what is logged meanwhile comes before it, and not into its middle.
    pub fn output(&mut self, bytes: &[u8]) {
        if !self.is_wanted() {
            return;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, whole) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            self.line.extend_from_slice(text);
            if whole || self.line.len() >= LINE_MAX {
                self.end_line(whole);
            }
        }
    }

    /// Takes what there is of a line for an event.
    fn end_line(&mut self, whole: bool) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.hand_over(&line);
        }
        self.append(&line);
        if whole {
            self.append(b"\n");
        }
    }

    fn hand_over(&self, text: &[u8]) {
        if let Some((sink, function)) = &self.sink {
            sink.event(function, self.id, &String::from_utf8_lossy(text));
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let Some(tail) = &mut self.tail else { return };
        let bytes = &bytes[bytes.len().saturating_sub(TAIL_MAX)..];
        let surplus = (tail.len() + bytes.len()).saturating_sub(TAIL_MAX);
        tail.drain(..surplus);
        tail.extend_from_slice(bytes);
    }

    /// What stands before the first `START` of a sandbox: `INIT_START …`, which the tail lacks as AWS's does, and what the
    /// function wrote while it was loaded.
    pub fn loaded(&mut self, loading: &Loading) {
        if self.sink.is_some() {
            self.hand_over(format!("INIT_START Runtime Version: node:{}", loading.node).as_bytes());
        }
        if !loading.log.is_empty() {
            self.output(&loading.log);
            self.whole_line();
        }
    }

    /// Ends a line that lacks its newline.
    fn whole_line(&mut self) {
        if !self.line.is_empty() {
            self.end_line(true);
        }
        self.end_cut();
    }

    /// Ends the last piece of a line that was longer than an event, as far as the tail has it.
    fn end_cut(&mut self) {
        if self.tail.as_ref().is_some_and(|tail| tail.last().is_some_and(|last| *last != b'\n')) {
            self.append(b"\n");
        }
    }

    /// `START RequestId: … Version: …`
    pub fn start(&mut self, version: &str) {
        if self.is_wanted() {
            self.event(format!("START RequestId: {} Version: {version}", self.id).as_bytes());
        }
    }

    /// `END` and `REPORT`; `status` says how it ended, where that is to be told.
    pub fn end(
        &mut self,
        took: Duration,
        init: Option<Duration>,
        memory_mb: u32,
        used_mb: Option<u64>,
        status: Option<&str>,
    ) {
        if !self.is_wanted() {
            return;
        }
        self.whole_line();
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
        if let Some(status) = status {
            // Where AWS writes `Status: timeout`.
            let _ = write!(report, "Status: {status}");
        }
        self.event(report.as_bytes());
    }

    /// The tail, if it was asked for.
    pub fn into_tail(self) -> Option<Vec<u8>> {
        self.tail
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn lines_of_other_requests_are_told_apart() {
        let (one, other) = (RequestId::from_bytes([1; 16]), RequestId::from_bytes([2; 16]));
        let line = |id: &str| format!("2015-07-01T12:00:00.000Z\t{id}\tINFO\tsaid").into_bytes();
        assert!(names_another(&line(&other.to_string()), one));
        for own in [&*one.to_string(), "undefined", ""] {
            assert!(!names_another(&line(own), one), "{own}");
        }
        assert!(!names_another(b"plain text", one));
    }
    use crate::{
        base::{ColdStart, rng::SeededRng},
        functions::testing::Fixture,
    };

    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);

    impl LogSink for Kept {
        fn is_on(&self) -> bool {
            true
        }

        fn event(&self, _: &Function, _: RequestId, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }

    struct Nobody;

    impl LogSink for Nobody {
        fn is_on(&self) -> bool {
            false
        }

        fn event(&self, _: &Function, _: RequestId, text: &str) {
            panic!("nobody listens to {text}");
        }
    }

    async fn function() -> Arc<Function> {
        Fixture::new().await.create("greet", "1").await
    }

    fn id() -> RequestId {
        RequestId::draw(&SeededRng::new(1))
    }

    #[tokio::test]
    async fn a_line_is_one_event_however_it_is_cut() {
        let kept = Arc::new(Kept::default());
        let sink: Arc<dyn LogSink> = kept.clone();
        let function = function().await;
        let mut log = Log::new(false, &sink, &function, id());
        for piece in ["on", "e\ntw", "o\n\nthr", "ee"] {
            log.output(piece.as_bytes());
        }
        log.event(b"a frame\nof two lines");
        log.end(Duration::from_micros(1500), None, 128, Some(40), Some("Cancelled"));
        let events = kept.0.lock().unwrap().clone();
        assert_eq!(events[..4], ["one", "two", "a frame\nof two lines", "three"]);
        assert!(events[4].starts_with("END RequestId: "));
        assert!(events[5].ends_with("\tMax Memory Used: 40 MB\tStatus: Cancelled"), "{}", events[5]);
        assert_eq!(log.into_tail(), None);
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_into_events_and_not_gathered() {
        let kept = Arc::new(Kept::default());
        let sink: Arc<dyn LogSink> = kept.clone();
        let function = function().await;
        let mut log = Log::new(false, &sink, &function, id());
        for _ in 0..40 {
            log.output(&[b'x'; 16 * 1024]);
            assert!(log.line.len() <= LINE_MAX);
        }
        let lengths: Vec<usize> = kept.0.lock().unwrap().iter().map(String::len).collect();
        assert_eq!(lengths, [LINE_MAX, LINE_MAX]);
    }

    #[tokio::test]
    async fn the_tail_is_the_last_four_kibibytes() {
        let sink: Arc<dyn LogSink> = Arc::new(Nobody);
        let function = function().await;
        let mut log = Log::new(true, &sink, &function, id());
        log.start("$LATEST");
        log.output(&[b'x'; 10_000]);
        log.end(Duration::from_micros(1_234_567), Some(Duration::from_millis(52)), 128, Some(40), None);
        let tail = log.into_tail().unwrap();
        assert_eq!(tail.len(), TAIL_MAX);
        let end = String::from_utf8(tail).unwrap().trim_start_matches('x').to_owned();
        let report = "REPORT RequestId: ID|Duration: 1234.57 ms|Billed Duration: 1235 ms|Memory Size: 128 MB|\
                      Max Memory Used: 40 MB|Init Duration: 52.00 ms|";
        let end = end.replace(&id().to_string(), "ID").replace('\t', "|");
        assert_eq!(end, format!("\nEND RequestId: ID\n{report}\n"));
    }

    #[tokio::test]
    async fn an_event_does_not_come_into_the_middle_of_a_line() {
        let sink: Arc<dyn LogSink> = Arc::new(Kept::default());
        let function = function().await;
        let mut log = Log::new(true, &sink, &function, id());
        log.output(&[b'x'; LINE_MAX]);
        log.event(b"last");
        let tail = String::from_utf8(log.into_tail().unwrap()).unwrap();
        assert!(tail.ends_with("x\nlast\n"), "{tail}");
        let mut log = Log::new(true, &sink, &function, id());
        log.output(b"whole\n\nbe");
        log.event(b"event");
        log.output(b"gun\nwithout end");
        log.event(b"another");
        log.whole_line();
        let tail = String::from_utf8(log.into_tail().unwrap()).unwrap();
        assert_eq!(tail, "whole\n\nevent\nbegun\nanother\nwithout end\n");
    }

    #[tokio::test]
    async fn what_loading_wrote_stands_before_the_start() {
        let kept = Arc::new(Kept::default());
        let sink: Arc<dyn LogSink> = kept.clone();
        let function = function().await;
        let mut log = Log::new(true, &sink, &function, id());
        log.loaded(&Loading {
            took: Duration::ZERO,
            node: "v20.1.0".to_owned(),
            log: b"loading".to_vec(),
            cause: ColdStart::NewFunction,
        });
        log.start("$LATEST");
        let events = kept.0.lock().unwrap().clone();
        assert_eq!(events[..2], ["INIT_START Runtime Version: node:v20.1.0", "loading"]);
        let tail = String::from_utf8(log.into_tail().unwrap()).unwrap();
        assert!(tail.starts_with("loading\nSTART RequestId: "), "{tail}");
    }

    #[tokio::test]
    async fn nothing_is_kept_when_nobody_wants_it() {
        let sink: Arc<dyn LogSink> = Arc::new(Nobody);
        let function = function().await;
        let mut log = Log::new(false, &sink, &function, id());
        log.start("$LATEST");
        log.output(b"text");
        log.end(Duration::ZERO, None, 128, None, None);
        assert!(!log.is_wanted() && log.line.is_empty());
        assert_eq!(log.into_tail(), None);
    }
}
