//! Invoke: `POST /2015-03-31/functions/{FunctionName}/invocations`. The pipeline runs its steps; what they decode and answer
//! stands here.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts};

use super::{client_context, errors::parameter};
use crate::{
    api::{
        ApiError, Reply, Resource,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
    },
    base::{AccountId, Caller, Region, RequestId},
    dispatch::{Invocation, Outcome, Terms},
    functions::{
        self, Function, FunctionError, FunctionRef, Functions, Named,
        name::{Form, LATEST},
    },
};

/// The IAM action.
pub const ACTION: &str = "lambda:InvokeFunction";
/// The largest payload of a synchronous call, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 6_291_456;

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const TIMEOUT: HeaderName = HeaderName::from_static("callgate-timeout-ms");
const ON_DISCONNECT: HeaderName = HeaderName::from_static("callgate-on-disconnect");
/// The longest time that a client may say it waits: a day, though no function runs for so long.
const TIMEOUT_MS_MAX: u64 = 86_400_000;
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
/// Headers of the service's model that this gateway does not act on: refused, because a caller who sends one relies on it.
/// Beside each it is spelt as in the documentation, for the message.
static REFUSED_HEADERS: [(HeaderName, &str, &str); 2] = [
    (HeaderName::from_static("x-amz-tenant-id"), "X-Amz-Tenant-Id", INSTEAD_OF_TENANTS),
    (
        HeaderName::from_static("x-amz-durable-execution-name"),
        "X-Amz-Durable-Execution-Name",
        INSTEAD_OF_DURABLE_EXECUTIONS,
    ),
];
const INSTEAD_OF_TENANTS: &str = "functions here have no tenants; put the tenant into the payload";
const INSTEAD_OF_DURABLE_EXECUTIONS: &str = "call the function without it";
const INSTEAD_OF_EVENTS: &str = "call with RequestResponse, which waits for the answer";

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "Invoke",
    members: &[
        ("FunctionName", Implemented),
        ("InvocationType", Implemented),
        ("InvocationType Event", Refused(INSTEAD_OF_EVENTS)),
        ("LogType", Implemented),
        ("ClientContext", Implemented),
        ("DurableExecutionName", Refused(INSTEAD_OF_DURABLE_EXECUTIONS)),
        ("Payload", Implemented),
        ("Qualifier", Implemented),
        ("TenantId", Refused(INSTEAD_OF_TENANTS)),
    ],
};

/// What a call asks for, beside its payload.
#[derive(Debug)]
pub struct Call {
    named: Named,
    dry_run: bool,
    log_tail: bool,
    client_context: Option<Bytes>,
    /// How long its client waits.
    timeout: Option<Duration>,
    leaving_cancels: bool,
}

/// The function as the call names it, in full. It need not exist.
#[derive(Debug)]
pub struct Target {
    /// Which function.
    pub reference: FunctionRef,
    arn: String,
    client_context: Option<Bytes>,
}

impl Call {
    /// Reads the head. `function` is the name in the path, percent-decoded.
    pub fn decode(function: &str, head: &Parts) -> Result<Self, ApiError> {
        let qualifier = qualifier(head.uri.query());
        let named = Named::read(function, qualifier.as_deref(), Form::Namespaced)?;
        for (name, spelt, instead) in &REFUSED_HEADERS {
            if head.headers.contains_key(name) {
                return Err(ApiError::unsupported(spelt, instead));
            }
        }
        let dry_run = match text(&head.headers, &INVOCATION_TYPE)? {
            None | Some("RequestResponse") => false,
            Some("DryRun") => true,
            Some("Event") => {
                return Err(ApiError::unsupported("InvocationType Event", INSTEAD_OF_EVENTS));
            }
            Some(other) => {
                return Err(not_of_enum(other, "invocationType", "[Event, RequestResponse, DryRun]"));
            }
        };
        let log_tail = match text(&head.headers, &LOG_TYPE)? {
            None | Some("None") => false,
            Some("Tail") => true,
            Some(other) => return Err(not_of_enum(other, "logType", "[None, Tail]")),
        };
        let client_context = match head.headers.get(client_context::HEADER) {
            Some(header) => Some(client_context::decode(header.as_bytes())?),
            None => None,
        };
        let timeout = timeout(&head.headers)?;
        let leaving_cancels = match text(&head.headers, &ON_DISCONNECT)? {
            None => false,
            Some("cancel") => true,
            Some(_) => {
                return Err(parameter(
                    "The header Callgate-On-Disconnect must be cancel; without it a call runs on when its client leaves.",
                ));
            }
        };
        Ok(Self { named, dry_run, log_tail, client_context, timeout, leaving_cancels })
    }

