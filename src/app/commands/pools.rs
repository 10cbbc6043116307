//! `callgate pools`: identity pools that work from the start.

mod default_roles;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{name_and_value, remote};
use crate::app::{
    cli::{Common, Failure},
    client::{Door, Remote, element, elements},
    output,
};

/// What `pools` takes.
#[derive(Debug, Subcommand)]
pub enum Arguments {
    /// Make an identity pool, and print its id and roles as JSON.
    Create(Create),
}

/// What `pools create` takes.
#[derive(Debug, Args)]
pub struct Create {
    /// The pool's name.
    name: String,
    /// Make the roles of guests and of signed-in identities too: they may call functions that are tagged for them.
    #[arg(long)]
    with_default_roles: bool,
    /// Let callers in that have not signed in.
    #[arg(long)]
    allow_guests: bool,
    /// An OpenID Connect issuer whose logins count, and the client id they must be made for; may be given often.
    #[arg(long = "provider", value_name = "ISSUER=CLIENT_ID", value_parser = name_and_value)]
    providers: Vec<(String, String)>,
    #[command(flatten)]
    remote: remote::Endpoint,
}

/// Does it by the gateway's own API.
pub async fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments::Create(create) = arguments;
    let remote = create.remote.signed(common).await?;
    let mut clients: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (issuer, client) in &create.providers {
        clients.entry(issuer).or_default().push(client);
    }
    let mut providers = Vec::new();
    for (issuer, clients) in clients {
        providers.push(provider(&remote, issuer, &clients).await?);
    }
    let pool = cognito(
        &remote,
        "CreateIdentityPool",
        &json!({
            "IdentityPoolName": create.name,
            "AllowUnauthenticatedIdentities": create.allow_guests,
            "OpenIdConnectProviderARNs": providers,
        }),
    )
    .await?;
    let id = pool["IdentityPoolId"].as_str().ok_or("the gateway's answer has no IdentityPoolId")?;
    let mut roles = BTreeMap::new();
    if create.with_default_roles {
        for role in default_roles::of_pool(&create.name, id) {
            if role.kind == default_roles::GUEST && !create.allow_guests {
                continue;
            }
            roles.insert(role.kind, role.make(&remote).await?);
        }
        cognito(&remote, "SetIdentityPoolRoles", &json!({ "IdentityPoolId": id, "Roles": roles })).await?;
    }
    output::line(&json!({ "IdentityPoolId": id, "Roles": roles }).to_string());
    Ok(())
}

async fn cognito(remote: &Remote, operation: &str, input: &Value) -> Result<Value, Failure> {
    let target = format!("AWSCognitoIdentityService.{operation}");
    Ok(remote.json(Door::Management, &target, "cognito-identity", input).await?)
}

/// The provider for an issuer, made now or there already, with these client ids.
async fn provider(remote: &Remote, issuer: &str, clients: &[&str]) -> Result<String, Failure> {
    let members: Vec<String> =
        (1..=clients.len()).map(|index| format!("ClientIDList.member.{index}")).collect();
    let mut parameters = vec![("Url", issuer)];
    parameters.extend(members.iter().map(String::as_str).zip(clients.iter().copied()));
    match remote.iam("CreateOpenIDConnectProvider", &parameters).await {
        Ok(answer) => element(&answer, "OpenIDConnectProviderArn")
            .ok_or_else(|| "the gateway's answer names no provider".into()),
        Err(error) if error.is("EntityAlreadyExists") => {
            let arn = existing_provider(remote, issuer).await?;
            for client in clients {
                let parameters = [("OpenIDConnectProviderArn", arn.as_str()), ("ClientID", client)];
                remote.iam("AddClientIDToOpenIDConnectProvider", &parameters).await?;
            }
            Ok(arn)
        }
        Err(error) => Err(error.into()),
    }
}

/// The ARN of a provider that is there: it ends with the issuer's URL without its scheme.
async fn existing_provider(remote: &Remote, issuer: &str) -> Result<String, Failure> {
    let (_, url) = issuer.split_once("://").unwrap_or(("", issuer));
    let end = format!(":oidc-provider/{}", url.trim_end_matches('/'));
    let listed = remote.iam("ListOpenIDConnectProviders", &[]).await?;
    elements(&listed, "Arn").into_iter().find(|arn| arn.ends_with(&end)).ok_or_else(|| {
        format!("the gateway says that a provider for {issuer} exists, but does not list it").into()
    })
}
