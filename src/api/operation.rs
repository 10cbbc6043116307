//! The form every operation has, and the one order in which it is performed: decode, permit, run.

use std::{collections::BTreeMap, future::Future, marker::PhantomData, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::{ApiError, Reply, members::Members};
use crate::{
    base::{AccountId, Caller, Region, RequestId, Timestamp},
    policy::Document,
};

/// An AWS service that the gateway speaks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Service {
    /// REST with JSON; scope `lambda`.
    Lambda,
    /// JSON 1.1, target `AWSCognitoIdentityService`; scope `cognito-identity`.
    CognitoIdentity,
    /// Query, version 2011-06-15; scope `sts`.
    Sts,
    /// Query, version 2010-05-08; scope `iam`.
    Iam,
    /// The gateway's own: paths below `/callgate` with JSON; scope `callgate`.
    Callgate,
}

/// How a service's requests and answers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// Paths and JSON bodies.
    RestJson,
    /// `POST /`, `X-Amz-Target`, JSON 1.1.
    Json,
    /// `POST /`, a form with `Action`, answers in XML.
    Query,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Lambda, Self::CognitoIdentity, Self::Sts, Self::Iam, Self::Callgate];

    /// The service's name in a SigV4 credential scope.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::CognitoIdentity => "cognito-identity",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Callgate => "callgate",
        }
    }

    /// How it is spoken to.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Lambda | Self::Callgate => Protocol::RestJson,
            Self::CognitoIdentity => Protocol::Json,
            Self::Sts | Self::Iam => Protocol::Query,
        }
    }

    /// What stands before the operation's name in `X-Amz-Target`; empty for services that do not use it.
    pub fn target_prefix(self) -> &'static str {
        match self {
            Self::CognitoIdentity => "AWSCognitoIdentityService",
            Self::Lambda | Self::Sts | Self::Iam | Self::Callgate => "",
        }
    }

    /// The XML namespace of its answers; empty for services that do not answer in XML.
    pub fn xml_namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::Lambda | Self::CognitoIdentity | Self::Callgate => "",
        }
    }

    /// Its own status and word for what policy does not permit.
    pub fn access_denied(self) -> (StatusCode, &'static str) {
        match self {
            Self::Lambda | Self::Callgate => (StatusCode::FORBIDDEN, "AccessDeniedException"),
            // As its model has it: every error of a client is 400.
            Self::CognitoIdentity => (StatusCode::BAD_REQUEST, "AccessDeniedException"),
            Self::Sts | Self::Iam => (StatusCode::FORBIDDEN, "AccessDenied"),
        }
    }

    /// Its own word for an error that is the gateway's fault.
    pub fn internal_error(self) -> &'static str {
        match self {
            Self::Lambda | Self::Callgate => "ServiceException",
            Self::CognitoIdentity => "InternalErrorException",
            Self::Sts | Self::Iam => "ServiceFailure",
        }
    }
}

/// Which door serves an operation (contract §1, two doors).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    /// What apps call, served on `listen`.
    Data,
    /// What operators call; beyond loopback served on `management_listen` only.
    Management,
}

/// How a request names the operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Route {
    /// By method and path; `{Name}` segments become [`Raw::path`] parameters, percent-decoded. A parameter takes a
    /// whole segment, except a trailing `{Name+}` that takes the rest of the path.
    Rest {
        /// The method.
        method: Method,
        /// The path's pattern, for example `/2015-03-31/functions/{FunctionName}`.
        path: &'static str,
    },
    /// By `X-Amz-Target: <service's prefix>.<operation's name>`.
    Json,
    /// By form field `Action`.
    Query,
}

/// Who may call, before policy is asked about resources.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Anyone, unsigned; a signature that is there is not looked at.
    Public,
    /// Any signed caller, without a permission (`sts:GetCallerIdentity`).
    Signed,
    /// A signed caller whom policy permits this IAM action on every resource the operation names.
    Permitted {
        /// For example `lambda:GetFunction`.
        action: &'static str,
    },
}

/// What an operation is called, where and by whom.
#[derive(Debug)]
pub struct Spec {
    /// Its service.
    pub service: Service,
    /// Its AWS name.
    pub name: &'static str,
    /// How requests name it.
    pub route: Route,
    /// Which door serves it.
    pub door: Door,
    /// Who may call it.
    pub access: Access,
    /// The largest body it takes, in bytes.
    pub body_bytes_max: usize,
}

impl Spec {
    /// Whether an invoke token may stand for the signature: of the operations of this table, on those that are permitted as
    /// Invoke is.
    pub fn takes_invoke_tokens(&self) -> bool {
        self.door == Door::Data && self.access == Access::Permitted { action: super::lambda::invoke::ACTION }
    }
}

/// A request's parts as an operation decodes them.
#[derive(Debug)]
pub struct Raw<'a> {
    /// Path parameters by the names of the route's pattern, percent-decoded.
    pub path: &'a [(&'static str, String)],
    /// Query parameters in order, percent-decoded; a name may repeat.
    pub query: &'a [(String, String)],
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a Bytes,
}

impl Raw<'_> {
    /// A path parameter; empty if the route has none of that name.
    pub fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The first query parameter of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every query parameter of that name, in order.
    pub fn query_all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> + 's {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What an operation may know of the call it serves.
