//! A good request for every operation, in an order in which root can make them one after the other.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};

use super::stand::Guest;
use crate::{
    api::{
        Access, Door, Route, Service, Spec, callgate, cognito_identity, iam,
        lambda::{self, invoke},
        operation::Listed,
        sts,
    },
    functions::package::hostile::package,
};

/// A request for an operation.
pub(super) struct Asked {
    pub(super) spec: Spec,
    /// Its members; those that the path names are taken from here too.
    pub(super) input: Value,
    /// With its question mark.
    pub(super) query: &'static str,
    pub(super) headers: &'static [(&'static str, &'static str)],
}

impl Asked {
    fn of(operations: &[Listed], name: &str, input: Value) -> Self {
        let spec = operations.iter().map(|listed| (listed.spec)()).find(|spec| spec.name == name);
        Self { spec: spec.unwrap(), input, query: "", headers: &[] }
    }

    pub(super) fn cognito(name: &str, input: Value) -> Self {
        Self::of(cognito_identity::OPERATIONS, name, input)
    }

    pub(super) fn iam(name: &str, input: Value) -> Self {
        Self::of(iam::OPERATIONS, name, input)
    }

    pub(super) fn sts(name: &str, input: Value) -> Self {
        Self::of(sts::OPERATIONS, name, input)
    }

    pub(super) fn lambda(name: &str, input: Value) -> Self {
        Self::of(lambda::OPERATIONS, name, input)
    }

    pub(super) fn callgate(name: &str, input: Value) -> Self {
        Self::of(callgate::OPERATIONS, name, input)
    }

    /// Invoke, with all its checks and without a sandbox.
    fn dry_run(function: &str) -> Self {
        let spec = Spec {
            service: Service::Lambda,
            name: invoke::MEMBERS.operation,
            route: Route::Rest {
                method: Method::POST,
                path: "/2015-03-31/functions/{FunctionName}/invocations",
            },
            door: Door::Data,
            access: Access::Permitted { action: invoke::ACTION },
            body_bytes_max: invoke::PAYLOAD_BYTES_MAX,
        };
        let headers = &[("x-amz-invocation-type", "DryRun")];
        Self { spec, input: json!({"FunctionName": function}), query: "", headers }
    }

    /// Whether it makes something new in the caller's own account.
    pub(super) fn creates(&self) -> bool {
        // An alias is made of somebody's function.
        self.spec.name.starts_with("Create") && self.spec.name != "CreateAlias"
    }

    /// How it is refused to every root: as on AWS, or because nothing runs here that could be cancelled.
    pub(super) fn refusal_of_root(&self) -> Option<&'static str> {
        match self.spec.name {
            "AssumeRole" => Some("AccessDenied"),
            "CancelInvocation" => Some("ResourceNotFoundException"),
            _ => None,
        }
    }

    /// Whether it is.
    pub(super) fn refuses_root(&self) -> bool {
        self.refusal_of_root().is_some()
    }

    /// Whether it is refused to sessions, though it needs no permission.
    pub(super) fn refuses_sessions(&self) -> bool {
        matches!(self.spec.name, "AssumeRole" | "GetSessionToken")
    }

    /// Whether it answers what the caller's own account has.
    pub(super) fn lists(&self) -> bool {
        matches!(
            self.spec.name,
            // Which says of each that it was not deleted, and no more.
            "DeleteIdentities"
                | "GetAccountSettings"
                | "ListFunctions"
                | "ListIdentityPools"
                | "ListLimits"
                | "ListOpenIDConnectProviders"
                | "ListPolicies"
                | "ListRevocations"
                | "ListRoles"
                | "ListUsers"
        )
    }
}

/// The ARN of the function that the requests are about.
pub(super) const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:greet";
const ROLE: &str = "arn:aws:iam::000000000000:role/greeter";
const PROVIDER: &str = "arn:aws:iam::000000000000:oidc-provider/idp.example";
/// What stands for the access key that root was given last: nobody knows it before.
pub(super) const LATEST_KEY: &str = "AKIATHELATESTOFROOTS";
const MANAGED: &str = "arn:aws:iam::000000000000:policy/shared";
const THUMBPRINT: &str = "0123456789abcdef0123456789abcdef01234567";
/// An execution role's trust.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}"#;

const RESOURCE_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*"}]}"#;

/// What is made first, and what reads it.
pub(super) fn making(guest: &Guest) -> Vec<Asked> {
    let mut all = providers();
    all.extend(roles());
    all.extend(pools(guest));
    all.extend(functions());
    all.extend(operations(guest));
    all.extend(users());
    all.extend(tokens(guest));
    all
}

