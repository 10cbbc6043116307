//! Policy's question, asked for a caller: gathers the documents and the condition keys, and words the refusal.

use std::{borrow::Cow, sync::Arc};

use super::explaining::{Question, Refusals};
use crate::{
    api::{ApiError, Authorizer, Context, Resource, lambda::client_context},
    base::{Caller, Principal},
    iam::Directory,
    policy::{self, Keys, OnResource, Permit, Requester, Values},
};

/// Identity policies of the account's directory.
pub struct IamAuthorizer {
    directory: Arc<Directory>,
    refusals: Refusals,
}

impl IamAuthorizer {
    /// Asks the documents of this directory.
    pub fn new(directory: Arc<Directory>) -> Self {
        Self { directory, refusals: Refusals::default() }
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
        let keys = CallKeys { context, caller, resource };
        let request = policy::Request::new(action, &resource.arn, &keys);
        let role = match &caller.principal {
            // Another role of the same name has not given this session.
            Principal::AssumedRole { role, role_id, .. } => {
                self.directory.role(caller.account, role).filter(|role| role.id() == &**role_id)
            }
            // Root needs no document; users have none yet.
            Principal::Root | Principal::User { .. } => None,
        };
        // A role that was deleted after its session began has no documents either: nothing allows any more.
        let documents = role.iter().flat_map(|role| role.policies.iter());
        let arn = resource.policy.as_ref().map(|_| caller.principal.arn(caller.account));
        let on =
            resource.policy.as_deref().zip(arn.as_deref()).filter(|_| !manages_own(caller, action, resource));
        let on = on.map(|(document, arn)| OnResource {
            document,
            requester: Requester::Aws {
                account: caller.account.as_str(),
                arn,
                role_arn: role.as_ref().map(|role| role.arn.as_str()),
            },
        });
        policy::permit_on(caller, &request, documents, None, on).map_err(|denial| {
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
        let role = match &caller.principal {
            Principal::AssumedRole { role, .. } => self.directory.role(caller.account, role),
            Principal::Root | Principal::User { .. } => None,
        };
        Question {
            caller: caller.clone(),
            role,
            action: action.to_owned(),
            resource: resource.clone(),
            source: context.source,
            secure: context.secure,
            at: context.now,
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
    pub(super) resource: &'a Resource,
}

impl Keys for CallKeys<'_> {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        let one = |text: String| Some(Values::owned(text));
        if let Some((prefix, tag)) = key.split_once('/') {
            return self.tag(prefix, tag);
        }
        if let Some(value) = self.cognito(key) {
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
            Principal::AssumedRole { role, .. } => {
                format!("arn:aws:iam::{}:role/{role}", self.caller.account)
            }
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
                self.caller.session.as_deref().and_then(|session| find(session.principal_tags()))
            }
            _ => None,
        };
        value.map(Values::owned)
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
