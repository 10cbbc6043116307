//! Retries that run once, as requests have them: the id that a request sends, and what a request gets whose call is known.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header::RETRY_AFTER, request::Parts};

use super::{arrival::Arrival, gate::Gate, refusals, render, report::Trace};
use crate::{
    api::{ApiError, Service, lambda::invoke},
    base::{Caller, OverLimit},
    dispatch::{
        Terms,
        idempotency::{
            Answer, Call, Claim, First, Holder, Holders, JOINS_MAX, Key, Kind, NotRecorded, Over, Owner,
            Refusal, key,
        },
    },
    functions::FunctionRef,
    quota::Reason,
};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The SDKs' own ids, the first of which counts. Signers leave these headers out, so nothing of security rests on them.
const SDK: [HeaderName; 2] =
    [HeaderName::from_static("amz-sdk-invocation-id"), HeaderName::from_static("aws-sdk-invocation-id")];
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How often a request tries again whose call was just refused before it began.
const CLAIMS_MAX: u32 = 3;

/// The id that a request sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Id<'h> {
    kind: Kind,
    text: &'h str,
}

/// A request whose call may run now.
pub enum Claimed {
    /// It runs; with an id whoever sends it again is told.
    Runs(Option<Box<First>>),
    /// This is its answer.
    Answered(Box<Response<Body>>),
}

impl<'h> Id<'h> {
    /// The id in a head. A key that is none is refused; an SDK's id that is none counts for nothing.
    pub fn read(head: &'h Parts) -> Result<Option<Self>, ApiError> {
        let mut keys = head.headers.get_all(KEY).iter();
        match (keys.next(), keys.next()) {
            (None, _) => {}
            (Some(one), None) if key::is_id(one.as_bytes()) => {
                return Ok(one.to_str().ok().map(|text| Self { kind: Kind::Key, text }));
            }
            (Some(_), _) => {
                return Err(ApiError::bad_request(
                    "InvalidParameterValueException",
                    format!(
                        "The header Idempotency-Key must be sent once, with 1 to {} visible ASCII characters.",
                        key::ID_BYTES_MAX
                    ),
                ));
            }
        }
        let sent = SDK.iter().find_map(|name| head.headers.get(name));
        let text = sent.filter(|id| key::is_id(id.as_bytes())).and_then(|id| id.to_str().ok());
        Ok(text.map(|text| Self { kind: Kind::Sdk, text }))
    }
}

/// The first request of a call goes on; a later one waits here for the run, or gets the answer that was kept.
pub async fn claim(
    gate: &Gate,
    arrival: &Arrival,
    trace: &mut Trace<'_>,
    id: Option<Id<'_>>,
    caller: &Caller,
    function: &FunctionRef,
    print: impl FnOnce() -> key::Print,
) -> Result<Claimed, ApiError> {
    let Some(id) = id else { return Ok(Claimed::Runs(None)) };
    let owner = Owner::of(caller);
    // A pool's share is of keys alone.
    let session = caller.session.as_ref().filter(|_| id.kind == Kind::Key);
    let pool = session.and_then(|session| session.origin.pool_id.as_deref());
    let (key, print) = (Key::new(owner, function, id.kind, id.text), print());
    let call = || Call {
        key,
        kind: id.kind,
        shape: key::shape(function.qualifier.as_deref()),
        print,
        id: arrival.id,
        began: arrival.at,
        holders: Holders::new(owner, arrival.source, pool.map(Holder::pool)),
        identity: caller.identity.as_ref().map(|identity| identity.identity_id.as_str().into()),
    };
    for _ in 0..CLAIMS_MAX {
        let answer = match gate.idempotency.claim(call()) {
            Claim::First(first) => return Ok(Claimed::Runs(Some(first))),
            Claim::Unremembered => return Ok(Claimed::Runs(None)),
            Claim::Refused(refusal) => return Err(refused(refusal)),
            Claim::Join(waiting) => waiting.answer().await,
            Claim::Stored(stored) => Some(stored.read().await.ok_or_else(|| refused(Refusal::Unknown))?),
        };
        if let Some(answer) = answer {
            trace.replayed(&answer.outcome);
            return Ok(Claimed::Answered(Box::new(replay(&answer))));
        }
    }
    Err(refused(Refusal::TooManyWait))
}

