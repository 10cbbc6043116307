//! The way of every request, in order. Each step hands on a value that only it can make.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::body::Body;
use futures_util::FutureExt;
use http::{Request, Response, header::USER_AGENT, request::Parts};
use hyper::body::Incoming;

use super::{
    arrival::Arrival,
    body::{self, BodyError, Held},
    compressed::Encoding,
    gate::Gate,
    refusals, render,
    report::Trace,
    retries::{self, Claimed, Id},
    routes::{Entry, Found, check_door, class},
    server::{Answer, Peer},
};
use crate::{
    api::{
        Access, ApiError, Context, Raw, Service,
        lambda::{invoke, payload},
    },
    authn::{Authn, AuthnError, Verified},
    base::Caller,
    dispatch::idempotency::key,
    quota::{Call as Admitted, Class},
};

impl Answer for Gate {
    async fn answer(self: Arc<Self>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let arrival = Arrival::note(&self, peer, request.headers());
        let mut trace = Trace::default();
        // A panic is a defect of ours: it must cost this request alone, not the connection's others.
        let answered =
            AssertUnwindSafe(answer(&self, peer, &arrival, &mut trace, request)).catch_unwind().await;
        let answered = answered.unwrap_or_else(|_| {
            Err(ApiError::internal("a request's handler panicked; the message stands in the log above"))
        });
        let response = answered.unwrap_or_else(|error| {
            let error = error.worded(trace.service);
            trace.refused(&self, &error, &arrival);
            render::refusal(trace.service, error, arrival.id)
        });
        trace.finish(&self, &arrival, response.status());
        response
    }
}

/// From the head to the answer. Cheap refusals come first; nothing is read before it is known who asks for what.
async fn answer<'g>(
    gate: &'g Gate,
    peer: Peer,
    arrival: &Arrival,
    trace: &mut Trace<'g>,
    request: Request<Incoming>,
) -> Result<Response<Body>, ApiError> {
    let (head, body) = request.into_parts();
    let found = gate.routes.find(&head.method, &head.uri, &head.headers);
    // What is asked for is read off the head; whether anybody may ask comes before everything else.
    let (service, class) = found.as_ref().map_or((Service::Lambda, None), Found::class);
    match &found {
        Ok(Found::Invoke { .. }) => trace.operation(Service::Lambda, "Invoke", None),
        Ok(Found::Operation(entry, _)) => trace.operation(service, entry.spec().name, Some(entry)),
        Ok(Found::Form | Found::Plain) | Err(_) => {}
    }
    gate.quota.address(arrival.source, class).map_err(|over| refusals::throttled(service, over))?;
    match found.map_err(|refusal| trace.unknown(refusal))? {
        Found::Invoke { function } => invoke_function(gate, arrival, trace, &head, body, &function).await,
        Found::Operation(entry, parameters) => {
            check_door(entry.spec(), peer.doors)?;
            let (caller, body, _held) = admit(gate, arrival, trace, &head, body, entry).await?;
            perform(gate, arrival, entry, caller, &parameters, &head, &body).await
        }
        Found::Form => {
            let (entry, caller, form, _held) = form_request(gate, peer, arrival, trace, &head, body).await?;
            perform(gate, arrival, entry, caller, &[], &head, &form).await
        }
        Found::Plain => Ok(gate.plain.answer(peer, Request::from_parts(head, Body::new(body))).await),
    }
}

