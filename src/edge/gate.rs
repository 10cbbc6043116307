//! Everything the pipeline needs, in one place.

use std::{sync::Arc, time::Duration};

use crate::{
    authn::Authn,
    base::{Network, Region, clock::SharedClock, rng::SharedRng},
    dispatch::{Dispatch, Idempotency},
    functions::Functions,
    quota::Quota,
    telemetry::{Metrics, RequestLog, metrics::OperationCounters},
};

use super::{authorizer::IamAuthorizer, body::Budget, plain::Plain, routes::Routes, throttles::Throttles};

/// Settings of the edge that are not the pipeline's steps.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a body may take to arrive.
    pub body_read: Duration,
    /// Whether Invoke takes bodies that are compressed with gzip.
    pub takes_gzip: bool,
    /// The organization that every account belongs to.
    pub organization: Option<String>,
}

/// The gateway, as the pipeline sees it.
pub struct Gate {
    /// The route table.
    pub routes: Routes,
    /// Who calls.
    pub authn: Authn,
    /// How often.
    pub quota: Arc<Quota>,
    /// May they.
    pub authorizer: Arc<IamAuthorizer>,
    /// What is deployed.
    pub functions: Arc<Functions>,
    /// Run it.
    pub dispatch: Arc<Dispatch>,
    /// Which calls have been run.
    pub idempotency: Arc<Idempotency>,
    /// What is not of an AWS protocol.
    pub plain: Plain,
    /// Whose word about a client's address counts.
    pub trusted_proxies: Vec<Network>,
    /// Bytes of bodies held, over all requests.
    pub budget: Arc<Budget>,
    /// What was refused over limits of late.
    pub throttles: Throttles,

    /// The gateway's region.
    pub region: Region,
    /// The base of links and issuer names, without a slash at its end.
    pub public_url: String,
    /// The clock.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// What counts invocations.
    pub invoke_counters: OperationCounters,
    /// What counts requests that name no operation.
    pub unknown_counters: OperationCounters,
    /// The request log.
    pub log: RequestLog,
    /// Settings.
    pub settings: Settings,
}
