//! The roles that a pool's identities get by default: they may call the functions that are tagged for them, and nothing
//! else. The documents lie in `policies/defaults`.

use crate::{
    app::{
        cli::Failure,
        client::{Remote, element},
    },
    policy::defaults,
};

/// The kind of the role of identities that have not signed in, as SetIdentityPoolRoles names it.
pub(super) const GUEST: &str = "unauthenticated";
const SIGNED_IN: &str = "authenticated";
/// What IAM allows of a role's name.
const NAME_CHARS_MAX: usize = 64;

/// A role to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DefaultRole {
    /// As SetIdentityPoolRoles names it.
    pub(super) kind: &'static str,
    name: String,
    trust: String,
    policy: &'static str,
}

/// The default roles of a pool. Their names hold the end of the pool's id, since pools may share a name.
pub(super) fn of_pool(name: &str, id: &str) -> [DefaultRole; 2] {
    let role = |kind, suffix: &str, trust, policy| DefaultRole {
        kind,
        name: role_name(name, id, suffix),
        trust,
        policy,
    };
    [
        role(GUEST, "guest", defaults::trust_guest(id), defaults::GUEST),
        role(SIGNED_IN, "signed-in", defaults::trust_signed_in(id), defaults::SIGNED_IN),
    ]
}

fn role_name(pool: &str, id: &str, suffix: &str) -> String {
    // A pool's name may hold spaces, a role's may not.
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    let id_end = id.rsplit('-').next().unwrap_or(id);
    let end = format!("-{id_end}-{suffix}");
    let room = NAME_CHARS_MAX.saturating_sub(end.len());
    let start: String = "callgate-".chars().chain(pool.chars().map(plain)).take(room).collect();
    start + &end
}

impl DefaultRole {
    /// Makes the role and returns its ARN.
    pub(super) async fn make(&self, remote: &Remote) -> Result<String, Failure> {
        let trust = [("RoleName", self.name.as_str()), ("AssumeRolePolicyDocument", self.trust.as_str())];
        let answer = remote.iam("CreateRole", &trust).await?;
        let policy = [
            ("RoleName", self.name.as_str()),
            ("PolicyName", "callgate-default"),
            ("PolicyDocument", self.policy),
        ];
        remote.iam("PutRolePolicy", &policy).await?;
        element(&answer, "Arn").ok_or_else(|| "the gateway's answer names no role".into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const ID: &str = "us-east-1:11111111-2222-4333-8444-555555555555";

    #[test]
    fn a_default_role_trusts_its_own_pool_alone() {
        for role in of_pool("demo", ID) {
            let trust: Value = serde_json::from_str(&role.trust).unwrap();
            let condition = &trust["Statement"][0]["Condition"];
            assert_eq!(condition["StringEquals"]["cognito-identity.amazonaws.com:aud"], ID);
            assert_eq!(condition["ForAnyValue:StringLike"]["cognito-identity.amazonaws.com:amr"], role.kind);
        }
    }

    #[test]
    fn role_names_fit_iam_and_tell_pools_apart() {
        assert_eq!(role_name("My pool", ID, "guest"), "callgate-My-pool-555555555555-guest");
        assert_eq!(role_name(&"p".repeat(128), ID, "signed-in").len(), NAME_CHARS_MAX);
    }
}
