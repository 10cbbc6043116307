//! GetCallerIdentity: who the caller is. It needs no permission, and no policy can deny it.

use crate::api::{
    Access, ApiError, Context, Door, Operation, Raw, Reply, Resource, Route, Service, Spec, members::Members,
    query,
};

const NAME: &str = "GetCallerIdentity";
/// The members of its input.
pub static MEMBERS: Members = Members { operation: NAME, members: &[] };
/// The form holds action and version; some clients add members of their own, which are passed over.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// The input: nothing.
#[derive(Debug)]
pub struct GetCallerIdentity;

impl Operation for GetCallerIdentity {
    type State = ();

    fn spec() -> Spec {
        Spec {
            service: Service::Sts,
            name: NAME,
            route: Route::Query,
            door: Door::Data,
            access: Access::Signed,
            body_bytes_max: BODY_BYTES_MAX,
        }
    }

    fn decode(_raw: &Raw<'_>) -> Result<Self, ApiError> {
        Ok(Self)
    }

    fn resources(&self, _state: &(), _context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(Vec::new())
    }

    async fn run(self, _state: &(), context: &Context<'_>) -> Result<Reply, ApiError> {
        let caller = context.caller()?;
        Ok(query::reply(
            Service::Sts,
            NAME,
            context,
            Some(&|xml| {
                xml.text("Arn", &caller.principal.arn(caller.account));
                xml.text("UserId", &caller.principal.user_id(caller.account));
                xml.text("Account", caller.account.as_str());
            }),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;
    use crate::base::{AccountId, Caller, Principal, Region, RequestId, Timestamp};

    async fn answer(principal: Principal) -> String {
        let caller = Caller {
            account: AccountId::DEFAULT,
            principal,
            access_key_id: "AKIAEXAMPLE".into(),
            identity: None,
            session: None,
        };
        let region = Region::new("us-east-1");
        let context = Context {
            caller: Some(&caller),
            request_id: RequestId::from_bytes([0; 16]),
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            secure: false,
            region: &region,
            now: Timestamp::from_seconds(0),
            public_url: "",
            user_agent: None,
            organization: None,
        };
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        let raw = Raw { path: &[], query: &[], headers: &headers, body: &body };
        let reply = GetCallerIdentity::decode(&raw).unwrap().run(&(), &context).await.unwrap();
        String::from_utf8(reply.body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn root_is_its_account() {
        insta::assert_snapshot!(answer(Principal::Root).await, @r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId><Account>000000000000</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#);
    }

    #[tokio::test]
    async fn a_session_shows_its_role_and_name() {
        let principal =
            Principal::AssumedRole { role: "app".into(), role_id: "AROA1".into(), session: "s&1".into() };
        let answer = answer(principal).await;
        assert!(answer.contains("<Arn>arn:aws:sts::000000000000:assumed-role/app/s&amp;1</Arn>"), "{answer}");
        assert!(answer.contains("<UserId>AROA1:s&amp;1</UserId>"), "{answer}");
    }
}
