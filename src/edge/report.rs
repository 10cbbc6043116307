//! What a request leaves behind: one count, one record.

use std::sync::Arc;

use http::StatusCode;

use super::{arrival::Arrival, gate::Gate, routes::Entry};
use crate::{
    api::{ApiError, Service},
    base::Caller,
    dispatch::Outcome as Invoked,
    telemetry::{Outcome, Record},
};

/// What is noted of a request on its way.
pub struct Trace<'g> {
    /// In whose protocol to answer.
    pub service: Service,
    operation: &'static str,
    entry: Option<&'g Entry>,
    caller: Option<Arc<Caller>>,
    function: Option<Arc<str>>,
    outcome: Option<Outcome>,
    code: Option<String>,
}

impl Default for Trace<'_> {
    fn default() -> Self {
        Self {
            service: Service::Lambda,
            operation: "-",
            entry: None,
            caller: None,
            function: None,
            outcome: None,
            code: None,
        }
    }
}

impl<'g> Trace<'g> {
    /// The operation is known.
    pub fn operation(&mut self, service: Service, name: &'static str, entry: Option<&'g Entry>) {
        self.service = service;
        self.operation = name;
        self.entry = entry;
    }

    /// No operation was found; answer as this service does.
    pub fn unknown(&mut self, (service, error): (Service, ApiError)) -> ApiError {
        self.service = service;
        error
    }

    /// The caller is known.
    pub fn caller(&mut self, caller: Arc<Caller>) -> Arc<Caller> {
        self.caller = Some(caller.clone());
        caller
    }

    /// The function is known by name.
    pub fn function(&mut self, name: &str) {
        self.function = Some(name.into());
    }

    /// A function was run.
    pub fn invoked(&mut self, gate: &Gate, arrival: &Arrival, outcome: &Invoked) {
        gate.metrics.invocation(gate.clock.monotonic().saturating_sub(arrival.began), outcome.cold);
        if outcome.function_error.is_some() {
            self.outcome = Some(Outcome::FunctionError);
        }
    }

    /// A function had been run, and its answer was given again.
    pub fn replayed(&mut self, outcome: &Invoked) {
        if outcome.function_error.is_some() {
            self.outcome = Some(Outcome::FunctionError);
        }
    }

    /// The request was refused. A cause is logged here and nowhere else: as an error if the fault is ours.
    pub fn refused(&mut self, error: &ApiError, arrival: &Arrival) {
        let (request_id, operation) = (arrival.id, self.operation);
        match &error.cause {
            Some(cause) if error.status.is_server_error() => {
                tracing::error!(%request_id, operation, cause, "a request failed");
            }
            Some(cause) => tracing::info!(%request_id, operation, cause, "a request was refused"),
            None => {}
        }
        self.code = Some(error.code.clone().into_owned());
    }

    /// The answer is made: count it and hand its record in.
    pub fn finish(self, gate: &Gate, arrival: &Arrival, status: StatusCode) {
        let outcome = self.outcome.unwrap_or_else(|| Outcome::of_status(status));
        let counters = match (self.entry, self.operation) {
            (Some(entry), _) => &entry.counters,
            (None, "Invoke") => &gate.invoke_counters,
            (None, _) => &gate.unknown_counters,
        };
        counters.count(outcome);
        if !gate.log.is_on() {
            return;
        }
        gate.log.record(Record {
            at: arrival.at,
            request_id: arrival.id,
            source: arrival.source,
            operation: self.operation,
            caller: self.caller,
            function: self.function,
            status: status.as_u16(),
            outcome,
            code: self.code,
            took: gate.clock.monotonic().saturating_sub(arrival.began),
        });
    }
}
