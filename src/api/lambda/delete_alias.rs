//! DeleteAlias

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, aliases, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Functions, Named},
};

/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: "DeleteAlias", members: &[("FunctionName", Implemented), ("Name", Implemented)] };

/// Deletes an alias.
#[derive(Debug)]
pub struct DeleteAlias {
    named: Named,
    name: String,
}

impl Operation for DeleteAlias {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "DeleteAlias",
            Method::DELETE,
            "/2015-03-31/functions/{FunctionName}/aliases/{Name}",
            "lambda:DeleteAlias",
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
        state.delete_alias(&reference, &self.name).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}