    /// Whether all is to be checked and nothing run.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// The app that the device claims to be.
    pub fn app(&self) -> Option<String> {
        client_context::claim(self.client_context.as_deref()?, "callgate:apppackagename")
    }

    /// The function in full: what the name leaves out is the caller's.
    pub fn target(&self, account: AccountId, region: &Region) -> Result<Target, ApiError> {
        let reference = self.named.within(account, region)?;
        let arn = reference.arn();
        Ok(Target { reference, arn, client_context: self.client_context.clone() })
    }

    /// The call as it goes to a sandbox.
    pub fn into_invocation(
        self,
        target: Target,
        id: RequestId,
        payload: Bytes,
        caller: &Caller,
        terms: Terms,
    ) -> Invocation {
        Invocation {
            id,
            payload,
            invoked_arn: target.arn,
            identity: caller.identity.clone(),
            client_context: self.client_context,
            log_tail: self.log_tail,
            terms,
        }
    }

    /// Until when a call of this function is wanted that began to arrive at `arrived`, on the monotonic clock.
    pub fn terms(&self, function: &Function, arrived: Duration) -> Terms {
        Terms {
            client_deadline: self.timeout.map(|timeout| arrived.saturating_add(timeout)),
            cancel: None,
            leaving_cancels: self.leaving_cancels || function.leaving_cancels,
        }
    }
}

impl Target {
    /// The resource that policy is asked about: the ARN as named, with the tags of the function if there is one.
    pub fn resource(&self, functions: &Functions) -> Resource {
        let function = functions.find(self.reference.account, &self.reference.name);
        let policy = function
            .as_ref()
            .and_then(|function| function.policy_of(self.reference.qualifier.as_deref()))
            .cloned();
        Resource {
            tags: function.map(|function| function.tags.clone()),
            policy,
            client_context: self.client_context.clone(),
            ..Resource::named(self.arn.clone())
        }
    }
}

/// The function that the call names. A name without a version means `$LATEST`, and says so when it is not there.
pub fn resolve(functions: &Functions, target: &Target) -> Result<functions::Target, ApiError> {
    functions.resolve(&target.reference).map_err(|error| match error {
        FunctionError::NotFound(arn) if target.reference.qualifier.is_none() => {
            FunctionError::NotFound(format!("{arn}:{LATEST}")).into()
        }
        other => other.into(),
    })
}

/// The answer to a dry run: everything was checked, nothing was run.
pub fn dry_run_reply() -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
}

/// The answer: 200 for function errors too, which a header tells apart.
pub fn reply(outcome: Outcome) -> Reply {
    let version = match &*outcome.version {
        LATEST => HeaderValue::from_static(LATEST),
        number => HeaderValue::from_str(number).unwrap_or(HeaderValue::from_static(LATEST)),
    };
    let mut headers = vec![(EXECUTED_VERSION, version)];
    if let Some(error) = outcome.function_error {
        headers.push((FUNCTION_ERROR, HeaderValue::from_static(error.as_str())));
    }
    if let Some(tail) = outcome.log_tail
        && let Ok(tail) = HeaderValue::from_str(&STANDARD.encode(tail))
    {
        headers.push((LOG_RESULT, tail));
    }
    Reply { status: StatusCode::OK, content_type: Some("application/json"), headers, body: outcome.payload }
}

fn qualifier(query: Option<&str>) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes())
        .find(|(name, _)| name == "Qualifier")
        .map(|(_, value)| value.into_owned())
}

