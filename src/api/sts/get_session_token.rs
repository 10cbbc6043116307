//! GetSessionToken: temporary credentials of the same user, or of the root.

use std::{collections::BTreeMap, time::Duration};

use super::{Sts, input::refuse, session, spec};
use crate::{
    api::{
        Access, ApiError, Context, Operation, Raw, Reply, Resource, Service, Spec,
        members::{
            Members,
            Support::{Implemented, Refused},
        },
        query::{self, Fields, Form},
    },
    base::{Origin, Principal, SessionClaims},
};

const NAME: &str = "GetSessionToken";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[
        ("DurationSeconds", Implemented),
        ("SerialNumber", Refused("there are no MFA devices")),
        ("TokenCode", Refused("there are no MFA devices")),
    ],
};
/// `durationSecondsType`, in seconds, and what holds without it.
const DURATION_SECONDS: (u32, u32, u32) = (900, 129_600, 43_200);
/// The root's sessions are shorter.
const ROOT_SECONDS_MAX: u32 = 3600;

/// The input.
#[derive(Debug)]
pub struct GetSessionToken {
    duration_seconds: u32,
}

impl Operation for GetSessionToken {
    type State = Sts;

    /// It needs no permission: nobody gets more than they have.
    fn spec() -> Spec {
        spec(NAME, Access::Signed)
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        refuse(&form, &MEMBERS)?;
        let mut fields = Fields::of(&form);
        let (min, max, default) = DURATION_SECONDS;
        let duration_seconds = fields.number("DurationSeconds", min, max).unwrap_or(default);
        fields.finish()?;
        Ok(Self { duration_seconds })
    }

    fn resources(&self, _: &Sts, _: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, sts: &Sts, context: &Context<'_>) -> Result<Reply, ApiError> {
        let caller = context.caller()?;
        if caller.session.is_some() {
            return Err(ApiError::denied("Cannot call GetSessionToken with session credentials"));
        }
        let seconds = match caller.principal {
            Principal::Root => self.duration_seconds.min(ROOT_SECONDS_MAX),
            Principal::User { .. } | Principal::AssumedRole { .. } => self.duration_seconds,
        };
        let issued = context.now;
        let claims = SessionClaims {
            account: caller.account,
            principal: caller.principal.clone(),
            identity: None,
            web_identity: None,
            tags: BTreeMap::new(),
            transitive_tags: Vec::new(),
            policy: None,
            issued,
            expires: issued.plus(Duration::from_secs(seconds.into())),
            origin: Origin::of_caller(caller, issued),
        };
        let credentials = sts.credentials(&claims)?;
        let write = |xml: &mut query::Xml| session::write_credentials(xml, &credentials);
        Ok(query::reply(Service::Sts, NAME, context, Some(&write)))
    }
}
