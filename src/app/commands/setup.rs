//! `callgate setup`: gets what functions find without packaging it.

use crate::app::{
    cli::{Common, Failure},
    lifecycle, output,
    sdk::Sdk,
};

/// Installs the AWS SDK where the gateway looks for it.
pub async fn run(common: &Common) -> Result<(), Failure> {
    let config = common.load(None)?;
    let dir = lifecycle::data_dir(&config)?;
    // Held to the end: a gateway that starts meanwhile would find half of it.
    let lock = dir.lock();
    let (modules, was_there) = Sdk::of(&config, &dir).install(lock.is_ok()).await?;
    let place = modules.display();
    output::line(&if was_there {
        format!("The AWS SDK for functions is in {place}.")
    } else if lock.is_ok() {
        format!("The AWS SDK for functions is in {place} now.")
    } else {
        format!(
            "The AWS SDK for functions is in {place} now. Restart the gateway that runs, so that it takes it up."
        )
    });
    Ok(())
}
