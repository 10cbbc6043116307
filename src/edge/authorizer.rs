//! Policy's question, asked for a caller: gathers the documents and the condition keys, and words the refusal.

mod assume;
mod entity;

use std::{borrow::Cow, sync::Arc};

pub use self::entity::Entity;
use super::explaining::{Question, Refusals};
use crate::{
    api::{ApiError, Authorizer, Context, Resource, lambda::client_context},
    base::{Caller, Principal},
    iam::{Directory, SessionPolicies, role::oidc_provider_arn, web_identity::COGNITO},
    policy::{self, Keys, OnResource, Permit, Requester, Values},
};

/// Identity policies of the account's directory.
pub struct IamAuthorizer {
    directory: Arc<Directory>,
    session_policies: Arc<SessionPolicies>,
    refusals: Refusals,
}

impl IamAuthorizer {
    /// Asks the documents of this directory and of sessions.
    pub fn new(directory: Arc<Directory>, session_policies: Arc<SessionPolicies>) -> Self {
        Self { directory, session_policies, refusals: Refusals::default() }
    }

    /// Makes the caller's session policies ready to be asked. Nothing is awaited for who has none.
    pub async fn prepare(&self, caller: &Caller) -> Result<(), ApiError> {
        Ok(self.session_policies.prepare(caller).await?)
    }

    /// Whether `caller` may do `action` on `resource`. The refusal names principal, action and resource as AWS does, and
    /// nothing beyond.
    pub fn permit(
        &self,
        context: &Context<'_>,
        caller: &Caller,
        action: &str,
        resource: &Resource,
    ) -> Result<Permit, ApiError> {
        let entity = Entity::of(caller, &self.directory);
        let keys = CallKeys { context, caller, entity: &entity, resource };
        let request = policy::Request::new(action, &resource.arn, &keys);
        let session = self.session_policies.of(caller)?;
        let arn = resource.policy.as_ref().map(|_| caller.principal.arn(caller.account));
        let on =
            resource.policy.as_deref().zip(arn.as_deref()).filter(|_| !manages_own(caller, action, resource));
        let on = on.map(|(document, arn)| OnResource {
            document,
            requester: Requester::Aws { account: caller.account.as_str(), arn, role_arn: entity.role_arn() },
        });
        policy::permit_on(caller, &request, entity.policies(), session.as_deref(), on).map_err(|denial| {
            self.refusals.note(context.request_id, self.question(context, caller, action, resource));
            ApiError::denied(denial.to_string())
        })
    }

    /// What is asked, with the policies that have a say in it, for an explanation.
    pub fn question(
        &self,
        context: &Context<'_>,
        caller: &Caller,
        action: &str,
        resource: &Resource,
    ) -> Question {
        Question {
            caller: caller.clone(),
            entity: Entity::of(caller, &self.directory),
            // Without them it would not have been asked; see `permit`.
            session: self.session_policies.of(caller).ok().flatten(),
            action: action.to_owned(),
            resource: resource.clone(),
            source: context.source,
            secure: context.secure,
            at: context.now,
            user_agent: context.user_agent.map(str::to_owned),
            organization: context.organization.map(str::to_owned),
            given: std::collections::BTreeMap::new(),
        }
    }

    /// What was refused lately.
    pub(super) fn refusals(&self) -> &Refusals {
        &self.refusals
    }
}

/// Whether the account's own root looks after a policy. A Deny in it must not lock everybody out for ever: ours, after S3, where
/// a root can always take a bucket's policy away.
fn manages_own(caller: &Caller, action: &str, resource: &Resource) -> bool {
    const MANAGES: [&str; 5] = [
        "lambda:GetPolicy",
        "lambda:RemovePermission",
        "lambda:GetResourcePolicy",
        "lambda:PutResourcePolicy",
        "lambda:DeleteResourcePolicy",
    ];
    caller.principal == Principal::Root
        && MANAGES.contains(&action)
        && resource.arn.split(':').nth(4) == Some(caller.account.as_str())
}

impl Authorizer for IamAuthorizer {
    fn authorize(&self, context: &Context<'_>, action: &str, resource: &Resource) -> Result<(), ApiError> {
        self.permit(context, context.caller()?, action, resource).map(drop)
    }
}

/// The condition keys of one call, each computed when a statement asks for it.
pub(super) struct CallKeys<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) caller: &'a Caller,
    pub(super) entity: &'a Entity,
    pub(super) resource: &'a Resource,
}

