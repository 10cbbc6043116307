//! UpdateRole: description and longest session; what is left out stays.

use super::{
    constraints::{DESCRIPTION, SESSION_SECONDS},
    input::of_role,
    reply, role_resource, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Stored},
        },
    },
    iam::Directory,
};

const NAME: &str = "UpdateRole";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("RoleName", Implemented), ("Description", Stored), ("MaxSessionDuration", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct UpdateRole {
    name: String,
    description: Option<String>,
    max_session_seconds: Option<u32>,
}

impl Operation for UpdateRole {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:UpdateRole")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, (description, max_session_seconds)) = of_role(raw, |fields| {
            (
                fields.optional("Description", &DESCRIPTION),
                fields.number("MaxSessionDuration", SESSION_SECONDS.0, SESSION_SECONDS.1),
            )
        })?;
        Ok(Self { name, description, max_session_seconds })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![role_resource(state, context, &self.name)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let account = context.account()?;
        state.update_role(account, &self.name, self.description, self.max_session_seconds).await?;
        Ok(reply(NAME, context, |_| {}))
    }
}
