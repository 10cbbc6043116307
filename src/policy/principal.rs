//! Who asks, and the `Principal` and `NotPrincipal` elements that say whom a trust policy or a resource's policy means.

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

/// What an Allow of a resource's policy gives, by how it names the one who asks (IAM User Guide, "AWS JSON policy elements:
/// Principal" and "Policy evaluation logic"). The greater gives more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Grant {
    /// It names the account, which "delegates permissions to the account": an identity policy must allow it as well.
    Delegated,
    /// It names a session's role: no identity policy need allow it, but "the effective permissions … are limited by any
    /// policy types that limit permissions for the role. This includes session policies".
    Limited,
    /// It names the user, the session, the service or everyone: session policies do not limit it either.
    Direct,
}

/// The principals that a statement means.
#[derive(Debug)]
pub(super) enum Principals {
    /// `"*"` or `{"AWS": "*"}`, which mean the same.
    Everyone,
    Listed(Box<[Listed]>),
    /// `NotPrincipal`, which stands with Deny.
    AllBut(Box<[Listed]>),
    /// `NotPrincipal` with everyone in it.
    NoOne,
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
    /// Reads `Principal`.
    pub(super) fn parse(node: &Node) -> Result<Self, Problem> {
        Ok(match read("Principal", node)? {
            Some(listed) => Self::Listed(listed),
            None => Self::Everyone,
        })
    }

    /// Reads `NotPrincipal`.
    pub(super) fn parse_not(node: &Node) -> Result<Self, Problem> {
        Ok(match read("NotPrincipal", node)? {
            Some(listed) => Self::AllBut(listed),
            None => Self::NoOne,
        })
    }

    /// What an Allow gives to the one who asks; `None` if they are not among those meant.
    pub(super) fn grant(&self, requester: &Requester<'_>) -> Option<Grant> {
        match self {
            Self::Everyone => Some(Grant::Direct),
            Self::Listed(listed) => listed.iter().filter_map(|one| one.grant(requester)).max(),
            Self::AllBut(listed) => (!excepted(listed, requester)).then_some(Grant::Direct),
            Self::NoOne => None,
        }
    }
}

/// Reads one of the two elements; `None` stands for everyone.
fn read(element: &str, node: &Node) -> Result<Option<Box<[Listed]>>, Problem> {
    if *node == Node::Text("*".to_owned()) {
        return Ok(None);
    }
    if let Node::Text(text) = node {
        return Err(Problem::at(element, format!("Invalid principal in policy: \"{text}\".")));
    }
    let (mut everyone, mut listed) = (false, Vec::new());
    for (kind, names) in element::map(element, node)? {
        let field = format!("{element}.{kind}");
        for name in element::strings(&field, names)? {
            match Listed::parse(kind, name).map_err(|text| Problem::at(&field, text))? {
                Some(one) => listed.push(one),
                None => everyone = true,
            }
        }
    }
    match (everyone, listed.is_empty()) {
        (true, _) => Ok(None),
        (false, true) => Err(Problem::at(element, "The policy must name at least one principal.")),
        (false, false) => Ok(Some(listed.into())),
    }
}

/// Whether `NotPrincipal` leaves the one who asks alone: "you must also specify the account ARN of the not-denied
/// principal. Otherwise, the policy might deny access to the entire account", and for a session "the role and the account"
/// too. Here every one of the names must be there.
fn excepted(listed: &[Listed], requester: &Requester<'_>) -> bool {
    let named = |name: &Requester<'_>| listed.iter().any(|one| one.grant(name) == Some(Grant::Direct));
    match requester {
        Requester::Aws { account, arn, role_arn } => {
            let of_account =
                listed.iter().any(|one| matches!(one, Listed::Account(own) if **own == **account));
            let alone = |arn| named(&Requester::Aws { account: "", arn, role_arn: None });
            of_account && (is_root(arn) || alone(arn)) && role_arn.is_none_or(alone)
        }
        other => named(other),
    }
}

fn is_root(arn: &str) -> bool {
    arn.ends_with(":root")
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

    fn grant(&self, requester: &Requester<'_>) -> Option<Grant> {
        match (self, requester) {
            (Self::Account(own), Requester::Aws { account, arn, .. }) if **own == **account => {
                Some(if is_root(arn) { Grant::Direct } else { Grant::Delegated })
            }
            (Self::Arn(own), Requester::Aws { arn, .. }) if **own == **arn => Some(Grant::Direct),
            (Self::Arn(own), Requester::Aws { role_arn: Some(role), .. }) if **own == **role => {
                Some(Grant::Limited)
            }
            (Self::Federated(own), Requester::Federated(provider)) if **own == **provider => {
                Some(Grant::Direct)
            }
            (Self::Service(own), Requester::Service(service)) if **own == **service => Some(Grant::Direct),
            _ => None,
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
