//! A good request for every operation, in an order in which root can make them one after the other.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};

use super::stand::Guest;
use crate::{
    api::{
        Access, Door, Route, Service, Spec, cognito_identity, iam,
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

    pub(super) fn lambda(name: &str, input: Value) -> Self {
        Self::of(lambda::OPERATIONS, name, input)
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

    /// Whether it answers what the caller's own account has.
    pub(super) fn lists(&self) -> bool {
        matches!(
            self.spec.name,
            "ListFunctions" | "ListIdentityPools" | "ListOpenIDConnectProviders" | "ListRoles"
        )
    }
}

/// The ARN of the function that the requests are about.
pub(super) const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:greet";
const ROLE: &str = "arn:aws:iam::000000000000:role/greeter";
const PROVIDER: &str = "arn:aws:iam::000000000000:oidc-provider/idp.example";
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
    all.push(Asked::of(sts::OPERATIONS, "GetCallerIdentity", json!({})));
    all
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
    vec![
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
        Asked::dry_run(FUNCTION),
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
        Asked::iam("DeleteRolePolicy", json!({"RoleName": "greeter", "PolicyName": "logs"})),
        Asked::iam("DeleteRole", json!({"RoleName": "greeter"})),
        Asked::iam("DeleteOpenIDConnectProvider", json!({"OpenIDConnectProviderArn": PROVIDER})),
        Asked::cognito("DeleteIdentityPool", json!({"IdentityPoolId": guest.pool})),
    ]
}

/// All of them.
pub(super) fn all(guest: &Guest) -> Vec<Asked> {
    let mut all = making(guest);
    all.extend(unmaking(guest));
    all
}
