//! The gateway's metrics, for Prometheus.
//!
//! Handles are made once and kept, because looking a label up costs more than counting. `docs/metrics.md` is generated
//! from [`DESCRIBED`].

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::Outcome;
use crate::base::ColdStart;

/// Every metric: name, kind, labels, meaning.
pub const DESCRIBED: &[(&str, &str, &str, &str)] = &[
    (
        "callgate_requests_total",
        "counter",
        "operation, outcome",
        "Requests answered, by operation and whose doing the answer was.",
    ),
    (
        "callgate_invocation_seconds",
        "histogram",
        "",
        "Time from a whole request to its answer, invocations only.",
    ),
    (
        "callgate_cold_starts_total",
        "counter",
        "cause",
        "Invocations that were the first of their sandbox, by the reason why it had to be started.",
    ),
    (
        "callgate_request_log_dropped_total",
        "counter",
        "",
        "Request-log records dropped because the log's writer could not keep up.",
    ),
    (
        "callgate_connections_refused_total",
        "counter",
        "",
        "Connections closed at once because `server.connections_max` was reached.",
    ),
    ("callgate_body_bytes_in_flight", "gauge", "", "Bytes of request bodies held now."),
    ("callgate_connections", "gauge", "", "Connections open now."),
    ("callgate_sandboxes", "gauge", "", "Sandboxes alive now."),
    ("callgate_concurrent_executions", "gauge", "", "Invocations running now."),
    (
        "callgate_identity_cache_bytes",
        "gauge",
        "",
        "Memory that identities take which were read of late; `identity.cache_mib` bounds it.",
    ),
    (
        "callgate_idempotency_replays_total",
        "counter",
        "",
        "Requests that were answered with what an earlier request of the same call had got.",
    ),
    (
        "callgate_idempotency_joins_total",
        "counter",
        "",
        "Requests that came while their call ran, and waited for that run.",
    ),
    (
        "callgate_idempotency_evicted_total",
        "counter",
        "",
        "Answers known by an SDK's id that were let go before `idempotency.sdk_window_seconds`, or not kept at all, for want of \
         room.",
    ),
    (
        "callgate_idempotency_unknown_total",
        "counter",
        "",
        "Requests refused because their call began before and what came of it is not known.",
    ),
    (
        "callgate_idempotency_full_total",
        "counter",
        "",
        "Calls with an `Idempotency-Key` refused because no more of them may be kept.",
    ),
    ("callgate_idempotency_sdk_entries", "gauge", "", "Answers kept in memory by an SDK's id."),
    (
        "callgate_idempotency_sdk_bytes",
        "gauge",
        "",
        "Memory that they take; `idempotency.sdk_mib` bounds it.",
    ),
    ("callgate_idempotency_key_entries", "gauge", "", "Calls kept by an `Idempotency-Key`."),
    (
        "callgate_idempotency_key_bytes",
        "gauge",
        "",
        "Bytes that they are charged; `idempotency.key_mib` bounds them.",
    ),
];

const METADATA: Metadata<'static> = Metadata::new("callgate", Level::INFO, Some(module_path!()));
/// Upper bounds of the duration histogram's buckets, in seconds.
const BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 900.0];

/// The registry and the handles that the request path uses.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    invocation_seconds: Histogram,
    /// In the order of [`ColdStart::ALL`].
    cold_starts: [Counter; ColdStart::ALL.len()],
    log_dropped: Counter,
    connections_refused: Counter,
    bytes_in_flight: Gauge,
    connections: Gauge,
    sandboxes: Gauge,
    executions: Gauge,
    identity_bytes: Gauge,
    retries: Retries,
}

/// The handles for what [`RetryLevels`] tells.
struct Retries {
    replays: Counter,
    joins: Counter,
    evicted: Counter,
    unknown: Counter,
    full: Counter,
    sdk_entries: Gauge,
    sdk_bytes: Gauge,
    key_entries: Gauge,
    key_bytes: Gauge,
}

/// The counters of one operation, one for each [`Outcome`].
pub struct OperationCounters([Counter; Outcome::ALL.len()]);

impl OperationCounters {
    /// Counts one answer.
    pub fn count(&self, outcome: Outcome) {
        self.0[outcome as usize].increment(1);
    }
}

