//! ListVersionsByFunction

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, naming, paging::Page, shapes::FunctionConfiguration, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{FunctionRef, Functions, Named, name::Form},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "ListVersionsByFunction",
    members: &[("FunctionName", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// Answers a function and its versions, a page at a time.
#[derive(Debug)]
pub struct ListVersionsByFunction {
    named: Named,
    page: Page,
}

impl Operation for ListVersionsByFunction {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "ListVersionsByFunction",
            Method::GET,
            "/2015-03-31/functions/{FunctionName}/versions",
            "lambda:ListVersionsByFunction",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let page = Page::read(raw)?;
        Ok(Self { named: naming::read(raw, Form::Namespaced)?, page })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let function = state.resolve(&FunctionRef { qualifier: None, ..reference })?.function;
        let versions = function.published.versions.values();
        let all: Vec<_> = std::iter::once(&function).chain(versions).collect();
        let (page, next) = self.page.of(&all, |version| version.version.to_string());
        let listed = page
            .iter()
            .map(|version| FunctionConfiguration::listed(version, Some(&version.version)))
            .collect::<Vec<_>>();
        let mut answer = serde_json::json!({ "Versions": listed });
        if let Some(next) = next {
            answer["NextMarker"] = next.into();
        }
        Reply::json(StatusCode::OK, &answer)
    }
}
