//! UnlinkIdentity.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;

use super::{errors::invalid, input, public};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
    },
    identity::{Identities, Logins, identities::LOGINS_AN_IDENTITY_MAX},
};

const NAME: &str = "UnlinkIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("IdentityId", Implemented), ("Logins", Implemented), ("LoginsToRemove", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct UnlinkIdentity {
    identity: String,
    logins: Logins,
    remove: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    identity_id: Option<String>,
    logins: Option<BTreeMap<String, String>>,
    logins_to_remove: Option<Vec<String>>,
}

impl Operation for UnlinkIdentity {
    type State = Identities;

    fn spec() -> Spec {
        public(NAME)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let input: Input = input::parse(raw, &MEMBERS)?;
        let identity = input::id(input.identity_id, "identityId")?;
        let logins = input::logins(Some(input::required(input.logins, "logins")?))?;
        let remove = input::required(input.logins_to_remove, "loginsToRemove")?;
        if remove.len() > LOGINS_AN_IDENTITY_MAX {
            return Err(invalid(format!(
                "An identity has at most {LOGINS_AN_IDENTITY_MAX} logins to remove."
            )));
        }
        let remove = remove
            .into_iter()
            .map(|provider| input::text(provider, "loginsToRemove", 128, "", |_| true))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { identity, logins, remove })
    }

    fn resources(&self, _: &Identities, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, identities: &Identities, _: &Context<'_>) -> Result<Reply, ApiError> {
        identities.unlink(&self.identity, &self.logins, &self.remove).await?;
        Ok(Reply::empty(StatusCode::OK))
    }
}