/// Invoke: the design's drawing, step by step.
async fn invoke_function(
    gate: &Gate,
    arrival: &Arrival,
    trace: &mut Trace<'_>,
    head: &Parts,
    body: Incoming,
    function: &str,
) -> Result<Response<Body>, ApiError> {
    let refuse = |error| refusals::authn(Service::Lambda, &error);
    let throttle = |over| refusals::throttled(Service::Lambda, over);
    refusals::content_type(Service::Lambda, "Invoke", head)?;
    let encoding = Encoding::of(&head.headers, gate.settings.takes_gzip)?;
    let signed = gate.authn.begin_invoke(head, Service::Lambda.scope(), arrival.at).map_err(refuse)?;
    let call = invoke::Call::decode(function, head)?;
    let id = Id::read(head)?;
    let (payload, mut held) =
        read_body(gate, arrival, body, Service::Lambda, "Invoke", invoke::PAYLOAD_BYTES_MAX).await?;
    let Verified { caller, body_hash } = gate.authn.finish(signed, &payload).map_err(refuse)?;
    let caller = trace.caller(caller);
    gate.quota.caller(&caller, Class::Invoke, || call.app()).map_err(throttle)?;
    gate.authorizer.prepare(&caller).await?;
    let named = call.target(caller.account, &gate.region)?;
    trace.function(&named.reference.name);
    let context = context(gate, arrival, head, Some(&caller));
    let permit =
        gate.authorizer.permit(&context, &caller, invoke::ACTION, &named.resource(&gate.functions))?;
    // A dry run has no answer that a retry could be given.
    let id = id.filter(|_| !call.is_dry_run());
    let print = || body_hash.unwrap_or_else(|| key::print(&payload));
    let first = match retries::claim(gate, arrival, trace, id, &caller, &named.reference, print).await? {
        Claimed::Runs(first) => first,
        Claimed::Answered(response) => return Ok(*response),
    };
    let target = invoke::resolve(&gate.functions, &named)?;
    let payload = encoding
        .undo(payload, invoke::PAYLOAD_BYTES_MAX, &mut held)
        .map_err(|error| refusals::compressed(invoke::PAYLOAD_BYTES_MAX, &error))?;
    payload::check(&payload)?;
    if call.is_dry_run() {
        return Ok(render::reply(Service::Lambda, invoke::dry_run_reply(), arrival.id));
    }
    let admission = gate
        .quota
        .admit(&Admitted {
            owner: target.function.account,
            function: &target.function.name,
            pool: caller.identity.as_ref().map(|identity| &*identity.pool_id),
            share: gate.quota.share(&caller, arrival.source),
        })
        .map_err(throttle)?;
    // The client's deadline is laid on the run here, and a cancel finds it.
    let terms = retries::reachable(first.as_deref(), call.terms(&target.function, arrival.began));
    let invocation = call.into_invocation(named, arrival.id, payload, &caller, terms);
    let dispatch = gate.dispatch.clone();
    let run = async move {
        // The payload counts as held until nothing needs it any more, whoever still waits.
        let _held = held;
        dispatch.run(&permit, admission, target, invocation).await
    };
    let ran = match first {
        Some(mut first) => {
            first.record().await.map_err(retries::not_recorded)?;
            first.run(run).await
        }
        None => run.await,
    };
    let outcome = ran.map_err(refusals::dispatch)?;
    trace.invoked(gate, arrival, &outcome);
    Ok(render::reply(Service::Lambda, invoke::reply(outcome), arrival.id))
}

/// Who asks, and with what: the signature's first half, the body, the second half, the caller's own limits.
async fn admit(
    gate: &Gate,
    arrival: &Arrival,
    trace: &mut Trace<'_>,
    head: &Parts,
    body: Incoming,
    entry: &Entry,
) -> Result<(Option<Arc<Caller>>, bytes::Bytes, Held), ApiError> {
    let spec = entry.spec();
    refusals::content_type(spec.service, spec.name, head)?;
    if spec.access == Access::Public {
        let (body, held) =
            read_body(gate, arrival, body, spec.service, spec.name, spec.body_bytes_max).await?;
        return Ok((None, body, held));
    }
    let refuse = |error| refusals::authn(spec.service, &error);
    let signed = match spec.takes_invoke_tokens() {
        true => gate.authn.begin_invoke(head, spec.service.scope(), arrival.at),
        false => gate.authn.begin(head, &[spec.service.scope()], arrival.at),
    }
    .map_err(refuse)?;
    let (body, held) = read_body(gate, arrival, body, spec.service, spec.name, spec.body_bytes_max).await?;
    let caller = trace.caller(gate.authn.finish(signed, &body).map_err(refuse)?.caller);
    gate.quota
        .caller(&caller, class(spec), || None)
        .map_err(|over| refusals::throttled(spec.service, over))?;
    gate.authorizer.prepare(&caller).await?;
    Ok((Some(caller), body, held))
}

