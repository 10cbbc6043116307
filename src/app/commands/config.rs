//! `callgate config`: what is in force, and what could be set.

use clap::Args;

use crate::app::{
    cli::{Common, Failure},
    config::{effective, reference},
    output,
};

/// What `config` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Print the reference of all fields in Markdown instead.
    #[arg(long)]
    reference: bool,
}

/// Prints the configuration in force as TOML. It holds no secrets: keys are files of their own.
pub fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.reference {
        output::bytes(reference().as_bytes());
    } else {
        output::bytes(effective(&common.load(None)?).as_bytes());
    }
    Ok(())
}
