//! DeleteIdentities.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{errors::invalid, input, management, reply};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{Identities, NotDeleted},
};

const NAME: &str = "DeleteIdentities";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[("IdentityIdsToDelete", Implemented)] };

/// The input.
#[derive(Debug)]
pub struct DeleteIdentities {
    identities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_ids_to_delete: Option<Vec<String>>,
}

/// How many identities a request may name.
const IDENTITIES_MAX: usize = 60;

impl Operation for DeleteIdentities {
    type State = Identities;

    fn spec() -> Spec {
        management(NAME, "cognito-identity:DeleteIdentities")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let ids = input::required(input.identity_ids_to_delete, "identityIdsToDelete")?;
        if !(1..=IDENTITIES_MAX).contains(&ids.len()) {
            return Err(invalid(format!(
                "1 to {IDENTITIES_MAX} identities can be deleted at once, not {}.",
                ids.len()
            )));
        }
        let identities = ids
            .into_iter()
            .map(|id| input::id(Some(id), "identityIdsToDelete"))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { identities })
    }

    fn resources(&self, _: &Identities, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![Resource::named("*")])
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let left = identities.delete(context.account()?, &self.identities).await;
        let left: Vec<Value> = left
            .into_iter()
            .map(|(id, why)| {
                let code = match why {
                    NotDeleted::NotTheirs => "AccessDenied",
                    NotDeleted::Failed => "InternalServerError",
                };
                json!({"IdentityId": id, "ErrorCode": code})
            })
            .collect();
        reply(&json!({ "UnprocessedIdentityIds": left }))
    }
}
