//! RemovePermission

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{
        Functions, Named,
        name::{Form, is_word},
        validation::Violations,
    },
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "RemovePermission",
    members: &[
        ("FunctionName", Implemented),
        ("StatementId", Implemented),
        ("Qualifier", Implemented),
        ("RevisionId", Implemented),
    ],
};

/// Takes back what AddPermission gave.
#[derive(Debug)]
pub struct RemovePermission {
    named: Named,
    sid: String,
    revision: Option<String>,
}

impl Operation for RemovePermission {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "RemovePermission",
            Method::DELETE,
            "/2015-03-31/functions/{FunctionName}/policy/{StatementId}",
            "lambda:RemovePermission",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let sid = raw.path("StatementId").to_owned();
        let mut violations = Violations::default();
        violations.length(&sid, "statementId", 1, 100);
        let matches = sid.bytes().all(|byte| is_word(byte) || byte == b'.');
        violations.pattern(&sid, "statementId", matches, "([a-zA-Z0-9-_.]+)");
        violations.into_result()?;
        let revision = raw.query("RevisionId").map(str::to_owned);
        Ok(Self { named: naming::read(raw, Form::Namespaced)?, sid, revision })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        state.remove_permission(&reference, &self.sid, self.revision.as_deref()).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}
