//! GetAlias

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, aliases, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{FunctionError, Functions, Named},
};

/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: "GetAlias", members: &[("FunctionName", Implemented), ("Name", Implemented)] };

/// Answers an alias.
#[derive(Debug)]
pub struct GetAlias {
    named: Named,
    name: String,
}

impl Operation for GetAlias {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "GetAlias",
            Method::GET,
            "/2015-03-31/functions/{FunctionName}/aliases/{Name}",
            "lambda:GetAlias",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (named, name) = aliases::named(raw)?;
        Ok(Self { named, name })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        aliases::resources(&self.named, &self.name, state, context)
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let none =
            || FunctionError::Missing(format!("Cannot find alias arn: {}:{}", reference.arn(), self.name));
        let function = state.find(reference.account, &reference.name).ok_or_else(none)?;
        let alias = function.record.aliases.get(&self.name).ok_or_else(none)?;
        Reply::json(StatusCode::OK, &aliases::Answer::of(&reference, &self.name, alias))
    }
}