/// `Callgate-Timeout-Ms`: how long the client waits.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, ApiError> {
    let mut given = headers.get_all(TIMEOUT).iter();
    let Some(first) = given.next() else { return Ok(None) };
    let digits = first.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse::<u64>().ok()) {
        Some(millis @ 1..=TIMEOUT_MS_MAX) if given.next().is_none() => {
            Ok(Some(Duration::from_millis(millis)))
        }
        _ => Err(parameter(format!(
            "The header Callgate-Timeout-Ms must be a whole number of milliseconds from 1 to {TIMEOUT_MS_MAX}."
        ))),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    value.to_str().map(Some).map_err(|_| {
        ApiError::bad_request(
            "InvalidParameterValueException",
            format!("The header {name} is not ASCII text."),
        )
    })
}

fn not_of_enum(value: &str, member: &str, values: &str) -> ApiError {
    ApiError::bad_request(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
             enum value set: {values}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(function: &str, query: &str, headers: &[(HeaderName, &str)]) -> Result<Call, ApiError> {
        let mut request = http::Request::builder().uri(format!("/?{query}"));
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        Call::decode(function, &request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn plain_calls_wait_for_the_answer() {
        let call = decode("greet", "", &[]).unwrap();
        assert!(!call.is_dry_run() && !call.log_tail && call.client_context.is_none());
        assert!(call.timeout.is_none() && !call.leaving_cancels);
        let target = call.target(AccountId::DEFAULT, &Region::new("us-east-1")).unwrap();
        assert_eq!(target.arn, "arn:aws:lambda:us-east-1:000000000000:function:greet");
    }

    #[test]
    fn the_qualifier_is_part_of_the_arn_as_named() {
        let call = decode("greet", "Qualifier=%24LATEST", &[]).unwrap();
        let target = call.target(AccountId::DEFAULT, &Region::new("us-east-1")).unwrap();
        assert_eq!(target.arn, "arn:aws:lambda:us-east-1:000000000000:function:greet:$LATEST");
        let error = decode("greet:1", "Qualifier=2", &[]).unwrap_err();
        assert_eq!(
            error.message.as_deref(),
            Some("The derived qualifier from the function name does not match the specified qualifier.")
        );
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        let refused =
            |headers: &[(HeaderName, &str)]| decode("greet", "", headers).unwrap_err().message.unwrap();
        assert!(
            refused(&[(INVOCATION_TYPE, "Event")])
                .contains("InvocationType Event is not supported by Callgate")
        );
        for header in ["X-Amz-Tenant-Id", "X-Amz-Durable-Execution-Name"] {
            let text = refused(&[(header.parse().unwrap(), "a")]);
            assert!(text.starts_with(&format!("{header} is not supported by Callgate: ")), "{text}");
        }
        assert!(refused(&[(INVOCATION_TYPE, "Later")]).contains("Value 'Later' at 'invocationType'"));
        assert!(refused(&[(LOG_TYPE, "All")]).contains("Value 'All' at 'logType'"));
        assert!(
            refused(&[(client_context::HEADER, "nonsense")]).contains("valid Base64-encoded JSON object")
        );
    }

    #[test]
    fn a_client_says_how_long_it_waits() {
        let waits = |text: &str| decode("greet", "", &[(TIMEOUT, text)]).map(|call| call.timeout.unwrap());
        assert_eq!(waits("1").unwrap(), Duration::from_millis(1));
        assert_eq!(waits("86400000").unwrap(), Duration::from_secs(24 * 3600));
        let nines = "9".repeat(100);
        for bad in ["0", "86400001", "", "-1", "+1", "1.5", "1e3", "1 ", "0x1", "soon", "\u{661}", &nines] {
            let error = waits(bad).unwrap_err();
            assert_eq!(
                (error.status, &*error.code),
                (StatusCode::BAD_REQUEST, "InvalidParameterValueException")
            );
            assert!(error.message.unwrap().contains("from 1 to 86400000"), "{bad}");
        }
        assert!(decode("greet", "", &[(TIMEOUT, "5"), (TIMEOUT, "5")]).is_err());
    }

    #[test]
    fn a_client_says_what_its_leaving_means() {
        assert!(decode("greet", "", &[(ON_DISCONNECT, "cancel")]).unwrap().leaving_cancels);
        for bad in ["", "Cancel", "continue", "cancel, cancel"] {
            let error = decode("greet", "", &[(ON_DISCONNECT, bad)]).unwrap_err();
            assert_eq!(
                (error.status, &*error.code),
                (StatusCode::BAD_REQUEST, "InvalidParameterValueException")
            );
        }
    }
}
