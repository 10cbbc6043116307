//! The request log: one line a request, written off the caller's path.
//!
//! The request hands a record to a bounded channel and goes on; a writer that polls the channel formats the lines. Polling
//! costs no wake-up on the request's way. When the writer cannot keep up, records are dropped and counted.
//!
//! Never in a record: bodies, client contexts, tokens, signatures, secret keys, query strings.

use std::{
    net::IpAddr,
    sync::{
        Arc,
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
        (Self { sender: Some(sender), metrics }, Writer { receiver })
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

/// The other end: writes what was handed in.
pub struct Writer {
    receiver: Receiver<Record>,
}

impl Writer {
    /// Writes until every [`RequestLog`] is gone.
    pub async fn run(self) {
        loop {
            let mut wrote = false;
            loop {
                match self.receiver.try_recv() {
                    Ok(record) => {
                        write(&record);
                        wrote = true;
                    }
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            tokio::time::sleep(if wrote { POLL_BUSY } else { POLL_IDLE }).await;
        }
    }
}

fn write(record: &Record) {
    let caller = record.caller.as_deref();
    tracing::info!(
        target: "callgate::request",
        at = %record.at,
        request_id = %record.request_id,
        source = %record.source,
        operation = record.operation,
        account = caller.map(|caller| caller.account).as_ref().map(AccountId::as_str),
        access_key_id = caller.map(|caller| &*caller.access_key_id),
        identity_id = caller.and_then(|caller| caller.identity.as_deref()).map(|identity| &*identity.identity_id),
        function = record.function.as_deref(),
        status = record.status,
        outcome = record.outcome.as_str(),
        code = record.code.as_deref(),
        took_us = u64::try_from(record.took.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::SeededRng;

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

    #[tokio::test]
    async fn the_writer_ends_with_its_last_log() {
        let (log, writer) = RequestLog::new(Arc::new(Metrics::new()));
        log.record(record());
        drop(log);
        writer.run().await;
    }
}
