//! `callgate policy`: explanations and the linter.

use std::{collections::BTreeMap, io::Read, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand, ValueEnum};

use crate::{
    api::{self, callgate::explain_policy::ExplainPolicy},
    app::{
        admin::Client,
        cli::{Common, Failure},
        lifecycle, output,
    },
    policy::{Kind, lint},
};

/// What `policy` takes.
#[derive(Debug, Subcommand)]
pub enum Arguments {
    /// Say what is decided and by which statements: for a caller, an action and a resource, or for a request that was refused.
    Explain(Box<Explain>),
    /// Say what a policy says that may not be meant. Ends with status 1 if there is anything.
    Lint(Lint),
}

/// What `policy explain` takes.
#[derive(Debug, Args)]
pub struct Explain {
    /// The request id that a refused client was answered.
    #[arg(long, value_name = "ID", conflicts_with_all = ["action", "resource"])]
    request: Option<String>,
    /// The caller: root, role/<name> or role/<name>/<session>.
    #[arg(long = "as", value_name = "CALLER", conflicts_with = "service")]
    caller: Option<String>,
    /// The caller's account.
    #[arg(long, value_name = "DIGITS")]
    account: Option<String>,
    /// A service that calls as an event source, for example s3.amazonaws.com.
    #[arg(long, value_name = "PRINCIPAL")]
    service: Option<String>,
    /// What set the event off.
    #[arg(long, value_name = "ARN", requires = "service")]
    source_arn: Option<String>,
    /// The account of what set the event off.
    #[arg(long, value_name = "DIGITS", requires = "service")]
    source_account: Option<String>,
    /// The token that the source shows.
    #[arg(long, value_name = "TOKEN", requires = "service")]
    event_source_token: Option<String>,
    /// The action, for example lambda:InvokeFunction.
    #[arg(long)]
    action: Option<String>,
    /// The resource's ARN.
    #[arg(long, value_name = "ARN")]
    resource: Option<String>,
    /// A condition key and its value; several times for several, or for several values.
    #[arg(long, value_name = "KEY=VALUE", value_parser = super::name_and_value)]
    context: Vec<(String, String)>,
}

/// What `policy lint` takes.
#[derive(Debug, Args)]
pub struct Lint {
    /// The file; standard input if it is -.
    file: PathBuf,
    /// What the policy is for.
    #[arg(long, value_enum, default_value_t = For::Identity)]
    kind: For,
}

/// What a policy is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum For {
    /// A role or user.
    Identity,
    /// A role, as its trust policy.
    Trust,
    /// A function, version or alias.
    Resource,
}

/// Does it.
pub async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match arguments {
        Arguments::Explain(explain) => {
            let config = common.load(None)?;
            let dir = lifecycle::data_dir(&config)?;
            let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (key, value) in &explain.context {
                given.entry(key.clone()).or_default().push(value.clone());
            }
            let asked = ExplainPolicy {
                request_id: explain.request.clone(),
                account_id: explain.account.clone(),
                caller: explain.caller.clone(),
                service: explain.service.clone(),
                source_arn: explain.source_arn.clone(),
                source_account: explain.source_account.clone(),
                event_source_token: explain.event_source_token.clone(),
                action: explain.action.clone(),
                resource: explain.resource.clone(),
                context: given,
            };
            let answer = Client::new(&dir.admin_socket()).explain_policy(&asked).await?;
            output::line(&serde_json::to_string_pretty(&answer)?);
            Ok(ExitCode::SUCCESS)
        }
        Arguments::Lint(Lint { file, kind }) => {
            let text = match file.to_str() {
                Some("-") => {
                    let mut text = String::new();
                    std::io::stdin().read_to_string(&mut text)?;
                    text
                }
                _ => std::fs::read_to_string(file)
                    .map_err(|cause| format!("{} cannot be read: {cause}", file.display()))?,
            };
            let kind = match kind {
                For::Identity => Kind::Identity,
                For::Trust => Kind::Trust,
                For::Resource => Kind::Resource,
            };
            let actions = api::actions();
            let findings = lint(&text, kind, &actions)?;
            output::line(&serde_json::to_string_pretty(&findings)?);
            Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
