//! The one route table, for every protocol: which operation does a request's head name?

use std::{collections::HashMap, sync::Arc};

use http::{HeaderMap, Method, Uri, header::CONTENT_TYPE};
use percent_encoding::percent_decode_str;

use crate::{
    api::{
        ApiError, Door, Perform, Protocol, Route, Service, Spec,
        refused::{REFUSED, Refused},
    },
    quota::Class,
    telemetry::{Metrics, metrics::OperationCounters},
};

/// An operation in the table, with its counters.
pub struct Entry {
    /// The operation.
    pub operation: Arc<dyn Perform>,
    /// What counts its answers.
    pub counters: OperationCounters,
}

impl Entry {
    /// What it is called, where and by whom.
    pub fn spec(&self) -> &Spec {
        self.operation.spec()
    }
}

/// Path parameters by name.
pub type PathParameters = Vec<(&'static str, String)>;

/// What a head names.
pub enum Found<'a> {
    /// Invoke: the warm path. The function's name or ARN as it stands in the path, percent-decoded.
    Invoke {
        /// Name, partial ARN or ARN.
        function: String,
    },
    /// An operation and the parameters of its path.
    Operation(&'a Entry, PathParameters),
    /// A form whose `Action` stands in the body.
    Form,
    /// Not of an AWS protocol: health, metrics, well-known documents.
    Plain,
}

impl Found<'_> {
    /// In whose protocol to answer, and what limits count it as, where the head says it.
    pub fn class(&self) -> (Service, Option<Class>) {
        match self {
            Self::Invoke { .. } => (Service::Lambda, Some(Class::Invoke)),
            Self::Operation(entry, _) => (entry.spec().service, Some(class(entry.spec()))),
            Self::Form => (Service::Sts, None),
            Self::Plain => (Service::Lambda, None),
        }
    }
}

/// What limits count an operation as.
pub fn class(spec: &Spec) -> Class {
    match spec.door {
        Door::Data => Class::Exchange,
        Door::Management => Class::Management,
    }
}

