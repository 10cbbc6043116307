//! The constraints of IAM's model on what operations are given.

use crate::api::query::Constraint;

/// `roleNameType`
pub(super) const ROLE_NAME: Constraint = Constraint::pattern(1, 64, r"[\w+=,.@-]+", is_name);
/// `existingUserNameType`; a new user's name may have 64 characters, as AWS has it.
pub(super) const USER_NAME: Constraint = Constraint::pattern(1, 64, r"[\w+=,.@-]+", is_name);
/// `accessKeyIdType`
pub(super) const ACCESS_KEY_ID: Constraint = Constraint::pattern(16, 128, r"[\w]+", |text| {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
});
/// A key that may be used, in `statusType`.
pub(super) const ACTIVE: &str = "Active";
/// A key that may not be used.
pub(super) const INACTIVE: &str = "Inactive";
/// `statusType`, of which `Expired` is none that a client may set.
pub(super) const STATUS: Constraint =
    Constraint::pattern(1, 8, "Active|Inactive", |text| text == ACTIVE || text == INACTIVE);
/// `policyVersionIdType`
pub(super) const VERSION_ID: Constraint =
    Constraint::pattern(2, 64, r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?", |text| {
        let digits = text.strip_prefix('v').map(|rest| rest.split('.').next().unwrap_or_default());
        digits.is_some_and(|d| !d.is_empty() && !d.starts_with('0') && d.bytes().all(|b| b.is_ascii_digit()))
    });
/// `policyDescriptionType`
pub(super) const POLICY_DESCRIPTION: Constraint = Constraint::length(0, 1000);
/// `policyScopeType`
pub(super) const POLICY_SCOPE: Constraint =
    Constraint::pattern(0, 16, "All|AWS|Local", |text| ["All", "AWS", "Local"].contains(&text));
/// `PolicyUsageType`
pub(super) const POLICY_USAGE: Constraint =
    Constraint::pattern(0, 32, "PermissionsPolicy|PermissionsBoundary", |text| {
        ["PermissionsPolicy", "PermissionsBoundary"].contains(&text)
    });
/// `EntityType`
pub(super) const ENTITY_TYPE: Constraint =
    Constraint::pattern(0, 32, "User|Role|Group|LocalManagedPolicy|AWSManagedPolicy", |text| {
        ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"].contains(&text)
    });
/// `ActionNameType`
pub(super) const SIMULATED_ACTION: Constraint = Constraint::length(3, 128);
/// `ResourceNameType`
pub(super) const SIMULATED_RESOURCE: Constraint = Constraint::length(1, 2048);
/// `ContextKeyNameType`
pub(super) const CONTEXT_KEY: Constraint = Constraint::length(5, 256);
/// `ContextKeyTypeEnum`: operators compare texts as their own kind, so nothing is done with it.
pub(super) const CONTEXT_TYPE: Constraint = Constraint::length(1, 32);
/// The most characters of a context key's value.
pub(super) const CONTEXT_VALUE: usize = 2048;
/// `policyNameType`
pub(super) const POLICY_NAME: Constraint = Constraint::pattern(1, 128, r"[\w+=,.@-]+", is_name);
/// `pathType`
pub(super) const PATH: Constraint =
    Constraint::pattern(1, 512, r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", |text| {
        text == "/"
            || (text.len() > 2
                && text.starts_with('/')
                && text.ends_with('/')
                && text.bytes().all(|byte| byte.is_ascii_graphic()))
    });
/// `pathPrefixType`
pub(super) const PATH_PREFIX: Constraint = Constraint::pattern(1, 512, r"\u002F[\u0021-\u007F]*", |text| {
    text.starts_with('/') && text.bytes().all(|byte| matches!(byte, 0x21..=0x7f))
});
/// `policyDocumentType`
pub(super) const DOCUMENT: Constraint =
    Constraint::pattern(1, 131_072, r"[\u0009\u000A\u000D\u0020-\u00FF]+", |text| {
        text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
    });
/// `roleDescriptionType`
pub(super) const DESCRIPTION: Constraint =
    Constraint::pattern(0, 1000, r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*", |text| {
        text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'))
    });
/// `tagKeyType`
pub(super) const TAG_KEY: Constraint = Constraint::pattern(1, 128, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", is_tag);
/// `tagValueType`
pub(super) const TAG_VALUE: Constraint = Constraint::pattern(0, 256, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", is_tag);
/// `arnType`
pub(super) const ARN: Constraint = Constraint::length(20, 2048);
/// `OpenIDConnectProviderUrlType`
pub(super) const URL: Constraint = Constraint::length(1, 255);
/// `clientIDType`
pub(super) const CLIENT_ID: Constraint = Constraint::length(1, 255);
/// `thumbprintType`
pub(super) const THUMBPRINT: Constraint = Constraint::length(40, 40);

/// `roleMaxSessionDurationType`, in seconds.
pub(super) const SESSION_SECONDS: (u32, u32) = (3600, 43_200);
/// What a role has that was made without saying.
pub(super) const SESSION_SECONDS_DEFAULT: u32 = 3600;

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// Letters, numbers and separators of any script, and a few signs.
fn is_tag(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || "_.:/=+-@".contains(c) || (c.is_whitespace() && !c.is_control()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(constraint: &Constraint, text: &str) -> bool {
        let (_, fits) = constraint.pattern.unwrap();
        fits(text)
    }

    #[test]
    fn patterns_mean_what_the_model_says() {
        for path in ["/", "/a/", "/a/b/", "/!~/", "///"] {
            assert!(fits(&PATH, path), "{path}");
        }
        for path in ["", "a", "/a", "a/", "//", "/a b/", "/ä/"] {
            assert!(!fits(&PATH, path), "{path}");
        }
        assert!(fits(&ROLE_NAME, "a_b+c=d,e.f@g-h") && !fits(&ROLE_NAME, "a/b") && !fits(&ROLE_NAME, "ä"));
        assert!(fits(&PATH_PREFIX, "/") && fits(&PATH_PREFIX, "/a") && !fits(&PATH_PREFIX, "a"));
        assert!(fits(&DOCUMENT, "{\"a\":\n\"ÿ\"}") && !fits(&DOCUMENT, "\u{100}") && !fits(&DOCUMENT, "\0"));
        assert!(fits(&TAG_KEY, "Über Größe_.:/=+-@1") && !fits(&TAG_KEY, "a\tb") && !fits(&TAG_KEY, "a&b"));
    }
}