/// The terms of a call that others may wait for, and that can be named while it runs.
pub fn reachable(first: Option<&First>, terms: Terms) -> Terms {
    let Some(first) = first else { return terms };
    let run = first.run_of();
    if terms.leaving_cancels {
        run.cancel_when_left();
    }
    // Whether anybody has left is the run's to know: this request is not the only one that may wait for it.
    Terms { cancel: Some(run.cancel().clone()), leaving_cancels: false, ..terms }
}

/// The answer as the request that ran got it.
fn replay(answer: &Answer) -> Response<Body> {
    let mut response = render::reply(Service::Lambda, invoke::reply(answer.outcome.clone()), answer.id);
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::TooManyWait => {
            let over = OverLimit::at_once("idempotency.joins", JOINS_MAX.into());
            refusals::too_many(Reason::CallerRateLimitExceeded, over).with_cause(refusal.to_string())
        }
        Refusal::Reused => ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "IdempotencyKeyReusedException",
            "This Idempotency-Key was sent before with another payload: send a new key for a new call, and the same payload \
             for the same call.",
        ),
        Refusal::Unknown => ApiError::new(
            StatusCode::CONFLICT,
            "IdempotencyOutcomeUnknownException",
            "This call began before, and its answer is not known: it was cut short, or could not be kept. It is not run again. \
             Find out what it did, and send a new Idempotency-Key if it is to run.",
        ),
        Refusal::TooManyCalls => unavailable(
            "idempotency.calls",
            "This Idempotency-Key was sent for too many versions and aliases: send another one.",
        ),
    }
}

/// A call whose key could not be recorded: it was not run.
pub fn not_recorded(error: NotRecorded) -> ApiError {
    let limit = match error {
        NotRecorded::Unwritable => {
            return ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailableException",
                "The Idempotency-Key could not be recorded, so the call was not run: try again in a moment.",
            )
            .with_header(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        NotRecorded::Full(Over::All) => "idempotency.key_mib",
        NotRecorded::Full(Over::Owner) => "idempotency.key_identity_mib",
        NotRecorded::Full(Over::Address) => "idempotency.key_address_mib",
        NotRecorded::Full(Over::Pool) => "idempotency.key_pool_mib",
    };
    unavailable(
        limit,
        "No more calls with an Idempotency-Key can be remembered, so this one was not run: try again later, or without a key.",
    )
}

/// Room comes when what is kept has had its time: nobody knows when, and a minute is soon enough.
fn unavailable(limit: &'static str, message: &str) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", message)
        .with_header(RETRY_AFTER, HeaderValue::from_static("60"))
        .with_header(render::LIMIT, HeaderValue::from_static(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn read(headers: &[(&str, &str)]) -> Option<(Kind, String)> {
        let head = head(headers);
        let id = Id::read(&head).unwrap();
        id.map(|id| (id.kind, id.text.to_owned()))
    }

    #[test]
    fn the_key_wins_and_of_sdks_ids_the_newer_header() {
        assert_eq!(read(&[]), None);
        let all = [("idempotency-key", "k"), ("amz-sdk-invocation-id", "a"), ("aws-sdk-invocation-id", "b")];
        assert_eq!(read(&all), Some((Kind::Key, "k".to_owned())));
        assert_eq!(read(&all[1..]), Some((Kind::Sdk, "a".to_owned())));
        assert_eq!(read(&all[2..]), Some((Kind::Sdk, "b".to_owned())));
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_an_sdks_id_counts_for_nothing() {
        let long = "k".repeat(256);
        for bad in ["", "a b", &long] {
            let head = head(&[("idempotency-key", bad)]);
            let error = Id::read(&head).unwrap_err();
            assert_eq!(
                (error.status.as_u16(), &*error.code),
                (400, "InvalidParameterValueException"),
                "{bad:?}"
            );
            assert_eq!(read(&[("amz-sdk-invocation-id", bad)]), None);
        }
        assert!(Id::read(&head(&[("idempotency-key", "a"), ("idempotency-key", "a")])).is_err());
        assert_eq!(read(&[("idempotency-key", &long[1..])]).unwrap().0, Kind::Key);
    }

    #[test]
    fn whoever_is_over_learns_which_limit_it_was() {
        for (over, limit) in [
            (Over::All, "idempotency.key_mib"),
            (Over::Owner, "idempotency.key_identity_mib"),
            (Over::Address, "idempotency.key_address_mib"),
            (Over::Pool, "idempotency.key_pool_mib"),
        ] {
            let error = not_recorded(NotRecorded::Full(over));
            assert_eq!(error.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(error.headers.iter().any(|(name, value)| *name == render::LIMIT && value == limit));
        }
    }
}
