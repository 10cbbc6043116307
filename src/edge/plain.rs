//! What is not of an AWS protocol: health, metrics, the documents by which others verify our tokens, packages to fetch.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::server::Peer;
use crate::{
    api::Door,
    authn::oidc::signing::{DISCOVERY_PATH, JWKS_PATH},
    telemetry::{Metrics, metrics::Levels},
};

/// An answer that has to be waited for.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Where the plain endpoints get what they show.
pub trait Source: Send + Sync + 'static {
    /// Whether requests can be served; otherwise why not.
    fn ready(&self) -> Result<(), String>;
    /// The levels for the gauges.
    fn levels(&self) -> Levels;
    /// The issuer's discovery document.
    fn openid_configuration(&self) -> Value;
    /// The keys that verify this gateway's open-id tokens.
    fn jwks(&self) -> Value;
    /// The package that a download token names; `None` for a token that is forged, expired or of a package that is gone.
    fn package(&self, token: &str) -> Pending<Option<Body>>;
}

#[derive(Clone)]
struct Shared {
    source: Arc<dyn Source>,
    metrics: Arc<Metrics>,
}

/// The router of the plain endpoints.
#[derive(Clone)]
pub struct Plain(Router);

impl Plain {
    /// Routes to `source`.
    pub fn new(source: Arc<dyn Source>, metrics: Arc<Metrics>) -> Self {
        let router = Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics_text))
            .route(DISCOVERY_PATH, get(openid_configuration))
            .route(JWKS_PATH, get(jwks))
            .route("/callgate/public/code/{token}", get(package))
            .fallback(async || (StatusCode::NOT_FOUND, "There is nothing here.\n"))
            .with_state(Shared { source, metrics });
        Self(router)
    }

    /// Answers a request.
    pub async fn answer(&self, peer: Peer, mut request: Request) -> Response {
        request.extensions_mut().insert(peer);
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

async fn ready(State(shared): State<Shared>) -> Response {
    match shared.source.ready() {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}

async fn metrics_text(State(shared): State<Shared>, request: Request) -> Response {
    let management =
        request.extensions().get::<Peer>().is_some_and(|peer| peer.doors.contains(&Door::Management));
    if !management {
        return (StatusCode::NOT_FOUND, "Metrics are served on management_listen.\n").into_response();
    }
    let text = shared.metrics.render(shared.source.levels());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"))], text).into_response()
}

async fn openid_configuration(State(shared): State<Shared>) -> Response {
    document(&shared.source.openid_configuration())
}

async fn jwks(State(shared): State<Shared>) -> Response {
    document(&shared.source.jwks())
}

/// JSON that anybody may keep for five minutes.
fn document(value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (headers, value.to_string()).into_response()
}

async fn package(State(shared): State<Shared>, Path(token): Path<String>) -> Response {
    match shared.source.package(&token).await {
        Some(body) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"))], body).into_response()
        }
        None => {
            let error =
                json!({"message": "This link has expired, or never was one: ask GetFunction for a new one."});
            (StatusCode::FORBIDDEN, error.to_string()).into_response()
        }
    }
}
