//! CreateAlias

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, aliases, body::Body, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
    },
    functions::{AliasChange, Functions, Named, name::Form, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "CreateAlias",
    members: &[
        ("FunctionName", Implemented),
        ("Name", Implemented),
        ("FunctionVersion", Implemented),
        ("Description", Implemented),
        ("RoutingConfig", Refused(aliases::INSTEAD_OF_WEIGHTS)),
    ],
};

/// Gives a version a name.
#[derive(Debug)]
pub struct CreateAlias {
    named: Named,
    name: String,
    change: AliasChange,
}

impl Operation for CreateAlias {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "CreateAlias",
            Method::POST,
            "/2015-03-31/functions/{FunctionName}/aliases",
            "lambda:CreateAlias",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let body = Body::read(raw.body, &MEMBERS)?;
        let mut violations = Violations::default();
        let name = body.text("Name")?;
        if name.is_none() {
            violations.missing("name");
        }
        let change = aliases::read(&body, true, &mut violations)?;
        let name = name.unwrap_or_default();
        aliases::check_name(&name, &mut violations);
        Named::check(raw.path("FunctionName"), None, Form::Plain, &mut violations);
        violations.into_result()?;
        let named = naming::read(raw, Form::Plain)?;
        naming::check_unqualified(&named)?;
        Ok(Self { named, name, change })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let alias = state.create_alias(&reference, &self.name, self.change).await?;
        Reply::json(StatusCode::CREATED, &aliases::Answer::of(&reference, &self.name, &alias))
    }
}
