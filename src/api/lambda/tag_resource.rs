//! TagResource

use std::collections::BTreeMap;

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, body::Body, errors::parameter, naming, spec, tags};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Functions, Named, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: "TagResource", members: &[("Resource", Implemented), ("Tags", Implemented)] };

/// Gives a function tags; those of the same keys are replaced.
#[derive(Debug)]
pub struct TagResource {
    named: Named,
    tags: BTreeMap<String, String>,
}

impl Operation for TagResource {
    type State = Functions;

    fn spec() -> Spec {
        spec("TagResource", Method::POST, "/2017-03-31/tags/{Resource}", "lambda:TagResource", BODY_BYTES_MAX)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let named = tags::resource(raw.path("Resource"))?;
        let mut violations = Violations::default();
        let given = Body::read(raw.body, &MEMBERS)?.map("Tags")?;
        if given.is_none() {
            violations.missing("tags");
        }
        let tags = tags::read(given.unwrap_or_default(), &mut violations)?;
        violations.into_result()?;
        if tags.is_empty() {
            return Err(parameter("An error occurred and the request cannot be processed."));
        }
        Ok(Self { named, tags })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let function = naming::resource(&self.named, state, context)?;
        Ok(vec![Resource { request_tags: Some(self.tags.clone()), ..function }])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        state.retag(&reference, |tags| tags.extend(self.tags)).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}
