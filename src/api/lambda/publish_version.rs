//! PublishVersion

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, body::Body, naming, shapes::FunctionConfiguration, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
    },
    functions::{Functions, Named, name::Form, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "PublishVersion",
    members: &[
        ("FunctionName", Implemented),
        ("CodeSha256", Implemented),
        ("Description", Implemented),
        ("RevisionId", Implemented),
        ("PublishTo", Refused(INSTEAD)),
    ],
};

const INSTEAD: &str = "leave it out; versions have numbers only";

/// Publishes a function as it is.
#[derive(Debug)]
pub struct PublishVersion {
    named: Named,
    description: Option<String>,
    code: Option<String>,
    revision: Option<String>,
}

impl Operation for PublishVersion {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "PublishVersion",
            Method::POST,
            "/2015-03-31/functions/{FunctionName}/versions",
            "lambda:PublishVersion",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let body = Body::read(raw.body, &MEMBERS)?;
        let description = body.text("Description")?;
        let mut violations = Violations::default();
        if let Some(description) = &description {
            violations.length(description, "description", 0, 256);
        }
        Named::check(raw.path("FunctionName"), None, Form::Plain, &mut violations);
        violations.into_result()?;
        let named = naming::read(raw, Form::Plain)?;
        naming::check_unqualified(&named)?;
        Ok(Self { named, description, code: body.text("CodeSha256")?, revision: body.text("RevisionId")? })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let (code, revision) = (self.code.as_deref(), self.revision.as_deref());
        let version = state.publish(&reference, self.description, code, revision).await?;
        let answer = FunctionConfiguration::of(&version, Some(&version.version), context.region);
        Reply::json(StatusCode::CREATED, &answer)
    }
}
