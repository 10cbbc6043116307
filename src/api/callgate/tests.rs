use super::{revoke_sessions::RevokeSessions, *};

fn scope(json: &str) -> Result<String, String> {
    let input: RevokeSessions = serde_json::from_str(json).map_err(|error| error.to_string())?;
    match input.scope(AccountId::DEFAULT) {
        Ok(scope) => Ok(scope.to_string()),
        Err(error) => Err(error.message.unwrap_or_default()),
    }
}

#[test]
fn a_request_names_one_scope() {
    for (json, expected) in [
        (r#"{"IdentityPoolId":"r:p"}"#, "pool/r:p"),
        (r#"{"IdentityPoolId":"r:p","DisableGuests":true}"#, "pool/r:p"),
        (r#"{"IdentityPoolId":"r:p","ProviderName":"idp.example/x"}"#, "provider/r:p/idp.example/x"),
        (r#"{"IdentityId":"r:i"}"#, "identity/r:i"),
        (r#"{"AccessKeyId":"ASIA1"}"#, "access-key/ASIA1"),
        (r#"{"RoleName":"app"}"#, "principal/000000000000:role/app"),
        (r#"{"UserName":"ann"}"#, "principal/000000000000:user/ann"),
    ] {
        assert_eq!(scope(json).as_deref(), Ok(expected), "{json}");
    }
    for json in [
        "{}",
        r#"{"ProviderName":"idp"}"#,
        r#"{"IdentityPoolId":"r:p","IdentityId":"r:i"}"#,
        r#"{"RoleName":"app","UserName":"ann"}"#,
        r#"{"RoleName":""}"#,
        r#"{"RoleName":"a b"}"#,
        r#"{"IdentityId":"r:i","DisableGuests":true}"#,
        r#"{"IdentityID":"r:i"}"#,
    ] {
        assert!(scope(json).is_err(), "{json}");
    }
}
