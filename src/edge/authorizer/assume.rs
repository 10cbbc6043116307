//! Whether a caller may take on a role: its own policies and the role's trust policy together.
//!
//! In its own account a caller may take on a role that trusts it by its own name, or one that trusts the account and that its
//! policies allow. Into another account both sides must allow it (IAM User Guide, "Cross-account policy evaluation logic"). A Deny of
//! either side wins. Session policies must allow as well; AWS lets a role that trusts the very session do without, which this does
//! not.

use super::{CallKeys, Entity, IamAuthorizer};
use crate::{
    api::{ApiError, Context, Resource, sts::Assuming},
    base::Principal,
    iam::Role,
    policy::{Decision, Request, Requester, decide},
};

impl Assuming for IamAuthorizer {
    fn may_assume(
        &self,
        context: &Context<'_>,
        action: &str,
        role: &Role,
        asked: &Resource,
    ) -> Result<(), ApiError> {
        let caller = context.caller()?;
        let entity = Entity::of(caller, &self.directory);
        let keys = CallKeys { context, caller, entity: &entity, resource: asked };
        let own = decide(&Request::new(action, &role.arn, &keys), entity.policies());
        let session = self.session_policies.of(caller)?;
        let session = session.map(|documents| decide(&Request::new(action, &role.arn, &keys), &*documents));

        let arn = caller.principal.arn(caller.account);
        let role_arn = entity.arn().filter(|_| matches!(caller.principal, Principal::AssumedRole { .. }));
        let trusts = |account: &str| {
            let requester = Requester::Aws { account, arn: &arn, role_arn };
            decide(&Request::to_assume(action, &role.arn, requester, &keys), [&*role.trust])
        };
        let trusted = trusts(caller.account.as_str());
        // Without its account only its name is left.
        let by_name = caller.account == role.record.account && trusts("").is_allow();
        let denied = |decision| matches!(decision, Decision::ExplicitDeny { .. });
        let may = !denied(own)
            && session.is_none_or(Decision::is_allow)
            && trusted.is_allow()
            && (by_name || own.is_allow())
            // Whoever was deleted since has no name left that could be trusted.
            && entity.arn().is_some();
        if may {
            return Ok(());
        }
        Err(ApiError::denied(format!(
            "User: {arn} is not authorized to perform: {action} on resource: {}",
            role.arn
        )))
    }
}
