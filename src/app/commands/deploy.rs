//! `callgate deploy`: from a folder to a function, made or updated.

mod settings;

use std::{path::PathBuf, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;
use serde_json::{Map, Value, json};
pub(super) use settings::{Settings, name_of};

use super::{name_and_value, remote};
use crate::app::{
    cli::{Common, Failure},
    client::{Remote, element},
    output, package, schemas,
};

/// What `deploy` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Print the function's configuration as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: remote::Endpoint,
}

/// A folder and what to make of it. What is not given comes from `callgate.toml` in the folder, then from the function as it is, then
/// from the defaults.
#[derive(Clone, Debug, Args)]
pub struct Source {
    /// The folder with the function's code.
    pub(super) folder: PathBuf,
    /// The function's name; the folder's unless given.
    #[arg(long)]
    name: Option<String>,
    /// The runtime; nodejs22.x unless given.
    #[arg(long)]
    runtime: Option<String>,
    /// The handler; index.handler unless given.
    #[arg(long, value_name = "FILE.EXPORT")]
    handler: Option<String>,
    /// How long a call may take, in seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// How much memory it gets, in MB.
    #[arg(long, value_name = "MB")]
    memory: Option<u32>,
    /// The ARN of its execution role; one without permissions is made unless given.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// A tag to set, such as callgate:allow=guests; may be given often.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = name_and_value)]
    tags: Vec<(String, String)>,
    /// An environment variable; may be given often. Together they replace the function's variables.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = name_and_value)]
    environment: Vec<(String, String)>,
}

pub(super) const RUNTIME: &str = "nodejs22.x";
pub(super) const HANDLER: &str = "index.handler";
const ROLE: &str = "callgate-default-execution";
/// Whom a function's role must trust.
const ROLE_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
/// How often and how many times an update that runs is asked after.
const SETTLE_POLL: Duration = Duration::from_millis(50);
const SETTLE_POLLS_MAX: u32 = 600;

/// Packs the folder, makes or updates the function, and says how to call it.
pub async fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let settings = Settings::gather(&arguments.source)?;
    // The gateway would refuse them too, but only after everything has been sent.
    schemas::of_folder(&arguments.source.folder, &settings.name)?;
    let package = package::pack(&arguments.source.folder)?;
    let remote = arguments.remote.signed(common).await?;
    let (done, configuration) = put(&remote, &settings, &package).await?;
    if arguments.json {
        output::line(&configuration.to_string());
    } else {
        let arn = configuration["FunctionArn"].as_str().unwrap_or_default();
        output::line(&format!(
            "{name} is {done}: {arn}, {} bytes\nCall it:  callgate invoke {name} --payload '{{}}'",
            package.len(),
            name = settings.name,
        ));
    }
    Ok(())
}

/// Makes or updates a function. Says which of the two, and its configuration.
pub(super) async fn put(
    remote: &Remote,
    settings: &Settings,
    package: &[u8],
) -> Result<(&'static str, Value), Failure> {
    Ok(match remote.function_configuration(&settings.name).await? {
        None => ("made", create(remote, settings, package).await?),
        Some(_) => ("updated", update(remote, settings, package).await?),
    })
}

async fn create(remote: &Remote, settings: &Settings, package: &[u8]) -> Result<Value, Failure> {
    let role = match &settings.role {
        Some(role) => role.clone(),
        None => default_role(remote).await?,
    };
    let mut input = settings.configuration();
    input.insert("FunctionName".to_owned(), json!(settings.name));
    input.entry("Role").or_insert_with(|| json!(role));
    input.entry("Runtime").or_insert_with(|| json!(RUNTIME));
    input.entry("Handler").or_insert_with(|| json!(HANDLER));
    input.insert("Code".to_owned(), json!({ "ZipFile": BASE64_STANDARD.encode(package) }));
    if !settings.tags.is_empty() {
        input.insert("Tags".to_owned(), json!(settings.tags));
    }
    remote.create_function(&Value::Object(input)).await?;
    settled(remote, &settings.name).await
}

async fn update(remote: &Remote, settings: &Settings, package: &[u8]) -> Result<Value, Failure> {
    let before = settled(remote, &settings.name).await?;
    // Configuration first: new code may need new variables, and old code hardly minds them.
    let input = settings.configuration();
    if differs(&input, &before) {
        remote.update_function_configuration(&settings.name, &Value::Object(input)).await?;
        settled(remote, &settings.name).await?;
    }
    let code = json!({ "ZipFile": BASE64_STANDARD.encode(package) });
    let updated = remote.update_function_code(&settings.name, &code).await?;
    if !settings.tags.is_empty() {
        let arn = updated["FunctionArn"].as_str().ok_or("the gateway's answer has no FunctionArn")?;
        remote.tag_resource(arn, &json!({ "Tags": settings.tags })).await?;
    }
    settled(remote, &settings.name).await
}

/// Whether an update would change anything that the function's configuration shows.
fn differs(input: &Map<String, Value>, before: &Value) -> bool {
    input.iter().any(|(member, value)| before.get(member) != Some(value))
}

/// Waits until neither the function's making nor an update of it runs: both are done in the background.
async fn settled(remote: &Remote, name: &str) -> Result<Value, Failure> {
    for _ in 0..SETTLE_POLLS_MAX {
        let configuration = remote
            .function_configuration(name)
            .await?
            .ok_or_else(|| format!("{name} was deleted meanwhile: deploy it again"))?;
        let is = |member: &str, state: &str| configuration[member].as_str() == Some(state);
        if is("State", "Failed") || is("LastUpdateStatus", "Failed") {
            let reason = ["LastUpdateStatusReason", "StateReason"]
                .into_iter()
                .find_map(|member| configuration[member].as_str())
                .unwrap_or("the gateway gave no reason");
            return Err(format!("{name} failed: {reason}").into());
        }
        if !is("State", "Pending") && !is("LastUpdateStatus", "InProgress") {
            return Ok(configuration);
        }
        tokio::time::sleep(SETTLE_POLL).await;
    }
    Err(format!("{name} is still being updated: try again when GetFunctionConfiguration shows it done")
        .into())
}

/// The role of functions for which none is named: Lambda may assume it, and it may do nothing.
async fn default_role(remote: &Remote) -> Result<String, Failure> {
    let created =
        remote.iam("CreateRole", &[("RoleName", ROLE), ("AssumeRolePolicyDocument", ROLE_TRUST)]).await;
    let answer = match created {
        Err(error) if error.is("EntityAlreadyExists") => remote.iam("GetRole", &[("RoleName", ROLE)]).await,
        other => other,
    }?;
    element(&answer, "Arn").ok_or_else(|| "the gateway's answer names no role".into())
}

#[cfg(test)]
mod tests;
