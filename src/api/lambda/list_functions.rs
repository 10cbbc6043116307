//! ListFunctions

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use serde::Serialize;

use super::{
    BODY_BYTES_MAX,
    errors::{parameter, serialization},
    shapes::FunctionConfiguration,
    spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
    },
    functions::{Functions, name::LATEST, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "ListFunctions",
    members: &[
        ("MasterRegion", Refused(INSTEAD_OF_REPLICAS)),
        ("FunctionVersion", Implemented),
        ("Marker", Implemented),
        ("MaxItems", Implemented),
    ],
};

const INSTEAD_OF_REPLICAS: &str = "leave it out; functions are not replicated";
/// The most functions of one answer, however many are asked for.
const PAGE_MAX: usize = 50;

/// Answers an account's functions, a page at a time.
#[derive(Debug)]
pub struct ListFunctions {
    all_versions: bool,
    after: Option<String>,
    limit: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page<'a> {
    functions: Vec<FunctionConfiguration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

impl Operation for ListFunctions {
    type State = Functions;

    fn spec() -> Spec {
        spec("ListFunctions", Method::GET, "/2015-03-31/functions", "lambda:ListFunctions", BODY_BYTES_MAX)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        if raw.query("MasterRegion").is_some() {
            return Err(ApiError::unsupported("MasterRegion", INSTEAD_OF_REPLICAS));
        }
        let mut violations = Violations::default();
        let version = raw.query("FunctionVersion");
        if let Some(version) = version {
            violations.one_of(version, "functionVersion", &["ALL"]);
        }
        let asked: Option<i64> = raw
            .query("MaxItems")
            .map(str::parse)
            .transpose()
            .map_err(|_| serialization("STRING_VALUE can not be converted to an Integer"))?;
        if let Some(asked) = asked {
            violations.range(asked, "maxItems", 1, 10_000);
        }
        violations.into_result()?;
        let after = raw
            .query("Marker")
            .map(|marker| {
                let name = URL_SAFE_NO_PAD.decode(marker).ok().and_then(|name| String::from_utf8(name).ok());
                name.ok_or_else(|| parameter("The Marker is none that ListFunctions has answered."))
            })
            .transpose()?;
        let limit =
            asked.and_then(|asked| usize::try_from(asked).ok()).map_or(PAGE_MAX, |asked| asked.min(PAGE_MAX));
        Ok(Self { all_versions: version.is_some(), after, limit })
    }

    fn resources(&self, _: &Functions, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![Resource::named("*")])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let (functions, more) = state.list(context.account()?, self.after.as_deref(), self.limit);
        let qualifier = self.all_versions.then_some(LATEST);
        let page = Page {
            next_marker: functions
                .last()
                .filter(|_| more)
                .map(|function| URL_SAFE_NO_PAD.encode(function.name.as_bytes())),
            functions: functions
                .iter()
                .map(|function| FunctionConfiguration::listed(function, qualifier))
                .collect(),
        };
        Reply::json(StatusCode::OK, &page)
    }
}
