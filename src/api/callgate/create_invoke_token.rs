//! CreateInvokeToken: a token that apps which cannot sign show instead of a signature, for Invoke alone.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{BODY_BYTES_MAX, input};
use crate::{
    api::{
        Access, ApiError, Context, Door, Operation, Raw, Reply, Resource, Route, Service, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{Identities, Logins, identities::LOGINS_A_REQUEST_MAX},
};

const NAME: &str = "CreateInvokeToken";
/// The members of its input.
pub static MEMBERS: Members =
    Members { operation: NAME, members: &[("IdentityId", Implemented), ("Logins", Implemented)] };
const ID_CHARS_MAX: usize = 55;

/// The input.
#[derive(Debug)]
pub struct CreateInvokeToken {
    identity_id: String,
    logins: Logins,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Input {
    identity_id: Option<String>,
    logins: Option<BTreeMap<String, String>>,
}

impl Operation for CreateInvokeToken {
    type State = Identities;

    fn spec() -> Spec {
        Spec {
            service: Service::Callgate,
            name: NAME,
            route: Route::Rest { method: Method::POST, path: "/callgate/public/invoke-tokens" },
            door: Door::Data,
            access: Access::Public,
            body_bytes_max: BODY_BYTES_MAX,
        }
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw)?;
        let logins = input.logins.unwrap_or_default();
        if logins.len() > LOGINS_A_REQUEST_MAX {
            return Err(input::invalid(format!("Logins can have at most {LOGINS_A_REQUEST_MAX} entries.")));
        }
        let identity_id = input::text(input.identity_id, "IdentityId", ID_CHARS_MAX)?;
        Ok(Self { identity_id, logins: logins.into() })
    }

    fn resources(&self, _: &Identities, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, identities: &Identities, context: &Context<'_>) -> Result<Reply, ApiError> {
        let given = identities.invoke_token(context.public_url, &self.identity_id, &self.logins).await?;
        Reply::json(
            StatusCode::OK,
            &json!({
                "IdentityId": given.identity_id,
                "Token": given.token,
                "TokenType": "Bearer",
                "Expiration": given.expires.seconds(),
            }),
        )
    }
}
