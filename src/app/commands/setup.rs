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
    let sdk = Sdk::of(&config, &dir);
    let (modules, was_there) = sdk.install().await?;
    let lock = dir.lock();
    if lock.is_ok() {
        sdk.remove_earlier();
    }
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
