//! UntagRole.

use super::{constraints::TAG_KEY, done, input::of_role, role_resource, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    iam::Directory,
};

const NAME: &str = "UntagRole";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("RoleName", Implemented), ("TagKeys", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct UntagRole {
    name: String,
    keys: Vec<String>,
}

impl Operation for UntagRole {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:UntagRole")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (name, keys) = of_role(raw, |fields| fields.texts("TagKeys", &TAG_KEY))?;
        Ok(Self { name, keys })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let role = role_resource(state, context, &self.name)?;
        // Conditions on `aws:TagKeys` ask for the keys; there are no values.
        let keys = self.keys.iter().map(|key| (key.clone(), String::new())).collect();
        Ok(vec![Resource { request_tags: Some(keys), ..role }])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        state.untag_role(context.account()?, &self.name, &self.keys).await?;
        Ok(done(NAME, context))
    }
}
