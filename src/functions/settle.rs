//! The end of a change: `Pending` becomes `Active`, `InProgress` becomes `Successful`, after the answer.

use std::time::Duration;

use super::{FunctionError, holder::Functions};
use crate::{
    base::AccountId,
    store::functions::{FunctionRecord, Stage},
};

/// How often the end of a change is written anew when that fails.
const ATTEMPTS: u32 = 6;
/// The pause after the first failure; it doubles with each.
const PAUSE: Duration = Duration::from_millis(200);

impl Functions {
    /// Ends the change of a function in the background. If it cannot be written, the next start ends it.
    pub(crate) fn settle_later(&self, record: &FunctionRecord) {
        let after = match record.stage {
            Stage::Settled => return,
            Stage::Creating => Duration::ZERO,
            Stage::Updating => self.options.update_settles_after,
        };
        let (me, account, name) = (self.me(), record.account, record.name.clone());
        tokio::spawn(async move {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            for attempt in 0..ATTEMPTS {
                let Some(functions) = me.upgrade() else { return };
                match functions.settle(account, &name).await {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::warn!(%account, function = name, %error, attempt, "a function did not become ready");
                    }
                }
                drop(functions);
                tokio::time::sleep(PAUSE * 2u32.pow(attempt)).await;
            }
        });
    }

    /// Ends the change of a function, if one is on its way.
    pub(crate) async fn settle(&self, account: AccountId, name: &str) -> Result<(), FunctionError> {
        let _writing = self.writing.lock().await;
        let Some(function) = self.find(account, name).filter(|function| function.ready != Stage::Settled)
        else {
            return Ok(());
        };
        let settled =
            FunctionRecord { stage: Stage::Settled, revision: self.draw_uuid(), ..function.record.clone() };
        self.commit(&settled, Some(&function.record.revision)).await?;
        Ok(())
    }
}
