//! ListAliases

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, aliases, naming, paging::Page, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{FunctionRef, Functions, Named, name::Form, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "ListAliases",
    members: &[
        ("FunctionName", Implemented),
        ("FunctionVersion", Implemented),
        ("Marker", Implemented),
        ("MaxItems", Implemented),
    ],
};

/// Answers the aliases of a function, a page at a time.
#[derive(Debug)]
pub struct ListAliases {
    named: Named,
    version: Option<String>,
    page: Page,
}

impl Operation for ListAliases {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "ListAliases",
            Method::GET,
            "/2015-03-31/functions/{FunctionName}/aliases",
            "lambda:ListAliases",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let version = raw.query("FunctionVersion").map(str::to_owned);
        let mut violations = Violations::default();
        if let Some(version) = &version {
            aliases::check_version(version, &mut violations);
        }
        violations.into_result()?;
        Ok(Self { named: naming::read(raw, Form::Plain)?, version, page: Page::read(raw)? })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let function = state.resolve(&FunctionRef { qualifier: None, ..reference.clone() })?.function;
        let all: Vec<_> = function
            .record
            .aliases
            .iter()
            .map(|(name, alias)| aliases::Answer::of(&reference, name, alias))
            .filter(|alias| self.version.as_ref().is_none_or(|version| *version == alias.function_version))
            .collect();
        let (page, next) = self.page.of(&all, |alias| alias.name.to_owned());
        let mut answer = serde_json::json!({ "Aliases": page });
        if let Some(next) = next {
            answer["NextMarker"] = next.into();
        }
        Reply::json(StatusCode::OK, &answer)
    }
}
