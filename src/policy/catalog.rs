//! The condition keys that a request can have here, and who vouches for each. `docs/policies.md` has them as a table, and the
//! linter knows no others.

/// Who says what a key holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The gateway knows it: from the signature, the connection, the clock, or what it keeps.
    Gateway,
    /// An event source that the gateway checked says it.
    EventSource,
    /// The request asks for it, for example the tags it wants to set.
    Request,
    /// The device says it of itself, in the client context. Anybody can say anything.
    Device,
}

/// A condition key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// As AWS writes it, or for ours as the contract does; case does not matter. One that ends with `/` goes on with the key
    /// of a tag.
    pub name: &'static str,
    /// Whether it has several values by its nature.
    pub many: bool,
    /// Who vouches for it.
    pub source: Source,
    /// What it holds.
    pub what: &'static str,
}

const fn key(name: &'static str, source: Source, what: &'static str) -> Key {
    Key { name, many: false, source, what }
}

const fn many(name: &'static str, source: Source, what: &'static str) -> Key {
    Key { name, many: true, source, what }
}

/// All of them, by name.
pub const KEYS: [Key; 38] = [
    key("aws:CurrentTime", Source::Gateway, "the time, ISO 8601 in UTC"),
    key("aws:EpochTime", Source::Gateway, "the time, seconds since 1970"),
    key("aws:PrincipalAccount", Source::Gateway, "the caller's account"),
    key(
        "aws:PrincipalArn",
        Source::Gateway,
        "the ARN of the user or root, or of the role that a session is of",
    ),
    key("aws:PrincipalIsAWSService", Source::Gateway, "true where an event source calls"),
    key("aws:PrincipalOrgID", Source::Gateway, "the organization that configuration names, `policy.org_id`"),
    key("aws:PrincipalServiceName", Source::Gateway, "the event source's principal, where one calls"),
    key(
        "aws:PrincipalTag/",
        Source::Gateway,
        "a tag of the session, from verified claims, or of the role or user",
    ),
    key("aws:PrincipalType", Source::Gateway, "`Account`, `User` or `AssumedRole`"),
    key("aws:RequestedRegion", Source::Gateway, "the gateway's region"),
    key("aws:RequestTag/", Source::Request, "a tag that the request wants to set"),
    key("aws:ResourceAccount", Source::Gateway, "the account that owns the resource"),
    key("aws:ResourceTag/", Source::Gateway, "a tag of the resource"),
    key("aws:SecureTransport", Source::Gateway, "whether the request came over TLS"),
    key("aws:SourceAccount", Source::EventSource, "the account of what set the event off"),
    key("aws:SourceArn", Source::EventSource, "the ARN of what set the event off"),
    key("aws:SourceIp", Source::Gateway, "the address the request came from, through listed proxies"),
    many("aws:TagKeys", Source::Request, "the keys of the tags that the request sets or removes"),
    key(
        "aws:UserAgent",
        Source::Device,
        "what the client's software calls itself in its `User-Agent` header",
    ),
    key("aws:userid", Source::Gateway, "the account, `AIDA…`, or `AROA…:session`"),
    key("aws:username", Source::Gateway, "a user's name; absent for sessions of roles"),
    key("callgate:AppPackageName", Source::Device, "`client.app_package_name` of the client context"),
    key("callgate:AppVersionCode", Source::Device, "`client.app_version_code` of the client context"),
    key("callgate:DeviceModel", Source::Device, "`env.model` of the client context"),
    key("callgate:IdentityAgeSeconds", Source::Gateway, "seconds since the identity was made"),
    key("callgate:Platform", Source::Device, "`env.platform` of the client context"),
    key("callgate:PlatformVersion", Source::Device, "`env.platform_version` of the client context"),
    key("callgate:SignedIn", Source::Gateway, "whether the session's identity presented a login"),
    many("cognito-identity.amazonaws.com:amr", Source::Gateway, "how the identity proved itself"),
    key("cognito-identity.amazonaws.com:aud", Source::Gateway, "the identity pool"),
    key("cognito-identity.amazonaws.com:sub", Source::Gateway, "the identity"),
    key("lambda:EventSourceToken", Source::EventSource, "the token that an event source showed"),
    key("lambda:FunctionArn", Source::Gateway, "the function that the request is about"),
    key("lambda:FunctionUrlAuthType", Source::Gateway, "never there: Callgate has no function URLs"),
    key("lambda:InvokedViaFunctionUrl", Source::Gateway, "never there: Callgate has no function URLs"),
    key("lambda:Principal", Source::Request, "the principal that AddPermission wants to allow"),
    key("lambda:ResourceTag/", Source::Gateway, "a tag of the function"),
    key("sts:ExternalId", Source::Request, "the external id that AssumeRole was given"),
];

/// Looks a key up by its name in any case, with the tag's key if it has one.
pub fn find(name: &str) -> Option<&'static Key> {
    let name = name.to_lowercase();
    KEYS.iter().find(|key| {
        let known = key.name.to_lowercase();
        name == known || (known.ends_with('/') && name.len() > known.len() && name.starts_with(&known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_any_case_and_with_their_tags() {
        assert_eq!(find("AWS:sourceIP").map(|key| key.name), Some("aws:SourceIp"));
        assert_eq!(find("aws:principaltag/Team").map(|key| key.name), Some("aws:PrincipalTag/"));
        assert!(find("aws:PrincipalTag/").is_some_and(|key| !key.many));
        assert!(find("aws:TagKeys").is_some_and(|key| key.many));
        assert_eq!(find("aws:Nonsense"), None);
        assert!(KEYS.is_sorted_by_key(|key| key.name.to_lowercase()));
    }

    #[test]
    fn the_document_lists_every_key() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies.md");
        let text = std::fs::read_to_string(file).unwrap();
        for key in &KEYS {
            assert!(text.contains(&format!("`{}", key.name)), "docs/policies.md does not name {}", key.name);
        }
    }
}
