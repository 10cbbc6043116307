//! CancelInvocation (ours): `DELETE /2015-03-31/functions/{FunctionName}/invocations/{id}`.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};

use super::{client_context, errors::user, invoke, naming, spec};
use crate::{
    api::{
        ApiError, Context, Door, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    dispatch::{Idempotency, idempotency::Owner},
    functions::{Functions, Named, name::Form},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "CancelInvocation",
    members: &[
        ("FunctionName", Implemented),
        ("InvocationId", Implemented),
        ("ClientContext", Implemented),
        ("Qualifier", Implemented),
    ],
};

/// It has no body.
const BODY_BYTES_MAX: usize = 1024;

/// Functions, and the calls of them that go on.
pub struct Calls {
    /// What is deployed.
    pub functions: Arc<Functions>,
    /// The calls that are known by an id.
    pub idempotency: Arc<Idempotency>,
}

/// Tells a running call of the same caller to stop. Who may call the function may; the id is the `Idempotency-Key` or the SDK's id
/// that the call was sent with.
#[derive(Debug)]
pub struct CancelInvocation {
    named: Named,
    id: String,
    client_context: Option<Bytes>,
}

impl Operation for CancelInvocation {
    type State = Calls;

    fn spec() -> Spec {
        Spec {
            door: Door::Data,
            ..spec(
                "CancelInvocation",
                Method::DELETE,
                "/2015-03-31/functions/{FunctionName}/invocations/{InvocationId}",
                invoke::ACTION,
                BODY_BYTES_MAX,
            )
        }
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let header = raw.headers.get(client_context::HEADER);
        Ok(Self {
            named: naming::read(raw, Form::Namespaced)?,
            id: raw.path("InvocationId").to_owned(),
            client_context: header.map(|header| client_context::decode(header.as_bytes())).transpose()?,
        })
    }

    fn resources(&self, state: &Calls, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let client_context = self.client_context.clone();
        let resource = naming::resource(&self.named, &state.functions, context)?;
        Ok(vec![Resource { client_context, ..resource }])
    }

    async fn run(self, state: &Calls, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let runs = state.idempotency.running(Owner::of(context.caller()?), &reference, &self.id);
        if runs.is_empty() {
            // What has ended, what was never sent and what another sent are the same to whoever asks.
            return Err(user(
                StatusCode::NOT_FOUND,
                "ResourceNotFoundException",
                "You have no running call of this function with this id.",
            ));
        }
        for run in runs {
            run.cancel().ask();
        }
        Ok(Reply::empty(StatusCode::ACCEPTED))
    }
}
