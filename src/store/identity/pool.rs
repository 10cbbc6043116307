//! What is kept of an identity pool itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{AccountId, Timestamp};

/// An identity pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolRecord {
    /// `region:uuid`.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// Its name, which need not be unique.
    pub name: String,
    /// How it is set.
    pub settings: PoolSettings,
    /// The roles its identities get.
    pub roles: PoolRoles,
    /// By provider, which of its tokens' claims become principal tags.
    pub tag_maps: BTreeMap<String, TagMap>,
    /// When it was made.
    pub created: Timestamp,
    /// Counts its changes.
    pub revision: i64,
}

/// How a pool is set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PoolSettings {
    /// Whether there are guests.
    pub allow_guests: bool,
    /// `AllowClassicFlow`, as it was given; the basic flow is on only where it is true.
    pub allow_classic_flow: Option<bool>,
    /// ARNs of the OpenID Connect providers whose logins the pool takes.
    pub oidc_providers: Vec<String>,
    /// `SupportedLoginProviders`: by provider, its client ids, several with `;` between them.
    #[serde(default)]
    pub login_providers: BTreeMap<String, String>,
    /// `CognitoIdentityProviders`: a user pool once for each of its clients.
    #[serde(default)]
    pub user_pools: Vec<UserPoolClient>,
    /// What the users of the developer's own back end are called in `Logins`; it never changes once it is set.
    #[serde(default)]
    pub developer_provider: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A client of a user pool whose logins a pool takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UserPoolClient {
    /// The user pool's issuer without its scheme, as `Logins` name it.
    pub provider_name: String,
    /// The client.
    pub client_id: String,
}

/// The roles of a pool's identities.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PoolRoles {
    /// ARN of the role of identities with a login.
    pub authenticated: Option<String>,
    /// ARN of the role of guests.
    pub unauthenticated: Option<String>,
    /// By provider, how its logins choose another role.
    #[serde(default)]
    pub mappings: BTreeMap<String, RoleMapping>,
}

/// How the logins of a provider choose a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RoleMapping {
    /// By what.
    pub chosen: Chosen,
    /// What is given where that leaves it open.
    pub ambiguous: Ambiguous,
}

/// By what a role is chosen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Chosen {
    /// By the token's own claims `cognito:preferred_role` and `cognito:roles`.
    ByToken,
    /// By the first of these rules that matches.
    ByRules(Vec<MappingRule>),
}

/// What is given where a mapping leaves the role open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Ambiguous {
    /// The pool's role of identities with a login.
    AuthenticatedRole,
    /// Nothing.
    Deny,
}

/// A rule that gives a role to logins whose token has a certain claim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MappingRule {
    /// The claim's name.
    pub claim: String,
    /// How its value is compared.
    pub matches: MatchType,
    /// With what.
    pub value: String,
    /// ARN of the role.
    pub role: String,
}

/// How a rule compares a claim's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MatchType {
    /// It is this.
    Equals,
    /// This occurs in it.
    Contains,
    /// It begins with this.
    StartsWith,
    /// It is there and is not this.
    NotEqual,
}

/// Which claims of a provider's tokens become principal tags.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TagMap {
    /// Whether the tags are Cognito's defaults: `username` from `sub`, `client` from `aud`.
    pub use_defaults: bool,
    /// By tag, the claim.
    pub tags: BTreeMap<String, String>,
}