/// What is read off the gateway when somebody scrapes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Levels {
    /// Bytes of request bodies held.
    pub bytes_in_flight: u64,
    /// Connections open.
    pub connections: u64,
    /// Sandboxes alive.
    pub sandboxes: u64,
    /// Invocations running.
    pub executions: u64,
    /// Memory that identities take which were read of late.
    pub identity_bytes: u64,
    /// Retries that run once.
    pub retries: RetryLevels,
}

/// What is kept for retries, and what was done since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryLevels {
    /// Requests answered from what was kept.
    pub replays: u64,
    /// Requests that waited for another's run.
    pub joins: u64,
    /// Answers that left memory early.
    pub evicted: u64,
    /// Requests refused because what came of their run is not known.
    pub unknown: u64,
    /// Calls refused because no more keys may be kept.
    pub full: u64,
    /// Answers kept in memory.
    pub sdk_entries: u64,
    /// Their bytes.
    pub sdk_bytes: u64,
    /// Calls kept by a key.
    pub key_entries: u64,
    /// Their bytes.
    pub key_bytes: u64,
}

impl Metrics {
    /// A registry of its own, so that two gateways in one process do not share counters.
    pub fn new() -> Self {
        let builder = PrometheusBuilder::new();
        // The only failure is an empty list of buckets.
        let builder = builder.set_buckets(BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        for (name, kind, _, meaning) in DESCRIBED {
            let meaning = metrics::SharedString::const_str(meaning);
            match *kind {
                "counter" => recorder.describe_counter((*name).into(), None, meaning),
                "gauge" => recorder.describe_gauge((*name).into(), None, meaning),
                _ => recorder.describe_histogram((*name).into(), None, meaning),
            }
        }
        let counter = |name: &'static str| recorder.register_counter(&Key::from_static_name(name), &METADATA);
        let gauge = |name: &'static str| recorder.register_gauge(&Key::from_static_name(name), &METADATA);
        Self {
            invocation_seconds: recorder
                .register_histogram(&Key::from_static_name("callgate_invocation_seconds"), &METADATA),
            cold_starts: ColdStart::ALL.map(|cause| {
                let labels = vec![Label::from_static_parts("cause", cause.as_str())];
                recorder.register_counter(&Key::from_parts("callgate_cold_starts_total", labels), &METADATA)
            }),
            log_dropped: counter("callgate_request_log_dropped_total"),
            connections_refused: counter("callgate_connections_refused_total"),
            bytes_in_flight: gauge("callgate_body_bytes_in_flight"),
            connections: gauge("callgate_connections"),
            sandboxes: gauge("callgate_sandboxes"),
            executions: gauge("callgate_concurrent_executions"),
            identity_bytes: gauge("callgate_identity_cache_bytes"),
            retries: Retries {
                replays: counter("callgate_idempotency_replays_total"),
                joins: counter("callgate_idempotency_joins_total"),
                evicted: counter("callgate_idempotency_evicted_total"),
                unknown: counter("callgate_idempotency_unknown_total"),
                full: counter("callgate_idempotency_full_total"),
                sdk_entries: gauge("callgate_idempotency_sdk_entries"),
                sdk_bytes: gauge("callgate_idempotency_sdk_bytes"),
                key_entries: gauge("callgate_idempotency_key_entries"),
                key_bytes: gauge("callgate_idempotency_key_bytes"),
            },
            handle,
            recorder,
        }
    }

    /// The counters of one operation. Made once for each operation in the route table, never by a client's word.
    pub fn operation(&self, name: &'static str) -> OperationCounters {
        OperationCounters(Outcome::ALL.map(|outcome| {
            let labels = vec![
                Label::from_static_parts("operation", name),
                Label::from_static_parts("outcome", outcome.as_str()),
            ];
            self.recorder.register_counter(&Key::from_parts("callgate_requests_total", labels), &METADATA)
        }))
    }

    /// Notes how long an invocation took, and why a sandbox had to be started for it, if one had to be.
    pub fn invocation(&self, took: Duration, cold: Option<ColdStart>) {
        self.invocation_seconds.record(took.as_secs_f64());
        if let Some(cause) = cold {
            self.cold_starts[cause as usize].increment(1);
        }
    }

    /// Notes a record that the request log had no room for.
    pub fn log_dropped(&self) {
        self.log_dropped.increment(1);
    }

    /// Notes a connection for which there was no room.
    pub fn connection_refused(&self) {
        self.connections_refused.increment(1);
    }

    /// Folds recorded samples into their buckets. Called every few seconds, so that samples do not pile up between scrapes.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// The exposition text.
    pub fn render(&self, levels: Levels) -> String {
        #[expect(clippy::cast_precision_loss, reason = "gauges are floating point in Prometheus")]
        let set = |gauge: &Gauge, value: u64| gauge.set(value as f64);
        set(&self.bytes_in_flight, levels.bytes_in_flight);
        set(&self.connections, levels.connections);
        set(&self.sandboxes, levels.sandboxes);
        set(&self.executions, levels.executions);
        set(&self.identity_bytes, levels.identity_bytes);
        let (handles, levels) = (&self.retries, levels.retries);
        set(&handles.sdk_entries, levels.sdk_entries);
        set(&handles.sdk_bytes, levels.sdk_bytes);
        set(&handles.key_entries, levels.key_entries);
        set(&handles.key_bytes, levels.key_bytes);
        handles.replays.absolute(levels.replays);
        handles.joins.absolute(levels.joins);
        handles.evicted.absolute(levels.evicted);
        handles.unknown.absolute(levels.unknown);
        handles.full.absolute(levels.full);
        self.handle.render()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::base::generated;

    #[test]
    fn counts_appear_with_their_labels() {
        let metrics = Metrics::new();
        let invoke = metrics.operation("Invoke");
        invoke.count(Outcome::Success);
        invoke.count(Outcome::Success);
        invoke.count(Outcome::Throttled);
        metrics.invocation(Duration::from_millis(3), Some(ColdStart::NewCode));
        let text = metrics.render(Levels { connections: 4, ..Levels::default() });
        assert!(
            text.contains(r#"callgate_requests_total{operation="Invoke",outcome="success"} 2"#),
            "{text}"
        );
        assert!(
            text.contains(r#"callgate_requests_total{operation="Invoke",outcome="throttled"} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"callgate_cold_starts_total{cause="new_code"} 1"#), "{text}");
        assert!(text.contains(r#"callgate_cold_starts_total{cause="expired"} 0"#), "{text}");
        assert!(text.contains(r#"callgate_invocation_seconds_bucket{le="0.005"} 1"#), "{text}");
        assert!(text.contains("callgate_connections 4"), "{text}");
    }

    #[test]
    fn every_metric_is_described() {
        let metrics = Metrics::new();
        metrics.operation("Invoke").count(Outcome::Success);
        metrics.invocation(Duration::from_millis(3), None);
        let text = metrics.render(Levels::default());
        let mut seen: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let mut described: Vec<_> =
            DESCRIBED.iter().map(|(name, kind, _, _)| format!("{name} {kind}")).collect();
        seen.sort_unstable();
        described.sort_unstable();
        assert_eq!(seen, described);
    }

    #[test]
    fn the_table_of_metrics_in_docs_is_up_to_date() {
        let mut out = String::from(
            "# Metrics\n\n\
             <!-- Made from src/telemetry/metrics.rs by its tests: make docs -->\n\n\
             What `GET /metrics` answers, in Prometheus' text form. It is management: beyond loopback it is served on\n\
             `management_listen` alone.\n\n\
             | Metric | Kind | Labels | Meaning |\n|---|---|---|---|\n",
        );
        for (name, kind, labels, meaning) in DESCRIBED {
            let labels: Vec<_> = labels
                .split(", ")
                .filter(|label| !label.is_empty())
                .map(|label| format!("`{label}`"))
                .collect();
            let _ = writeln!(out, "| `{name}` | {kind} | {} | {meaning} |", labels.join(", "));
        }
        let outcomes: Vec<_> = Outcome::ALL.iter().map(|outcome| format!("`{}`", outcome.as_str())).collect();
        let causes: Vec<_> = ColdStart::ALL.iter().map(|cause| format!("`{}`", cause.as_str())).collect();
        let _ = writeln!(out, "\n`outcome` is one of {}.", outcomes.join(", "));
        let _ = writeln!(out, "\n`cause` is one of {}.", causes.join(", "));
        generated::compare("docs/metrics.md", &out);
    }
}
