//! TagRole.

use std::collections::BTreeMap;

use super::{
    constraints::{TAG_KEY, TAG_VALUE},
    done,
    input::of_role,
    role_resource, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "TagRole";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("RoleName", Implemented), ("Tags", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct TagRole {
    name: String,
    tags: BTreeMap<String, String>,
}

impl Operation for TagRole {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:TagRole")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, tags) = of_role(raw, |fields| fields.tags("Tags", &TAG_KEY, &TAG_VALUE))?;
        Ok(Self { name, tags })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let role = role_resource(state, context, &self.name)?;
        Ok(vec![Resource { request_tags: Some(self.tags.clone()), ..role }])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.tag_role(context.account()?, &self.name, self.tags).await?;
        Ok(done(NAME, context))
    }
}
