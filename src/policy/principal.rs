//! Who asks, and the `Principal` element that says whom a trust policy means.

use super::{element, error::Problem, json::Node};

/// Who asks, for documents that name principals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requester<'a> {
    /// A principal of an account.
    Aws {
        /// Its account, 12 digits.
        account: &'a str,
        /// Its ARN; for a session of a role the session's, `arn:aws:sts::…:assumed-role/…`.
        arn: &'a str,
        /// For a session of a role the role's own ARN, with its path.
        role_arn: Option<&'a str>,
    },
    /// Somebody vouched for by an identity provider: `cognito-identity.amazonaws.com`, or the ARN of an OpenID Connect
    /// provider.
    Federated(&'a str),
    /// A service, for example `sns.amazonaws.com`.
    Service(&'a str),
}

/// The principals that a statement means.
#[derive(Debug)]
pub(super) enum Principals {
    /// `"*"` or `{"AWS": "*"}`, which mean the same.
    Everyone,
    Listed(Box<[Listed]>),
}

#[derive(Debug)]
pub(super) enum Listed {
    /// All principals of an account, by its number or its root's ARN.
    Account(Box<str>),
    /// The principal with this ARN.
    Arn(Box<str>),
    Federated(Box<str>),
    Service(Box<str>),
}

impl Principals {
    /// Reads the element of a trust policy.
    pub(super) fn parse(node: &Node) -> Result<Self, Problem> {
        if *node == Node::Text("*".to_owned()) {
            return Ok(Self::Everyone);
        }
        if let Node::Text(text) = node {
            return Err(Problem::at("Principal", format!("Invalid principal in policy: \"{text}\".")));
        }
        let (mut everyone, mut listed) = (false, Vec::new());
        for (kind, names) in element::map("Principal", node)? {
            let field = format!("Principal.{kind}");
            for name in element::strings(&field, names)? {
                match Listed::parse(kind, name).map_err(|text| Problem::at(&field, text))? {
                    Some(one) => listed.push(one),
                    None => everyone = true,
                }
            }
        }
        match (everyone, listed.is_empty()) {
            (true, _) => Ok(Self::Everyone),
            (false, true) => Err(Problem::at("Principal", "The policy must name at least one principal.")),
            (false, false) => Ok(Self::Listed(listed.into())),
        }
    }

    /// Whether they include the one who asks.
    pub(super) fn include(&self, requester: &Requester<'_>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Listed(listed) => listed.iter().any(|one| one.is(requester)),
        }
    }
}

impl Listed {
    /// Reads one name; `None` stands for everyone.
    fn parse(kind: &str, name: &str) -> Result<Option<Self>, String> {
        let invalid = || format!("Invalid principal in policy: \"{kind}\":\"{name}\".");
        match kind {
            "AWS" if name == "*" => Ok(None),
            "AWS" => aws(name).map(Some).ok_or_else(invalid),
            "Federated" if is_provider(name) => Ok(Some(Self::Federated(name.into()))),
            "Federated" => {
                Err("Federated principals must be valid domain names or SAML metadata ARNs.".to_owned())
            }
            "Service" if is_domain(name) => Ok(Some(Self::Service(name.into()))),
            "Service" => Err(invalid()),
            "CanonicalUser" => {
                Err("CanonicalUser is not supported by Callgate: name the account instead.".to_owned())
            }
            _ => Err(format!("{kind} is not a kind of principal; AWS, Federated and Service are.")),
        }
    }

    fn is(&self, requester: &Requester<'_>) -> bool {
        match (self, requester) {
            (Self::Account(own), Requester::Aws { account, .. }) => **own == **account,
            (Self::Arn(own), Requester::Aws { arn, role_arn, .. }) => {
                **own == **arn || role_arn.is_some_and(|role| **own == *role)
            }
            (Self::Federated(own), Requester::Federated(provider)) => **own == **provider,
            (Self::Service(own), Requester::Service(service)) => **own == **service,
            _ => false,
        }
    }
}

/// An account's number, or the ARN of a root, user, role or session. Parts of names cannot be wildcards: "You cannot use
/// a wildcard to match part of a principal name or ARN."
fn aws(name: &str) -> Option<Listed> {
    if is_account(name) {
        return Some(Listed::Account(name.into()));
    }
    let arn: crate::base::Arn = name.parse().ok()?;
    if !is_account(&arn.account) || !arn.region.is_empty() || name.contains(['*', '?']) {
        return None;
    }
    let (kind, rest) = arn.resource.split_once('/').unwrap_or((&arn.resource, ""));
    match (arn.service.as_str(), kind) {
        ("iam", "root") if rest.is_empty() => Some(Listed::Account(arn.account.into())),
        ("iam", "user" | "role") | ("sts", "assumed-role" | "federated-user") if !rest.is_empty() => {
            Some(Listed::Arn(name.into()))
        }
        _ => None,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A domain name, or the ARN of an OpenID Connect or SAML provider.
fn is_provider(name: &str) -> bool {
    match name.parse::<crate::base::Arn>() {
        Ok(arn) => {
            let resource = arn.resource.split_once('/');
            arn.service == "iam"
                && is_account(&arn.account)
                && !name.contains(['*', '?'])
                && matches!(resource, Some(("oidc-provider" | "saml-provider", rest)) if !rest.is_empty())
        }
        Err(_) => is_domain(name),
    }
}

fn is_domain(name: &str) -> bool {
    name.contains('.')
        && name.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}
