//! The names of an answer's header fields, spelled on HTTP/1.1 as AWS spells them.
//!
//! HTTP knows no case in names. The AWS SDK for Android and the AWS SDK for Java of 2015 do: they look `X-Amz-Function-Error`
//! and `x-amzn-ErrorType` up letter by letter. In small letters a function's error would be a result to them, and a refusal
//! would have no code. hyper writes every first letter large where it is told to; what AWS spells otherwise it writes as an
//! extension of the answer says, which only hyper itself can make, of a request that it read.

use axum::body::Body;
use http::{Extensions, Response};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    sync::{OnceCell, mpsc},
};

/// A request whose names are spelled as those of AWS's refusals.
const SPELLED: &[u8] =
    b"GET / HTTP/1.1\r\nconnection: close\r\nx-amzn-ErrorType: -\r\nx-amzn-RequestId: -\r\n\r\n";
/// Holds the request, and hyper's answer to it.
const PIPE_BYTES: usize = 1024;

static REFUSALS: OnceCell<Extensions> = OnceCell::const_new();

/// The answer, with what it takes to spell its names. Answers with results, which are the many, only take a look.
pub async fn spelled(mut response: Response<Body>) -> Response<Body> {
    if !response.status().is_success() {
        response.extensions_mut().extend(REFUSALS.get_or_init(of_refusals).await.clone());
    }
    response
}

async fn of_refusals() -> Extensions {
    let (mut client, server) = tokio::io::duplex(PIPE_BYTES);
    let (tell, mut told) = mpsc::channel(1);
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let _ = tell.try_send(request.extensions().clone());
        async { Ok::<_, std::convert::Infallible>(Response::new(Body::empty())) }
    });
    let _ = client.write_all(SPELLED).await;
    let _ = http1::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(server), service)
        .await;
    told.try_recv().unwrap_or_default()
}
