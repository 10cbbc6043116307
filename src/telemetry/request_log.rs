//! The request log: one line a request, written off the caller's path.
//!
//! The request hands a record to a bounded channel and goes on; a writer that polls the channel formats the lines. Polling
//! costs no wake-up on the request's way. When the writer cannot keep up, records are dropped and counted.
//!
//! Never in a record: bodies, client contexts, tokens, signatures, secret keys, query strings.

use std::{
    io::{self, Write},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    time::Duration,
};

use super::{Metrics, Outcome};
use crate::base::{AccountId, Caller, RequestId, Timestamp};

/// One answered request.
#[derive(Debug)]
pub struct Record {
    /// When it came.
    pub at: Timestamp,
    /// Its id.
    pub request_id: RequestId,
    /// Where it came from, after trusted proxies.
    pub source: IpAddr,
    /// The operation; `-` where none was found.
    pub operation: &'static str,
    /// The caller, once authenticated.
    pub caller: Option<Arc<Caller>>,
    /// The function that was named, for invocations.
    pub function: Option<Arc<str>>,
    /// HTTP status.
    pub status: u16,
    /// Whose doing.
    pub outcome: Outcome,
    /// The code of an error.
    pub code: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// How many records may wait for the writer.
const WAITING_MAX: usize = 4096;
/// How often the writer looks, while there is something to write and while there is not.
const POLL_BUSY: Duration = Duration::from_millis(20);
const POLL_IDLE: Duration = Duration::from_millis(200);

/// Where requests hand in their records.
#[derive(Clone)]
pub struct RequestLog {
    sender: Option<SyncSender<Record>>,
    metrics: Arc<Metrics>,
}

impl RequestLog {
    /// A log and the writer to be run beside it.
    pub fn new(metrics: Arc<Metrics>) -> (Self, Writer) {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        (Self { sender: Some(sender), metrics }, Writer { receiver, ending: Arc::default() })
    }

    /// A log that keeps nothing.
    pub fn off(metrics: Arc<Metrics>) -> Self {
        Self { sender: None, metrics }
    }

    /// Whether records are kept at all.
    pub fn is_on(&self) -> bool {
        self.sender.is_some()
    }

    /// Hands a record in; never waits.
    pub fn record(&self, record: Record) {
        if let Some(sender) = &self.sender
            && sender.try_send(record).is_err()
        {
            self.metrics.log_dropped();
        }
    }
}

/// How a line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `name=value` pairs.
    Text,
    /// A JSON object.
    Json,
}

/// The other end: a thread that writes what was handed in. Not a task, because whoever reads its lines may be slow.
pub struct Writer {
    receiver: Receiver<Record>,
    ending: Arc<AtomicBool>,
}

/// A writer that runs.
pub struct Writing {
    ending: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Writer {
    /// Begins to write lines to `out`.
    pub fn begin(self, format: Format, mut out: impl Write + Send + 'static) -> io::Result<Writing> {
        let ending = self.ending.clone();
        let thread = std::thread::Builder::new()
            .name("request-log".to_owned())
            .spawn(move || self.run(format, &mut out))?;
        Ok(Writing { ending, thread })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this thread does nothing else, and no request waits for it"
    )]
    fn run(&self, format: Format, out: &mut impl Write) {
        let mut lines = String::new();
        loop {
            // Asked before the last look, so that nothing handed in before the end is lost.
            let mut end = self.ending.load(Ordering::Acquire);
            loop {
                match self.receiver.try_recv() {
                    Ok(record) => record.write(format, &mut lines),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => {
                        end = true;
                        break;
                    }
                }
            }
            let busy = !lines.is_empty();
            // One call for all of them. A log that cannot be written has nowhere to say so.
            let _ = out.write_all(lines.as_bytes());
            lines.clear();
            if end {
                return;
            }
            std::thread::sleep(if busy { POLL_BUSY } else { POLL_IDLE });
        }
    }
}

impl Writing {
    /// Writes what has been handed in, and ends.
    pub fn finish(self) {
        self.ending.store(true, Ordering::Release);
        let _ = self.thread.join();
    }
}