/// The table.
pub struct Routes {
    rest: Vec<(Method, &'static str, Arc<Entry>)>,
    json: HashMap<String, Arc<Entry>>,
    query: HashMap<(Service, &'static str), Arc<Entry>>,
}

const INVOKE_BEFORE: &str = "/2015-03-31/functions/";
const INVOKE_AFTER: &str = "/invocations";
/// Paths that the axum router serves.
const PLAIN: &[&str] = &["/healthz", "/readyz", "/metrics", "/.well-known/", "/callgate/public/code/"];

impl Routes {
    /// A table of these operations.
    pub fn new(operations: impl IntoIterator<Item = Arc<dyn Perform>>, metrics: &Metrics) -> Self {
        let mut routes = Self { rest: Vec::new(), json: HashMap::new(), query: HashMap::new() };
        for operation in operations {
            let counters = metrics.operation(operation.spec().name);
            let entry = Arc::new(Entry { operation, counters });
            let spec = entry.spec();
            match &spec.route {
                Route::Rest { method, path } => routes.rest.push((method.clone(), path, entry.clone())),
                Route::Json => {
                    let target = format!("{}.{}", spec.service.target_prefix(), spec.name);
                    routes.json.insert(target, entry.clone());
                }
                Route::Query => {
                    routes.query.insert((spec.service, spec.name), entry.clone());
                }
            }
        }
        routes
    }

    /// Every operation in the table.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let rest = self.rest.iter().map(|(_, _, entry)| entry);
        rest.chain(self.json.values()).chain(self.query.values()).map(|entry| &**entry)
    }

    /// Finds what this head names. The error is the protocol's own for an unknown operation; the service beside it says
    /// in which protocol to answer.
    pub fn find(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Found<'_>, (Service, ApiError)> {
        let path = uri.path();
        if let Some(name) = path.strip_prefix(INVOKE_BEFORE).and_then(|rest| rest.strip_suffix(INVOKE_AFTER))
            && *method == Method::POST
            && !name.is_empty()
            && !name.contains('/')
        {
            return match decode(name) {
                Some(function) => Ok(Found::Invoke { function }),
                None => Err((Service::Lambda, bad_path())),
            };
        }
        if path == "/" {
            return self.find_at_root(method, uri, headers);
        }
        if PLAIN.iter().any(|plain| path == *plain || (plain.ends_with('/') && path.starts_with(plain))) {
            return Ok(Found::Plain);
        }
        for (wanted, pattern, entry) in &self.rest {
            if wanted == method
                && let Some(parameters) = match_path(pattern, path)
            {
                let parameters = parameters.ok_or_else(|| (Service::Lambda, bad_path()))?;
                return Ok(Found::Operation(entry, parameters));
            }
        }
        Err((Service::Lambda, unknown_rest(method, path, uri.query().unwrap_or_default())))
    }

    fn find_at_root(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Found<'_>, (Service, ApiError)> {
        if let Some(target) = headers.get("x-amz-target") {
            let target = target.to_str().unwrap_or_default();
            return match self.json.get(target) {
                Some(entry) => Ok(Found::Operation(entry, Vec::new())),
                None => Err((Service::CognitoIdentity, unknown_json(target))),
            };
        }
        let form = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| essence(kind).eq_ignore_ascii_case("application/x-www-form-urlencoded"));
        let asks = uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("Action=")));
        if (*method == Method::POST && (form || asks)) || (*method == Method::GET && uri.query().is_some()) {
            return Ok(Found::Form);
        }
        Err((
            Service::Sts,
            ApiError::bad_request(
                "InvalidAction",
                "The request names no operation: it needs an X-Amz-Target header, or a form with Action and the content \
                 type application/x-www-form-urlencoded.",
            ),
        ))
    }

    /// The largest form that an operation of the service with this scope takes, in bytes. Without a scope the form is
    /// unsigned, and unsigned forms are STS's.
    pub fn form_bytes_max(&self, scope: Option<&str>) -> usize {
        let service = Service::ALL.into_iter().find(|service| scope == Some(service.scope()));
        let service = service.unwrap_or(Service::Sts);
        let of_service = self.query.iter().filter(|((of, _), _)| *of == service);
        of_service.map(|(_, entry)| entry.spec().body_bytes_max).max().unwrap_or_default()
    }

    /// Finds the operation that a form names. `scope` is the service of the signature, where there is one.
    pub fn find_form(
        &self,
        form: &[(String, String)],
        scope: Option<&str>,
    ) -> Result<&Entry, (Service, ApiError)> {
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let action = field("Action").unwrap_or_default();
        let version = field("Version").unwrap_or_default();
        let of_scope = |service: &Service| scope == Some(service.scope());
        let of_version = |service: &Service| version == version_of(*service);
        let of_protocol = || Service::ALL.into_iter().filter(|service| service.protocol() == Protocol::Query);
        let service =
            of_protocol().find(of_scope).or_else(|| of_protocol().find(of_version)).unwrap_or(Service::Sts);
        if let Some(entry) = self.query.iter().find(|((of, name), _)| *of == service && *name == action) {
            return Ok(entry.1);
        }
        let error = match refused(|refused| refused.service == service && refused.name == action) {
            Some(refused) => refused.error(),
            None => ApiError::bad_request(
                "InvalidAction",
                format!("Could not find operation {} for version {}", shown(action), shown(version)),
            ),
        };
        Err((service, error))
    }
}

/// Checks that this door serves this operation.
pub fn check_door(spec: &Spec, open: &[Door]) -> Result<(), ApiError> {
    if open.contains(&spec.door) {
        return Ok(());
    }
    Err(ApiError::new(
        http::StatusCode::NOT_FOUND,
        "UnknownOperationException",
        format!(
            "{} is a management operation: it is served on management_listen, not on this address.",
            spec.name
        ),
    ))
}

/// A content type without its parameters.
pub fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn version_of(service: Service) -> &'static str {
    match service {
        Service::Sts => "2011-06-15",
        Service::Iam => "2010-05-08",
        Service::Lambda | Service::CognitoIdentity | Service::Callgate => "",
    }
}

fn decode(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn bad_path() -> ApiError {
    ApiError::bad_request("InvalidRequestContentException", "The path is not UTF-8 after percent-decoding.")
}

/// `None`: another path. `Some(None)`: this path, but it does not decode.
#[expect(clippy::option_option, reason = "three outcomes, each used once, beside the function")]
fn match_path(pattern: &'static str, path: &str) -> Option<Option<PathParameters>> {
    let mut parameters = Vec::new();
    let mut wanted = pattern.trim_end_matches('/').split('/');
    let mut rest = path.trim_end_matches('/');
    loop {
        let Some(want) = wanted.next() else { return rest.is_empty().then_some(Some(parameters)) };
        let name = want.strip_prefix('{').and_then(|want| want.strip_suffix('}'));
        if let Some(name) = name.and_then(|name| name.strip_suffix('+')) {
            let whole = rest.strip_prefix('/').unwrap_or(rest);
            parameters.push((name, decode(whole)?));
            return Some(Some(parameters));
        }
        let segment;
        (segment, rest) = if want.is_empty() {
            // What stands before the leading slash.
            ("", rest)
        } else {
            let from = rest.strip_prefix('/')?;
            let end = from.find('/').unwrap_or(from.len());
            from.split_at(end)
        };
        match name {
            Some(_) if segment.is_empty() => return None,
            Some(name) => match decode(segment) {
                Some(value) => parameters.push((name, value)),
                None => return Some(None),
            },
            None if segment != want => return None,
            None => {}
        }
    }
}

fn refused(is: impl Fn(&Refused) -> bool) -> Option<&'static Refused> {
    REFUSED.iter().find(|refused| is(refused))
}

