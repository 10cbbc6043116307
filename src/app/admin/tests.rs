use std::{os::unix::fs::MetadataExt, sync::Arc};

use super::*;
use crate::app::data_dir::DataDir;

struct Accounts;

#[async_trait]
impl AdminOps for Accounts {
    async fn create_account(&self, account: AccountId) -> Result<NewAccount, AdminError> {
        if account == AccountId::DEFAULT {
            return Err(AdminError::Refused("account 000000000000 exists".to_owned()));
        }
        Ok(NewAccount {
            account,
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned().into(),
        })
    }

    async fn sessions(&self, account: AccountId, command: SessionsCommand) -> Result<Value, AdminError> {
        Ok(json!({"account": account, "command": command}))
    }
}

fn status() -> Status {
    Status {
        listen: "http://127.0.0.1:7070".to_owned(),
        management: "http://127.0.0.1:7071".to_owned(),
        public_url: "http://127.0.0.1:7070".to_owned(),
        region: "us-east-1".to_owned(),
        pid: 7,
        version: "0.1.0".to_owned(),
    }
}

#[tokio::test]
async fn a_command_reaches_the_gateway_and_hears_its_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open_or_make(folder.path()).unwrap();
    let server = Server::bind(&dir).unwrap();
    assert_eq!(std::fs::metadata(dir.admin_socket()).unwrap().mode() & 0o7777, 0o600);
    let serving = tokio::spawn(server.serve(status(), Arc::new(Accounts)));
    let client = Client::new(&dir.admin_socket());

    assert_eq!(client.status().await.unwrap(), status());
    assert_eq!(
        client.create_account("123456789012".parse().unwrap()).await.unwrap(),
        json!({"AccountId": "123456789012", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "secret"})
    );
    let refused = client.create_account(AccountId::DEFAULT).await.unwrap_err();
    assert_eq!(refused.to_string(), "account 000000000000 exists");
    let revoke = RevokeSessions { role_name: Some("app".to_owned()), ..RevokeSessions::default() };
    let revoke = SessionsCommand::Revoke(revoke);
    let heard = client.sessions(AccountId::DEFAULT, revoke.clone()).await.unwrap();
    assert_eq!(heard, json!({"account": "000000000000", "command": revoke}));
    let unknown = client.call("dance", &json!({})).await.unwrap_err().to_string();
    assert!(unknown.contains("\"dance\"") && unknown.contains("another version"), "{unknown}");

    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    assert!(!dir.admin_socket().exists());
    assert!(matches!(client.status().await, Err(ClientError::Unreachable { .. })));
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open_or_make(folder.path()).unwrap();
    std::fs::write(dir.admin_socket(), "").unwrap();
    Server::bind(&dir).unwrap();
}
