//! UpdateAlias

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
    functions::{AliasChange, Functions, Named, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "UpdateAlias",
    members: &[
        ("FunctionName", Implemented),
        ("Name", Implemented),
        ("FunctionVersion", Implemented),
        ("Description", Implemented),
        ("RoutingConfig", Refused(aliases::INSTEAD_OF_WEIGHTS)),
        ("RevisionId", Implemented),
    ],
};

/// Changes an alias.
#[derive(Debug)]
pub struct UpdateAlias {
    named: Named,
    name: String,
    change: AliasChange,
}

impl Operation for UpdateAlias {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "UpdateAlias",
            Method::PUT,
            "/2015-03-31/functions/{FunctionName}/aliases/{Name}",
            "lambda:UpdateAlias",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let body = Body::read(raw.body, &MEMBERS)?;
        let mut violations = Violations::default();
        let change = aliases::read(&body, false, &mut violations)?;
        let change = AliasChange { revision: body.text("RevisionId")?, ..change };
        violations.into_result()?;
        let (named, name) = aliases::named(raw)?;
        Ok(Self { named, name, change })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        aliases::resources(&self.named, &self.name, state, context)
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let alias = state.update_alias(&reference, &self.name, self.change).await?;
        Reply::json(StatusCode::OK, &aliases::Answer::of(&reference, &self.name, &alias))
    }
}
