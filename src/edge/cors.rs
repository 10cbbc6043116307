//! Cross-origin requests: which web origins may call from a browser. None, unless configured.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::body::Body;
use http::{HeaderName, Method, Request, Response};
use hyper::body::Incoming;
use tower::ServiceExt;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::server::{Answer, Peer};

/// Headers of answers that a script needs to see.
const EXPOSED: [HeaderName; 9] = [
    HeaderName::from_static("x-amzn-requestid"),
    HeaderName::from_static("x-amzn-errortype"),
    HeaderName::from_static("x-amz-function-error"),
    HeaderName::from_static("x-amz-executed-version"),
    HeaderName::from_static("x-amz-log-result"),
    HeaderName::from_static("x-callgate-limit"),
    HeaderName::from_static("idempotent-replayed"),
    HeaderName::from_static("retry-after"),
    HeaderName::from_static("date"),
];
/// How long a browser may keep the answer to its preflight.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// Answers as `A` does, and tells browsers what they ask about origins.
pub struct Cors<A> {
    answer: Arc<A>,
    layer: Option<CorsLayer>,
}

impl<A> Cors<A> {
    /// Admits these origins; with `None`, no header is added and no preflight is answered.
    pub fn new(answer: Arc<A>, origins: Option<AllowOrigin>) -> Self {
        let layer = origins.map(|origins| {
            CorsLayer::new()
                .allow_origin(origins)
                .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
                // Every one that the SDKs send, and those they will send: which headers count is the signature's matter.
                .allow_headers(AllowHeaders::mirror_request())
                .expose_headers(EXPOSED)
                .max_age(PREFLIGHT_AGE)
        });
        Self { answer, layer }
    }
}

impl<A: Answer> Answer for Cors<A> {
    async fn answer(self: Arc<Self>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let answer = self.answer.clone();
        let Some(layer) = &self.layer else { return answer.answer(peer, request).await };
        let service = tower::service_fn(move |request| {
            let answer = answer.clone();
            async move { Ok::<_, Infallible>(answer.answer(peer, request).await) }
        });
        match tower::Layer::layer(layer, service).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
