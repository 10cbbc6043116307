//! `callgate doctor`: what this machine has and lacks, on one screen.

use std::process::ExitCode;

use crate::{
    app::{
        cli::{Common, Failure},
        doctor::{Verdict, examine},
        gateway::Gateway,
        output,
    },
    base::SystemClock,
};

/// Prints every check. The command fails if a gateway would not start.
pub fn run<G: Gateway>(common: &Common) -> Result<ExitCode, Failure> {
    let config = common.load(None)?;
    let mut checks = G::isolation(&config);
    checks.extend(examine(&config, &SystemClock::new()));
    for check in &checks {
        output::line(&check.to_string());
    }
    if checks.iter().any(|check| check.verdict == Verdict::No) {
        output::line("\nA gateway would not start here: see each NO above.");
        return Ok(ExitCode::FAILURE);
    }
    output::line("\nA gateway can start here.");
    Ok(ExitCode::SUCCESS)
}