/// What needs no permission, and what the role itself permits.
fn tokens(guest: &Guest) -> Vec<Asked> {
    let role = json!({"RoleArn": ROLE, "RoleSessionName": "session"});
    let web = json!({
        "RoleArn": "arn:aws:iam::000000000000:role/guests",
        "RoleSessionName": "session",
        "WebIdentityToken": guest.token,
    });
    vec![
        Asked::sts("GetCallerIdentity", json!({})),
        Asked::sts("GetSessionToken", json!({})),
        Asked::sts("AssumeRole", role),
        Asked::sts("AssumeRoleWithWebIdentity", web),
    ]
}

/// A user with an access key, and a managed policy that it and the role have.
fn users() -> Vec<Asked> {
    let with = |mut input: Value, more: Value| {
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let user = |name: &str, more: Value| Asked::iam(name, with(json!({"UserName": "ann"}), more));
    let policy = |name: &str, more: Value| Asked::iam(name, with(json!({"PolicyArn": MANAGED}), more));
    let tag = json!({"Tags.member.1.Key": "team", "Tags.member.1.Value": "app"});
    vec![
        user("CreateUser", json!({})),
        user("GetUser", json!({})),
        Asked::iam("ListUsers", json!({})),
        user("TagUser", tag.clone()),
        user("ListUserTags", json!({})),
        user("UntagUser", json!({"TagKeys.member.1": "team"})),
        user("PutUserPolicy", json!({"PolicyName": "logs", "PolicyDocument": POLICY})),
        user("GetUserPolicy", json!({"PolicyName": "logs"})),
        user("ListUserPolicies", json!({})),
        user("ListGroupsForUser", json!({})),
        user("CreateAccessKey", json!({})),
        user("ListAccessKeys", json!({})),
        Asked::iam("CreatePolicy", json!({"PolicyName": "shared", "PolicyDocument": POLICY})),
        Asked::iam("ListPolicies", json!({})),
        policy("GetPolicy", json!({})),
        policy("CreatePolicyVersion", json!({"PolicyDocument": POLICY})),
        policy("GetPolicyVersion", json!({"VersionId": "v2"})),
        policy("ListPolicyVersions", json!({})),
        policy("SetDefaultPolicyVersion", json!({"VersionId": "v2"})),
        policy("TagPolicy", tag),
        policy("ListPolicyTags", json!({})),
        policy("UntagPolicy", json!({"TagKeys.member.1": "team"})),
        user("AttachUserPolicy", json!({"PolicyArn": MANAGED})),
        user("ListAttachedUserPolicies", json!({})),
        Asked::iam("AttachRolePolicy", json!({"RoleName": "greeter", "PolicyArn": MANAGED})),
        policy("ListEntitiesForPolicy", json!({})),
        Asked::iam(
            "SimulatePrincipalPolicy",
            json!({
                "PolicySourceArn": "arn:aws:iam::000000000000:user/ann", "ActionNames.member.1": "logs:GetLogEvents",
            }),
        ),
    ]
}

fn providers() -> Vec<Asked> {
    let of = |name: &str, more: Value| {
        let mut input = json!({"OpenIDConnectProviderArn": PROVIDER});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Asked::iam(name, input)
    };
    let made = json!({"Url": "https://idp.example", "ClientIDList.member.1": "app"});
    vec![
        Asked::iam("CreateOpenIDConnectProvider", made),
        of("AddClientIDToOpenIDConnectProvider", json!({"ClientID": "tablet"})),
        of("RemoveClientIDFromOpenIDConnectProvider", json!({"ClientID": "tablet"})),
        of("UpdateOpenIDConnectProviderThumbprint", json!({"ThumbprintList.member.1": THUMBPRINT})),
        of("TagOpenIDConnectProvider", json!({"Tags.member.1.Key": "team", "Tags.member.1.Value": "app"})),
        of("ListOpenIDConnectProviderTags", json!({})),
        of("UntagOpenIDConnectProvider", json!({"TagKeys.member.1": "team"})),
        of("GetOpenIDConnectProvider", json!({})),
        Asked::iam("ListOpenIDConnectProviders", json!({})),
    ]
}

fn roles() -> Vec<Asked> {
    let of = |name: &str, more: Value| {
        let mut input = json!({"RoleName": "greeter"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Asked::iam(name, input)
    };
    vec![
        of("CreateRole", json!({"AssumeRolePolicyDocument": TRUST})),
        of("PutRolePolicy", json!({"PolicyName": "logs", "PolicyDocument": POLICY})),
        of("GetRolePolicy", json!({"PolicyName": "logs"})),
        of("ListRolePolicies", json!({})),
        of("ListAttachedRolePolicies", json!({})),
        of("ListInstanceProfilesForRole", json!({})),
        of("TagRole", json!({"Tags.member.1.Key": "team", "Tags.member.1.Value": "app"})),
        of("ListRoleTags", json!({})),
        of("UntagRole", json!({"TagKeys.member.1": "team"})),
        of("UpdateRole", json!({"MaxSessionDuration": "7200"})),
        of("UpdateAssumeRolePolicy", json!({"PolicyDocument": TRUST})),
        of("GetRole", json!({})),
        Asked::iam("ListRoles", json!({})),
    ]
}

fn pools(guest: &Guest) -> Vec<Asked> {
    let (pool, identity) = (json!({"IdentityPoolId": guest.pool}), json!({"IdentityId": guest.identity}));
    let another = json!({"IdentityPoolName": "another", "AllowUnauthenticatedIdentities": false});
    let roles = json!({"unauthenticated": "arn:aws:iam::000000000000:role/guests"});
    let roles = json!({"IdentityPoolId": guest.pool, "Roles": roles});
    let arn = format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{}", guest.pool);
    let with = |base: &Value, more: Value| {
        let mut input = base.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let user = json!({"Logins": {"login.app": "ann"}});
    let map = json!({"IdentityProviderName": "idp.example", "PrincipalTags": {"tier": "tier"}});
    let users = json!({
        "SourceUserIdentifier": "ann", "DestinationUserIdentifier": "ann", "DeveloperProviderName": "login.app",
    });
    let update =
        json!({"IdentityPoolName": "app", "AllowUnauthenticatedIdentities": true, "AllowClassicFlow": true});
    vec![
        Asked::cognito("UpdateIdentityPool", with(&pool, update)),
        Asked::cognito("TagResource", json!({"ResourceArn": arn, "Tags": {"a": "b"}})),
        Asked::cognito("ListTagsForResource", json!({"ResourceArn": arn})),
        Asked::cognito("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a"]})),
        Asked::cognito("SetPrincipalTagAttributeMap", with(&pool, map)),
        Asked::cognito(
            "GetPrincipalTagAttributeMap",
            with(&pool, json!({"IdentityProviderName": "idp.example"})),
        ),
        Asked::cognito("ListIdentities", with(&pool, json!({"MaxResults": 60}))),
        Asked::cognito("DescribeIdentity", identity.clone()),
        Asked::cognito("DeleteIdentities", json!({"IdentityIdsToDelete": ["us-east-1:0"]})),
        Asked::cognito("GetOpenIdTokenForDeveloperIdentity", with(&pool, user)),
        Asked::cognito("LookupDeveloperIdentity", with(&pool, json!({"DeveloperUserIdentifier": "ann"}))),
        Asked::cognito("MergeDeveloperIdentities", with(&pool, users)),
        Asked::cognito(
            "UnlinkIdentity",
            json!({
                "IdentityId": guest.user, "Logins": {"cognito-identity.amazonaws.com": guest.user_token},
                "LoginsToRemove": ["idp.example"],
            }),
        ),
        Asked::cognito("CreateIdentityPool", another),
        Asked::cognito("DescribeIdentityPool", pool.clone()),
        Asked::cognito("ListIdentityPools", json!({"MaxResults": 60})),
        Asked::cognito("SetIdentityPoolRoles", roles),
        Asked::cognito("GetIdentityPoolRoles", pool.clone()),
        Asked::cognito("GetId", pool),
        Asked::cognito("GetCredentialsForIdentity", identity.clone()),
        Asked::cognito("GetOpenIdToken", identity),
    ]
}

fn operations(guest: &Guest) -> Vec<Asked> {
    let identity = json!({"IdentityId": guest.identity});
    vec![
        Asked::callgate("CreateInvokeToken", identity.clone()),
        Asked::callgate(
            "RevokeSessions",
            json!({"IdentityPoolId": guest.pool, "ProviderName": "idp.example"}),
        ),
        Asked::callgate("RestoreIdentity", identity),
        Asked::callgate("ListRevocations", json!({})),
        Asked::callgate("PutLimit", json!({"Limit": "account_rate", "Rate": 5000})),
        Asked::callgate("ListLimits", json!({})),
        Asked::callgate("DeleteLimit", json!({"Limit": "account_rate"})),
        Asked::callgate("ExplainPolicy", json!({"Action": "lambda:InvokeFunction", "Resource": FUNCTION})),
    ]
}

fn functions() -> Vec<Asked> {
    let of = |name: &str, more: Value| {
        let mut input = json!({"FunctionName": FUNCTION});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Asked::lambda(name, input)
    };
    let code = STANDARD.encode(package("hello"));
    let made = json!({
        "Runtime": "nodejs22.x", "Role": ROLE, "Handler": "index.handler", "Code": {"ZipFile": code},
    });
    let resource = json!({"Resource": FUNCTION});
    vec![
        of("CreateFunction", made),
        of("GetFunction", json!({})),
        of("GetFunctionConfiguration", json!({})),
        Asked::lambda("ListFunctions", json!({})),
        Asked::lambda("TagResource", json!({"Resource": FUNCTION, "Tags": {"team": "app"}})),
        Asked::lambda("ListTags", resource.clone()),
        Asked { query: "?tagKeys=team", ..Asked::lambda("UntagResource", resource) },
        of("UpdateFunctionConfiguration", json!({"Timeout": 5})),
        of("UpdateFunctionCode", json!({"ZipFile": code})),
        of("PutFunctionConcurrency", json!({"ReservedConcurrentExecutions": 5})),
        of("GetFunctionConcurrency", json!({})),
        Asked::lambda("GetAccountSettings", json!({})),
        of("DeleteFunctionConcurrency", json!({})),
        Asked::dry_run(FUNCTION),
        of("CancelInvocation", json!({"InvocationId": "none"})),
        of("PublishVersion", json!({})),
        of("ListVersionsByFunction", json!({})),
        of("CreateAlias", json!({"Name": "PROD", "FunctionVersion": "1"})),
        of("GetAlias", json!({"Name": "PROD"})),
        of("UpdateAlias", json!({"Name": "PROD", "Description": "for all"})),
        of("ListAliases", json!({})),
        of("DeleteAlias", json!({"Name": "PROD"})),
        of(
            "AddPermission",
            json!({"StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}),
        ),
        of("GetPolicy", json!({})),
        of("RemovePermission", json!({"StatementId": "s3"})),
        Asked::lambda("PutResourcePolicy", json!({"ResourceArn": FUNCTION, "Policy": RESOURCE_POLICY})),
        Asked::lambda("GetResourcePolicy", json!({"ResourceArn": FUNCTION})),
        Asked::lambda("DeleteResourcePolicy", json!({"ResourceArn": FUNCTION})),
    ]
}

/// What takes away what [`making`] made.
pub(super) fn unmaking(guest: &Guest) -> Vec<Asked> {
    vec![
        Asked::lambda("DeleteFunction", json!({"FunctionName": FUNCTION})),
        Asked::iam(
            "UpdateAccessKey",
            json!({"UserName": "ann", "AccessKeyId": LATEST_KEY, "Status": "Inactive"}),
        ),
        Asked::iam("DeleteAccessKey", json!({"UserName": "ann", "AccessKeyId": LATEST_KEY})),
        Asked::iam("DeleteUserPolicy", json!({"UserName": "ann", "PolicyName": "logs"})),
        Asked::iam("DetachUserPolicy", json!({"UserName": "ann", "PolicyArn": MANAGED})),
        Asked::iam("DeleteUser", json!({"UserName": "ann"})),
        Asked::iam("DetachRolePolicy", json!({"RoleName": "greeter", "PolicyArn": MANAGED})),
        Asked::iam("DeletePolicyVersion", json!({"PolicyArn": MANAGED, "VersionId": "v1"})),
        Asked::iam("DeletePolicy", json!({"PolicyArn": MANAGED})),
        Asked::iam("DeleteRolePolicy", json!({"RoleName": "greeter", "PolicyName": "logs"})),
        Asked::iam("DeleteRole", json!({"RoleName": "greeter"})),
        Asked::iam("DeleteOpenIDConnectProvider", json!({"OpenIDConnectProviderArn": PROVIDER})),
        Asked::cognito(
            "UnlinkDeveloperIdentity",
            json!({
                "IdentityPoolId": guest.pool, "IdentityId": guest.user, "DeveloperProviderName": "login.app",
                "DeveloperUserIdentifier": "ann",
            }),
        ),
        Asked::cognito("DeleteIdentityPool", json!({"IdentityPoolId": guest.pool})),
    ]
}

/// All of them.
pub(super) fn all(guest: &Guest) -> Vec<Asked> {
    let mut all = making(guest);
    all.extend(unmaking(guest));
    all
}