impl Record {
    fn write(&self, format: Format, lines: &mut String) {
        let caller = self.caller.as_deref();
        let identity = caller.and_then(|caller| caller.identity.as_deref());
        let account = caller.map(|caller| caller.account);
        let mut line = Line { format, lines, first: true };
        line.begin();
        line.text("at", &self.at.iso8601_millis());
        line.text("request_id", &self.request_id.to_string());
        line.text("source", &self.source.to_string());
        line.text("operation", self.operation);
        line.optional("account", account.as_ref().map(AccountId::as_str));
        line.optional("access_key_id", caller.map(|caller| &*caller.access_key_id));
        line.optional("identity_id", identity.map(|identity| identity.identity_id.as_str()));
        line.optional("merged_id", identity.and_then(|identity| identity.merged_id.as_deref()));
        line.optional("function", self.function.as_deref());
        line.number("status", u64::from(self.status));
        line.text("outcome", self.outcome.as_str());
        line.optional("code", self.code.as_deref());
        line.number("took_us", u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX));
        line.end();
    }
}

/// A line being written.
struct Line<'a> {
    format: Format,
    lines: &'a mut String,
    first: bool,
}

impl Line<'_> {
    fn begin(&mut self) {
        self.lines.push_str(match self.format {
            Format::Text => "request",
            Format::Json => "{",
        });
    }

    fn name(&mut self, name: &str) {
        match self.format {
            Format::Text => {
                self.lines.push(' ');
                self.lines.push_str(name);
                self.lines.push('=');
            }
            Format::Json => {
                if !self.first {
                    self.lines.push(',');
                }
                self.lines.push('"');
                self.lines.push_str(name);
                self.lines.push_str("\":");
            }
        }
        self.first = false;
    }

    fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.lines.push_str(&value.to_string());
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'=');
        if self.format == Format::Text && !value.is_empty() && value.bytes().all(plain) {
            self.lines.push_str(value);
        } else {
            // A value that a client chose cannot break out of its line.
            self.lines.push_str(&serde_json::Value::from(value).to_string());
        }
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn end(&mut self) {
        self.lines.push_str(match self.format {
            Format::Text => "\n",
            Format::Json => "}\n",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::SeededRng;
    use crate::base::{CallerIdentity, Principal};

    fn record() -> Record {
        Record {
            at: Timestamp::default(),
            request_id: RequestId::draw(&SeededRng::new(1)),
            source: IpAddr::from([127, 0, 0, 1]),
            operation: "Invoke",
            caller: None,
            function: None,
            status: 200,
            outcome: Outcome::Success,
            code: None,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn a_full_log_drops_and_counts_instead_of_waiting() {
        let metrics = Arc::new(Metrics::new());
        let (log, _writer) = RequestLog::new(metrics.clone());
        for _ in 0..WAITING_MAX + 3 {
            log.record(record());
        }
        let text = metrics.render(super::super::metrics::Levels::default());
        assert!(text.contains("callgate_request_log_dropped_total 3"), "{text}");
    }

    #[derive(Clone, Default)]
    struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: Format, records: Vec<Record>) -> String {
        let (log, writer) = RequestLog::new(Arc::new(Metrics::new()));
        let out = Shared::default();
        let writing = writer.begin(format, out.clone()).unwrap();
        for record in records {
            log.record(record);
        }
        writing.finish();
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_was_handed_in_before_the_end_is_written() {
        let hostile = Record { function: Some("a\n\"b=c".into()), ..record() };
        let text = written(Format::Text, vec![record(), hostile]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("request at=1970-01-01T00:00:00.000Z request_id="), "{text}");
        assert!(lines[0].ends_with(" operation=Invoke status=200 outcome=success took_us=0"), "{text}");
        assert!(lines[1].contains(r#" function="a\n\"b=c" "#), "{text}");
        let identity = CallerIdentity {
            identity_id: "r:ann".to_owned(),
            merged_id: Some("r:guest".to_owned()),
            ..CallerIdentity::default()
        };
        let caller = Caller {
            account: AccountId::DEFAULT,
            principal: Principal::Root,
            access_key_id: "ASIA1".into(),
            identity: Some(Arc::new(identity)),
            session: None,
        };
        let text = written(Format::Text, vec![Record { caller: Some(Arc::new(caller)), ..record() }]);
        assert!(text.contains(" identity_id=r:ann merged_id=r:guest "), "{text}");
        let json = written(Format::Json, vec![record()]);
        let line: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&line["operation"], &line["status"]), (&"Invoke".into(), &200.into()));
    }
}
