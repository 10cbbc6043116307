//! What the configuration says, in the words of the parts that it is for.

use std::{io, num::NonZeroU32, sync::Arc, time::Duration};

use http::HeaderValue;
use tower_http::cors::AllowOrigin;

use super::OpenError;
use crate::{
    app::config::{Config, Format, Origin},
    authn::oidc::KnownConfig,
    dispatch::idempotency::{self, Bound, Bounds},
    edge::{self, cors::Cors},
    outbound::{Outbound, OutboundConfig},
    quota::{QuotaConfig, Rate},
    telemetry::{Metrics, RequestLog, Writing, request_log as telemetry_log},
};

/// The client for requests on somebody's word.
pub(super) fn outbound(config: &Config) -> Result<Outbound, OpenError> {
    let extra_roots_pem = match &config.outbound.certificates {
        Some(path) => {
            std::fs::read(path).map_err(|cause| OpenError::Certificates { path: path.clone(), cause })?
        }
        None => Vec::new(),
    };
    Ok(Outbound::new(&OutboundConfig {
        allowed: config.outbound.allowed.clone(),
        allow_loopback_http: config.oidc.allow_loopback_http,
        extra_roots_pem,
        ..OutboundConfig::default()
    })?)
}

/// Where the providers are that pools support by name.
pub(super) fn known(config: &Config) -> KnownConfig {
    let oidc = &config.oidc;
    KnownConfig {
        google_issuer: oidc.google_issuer.as_str().to_owned(),
        apple_issuer: oidc.apple_issuer.as_str().to_owned(),
        facebook_api: oidc.facebook_api.as_str().to_owned(),
        amazon_api: oidc.amazon_api.as_str().to_owned(),
    }
}

/// How often who may call.
pub(super) fn quota_config(config: &Config) -> QuotaConfig {
    let limits = &config.limits;
    let positive = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    QuotaConfig {
        account_concurrency: limits.account_concurrency,
        account_rate: positive(limits.account_rate),
        address_rate: Rate {
            per_second: positive(limits.address_rate),
            burst: positive(limits.address_burst),
        },
        guest_address_rate: Rate {
            per_second: positive(limits.guest_address_rate),
            burst: positive(limits.guest_address_burst),
        },
        guest_pool_rate: Rate {
            per_second: positive(limits.guest_pool_rate),
            burst: positive(limits.guest_pool_burst),
        },
        caller_rate: limits.caller_rate.map(|rate| Rate::flat(positive(rate))),
        merge_hook_rate: positive(config.identity.merge_hook_rate),
        ..QuotaConfig::default()
    }
}

/// For how long calls are remembered, and how many.
pub(super) fn idempotency_options(config: &Config) -> idempotency::Options {
    let settings = &config.idempotency;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let of = |mib: u64, entries: u64| Bound { entries, bytes: mib << 20 };
    let mib = |mib: u64| Bound::bytes(mib << 20);
    let all = of(settings.sdk_mib, settings.sdk_entries);
    idempotency::Options {
        sdk_window: seconds(settings.sdk_window_seconds),
        sdk: Bounds {
            all,
            owner: of(settings.sdk_identity_mib, settings.sdk_identity_entries),
            address: of(settings.sdk_address_mib, settings.sdk_address_entries),
            pool: all,
        },
        key_window: seconds(settings.key_window_seconds),
        keys: Bounds {
            all: mib(settings.key_mib),
            owner: mib(settings.key_identity_mib),
            address: mib(settings.key_address_mib),
            pool: mib(settings.key_pool_mib),
        },
    }
}

/// Browsers are told about the configured origins; with none, not a word.
pub(super) fn cors(gate: Arc<edge::Gate>, config: &Config) -> Result<Cors<edge::Gate>, OpenError> {
    let origins = match config.server.cors_allowed_origins.as_slice() {
        [] => None,
        _ => Some(origins(config)?),
    };
    Ok(Cors::new(gate, origins))
}

fn origins(config: &Config) -> Result<AllowOrigin, OpenError> {
    let configured = &config.server.cors_allowed_origins;
    if configured.contains(&Origin::Any) {
        return Ok(AllowOrigin::any());
    }
    let exact = configured.iter().filter_map(|origin| match origin {
        Origin::Exactly(origin) => Some(origin),
        Origin::Any => None,
    });
    let values =
        exact.map(|origin| HeaderValue::from_str(origin).map_err(|_| OpenError::Origin(origin.clone())));
    Ok(AllowOrigin::list(values.collect::<Result<Vec<_>, _>>()?))
}

/// The request log, to standard error beside the gateway's own.
pub(super) fn request_log(
    config: &Config,
    metrics: &Arc<Metrics>,
) -> Result<(RequestLog, Option<Writing>), OpenError> {
    if !tracing::enabled!(target: "callgate::request", tracing::Level::INFO) {
        return Ok((RequestLog::off(metrics.clone()), None));
    }
    let format = match config.log.format {
        Format::Text => telemetry_log::Format::Text,
        Format::Json => telemetry_log::Format::Json,
    };
    let (log, writer) = RequestLog::new(metrics.clone());
    Ok((log, Some(writer.begin(format, io::stderr()).map_err(OpenError::Thread)?)))
}
