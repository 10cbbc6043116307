//! `callgate invoke`: call a function and print its answer.

use std::process::ExitCode;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};

use super::remote;
use crate::app::{
    cli::{Common, Failure},
    client::{Door, Remote, sign::Credentials},
    output,
};

/// What `invoke` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The function's name or ARN.
    function: String,
    /// What the function is called with: JSON, or @FILE to read it from a file.
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    payload: String,
    /// Call as a new guest of this identity pool, as an app would.
    #[arg(long, value_name = "POOL")]
    as_guest: Option<String>,
    /// The client context that an app's SDK would send: a JSON object.
    #[arg(long, value_name = "JSON")]
    client_context: Option<String>,
    /// Show the end of the call's log.
    #[arg(long)]
    log: bool,
    #[command(flatten)]
    remote: remote::Endpoint,
}

/// Prints the answer on standard output. A function's error goes to standard error, and the command fails.
pub async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let payload = payload(&arguments.payload)?;
    let context = arguments.client_context.as_deref().map(encode_context).transpose()?;
    let remote = match &arguments.as_guest {
        Some(pool) => become_guest(arguments.remote.unsigned(common).await?, pool).await?,
        None => arguments.remote.signed(common).await?,
    };
    let reply = remote.invoke(&arguments.function, payload, context.as_deref(), arguments.log).await?;
    let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
    let code = match header("x-amz-function-error") {
        None => {
            output::bytes(&reply.body);
            ExitCode::SUCCESS
        }
        Some(kind) => {
            let error = String::from_utf8_lossy(&reply.body);
            output::note(&format!("The function failed ({kind}):\n{error}"));
            ExitCode::FAILURE
        }
    };
    if let Some(log) = header("x-amz-log-result") {
        let log = BASE64_STANDARD.decode(log).map_err(|_| "the log in the answer is not base64")?;
        output::note(&format!("\nThe end of its log:\n{}", String::from_utf8_lossy(&log).trim_end()));
    }
    Ok(code)
}

fn payload(text: &str) -> Result<Bytes, Failure> {
    let bytes = match text.strip_prefix('@') {
        Some(file) => std::fs::read(file).map_err(|cause| format!("{file} cannot be read: {cause}"))?,
        None => text.as_bytes().to_vec(),
    };
    // The gateway would refuse it too, but cannot say which argument it was.
    serde_json::from_slice::<&serde_json::value::RawValue>(&bytes)
        .map_err(|cause| format!("--payload is not JSON: {cause}"))?;
    Ok(bytes.into())
}

fn encode_context(text: &str) -> Result<String, Failure> {
    match serde_json::from_str(text) {
        Ok(Value::Object(_)) => Ok(BASE64_STANDARD.encode(text)),
        Ok(_) => Err("--client-context must be a JSON object".into()),
        Err(cause) => Err(format!("--client-context is not JSON: {cause}").into()),
    }
}

/// Becomes a new guest of a pool: GetId, then GetCredentialsForIdentity, both unsigned.
async fn become_guest(remote: Remote, pool: &str) -> Result<Remote, Failure> {
    let call = async |operation: &str, input: Value| {
        let target = format!("AWSCognitoIdentityService.{operation}");
        remote.json(Door::Data, &target, "cognito-identity", &input).await
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let id = call("GetId", json!({ "IdentityPoolId": pool })).await?;
    let id = text(&id["IdentityId"]).ok_or("the gateway's answer to GetId has no IdentityId")?;
    let answer = call("GetCredentialsForIdentity", json!({ "IdentityId": id })).await?;
    let keys = &answer["Credentials"];
    let credentials =
        match (text(&keys["AccessKeyId"]), text(&keys["SecretKey"]), text(&keys["SessionToken"])) {
            (Some(access_key_id), Some(secret), Some(token)) => {
                Credentials { access_key_id, secret: secret.into(), session_token: Some(token.into()) }
            }
            _ => return Err("the gateway's answer to GetCredentialsForIdentity has no credentials".into()),
        };
    output::note(&format!("Calling as guest {id}"));
    Ok(remote.signed_by(credentials))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_json_given_or_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("payload.json");
        std::fs::write(&file, "{\"a\": 1}").unwrap();
        assert_eq!(payload("{\"b\":2}").unwrap(), "{\"b\":2}");
        assert_eq!(payload(&format!("@{}", file.display())).unwrap(), "{\"a\": 1}");
        assert!(payload("{").is_err());
        assert!(payload("@/nowhere").is_err());
    }

    #[test]
    fn a_client_context_is_an_object() {
        assert_eq!(encode_context("{\"a\":1}").unwrap(), "eyJhIjoxfQ==");
        assert!(encode_context("[1]").is_err());
        assert!(encode_context("{").is_err());
    }
}
