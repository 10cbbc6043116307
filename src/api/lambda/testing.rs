//! Operations called as the pipeline calls them, for tests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Calls, Concurrency, operations};
use crate::{
    api::{ApiError, Authorizer, Context, Raw, Reply, Resource},
    base::{Caller, Clock, KeyRing, Principal, RequestId, Secret, rng::SystemRng},
    dispatch::idempotency::{Bound, Bounds, Idempotency, Options, Parts},
    functions::{
        package::hostile::package,
        testing::{ACCOUNT, Fixture, ROLE, region},
    },
    limits,
    store::Feed,
};

/// Permits everything but one action, and notes what it was asked.
#[derive(Default)]
pub(super) struct Notary {
    denied: Option<&'static str>,
    asked: Mutex<Vec<String>>,
    resources: Mutex<Vec<Resource>>,
}

impl Notary {
    pub(super) fn denying(action: &'static str) -> Self {
        Self { denied: Some(action), ..Self::default() }
    }
}

impl Authorizer for Notary {
    fn authorize(&self, _: &Context<'_>, action: &str, resource: &Resource) -> Result<(), ApiError> {
        self.asked.lock().unwrap().push(format!("{action} {}", resource.arn));
        self.resources.lock().unwrap().push(resource.clone());
        if self.denied == Some(action) {
            return Err(ApiError::new(StatusCode::FORBIDDEN, "AccessDeniedException", "denied"));
        }
        Ok(())
    }
}

/// A gateway as a caller sees it.
pub(super) struct Gateway {
    pub(super) fixture: Fixture,
    pub(super) calls: Arc<Calls>,
    pub(super) notary: Notary,
    pub(super) concurrency: Arc<Concurrency>,
    /// What the limits follow.
    pub(super) feed: Arc<Feed>,
}

/// An error as it is put together: status, code, message.
pub(super) type Refusal = (u16, String, String);

impl Gateway {
    pub(super) async fn new() -> Self {
        let fixture = Fixture::new().await;
        let calls =
            Arc::new(Calls { functions: fixture.functions.clone(), idempotency: idempotency(&fixture) });
        let (limits, feed, _) = limits::testing::over(&fixture.store, fixture.clock.clone()).await;
        let concurrency = Arc::new(Concurrency { functions: fixture.functions.clone(), limits });
        Self { fixture, calls, notary: Notary::default(), concurrency, feed }
    }

    /// Calls an operation. `path` are the pattern's parameters.
    pub(super) async fn perform(
        &self,
        operation: &str,
        path: &[(&'static str, &str)],
        query: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, ApiError> {
        let operations = operations(&self.fixture.functions, &self.calls, &self.concurrency);
        let performed =
            operations.iter().find(|performed| performed.spec().name == operation).expect("an operation");
        let caller = Caller {
            account: ACCOUNT,
            principal: Principal::Root,
            access_key_id: "AKIA".into(),
            identity: None,
            session: None,
        };
        let region = region();
        let context = Context {
            caller: Some(&caller),
            request_id: RequestId::from_bytes([0; 16]),
            source: [127, 0, 0, 1].into(),
            secure: true,
            region: &region,
            now: self.fixture.clock.now(),
            public_url: "https://gate.example",
            user_agent: None,
            organization: None,
        };
        let path: Vec<_> = path.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (headers, body) = (HeaderMap::new(), body.into());
        let raw = Raw { path: &path, query: &query, headers: &headers, body: &body };
        performed.perform(&self.notary, &context, &raw).await
    }

    /// The same, with the answer's status and JSON.
    pub(super) async fn call(
        &self,
        operation: &str,
        path: &[(&'static str, &str)],
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<(u16, Value), Refusal> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        match self.perform(operation, path, query, body).await {
            Ok(reply) => {
                let value = if reply.body.is_empty() {
                    Value::Null
                } else {
                    serde_json::from_slice(&reply.body).unwrap()
                };
                Ok((reply.status.as_u16(), value))
            }
            Err(error) => {
                Err((error.status.as_u16(), error.code.into_owned(), error.message.unwrap_or_default()))
            }
        }
    }

    /// Calls an operation on a function.
    pub(super) async fn on(
        &self,
        operation: &str,
        function: &str,
        query: &[(&str, &str)],
        body: Value,
    ) -> Result<(u16, Value), Refusal> {
        self.call(operation, &[("FunctionName", function)], query, &body).await
    }

    /// Calls an operation on tags.
    pub(super) async fn on_tags(
        &self,
        operation: &str,
        resource: &str,
        query: &[(&str, &str)],
        body: Value,
    ) -> Result<(u16, Value), Refusal> {
        self.call(operation, &[("Resource", resource)], query, &body).await
    }

    pub(super) async fn create(&self, body: Value) -> Result<(u16, Value), Refusal> {
        self.call("CreateFunction", &[], &[], &body).await
    }

    /// Makes a function and has it settle.
    pub(super) async fn settled(&self, name: &str) {
        self.create(creation(name)).await.unwrap();
        self.fixture.settled(name).await;
    }

    /// What policy was asked since the last time.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.notary.asked.lock().unwrap())
    }

    /// The resources that policy was asked about since the last time.
    pub(super) fn resources(&self) -> Vec<Resource> {
        std::mem::take(&mut *self.notary.resources.lock().unwrap())
    }
}

fn idempotency(fixture: &Fixture) -> Arc<Idempotency> {
    let bound = Bound { bytes: 1 << 20, entries: 100 };
    let bounds = Bounds { all: bound, owner: bound, address: bound, pool: bound };
    let window = Duration::from_secs(300);
    let options = Options { sdk_window: window, sdk: bounds, key_window: window, keys: bounds };
    let parts = Parts {
        folder: fixture.data.path().join("idempotency"),
        ring: Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap()),
        clock: fixture.clock.clone(),
        rng: Arc::new(SystemRng),
    };
    Idempotency::open(options, parts).unwrap().idempotency
}

pub(super) fn zip_file(answer: &str) -> String {
    STANDARD.encode(package(answer))
}

/// The least that CreateFunction takes.
pub(super) fn creation(name: &str) -> Value {
    json!({
        "FunctionName": name,
        "Runtime": "nodejs22.x",
        "Role": ROLE,
        "Handler": "index.handler",
        "Code": { "ZipFile": zip_file("hello") },
    })
}

/// The same with further members.
pub(super) fn creation_with(name: &str, members: Value) -> Value {
    let mut body = creation(name);
    let Value::Object(members) = members else { panic!("an object") };
    body.as_object_mut().unwrap().extend(members);
    body
}

pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:function:{name}")
}