fn unknown_rest(method: &Method, path: &str, query: &str) -> ApiError {
    let named = |refused: &Refused, by_query: bool| {
        let (pattern, wanted) = match refused.path.split_once('?') {
            Some((pattern, wanted)) => (pattern, Some(wanted)),
            None => (refused.path, None),
        };
        refused.method == method.as_str()
            && wanted.is_some() == by_query
            && wanted.is_none_or(|wanted| query.split('&').any(|given| given == wanted))
            && !pattern.is_empty()
            && match_path(pattern, path).is_some()
    };
    // Of two operations with one path, the one that its query names comes first.
    let known = refused(|refused| named(refused, true)).or_else(|| refused(|refused| named(refused, false)));
    match known {
        Some(refused) => refused.error(),
        None => ApiError::new(
            http::StatusCode::NOT_FOUND,
            "UnknownOperationException",
            format!("No operation is served at {method} {}.", shown(path)),
        ),
    }
}

fn unknown_json(target: &str) -> ApiError {
    let (prefix, name) = target.split_once('.').unwrap_or(("", target));
    let known = refused(|refused| {
        refused.name == name && !prefix.is_empty() && refused.service.target_prefix() == prefix
    });
    match known {
        Some(refused) => refused.error(),
        None => ApiError::bad_request(
            "UnknownOperationException",
            format!("There is no operation {}.", shown(target)),
        ),
    }
}

/// Foreign text in a message: cut, without control characters.
fn shown(text: &str) -> String {
    text.chars().take(128).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_segment_by_segment() {
        let pattern = "/2015-03-31/functions/{FunctionName}/code";
        let found = match_path(pattern, "/2015-03-31/functions/a%3Ab/code").unwrap().unwrap();
        assert_eq!(found, [("FunctionName", "a:b".to_owned())]);
        for other in
            ["/2015-03-31/functions/a", "/2015-03-31/functions//code", "/2015-03-31/functions/a/code/b", "/"]
        {
            assert!(match_path(pattern, other).is_none(), "{other}");
        }
        assert!(match_path(pattern, "/2015-03-31/functions/%ff/code").unwrap().is_none());
    }

    #[test]
    fn a_path_of_two_operations_is_told_apart_by_its_query() {
        let layers = "/2018-10-31/layers";
        let provisioned = "/2019-09-30/functions/greet/provisioned-concurrency";
        for (path, query, name) in [
            (layers, "", "ListLayers"),
            (layers, "MaxItems=1", "ListLayers"),
            (layers, "find=LayerVersion&Arn=arn%3Aaws%3Alambda", "GetLayerVersionByArn"),
            (layers, "Arn=a&find=LayerVersion", "GetLayerVersionByArn"),
            (provisioned, "Qualifier=1", "GetProvisionedConcurrencyConfig"),
            (provisioned, "List=ALL", "ListProvisionedConcurrencyConfigs"),
        ] {
            let message = unknown_rest(&Method::GET, path, query).message.unwrap();
            assert!(message.starts_with(&format!("{name} is not supported")), "{path}?{query}: {message}");
        }
        assert_eq!(unknown_rest(&Method::GET, "/2018-10-31/layer", "").code, "UnknownOperationException");
    }

    #[test]
    fn a_greedy_parameter_takes_the_rest() {
        let found =
            match_path("/2017-03-31/tags/{Resource+}", "/2017-03-31/tags/arn%3Aa/b").unwrap().unwrap();
        assert_eq!(found, [("Resource", "arn:a/b".to_owned())]);
    }

    #[test]
    fn a_trailing_slash_is_the_same_path() {
        assert!(match_path("/2015-03-31/functions", "/2015-03-31/functions/").is_some());
    }
}
