//! AddPermission

use http::{Method, StatusCode};

use super::{BODY_BYTES_MAX, body::Body, naming, spec};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    functions::{
        Functions, Named, Permission,
        name::{Form, is_word},
        validation::Violations,
    },
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "AddPermission",
    members: &[
        ("FunctionName", Implemented),
        ("StatementId", Implemented),
        ("Action", Implemented),
        ("Principal", Implemented),
        ("SourceArn", Implemented),
        ("FunctionUrlAuthType", Implemented),
        ("InvokedViaFunctionUrl", Implemented),
        ("SourceAccount", Implemented),
        ("EventSourceToken", Implemented),
        ("Qualifier", Implemented),
        ("RevisionId", Implemented),
        ("PrincipalOrgID", Implemented),
    ],
};

/// Checks what the service's model says of the members' forms.
fn check(permission: &Permission, violations: &mut Violations) {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    violations.length(&permission.sid, "statementId", 1, 100);
    violations.pattern(
        &permission.sid,
        "statementId",
        permission.sid.bytes().all(is_word),
        "([a-zA-Z0-9-_]+)",
    );
    let action = &permission.action;
    let named = action.strip_prefix("lambda:").is_some_and(|name| {
        name == "*" || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    violations.pattern(action, "action", named || action == "*", r"(lambda:[*]|lambda:[a-zA-Z]+|[*])");
    let principal = &permission.principal;
    let solid = !principal.is_empty() && !principal.chars().any(char::is_whitespace);
    violations.length(principal, "principal", 0, 2_048);
    violations.pattern(principal, "principal", solid, r"[^\s]+");
    if let Some(arn) = &permission.source_arn {
        let matches = arn.parse::<crate::base::Arn>().is_ok_and(|arn| {
            arn.partition.starts_with("aws")
                && (arn.account.is_empty() || arn.account.len() == 12 && digits(&arn.account))
        });
        violations.length(arn, "sourceArn", 0, 10_000);
        violations.pattern(
            arn,
            "sourceArn",
            matches,
            r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)",
        );
    }
    if let Some(account) = &permission.source_account {
        violations.pattern(account, "sourceAccount", account.len() == 12 && digits(account), r"\d{12}");
    }
    if let Some(token) = &permission.event_source_token {
        let matches = !token.is_empty() && token.bytes().all(|byte| is_word(byte) || byte == b'.');
        violations.length(token, "eventSourceToken", 0, 256);
        violations.pattern(token, "eventSourceToken", matches, r"[a-zA-Z0-9._\-]+");
    }
    if let Some(organization) = &permission.organization {
        let matches = organization.strip_prefix("o-").is_some_and(|rest| {
            (10..=32).contains(&rest.len())
                && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        violations.pattern(organization, "principalOrgID", matches, "o-[a-z0-9]{10,32}");
    }
    if let Some(kind) = &permission.url_auth_type {
        violations.one_of(kind, "functionUrlAuthType", &["NONE", "AWS_IAM"]);
    }
}

/// Lets somebody do something with a function, version or alias.
#[derive(Debug)]
pub struct AddPermission {
    named: Named,
    permission: Permission,
    revision: Option<String>,
}

impl Operation for AddPermission {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "AddPermission",
            Method::POST,
            "/2015-03-31/functions/{FunctionName}/policy",
            "lambda:AddPermission",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let body = Body::read(raw.body, &MEMBERS)?;
        let mut violations = Violations::default();
        let mut required = |name: &str, member: &str| -> Result<String, ApiError> {
            let value = body.text(name)?;
            if value.is_none() {
                violations.missing(member);
            }
            Ok(value.unwrap_or_default())
        };
        let sid = required("StatementId", "statementId")?;
        let action = required("Action", "action")?;
        let principal = required("Principal", "principal")?;
        violations.into_result()?;
        let permission = Permission {
            sid,
            action,
            principal,
            source_arn: body.text("SourceArn")?,
            source_account: body.text("SourceAccount")?,
            event_source_token: body.text("EventSourceToken")?,
            organization: body.text("PrincipalOrgID")?,
            url_auth_type: body.text("FunctionUrlAuthType")?,
            via_url: body.flag("InvokedViaFunctionUrl")?,
        };
        let mut violations = Violations::default();
        check(&permission, &mut violations);
        Named::check(raw.path("FunctionName"), raw.query("Qualifier"), Form::Namespaced, &mut violations);
        violations.into_result()?;
        Ok(Self {
            named: naming::read(raw, Form::Namespaced)?,
            permission,
            revision: body.text("RevisionId")?,
        })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let function = naming::resource(&self.named, state, context)?;
        let principal = ("lambda:principal", self.permission.principal.clone());
        Ok(vec![Resource { keys: vec![principal], ..function }])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let revision = self.revision.as_deref();
        let statement = state.add_permission(&reference, &self.permission, revision).await?;
        Reply::json(StatusCode::CREATED, &serde_json::json!({ "Statement": statement }))
    }
}