/// A form names its operation in its body, so the body comes before the operation: what any operation of the service takes
/// is read, and then the operation's own limit holds.
async fn form_request<'g>(
    gate: &'g Gate,
    peer: Peer,
    arrival: &Arrival,
    trace: &mut Trace<'g>,
    head: &Parts,
    body: Incoming,
) -> Result<(&'g Entry, Option<Arc<Caller>>, bytes::Bytes, Held), ApiError> {
    trace.service = Service::Sts;
    let scopes = [Service::Sts.scope(), Service::Iam.scope()];
    let signed = match Authn::is_signed(head) {
        true => Some(
            gate.authn
                .begin(head, &scopes, arrival.at)
                .map_err(|error| refusals::authn(Service::Sts, &error))?,
        ),
        false => None,
    };
    let scope = signed.as_ref().map(|signed| signed.service());
    let bytes_max = gate.routes.form_bytes_max(scope);
    let (body, held) = read_body(gate, arrival, body, Service::Sts, "form", bytes_max).await?;
    // A presigned request has its fields in the query, whatever its method.
    let form = if body.is_empty() { form_bytes(head) } else { body.clone() };
    let fields: Vec<(String, String)> =
        form_urlencoded::parse(&form).into_owned().take(FORM_FIELDS_MAX).collect();
    let entry = gate.routes.find_form(&fields, scope).map_err(|refusal| trace.unknown(refusal))?;
    let spec = entry.spec();
    trace.operation(spec.service, spec.name, Some(entry));
    check_door(spec, peer.doors)?;
    gate.quota
        .address_of_class(arrival.source, class(spec))
        .map_err(|over| refusals::throttled(spec.service, over))?;
    if body.len() > spec.body_bytes_max {
        let announced = Some(body.len() as u64);
        let error = BodyError::TooLarge { announced };
        return Err(refusals::body(spec.service, spec.name, spec.body_bytes_max, &error));
    }
    let refuse = |error| refusals::authn(spec.service, &error);
    let caller = match signed {
        Some(signed) => Some(gate.authn.finish(signed, &body).map_err(refuse)?.caller),
        None if spec.access == Access::Public => None,
        None => return Err(refuse(AuthnError::MissingAuthenticationToken)),
    };
    if let Some(caller) = &caller {
        trace.caller(caller.clone());
        gate.quota
            .caller(caller, class(spec), || None)
            .map_err(|over| refusals::throttled(spec.service, over))?;
        gate.authorizer.prepare(caller).await?;
    }
    Ok((entry, caller, form, held))
}

fn form_bytes(head: &Parts) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(head.uri.query().unwrap_or_default().as_bytes())
}

/// The most fields in which a form's operation is looked for.
const FORM_FIELDS_MAX: usize = 1024;

/// Decode, permit, run: [`crate::api::operation::Bound`] does the three in that order.
async fn perform(
    gate: &Gate,
    arrival: &Arrival,
    entry: &Entry,
    caller: Option<Arc<Caller>>,
    path: &[(&'static str, String)],
    head: &Parts,
    body: &bytes::Bytes,
) -> Result<Response<Body>, ApiError> {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let raw = Raw { path, query: &query, headers: &head.headers, body };
    let context = context(gate, arrival, head, caller.as_deref());
    let reply = entry.operation.perform(&*gate.authorizer, &context, &raw).await?;
    Ok(render::reply(entry.spec().service, reply, arrival.id))
}

fn context<'a>(
    gate: &'a Gate,
    arrival: &Arrival,
    head: &'a Parts,
    caller: Option<&'a Caller>,
) -> Context<'a> {
    Context {
        caller,
        request_id: arrival.id,
        source: arrival.source,
        secure: arrival.secure,
        region: &gate.region,
        now: arrival.at,
        user_agent: head.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()),
        organization: gate.settings.organization.as_deref(),
        public_url: &gate.public_url,
    }
}

async fn read_body(
    gate: &Gate,
    arrival: &Arrival,
    body: Incoming,
    service: Service,
    operation: &str,
    max: usize,
) -> Result<(bytes::Bytes, Held), ApiError> {
    body::read(body, max, gate.settings.body_read, &gate.budget, arrival.source)
        .await
        .map_err(|error| refusals::body(service, operation, max, &error))
}
