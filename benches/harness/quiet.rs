//! Waiting until a gateway and its sandboxes are done with what they do in the background.

use std::{io, time::Duration};

use crate::processor::Time;

/// How long nothing may compute before it counts as quiet.
const LOOK: Duration = Duration::from_millis(100);
/// What counts as nothing, in microseconds: chores every few seconds.
const NOTHING_US: f64 = 500.0;
/// How often is looked.
const LOOKS_MAX: u32 = 600;

/// Waits until this gateway, its helper and its sandboxes compute nothing.
pub async fn quiet(gateway: u32) -> io::Result<()> {
    let mut before = Time::of(gateway)?;
    for _ in 0..LOOKS_MAX {
        tokio::time::sleep(LOOK).await;
        let now = Time::of(gateway)?;
        let spent = now.since(before);
        if spent.own_us + spent.children_us < NOTHING_US {
            return Ok(());
        }
        before = now;
    }
    Err(io::Error::other("the gateway does not come to rest"))
}
