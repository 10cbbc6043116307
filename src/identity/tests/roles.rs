//! Which role a login gets, and which tags its session has.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{super::*, Fixture};
use crate::{
    base::AccountId,
    store::identity::{Ambiguous, Chosen, MappingRule, MatchType, PoolRecord, RoleMapping, TagMap},
};

fn arn(role: &str) -> String {
    format!("arn:aws:iam::000000000000:role/{role}")
}

/// The role that somebody with these claims gets, or why not.
async fn role(fixture: &Fixture, pool: &PoolRecord, claims: &Value, custom: Option<&str>) -> String {
    let token = fixture.token_with("ann", claims);
    let logins: Logins = BTreeMap::from([(fixture.provider(), token)]).into();
    let id = fixture.identities.get_id(None, &pool.id, &logins).await.unwrap();
    let custom = custom.map(arn);
    match fixture.identities.credentials(&id, &logins, custom.as_deref()).await {
        Ok(given) => {
            let credentials = given.credentials;
            let session =
                fixture.sessions.open(&credentials.session_token, &credentials.access_key_id).unwrap();
            let arn = session.caller.principal.arn(AccountId::DEFAULT);
            arn.split('/').nth(1).unwrap().to_owned()
        }
        Err(error) => format!("{error:?}"),
    }
}

async fn mapped(fixture: &Fixture, provider: String, chosen: Chosen, ambiguous: Ambiguous) -> PoolRecord {
    let pool = fixture.pool(true).await;
    let mapping = RoleMapping { chosen, ambiguous };
    fixture.change(&pool, |pool| drop(pool.roles.mappings.insert(provider.clone(), mapping.clone()))).await;
    PoolRecord::clone(&pool)
}

#[tokio::test]
async fn a_token_chooses_the_role_and_the_request_one_of_those_that_it_could() {
    let fixture = Fixture::start().await;
    let pool = mapped(&fixture, fixture.provider(), Chosen::ByToken, Ambiguous::Deny).await;
    let claims =
        json!({"cognito:roles": [arn("gold"), arn("silver")], "cognito:preferred_role": arn("gold")});
    let role = async |claims: &Value, custom: Option<&str>| role(&fixture, &pool, claims, custom).await;
    assert_eq!(role(&claims, None).await, "gold");
    assert_eq!(role(&claims, Some("silver")).await, "silver");
    assert_eq!(role(&claims, Some("user")).await, "CustomRole", "not even the pool's own");
    assert_eq!(role(&json!({}), None).await, "AmbiguousRole");
    // What the token names must trust the pool and be of its account.
    assert_eq!(role(&json!({"cognito:roles": [arn("missing")]}), None).await, "Configuration");
    let foreign = json!({"cognito:preferred_role": "arn:aws:iam::111111111111:role/gold"});
    assert_eq!(role(&foreign, None).await, "Configuration");
    assert_eq!(role(&json!({"cognito:preferred_role": "nonsense"}), None).await, "Configuration");
}

#[tokio::test]
async fn rules_choose_the_role_and_else_the_pools_own_is_given() {
    let fixture = Fixture::start().await;
    let rule = |matches, value: &str, role: &str| MappingRule {
        claim: "tier".to_owned(),
        matches,
        value: value.to_owned(),
        role: arn(role),
    };
    let rules = vec![rule(MatchType::Equals, "gold", "gold"), rule(MatchType::NotEqual, "none", "silver")];
    // By the provider's ARN, by its name, and by its name and the client.
    for key in [
        logins::provider_arn(AccountId::DEFAULT, &fixture.provider()),
        fixture.provider(),
        format!("{}:client", fixture.provider()),
    ] {
        let chosen = Chosen::ByRules(rules.clone());
        let pool = mapped(&fixture, key, chosen, Ambiguous::AuthenticatedRole).await;
        let role = async |claims: Value, custom| role(&fixture, &pool, &claims, custom).await;
        assert_eq!(role(json!({"tier": "gold"}), None).await, "gold");
        assert_eq!(role(json!({"tier": "gold"}), Some("silver")).await, "silver");
        assert_eq!(role(json!({"tier": "lead"}), None).await, "silver");
        assert_eq!(role(json!({"tier": "lead"}), Some("gold")).await, "CustomRole");
        assert_eq!(role(json!({"tier": "none"}), None).await, "user");
        assert_eq!(role(json!({}), None).await, "user");
    }
    let other = mapped(&fixture, "elsewhere".to_owned(), Chosen::ByToken, Ambiguous::Deny).await;
    assert_eq!(role(&fixture, &other, &json!({}), None).await, "user", "another provider's mapping");
    assert_eq!(role(&fixture, &other, &json!({}), Some("user")).await, "user");
    assert_eq!(role(&fixture, &other, &json!({}), Some("gold")).await, "CustomRole");
}

