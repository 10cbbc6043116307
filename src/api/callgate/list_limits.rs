//! ListLimits: what limits an account, its functions and pools have instead of the general ones.

use http::{Method, StatusCode};

use super::{Operator, limit_input, management};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    base::AccountId,
};

const NAME: &str = "ListLimits";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("AccountId", Implemented)] };

/// The input: an account, or the caller's own.
#[derive(Debug)]
pub struct ListLimits(Option<AccountId>);

impl Operation for ListLimits {
    type State = Operator;

    fn spec() -> Spec {
        management(NAME, Method::GET, "/callgate/v1/limits", "callgate:ListLimits")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let named = raw.query("AccountId");
        Ok(Self(named.map(|text| limit_input::account(Some(text), AccountId::DEFAULT)).transpose()?))
    }

    fn resources(&self, _: &Operator, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        limit_input::limits(context)
    }

    async fn run(self, operator: &Operator, context: &Context<'_>) -> Result<Reply, ApiError> {
        let own = context.account()?;
        let account = self.0.unwrap_or(own);
        if account != own {
            limit_input::check_operator(context)?;
        }
        Reply::json(StatusCode::OK, &operator.listed_limits(account))
    }
}