#[derive(Debug)]
pub struct Context<'a> {
    /// The caller; `None` for public operations.
    pub caller: Option<&'a Caller>,
    /// The request's id.
    pub request_id: RequestId,
    /// The source address, after trusted proxies.
    pub source: IpAddr,
    /// Whether the request came over TLS (to us or to a trusted proxy).
    pub secure: bool,
    /// The gateway's region.
    pub region: &'a Region,
    /// When the request came.
    pub now: Timestamp,
    /// What the client's software calls itself; a claim.
    pub user_agent: Option<&'a str>,
    /// The organization that every account of this gateway belongs to.
    pub organization: Option<&'a str>,
    /// The base of links and issuer names, without a slash at its end.
    pub public_url: &'a str,
}

impl Context<'_> {
    /// The caller of a signed operation. The pipeline never runs such an operation without one.
    pub fn caller(&self) -> Result<&Caller, ApiError> {
        self.caller.ok_or_else(|| ApiError::internal("a signed operation ran without a caller"))
    }

    /// The caller's account.
    pub fn account(&self) -> Result<AccountId, ApiError> {
        self.caller().map(|caller| caller.account)
    }
}

/// A resource that policy must permit the operation's action on.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// Its ARN, or `*` where AWS defines the action without a resource.
    pub arn: String,
    /// Its tags if it exists (`aws:ResourceTag/…`).
    pub tags: Option<Arc<BTreeMap<String, String>>>,
    /// Its own policy, if it exists and has one.
    pub policy: Option<Arc<Document>>,
    /// Tags that the request sets (`aws:RequestTag/…`).
    pub request_tags: Option<BTreeMap<String, String>>,
    /// Further condition keys, lower-cased, such as `iam:passedtoservice`.
    pub keys: Vec<(&'static str, String)>,
    /// What the device says of itself, as JSON. It is parsed only if a policy asks.
    pub client_context: Option<Bytes>,
    /// The action, where it is another one than the operation's (`iam:PassRole` beside `lambda:CreateFunction`).
    pub action: Option<&'static str>,
}

impl Resource {
    /// A resource of which only the ARN is known.
    pub fn named(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), ..Self::default() }
    }
}

/// Asks policy. The implementation stands beside the pipeline; operations see only this.
pub trait Authorizer: Send + Sync {
    /// Whether the caller may do `action` on `resource`; the refusal is the one to send.
    fn authorize(&self, context: &Context<'_>, action: &str, resource: &Resource) -> Result<(), ApiError>;
}

/// One operation of one AWS service. The type itself is the decoded input.
pub trait Operation: Sized + Send + 'static {
    /// What it works on.
    type State: Send + Sync + 'static;

    /// What it is called, where and by whom.
    fn spec() -> Spec;

    /// Reads the input. It sees no state and changes nothing.
    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError>;

    /// The resources that must be permitted. It reads memory alone.
    fn resources(&self, state: &Self::State, context: &Context<'_>) -> Result<Vec<Resource>, ApiError>;

    /// Does it.
    fn run(
        self,
        state: &Self::State,
        context: &Context<'_>,
    ) -> impl Future<Output = Result<Reply, ApiError>> + Send;
}

/// An operation with its state, whatever its type: what the route table holds.
#[async_trait]
pub trait Perform: Send + Sync {
    /// What it is called, where and by whom.
    fn spec(&self) -> &Spec;

    /// Decodes, asks policy, runs.
    async fn perform(
        &self,
        authorizer: &dyn Authorizer,
        context: &Context<'_>,
        raw: &Raw<'_>,
    ) -> Result<Reply, ApiError>;
}

/// An operation bound to its state.
pub struct Bound<O: Operation> {
    spec: Spec,
    state: Arc<O::State>,
    operation: PhantomData<fn() -> O>,
}

impl<O: Operation> Bound<O> {
    /// Binds `O` to its state.
    pub fn bind(state: Arc<O::State>) -> Arc<dyn Perform> {
        Arc::new(Self { spec: O::spec(), state, operation: PhantomData })
    }
}

/// An operation as the documentation's table has it.
#[derive(Debug)]
pub struct Listed {
    /// What it is called, where and by whom.
    pub spec: fn() -> Spec,
    /// The members of its input.
    pub members: &'static Members,
}

/// Names every operation of a service once, by the state it works on: for the route table and for the documentation's.
macro_rules! operations {
    ($($name:ident: $state:ty => {$($module:ident::$operation:ident),* $(,)?})*) => {
        /// Every operation, for the documentation.
        pub const OPERATIONS: &[$crate::api::operation::Listed] = &[$($($crate::api::operation::Listed {
            spec: <$module::$operation as $crate::api::Operation>::spec,
            members: &$module::MEMBERS,
        }),*),*];

        /// Every operation, bound to its state.
        pub fn operations($($name: &std::sync::Arc<$state>),*) -> Vec<std::sync::Arc<dyn $crate::api::Perform>> {
            vec![$($($crate::api::operation::Bound::<$module::$operation>::bind($name.clone())),*),*]
        }
    };
}

pub(super) use operations;

#[async_trait]
impl<O: Operation> Perform for Bound<O> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    async fn perform(
        &self,
        authorizer: &dyn Authorizer,
        context: &Context<'_>,
        raw: &Raw<'_>,
    ) -> Result<Reply, ApiError> {
        let input = O::decode(raw)?;
        if let Access::Permitted { action } = self.spec.access {
            for resource in input.resources(&self.state, context)? {
                authorizer.authorize(context, resource.action.unwrap_or(action), &resource)?;
            }
        }
        input.run(&self.state, context).await
    }
}
