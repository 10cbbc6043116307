//! What the operations that give a role's credentials have in common in their inputs.

use http::StatusCode;

use crate::api::{
    ApiError, Raw,
    members::Members,
    query::{Constraint, Fields, Form},
};

/// `arnType`
pub(super) const ARN: Constraint = Constraint::length(20, 2048);
/// `roleSessionNameType`
const SESSION_NAME: Constraint = Constraint::pattern(2, 64, r"[\w+=,.@-]*", |text| {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
});
/// `sessionPolicyDocumentType`
const POLICY: Constraint = Constraint::pattern(1, 2048, r"[\u0009\u000A\u000D\u0020-\u00FF]+", |text| {
    text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
});
/// `roleDurationSecondsType`, in seconds.
const DURATION_SECONDS: (u32, u32) = (900, 43_200);
/// How many managed policies a session has at most (STS's own limit).
const POLICY_ARNS_MAX: usize = 10;

/// Which role, for how long, and with what policies of the session.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) role_arn: String,
    pub(super) session_name: String,
    pub(super) policy: Option<String>,
    pub(super) policy_arns: Vec<String>,
    pub(super) duration_seconds: Option<u32>,
}

/// Reads what is common, and whatever else `more` reads.
pub(super) fn wanted<T>(
    raw: &Raw<'_>,
    members: &Members,
    more: impl FnOnce(&mut Fields<'_>) -> T,
) -> Result<(Wanted, T), ApiError> {
    let form = Form::read(raw)?;
    refuse(&form, members)?;
    let mut fields = Fields::of(&form);
    let wanted = Wanted {
        role_arn: fields.text("RoleArn", &ARN),
        session_name: fields.text("RoleSessionName", &SESSION_NAME),
        policy: fields.optional("Policy", &POLICY),
        policy_arns: fields.list_of("PolicyArns", "arn", &ARN),
        duration_seconds: fields.number("DurationSeconds", DURATION_SECONDS.0, DURATION_SECONDS.1),
    };
    let more = more(&mut fields);
    fields.finish()?;
    if wanted.policy_arns.len() > POLICY_ARNS_MAX {
        return Err(crate::api::query::validation(format!(
            "A session has at most {POLICY_ARNS_MAX} managed policies, not {}.",
            wanted.policy_arns.len()
        )));
    }
    Ok((wanted, more))
}

/// Refuses members that are not implemented, by name.
pub(super) fn refuse(form: &Form, members: &Members) -> Result<(), ApiError> {
    let given = |name: &str| form.get(name).is_some() || !form.list(name).is_empty();
    match members.refused(|name| given(name) || !form.structures(name).is_empty()) {
        Some((member, instead)) => {
            Err(ApiError { code: "ValidationError".into(), ..ApiError::unsupported(member, instead) })
        }
        None => Ok(()),
    }
}

/// 403, in STS's words for a role that is not given: whether it is there is not said.
pub(super) fn not_authorized(action: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "AccessDenied", format!("Not authorized to perform {action}"))
}