#[tokio::test]
async fn claims_become_principal_tags_of_sessions_whose_role_lets_them_be_tagged() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let tags = async |claims: &Value| {
        let logins: Logins = BTreeMap::from([(fixture.provider(), fixture.token_with("ann", claims))]).into();
        let id = fixture.identities.get_id(None, &pool.id, &logins).await.unwrap();
        let given = fixture.identities.credentials(&id, &logins, None).await?;
        let token = fixture.identities.open_id_token("https://gate.example", &id, &logins).await.unwrap();
        let shown = fixture.open_id_keys.verify(&token.token).unwrap();
        let (key, token) = (&given.credentials.access_key_id, &given.credentials.session_token);
        let session = fixture.sessions.open(token, key).unwrap();
        let tags = session.caller.identity.as_ref().unwrap().principal_tags.clone();
        let shown = shown.get("https://aws.amazon.com/tags").map(|claim| claim["principal_tags"].clone());
        let expected: Option<Value> = (!tags.is_empty())
            .then(|| tags.iter().map(|(tag, value)| (tag.clone(), json!([value]))).collect());
        assert_eq!(shown, expected, "the basic flow gets the same");
        Ok::<_, IdentityError>(tags)
    };
    let claims = json!({"tier": "gold", "level": 7, "odd": ["a", "b"]});
    assert_eq!(tags(&claims).await.unwrap(), BTreeMap::new());
    let map = |tags: &[(&str, &str)], use_defaults| TagMap {
        use_defaults,
        tags: tags.iter().map(|(tag, claim)| ((*tag).to_owned(), (*claim).to_owned())).collect(),
    };
    let set = async |map: TagMap| {
        let name = fixture.provider();
        fixture.change(&pool, |pool| drop(pool.tag_maps.insert(name.clone(), map.clone()))).await;
    };
    set(map(&[("Tier", "tier"), ("Level", "level"), ("Gone", "gone")], false)).await;
    // The role must let its sessions be tagged (sts:TagSession in its trust policy).
    assert!(matches!(tags(&claims).await, Err(IdentityError::Configuration)));
    fixture.change(&pool, |pool| pool.roles.authenticated = Some(arn("tagged"))).await;
    let expected = [("Tier", "gold"), ("Level", "7")].map(|(tag, value)| (tag.to_owned(), value.to_owned()));
    assert_eq!(tags(&claims).await.unwrap(), BTreeMap::from(expected));
    set(map(&[("Odd", "odd")], false)).await;
    assert!(matches!(tags(&claims).await, Err(IdentityError::TagValue(_))));
    set(map(&[], true)).await;
    let defaults = [("username", "ann"), ("client", "client")];
    let defaults = defaults.map(|(tag, value)| (tag.to_owned(), value.to_owned()));
    assert_eq!(tags(&claims).await.unwrap(), BTreeMap::from(defaults));
}

#[tokio::test]
async fn the_basic_flow_is_off_unless_the_pool_has_it() {
    let fixture = Fixture::start().await;
    let pool = fixture.pool(true).await;
    let guest = fixture.get_id(&pool, None).await.unwrap();
    for (allowed, is_on) in [(Some(true), true), (Some(false), false), (None, false)] {
        fixture.change(&pool, |pool| pool.settings.allow_classic_flow = allowed).await;
        let token =
            fixture.identities.open_id_token("https://gate.example", &guest, &Logins::default()).await;
        match token {
            Ok(_) => assert!(is_on, "{allowed:?}"),
            Err(error) => {
                assert!(!is_on, "{allowed:?}");
                assert_eq!(
                    error.to_string(),
                    "Basic (classic) flow is not enabled, please use enhanced flow."
                );
            }
        }
        assert!(fixture.identities.credentials(&guest, &Logins::default(), None).await.is_ok());
    }
}
