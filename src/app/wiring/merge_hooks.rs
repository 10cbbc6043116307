//! Merge hooks: functions that identity pools have asked whether a guest becomes another identity.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    base::{Caller, Principal, Region, RequestId, clock::SharedClock, rng::SharedRng},
    dispatch::{Dispatch, Invocation, Terms},
    functions::{FunctionRef, Functions},
    identity::{HookError, MergeHook},
    policy::permit_root,
    quota::{Call, Quota, Share, Throttled},
    store::identity::PoolRecord,
};

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Who asks, where an access key would stand.
const ASKER: &str = "cognito-identity.amazonaws.com";

/// Calls hooks as the owner of the pool, who named them; whoever names one must be allowed to call it.
pub(super) struct MergeHooks {
    pub(super) functions: Arc<Functions>,
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) quota: Arc<Quota>,
    pub(super) clock: SharedClock,
    pub(super) rng: SharedRng,
    pub(super) region: Region,
    /// How long a hook may take.
    pub(super) answer_max: Duration,
}

#[async_trait]
impl MergeHook for MergeHooks {
    async fn ask(&self, pool: &PoolRecord, function: &str, event: &Value) -> Result<Value, HookError> {
        let throttled = |refused: Throttled| HookError::Throttled(refused.over);
        self.quota.merge_hook(&pool.id).map_err(throttled)?;
        let reference = FunctionRef {
            region: self.region.clone(),
            account: pool.account,
            name: function.to_owned(),
            qualifier: None,
        };
        let failed = |why: &dyn std::fmt::Display| HookError::Failed(why.to_string());
        let target = self.functions.resolve(&reference).map_err(|error| failed(&error))?;
        let owner = Caller {
            account: pool.account,
            principal: Principal::Root,
            access_key_id: ASKER.into(),
            identity: None,
            session: None,
        };
        let arn = reference.arn();
        let permit = permit_root(&owner, "lambda:InvokeFunction", &arn).map_err(|denial| failed(&denial))?;
        let call = Call { owner: pool.account, function, pool: Some(&pool.id), share: Share::NOBODY };
        let admission = self.quota.admit(&call).map_err(throttled)?;
        let invocation = Invocation {
            id: RequestId::draw(self.rng.as_ref()),
            payload: event.to_string().into(),
            invoked_arn: arn,
            identity: None,
            client_context: None,
            log_tail: false,
            terms: Terms::default(),
        };
        let began = self.clock.monotonic();
        // Whoever waits no longer leaves the function to its end: the sandbox is taken along and given back then.
        let running = self.dispatch.run(&permit, admission, target, invocation);
        let outcome = tokio::time::timeout(self.answer_max, running)
            .await
            .map_err(|_| HookError::Failed(format!("no answer within {} ms", self.answer_max.as_millis())))?
            .map_err(|error| failed(&error))?;
        tracing::debug!(
            pool = pool.id,
            function,
            took_ms = self.clock.monotonic().saturating_sub(began).as_millis(),
            "a merge hook answered"
        );
        if outcome.function_error.is_some() {
            return Err(HookError::Failed("the function failed; its log says why".to_owned()));
        }
        if outcome.payload.len() > ANSWER_BYTES_MAX {
            return Err(HookError::Failed(format!("its answer is longer than {ANSWER_BYTES_MAX} bytes")));
        }
        serde_json::from_slice(&outcome.payload).map_err(|error| failed(&error))
    }
}
