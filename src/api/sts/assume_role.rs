//! AssumeRole: a session of a role, for a user or for a session of another role.

use std::collections::BTreeMap;

use super::{
    Sts,
    input::{Wanted, wanted},
    session, spec,
};
use crate::{
    api::{
        Access, ApiError, Context, Operation, Raw, Reply, Resource, Service, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
        query::{self, Constraint, validation},
    },
    base::{Caller, Origin, Principal, SessionClaims, SessionRole},
};

const NAME: &str = "AssumeRole";
const ACTION: &str = "sts:AssumeRole";
const TAG_ACTION: &str = "sts:TagSession";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("RoleArn", Implemented),
        ("RoleSessionName", Implemented),
        ("PolicyArns", Implemented),
        ("Policy", Implemented),
        ("DurationSeconds", Implemented),
        ("Tags", Implemented),
        ("TransitiveTagKeys", Implemented),
        ("ExternalId", Implemented),
        ("SerialNumber", Refused("there are no MFA devices")),
        ("TokenCode", Refused("there are no MFA devices")),
        ("SourceIdentity", Refused("name the source in RoleSessionName")),
        ("ProvidedContexts", Refused("give the session tags")),
    ],
};
/// `externalIdType`
const EXTERNAL_ID: Constraint = Constraint::pattern(2, 1224, r"[\w+=,.@:\/-]*", |text| {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte))
});
/// `tagKeyType`
const TAG_KEY: Constraint = Constraint::pattern(1, 128, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", is_tag);
/// `tagValueType`
const TAG_VALUE: Constraint = Constraint::pattern(0, 256, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", is_tag);
/// `tagListType`
const TAGS_MAX: usize = 50;

fn is_tag(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || "_.:/=+-@".contains(c) || (c.is_whitespace() && !c.is_control()))
}

/// The input.
#[derive(Debug)]
pub struct AssumeRole {
    wanted: Wanted,
    tags: BTreeMap<String, String>,
    transitive: Vec<String>,
    external_id: Option<String>,
}

impl Operation for AssumeRole {
    type State = Sts;

    /// Whether it is permitted is asked when it runs: the role's own policy may permit it without the caller's.
    fn spec() -> Spec {
        spec(NAME, Access::Signed)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let (wanted, (tags, transitive, external_id)) = wanted(raw, &MEMBERS, |fields| {
            (
                fields.tags("Tags", &TAG_KEY, &TAG_VALUE),
                fields.texts("TransitiveTagKeys", &TAG_KEY),
                fields.optional("ExternalId", &EXTERNAL_ID),
            )
        })?;
        if tags.len() > TAGS_MAX || transitive.len() > TAGS_MAX {
            return Err(validation(format!("A session has at most {TAGS_MAX} tags.")));
        }
        let is_tag = |key: &String| tags.keys().any(|tag| tag.eq_ignore_ascii_case(key));
        if let Some(key) = transitive.iter().find(|key| !is_tag(key)) {
            return Err(validation(format!("TransitiveTagKeys: there is no tag {key} in Tags.")));
        }
        Ok(Self { wanted, tags, transitive, external_id })
    }

    fn resources(&self, _: &Sts, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, sts: &Sts, context: &Context<'_>) -> Result<Reply, ApiError> {
        let caller = context.caller()?;
        if caller.principal == Principal::Root {
            return Err(ApiError::denied("Roles may not be assumed by root accounts."));
        }
        let arn = &self.wanted.role_arn;
        // One that is not there is answered like one that may not be assumed.
        let Some(role) = sts.directory.role_by_arn(arn) else {
            let who = caller.principal.arn(caller.account);
            return Err(ApiError::denied(format!(
                "User: {who} is not authorized to perform: {ACTION} on resource: {arn}"
            )));
        };
        let mut asked = Resource { tags: Some(role.tags.clone()), ..Resource::named(arn) };
        asked.keys.push(("sts:rolesessionname", self.wanted.session_name.clone()));
        asked.keys.extend(self.external_id.clone().map(|id| ("sts:externalid", id)));
        if !self.tags.is_empty() {
            asked.request_tags = Some(self.tags.clone());
        }
        sts.assuming.may_assume(context, ACTION, &role, &asked)?;
        if !self.tags.is_empty() {
            sts.assuming.may_assume(context, TAG_ACTION, &role, &asked)?;
        }

        let chained = matches!(caller.principal, Principal::AssumedRole { .. });
        let issued = context.now;
        let expires = issued.plus(session::duration(&self.wanted, &role, chained)?);
        let (tags, transitive_tags) = inherit(caller, self.tags, self.transitive)?;
        let origin = Origin::of_caller(caller, issued);
        let of_role = SessionRole { account: role.record.account, name: role.name(), id: role.id() };
        let claims = SessionClaims {
            tags,
            transitive_tags,
            policy: sts.keep_policies(&self.wanted, &role, expires).await?,
            ..SessionClaims::of_role(of_role, &self.wanted.session_name, origin, issued, expires)
        };
        let credentials = sts.credentials(&claims)?;
        Ok(query::reply(
            Service::Sts,
            NAME,
            context,
            Some(&|xml| {
                session::write_credentials(xml, &credentials);
                session::write_role(xml, &claims);
                session::write_packed_size(xml, &claims, &credentials);
            }),
        ))
    }
}

/// The session's tags: those of the request, and those that the caller's session hands on, which cannot be replaced.
fn inherit(
    caller: &Caller,
    mut tags: BTreeMap<String, String>,
    mut transitive: Vec<String>,
) -> Result<(BTreeMap<String, String>, Vec<String>), ApiError> {
    let Some(session) = &caller.session else { return Ok((tags, transitive)) };
    for key in &session.transitive_tags {
        if tags.keys().any(|tag| tag.eq_ignore_ascii_case(key)) {
            return Err(ApiError::bad_request(
                "InvalidParameterValue",
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from \
                 the calling session.",
            ));
        }
        let known = session.principal_tags().iter().find(|(tag, _)| tag.eq_ignore_ascii_case(key));
        if let Some((key, value)) = known {
            tags.insert(key.clone(), value.clone());
            transitive.push(key.clone());
        }
    }
    Ok((tags, transitive))
}