impl Keys for CallKeys<'_> {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        let one = |text: String| Some(Values::owned(text));
        if let Some((prefix, tag)) = key.split_once('/') {
            return self.tag(prefix, tag);
        }
        if let Some(value) = self.cognito(key).or_else(|| self.web_identity(key)) {
            return Some(value);
        }
        match key {
            "aws:principalarn" => one(self.principal_arn()),
            "aws:principalaccount" => one(self.caller.account.to_string()),
            "aws:principaltype" => one(self.principal_type().to_owned()),
            "aws:userid" => one(self.caller.principal.user_id(self.caller.account)),
            "aws:username" => match &self.caller.principal {
                Principal::User { name, .. } => Some(Values::one(name)),
                Principal::Root | Principal::AssumedRole { .. } => None,
            },
            "aws:tokenissuetime" => {
                self.caller.session.as_deref().map(|session| Values::owned(session.issued.iso8601_seconds()))
            }
            "aws:federatedprovider" => self.federated_provider(),
            "aws:principalorgid" => self.context.organization.map(Values::one),
            "aws:useragent" => self.context.user_agent.map(Values::one),
            "aws:sourceip" => one(self.context.source.to_string()),
            "aws:securetransport" => one(self.context.secure.to_string()),
            "aws:currenttime" => one(self.context.now.iso8601_seconds()),
            "aws:epochtime" => one(self.context.now.seconds().to_string()),
            "aws:requestedregion" => Some(Values::one(self.context.region.as_str())),
            "aws:resourceaccount" => self
                .resource
                .arn
                .split(':')
                .nth(4)
                .filter(|account| !account.is_empty())
                .and_then(|account| one(account.to_owned())),
            "callgate:apppackagename"
            | "callgate:appversioncode"
            | "callgate:platform"
            | "callgate:platformversion"
            | "callgate:devicemodel" => {
                client_context::claim(self.resource.client_context.as_deref()?, key).map(Values::owned)
            }
            "aws:principalisawsservice" => one("false".to_owned()),
            "callgate:signedin" => self
                .caller
                .identity
                .as_deref()
                .map(|identity| Values::owned(identity.signed_in().to_string())),
            "callgate:identityageseconds" => self.caller.identity.as_deref().map(|identity| {
                let age = self.context.now.seconds().saturating_sub(identity.born.seconds()).max(0);
                Values::owned(age.to_string())
            }),
            "aws:tagkeys" => self
                .resource
                .request_tags
                .as_ref()
                .map(|tags| Values::Many(Cow::Owned(tags.keys().cloned().collect()))),
            "lambda:functionarn" if self.resource.arn.starts_with("arn:aws:lambda:") => {
                Some(Values::one(&self.resource.arn))
            }
            _ => self
                .resource
                .keys
                .iter()
                .find(|(name, _)| *name == key)
                .map(|(_, value)| Values::one(value.as_str())),
        }
    }
}

impl CallKeys<'_> {
    /// `aws:PrincipalArn` is the role's ARN, not its session's.
    fn principal_arn(&self) -> String {
        match &self.caller.principal {
            Principal::AssumedRole { role, .. } => match self.entity.arn() {
                Some(arn) => arn.to_owned(),
                None => format!("arn:aws:iam::{}:role/{role}", self.caller.account),
            },
            other => other.arn(self.caller.account),
        }
    }

    fn principal_type(&self) -> &'static str {
        match &self.caller.principal {
            Principal::Root => "Account",
            Principal::User { .. } => "User",
            Principal::AssumedRole { .. } => "AssumedRole",
        }
    }

    fn tag(&self, prefix: &str, tag: &str) -> Option<Values<'_>> {
        // Tag keys are compared without case, as IAM compares them; the policy hands them over in lower case.
        let find = |tags: &'_ std::collections::BTreeMap<String, String>| {
            tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(tag)).map(|(_, value)| value.clone())
        };
        let value = match prefix {
            "aws:resourcetag" | "lambda:resourcetag" => self.resource.tags.as_deref().and_then(find),
            "aws:requesttag" => self.resource.request_tags.as_ref().and_then(find),
            "aws:principaltag" => {
                // A session's tag hides one of that name of its role or user.
                let session = self.caller.session.as_deref();
                session
                    .and_then(|session| find(session.principal_tags()))
                    .or_else(|| self.entity.tags().and_then(find))
            }
            _ => None,
        };
        value.map(Values::owned)
    }

    /// Who vouched for the session's user, as its role's trust policy names them.
    fn federated_provider(&self) -> Option<Values<'_>> {
        if self.caller.identity.is_some() {
            return Some(Values::one(COGNITO));
        }
        let web = self.caller.session.as_deref()?.web_identity.as_ref()?;
        Some(Values::owned(oidc_provider_arn(self.caller.account, &web.provider)))
    }

    /// What another provider's token said stays with the session: `<provider>:aud` and `:sub`.
    fn web_identity(&self, key: &str) -> Option<Values<'_>> {
        let web = self.caller.session.as_deref()?.web_identity.as_ref()?;
        // Keys come in lower case.
        let (provider, name) = key.rsplit_once(':')?;
        if !provider.eq_ignore_ascii_case(&web.provider) {
            return None;
        }
        match name {
            "aud" => Some(Values::one(&web.audience)),
            "sub" => Some(Values::one(&web.subject)),
            _ => None,
        }
    }

    fn cognito(&self, key: &str) -> Option<Values<'_>> {
        let name = key.strip_prefix("cognito-identity.amazonaws.com:")?;
        let identity = self.caller.identity.as_deref()?;
        match name {
            "sub" => Some(Values::one(&identity.identity_id)),
            "aud" => Some(Values::one(&identity.pool_id)),
            "amr" => Some(Values::many(&identity.amr)),
            _ => None,
        }
    }
}
