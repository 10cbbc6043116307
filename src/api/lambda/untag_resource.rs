//! UntagResource

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, naming, spec, tags};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Functions, Named, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: "UntagResource", members: &[("Resource", Implemented), ("TagKeys", Implemented)] };

/// Takes tags off a function; those it does not have are passed over.
#[derive(Debug)]
pub struct UntagResource {
    named: Named,
    keys: Vec<String>,
}

impl Operation for UntagResource {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "UntagResource",
            Method::DELETE,
            "/2017-03-31/tags/{Resource}",
            "lambda:UntagResource",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let named = tags::resource(raw.path("Resource"))?;
        let keys: Vec<String> = raw.query_all("tagKeys").map(str::to_owned).collect();
        if keys.is_empty() {
            let mut violations = Violations::default();
            violations.missing("tagKeys");
            return Err(violations.into());
        }
        Ok(Self { named, keys })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let keys = self.keys;
        state.retag(&reference, |tags| tags.retain(|key, _| !keys.contains(key))).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}
