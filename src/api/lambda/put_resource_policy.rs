//! PutResourcePolicy

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, body::Body, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{Functions, Named, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "PutResourcePolicy",
    members: &[("ResourceArn", Implemented), ("Policy", Implemented), ("RevisionId", Implemented)],
};

/// Puts a resource policy in place of whatever was there.
#[derive(Debug)]
pub struct PutResourcePolicy {
    named: Named,
    policy: String,
    revision: Option<String>,
}

impl Operation for PutResourcePolicy {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "PutResourcePolicy",
            Method::PUT,
            "/2026-07-09/resource-policy/{ResourceArn}",
            "lambda:PutResourcePolicy",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let body = Body::read(raw.body, &MEMBERS)?;
        let mut violations = Violations::default();
        let policy = body.text("Policy")?;
        if policy.is_none() {
            violations.missing("policy");
        }
        violations.into_result()?;
        Ok(Self {
            named: naming::resource_arn(raw)?,
            policy: policy.unwrap_or_default(),
            revision: body.text("RevisionId")?,
        })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let stored = state.put_policy(&reference, self.policy, self.revision.as_deref()).await?;
        let answer = serde_json::json!({ "Policy": stored.policy, "RevisionId": stored.revision });
        Reply::json(StatusCode::OK, &answer)
    }
}
