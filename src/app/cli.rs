//! The command line: what commands there are, and how they end.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use super::{
    commands::{
        accounts, config, deploy, dev, doctor, generate, invoke, limits, policy, pools, serve, sessions,
        setup,
    },
    config::{Config, ConfigError, Override},
    gateway::Gateway,
    output,
};

/// A self-hosted gateway: apps call Node.js functions by name, with their identity.
#[derive(Debug, Parser)]
#[command(name = "callgate", version, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// The configuration file (TOML).
    #[arg(long, global = true, env = "CALLGATE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory, over what the configuration says.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Common {
    /// The configuration from flags, environment and file.
    pub fn load(&self, listen: Option<SocketAddr>) -> Result<Config, ConfigError> {
        let data_dir = self.data_dir.as_ref().map(|dir| Override {
            flag: "--data-dir",
            section: "data",
            field: "dir",
            text: dir.display().to_string(),
        });
        let listen = listen.map(|listen| Override {
            flag: "--listen",
            section: "server",
            field: "listen",
            text: listen.to_string(),
        });
        let overrides: Vec<_> = data_dir.into_iter().chain(listen).collect();
        Config::load(&overrides, std::env::vars_os(), self.config.as_deref())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    Serve(serve::Arguments),
    /// Run a gateway on this machine for one folder, and deploy the folder whenever it changes.
    Dev(dev::Arguments),
    /// Make or update a function from a folder.
    Deploy(deploy::Arguments),
    /// Write types and an interface for apps from the schemas that functions carry, or say what a change of them breaks.
    Generate(generate::Arguments),
    /// Call a function and print its answer.
    Invoke(invoke::Arguments),
    /// Accounts of the gateway.
    #[command(subcommand)]
    Accounts(accounts::Arguments),
    /// Identity pools.
    #[command(subcommand)]
    Pools(pools::Arguments),
    /// Sessions that are to end before their time.
    #[command(subcommand)]
    Sessions(sessions::Arguments),
    /// Limits that single accounts, functions and pools have instead of the general ones.
    #[command(subcommand)]
    Limits(limits::Arguments),
    /// Policies: why something is refused, and what a policy says that may not be meant.
    #[command(subcommand)]
    Policy(policy::Arguments),
    /// Get what functions find without packaging it: the AWS SDK.
    Setup,
    /// Say what this machine has and lacks for a gateway.
    Doctor,
    /// Print the configuration in force, or the reference of all fields.
    Config(config::Arguments),
    /// Act on sandboxes for a gateway, which starts this itself.
    #[command(hide = true)]
    Joiner,
    /// Print the version.
    Version,
}

/// Why a command failed, for the person who gave it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command that the process was started with, with this gateway.
pub fn run<G: Gateway>() -> ExitCode {
    let cli = Cli::parse();
    match run_command::<G>(cli) {
        Ok(code) => code,
        Err(failure) => {
            output::note(&format!("callgate: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run_command<G: Gateway>(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { common, command } = cli;
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Serve(arguments) => serve::run::<G>(&common, &arguments).map(done),
        Command::Dev(arguments) => dev::run::<G>(&common, &arguments).map(done),
        Command::Deploy(arguments) => one_thread(deploy::run(&common, &arguments)).map(done),
        Command::Generate(arguments) => one_thread(generate::run(&common, &arguments)),
        Command::Invoke(arguments) => one_thread(invoke::run(&common, &arguments)),
        Command::Accounts(arguments) => one_thread(accounts::run::<G>(&common, &arguments)).map(done),
        Command::Pools(arguments) => one_thread(pools::run(&common, &arguments)).map(done),
        Command::Sessions(arguments) => one_thread(sessions::run::<G>(&common, &arguments)).map(done),
        Command::Limits(arguments) => one_thread(limits::run::<G>(&common, &arguments)).map(done),
        Command::Policy(arguments) => one_thread(policy::run(&common, &arguments)),
        Command::Setup => one_thread(setup::run(&common)).map(done),
        Command::Doctor => doctor::run::<G>(&common),
        Command::Config(arguments) => config::run(&common, &arguments).map(done),
        Command::Joiner => Ok(crate::sandbox::joiner::serve().map(done)?),
        Command::Version => {
            output::line(concat!("callgate ", env!("CARGO_PKG_VERSION")));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Runs a command that waits for a few answers: one thread is enough.
fn one_thread<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_contracts_forms_are_understood() {
        for line in [
            "callgate serve --listen 127.0.0.1:0 --data-dir d --config f --ready-json",
            "callgate accounts create 123456789012 --data-dir d",
            "callgate pools create p --with-default-roles --allow-guests --provider https://issuer=client",
            "callgate deploy examples/greet --name greet --tag callgate:allow=guests --env A=b=c",
            "callgate invoke greet --as-guest us-east-1:x --payload {} --client-context {} --log",
            "callgate generate java examples/functions/greeting scores:live --package com.example --name Game --out src",
            "callgate generate kotlin greeting --endpoint http://localhost:7070",
            "callgate generate swift greeting --module Game",
            "callgate generate swift greeting",
            "callgate generate --against greeting:1 examples/functions/greeting --data-dir d",
            "callgate dev examples/greet --listen 127.0.0.1:0 --name greet --env A=b",
            "callgate policy explain --as role/guests --action lambda:InvokeFunction --resource arn --context a:b=c",
            "callgate policy explain --request 00000000-0000-0000-0000-000000000000 --data-dir d",
            "callgate policy lint policy.json --kind trust",
            "callgate setup --data-dir d",
            "callgate sessions revoke --pool p --disable-guests",
            "callgate sessions revoke --pool p --provider idp.example --account 123456789012",
            "callgate sessions revoke --identity i --data-dir d",
            "callgate sessions revoke --access-key AKIA1 --endpoint http://localhost:7070",
            "callgate sessions revoke --role r",
            "callgate sessions revoke --user u",
            "callgate sessions restore i",
            "callgate sessions list",
            "callgate limits put each --function greet --rate 5 --per minute --burst 10 --data-dir d",
            "callgate limits put account_concurrency --account 123456789012 --concurrency 200",
            "callgate limits put pool_rate --pool us-east-1:x --rate 5 --endpoint http://localhost:7070",
            "callgate limits delete each --function greet",
            "callgate limits list",
            "callgate doctor",
            "callgate config --reference",
            "callgate version",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }

    #[test]
    fn what_is_neither_written_nor_compared_is_refused() {
        for line in [
            "callgate generate",
            "callgate generate java",
            "callgate generate --against old",
            "callgate generate greeting",
            "callgate generate java greeting --package com..example",
            "callgate generate java greeting --name my-game",
            "callgate generate java greeting --name String",
            "callgate generate kotlin greeting --package com.class",
            "callgate generate swift greeting --package com.example",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
