use super::*;
use crate::store::ChangeLog;

const NOW: Timestamp = Timestamp::from_seconds(1000);

async fn store() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("callgate.db")).await.unwrap();
    (folder, store)
}

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn key(account: AccountId, id: &str) -> AccessKeyRecord {
    AccessKeyRecord { id: id.to_owned(), account, sealed_secret: vec![1, 2], active: true, created: NOW }
}

fn role(name: &str) -> RoleRecord {
    RoleRecord {
        account: AccountId::DEFAULT,
        name: name.to_owned(),
        id: format!("AROA{name}"),
        path: "/a/".to_owned(),
        description: Some("what for".to_owned()),
        trust: "{}".to_owned(),
        max_session_seconds: 3600,
        created: NOW,
        policies: [("p".to_owned(), "{ }".to_owned())].into(),
        tags: [("k".to_owned(), "v".to_owned())].into(),
        revision: 1,
    }
}

fn provider(name: &str) -> OidcProviderRecord {
    OidcProviderRecord {
        account: AccountId::DEFAULT,
        name: name.to_owned(),
        issuer: format!("https://{name}"),
        client_ids: vec!["b".to_owned(), "a".to_owned()],
        thumbprints: vec!["0".repeat(40)],
        created: NOW,
        tags: [("k".to_owned(), "v".to_owned())].into(),
        revision: 1,
    }
}

#[tokio::test]
async fn an_account_is_made_once_and_its_key_belongs_to_it_alone() {
    let (_folder, store) = store().await;
    let (one, two) = (account("111111111111"), account("222222222222"));
    assert!(store.has_account(AccountId::DEFAULT).await.unwrap(), "exists from the first start");
    assert!(!store.create_account(&key(AccountId::DEFAULT, "AKIA0")).await.unwrap());
    assert!(store.create_account(&key(one, "AKIA1")).await.unwrap());
    assert!(!store.create_account(&key(one, "AKIA2")).await.unwrap());
    assert!(!store.create_account(&key(two, "AKIA1")).await.unwrap());
    assert!(!store.has_account(two).await.unwrap(), "a refused account leaves nothing behind");
    assert_eq!(store.access_keys(one).await.unwrap(), [key(one, "AKIA1")]);
}

#[tokio::test]
async fn a_replaced_key_is_gone() {
    let (_folder, store) = store().await;
    let one = account("111111111111");
    store.create_account(&key(one, "AKIA1")).await.unwrap();
    assert!(store.replace_access_keys(&key(AccountId::DEFAULT, "AKIA2")).await.unwrap());
    assert!(store.replace_access_keys(&key(AccountId::DEFAULT, "AKIA3")).await.unwrap());
    assert!(!store.replace_access_keys(&key(AccountId::DEFAULT, "AKIA1")).await.unwrap());
    assert_eq!(store.access_keys(AccountId::DEFAULT).await.unwrap(), [key(AccountId::DEFAULT, "AKIA3")]);
}

#[tokio::test]
async fn a_role_is_written_by_whoever_read_the_last_one() {
    let (_folder, store) = store().await;
    let first = role("app");
    assert!(store.put_role(&first, NOW).await.unwrap());
    assert!(!store.put_role(&first, NOW).await.unwrap(), "made twice");
    assert!(!store.put_role(&RoleRecord { id: "AROAX".into(), ..role("APP") }, NOW).await.unwrap(), "case");
    assert_eq!(store.role(AccountId::DEFAULT, "app").await.unwrap(), Some(first.clone()));

    let second = RoleRecord { revision: 2, description: None, path: "/b/".into(), ..first.clone() };
    assert!(store.put_role(&second, NOW).await.unwrap());
    assert!(!store.put_role(&second, NOW).await.unwrap(), "replaces revision 1, which is gone");
    assert!(!store.delete_role(&first, NOW).await.unwrap(), "revision 1 is gone");
    assert_eq!(store.role(AccountId::DEFAULT, "app").await.unwrap(), Some(second.clone()));
    assert!(store.delete_role(&second, NOW).await.unwrap());
    assert_eq!(store.role(AccountId::DEFAULT, "app").await.unwrap(), None);
}

#[tokio::test]
async fn a_provider_is_written_by_whoever_read_the_last_one() {
    let (_folder, store) = store().await;
    let first = provider("idp.example.com");
    assert!(store.put_oidc_provider(&first, NOW).await.unwrap());
    assert!(!store.put_oidc_provider(&first, NOW).await.unwrap());
    let second = OidcProviderRecord { revision: 2, client_ids: Vec::new(), ..first.clone() };
    assert!(store.put_oidc_provider(&second, NOW).await.unwrap());
    assert!(!store.delete_oidc_provider(&first, NOW).await.unwrap());
    let found = store.oidc_provider(AccountId::DEFAULT, "idp.example.com").await.unwrap();
    assert_eq!(found, Some(second.clone()));
    assert!(store.delete_oidc_provider(&second, NOW).await.unwrap());
    assert_eq!(store.oidc_provider(AccountId::DEFAULT, "idp.example.com").await.unwrap(), None);
}

#[tokio::test]
async fn everything_is_read_at_start_and_every_change_is_noted() {
    let (_folder, store) = store().await;
    store.replace_access_keys(&key(AccountId::DEFAULT, "AKIA1")).await.unwrap();
    store.put_role(&role("app"), NOW).await.unwrap();
    store.put_oidc_provider(&provider("idp"), NOW).await.unwrap();
    let all = store.all().await.unwrap();
    assert_eq!(all.accounts, [AccountId::DEFAULT]);
    assert_eq!(all.access_keys, [key(AccountId::DEFAULT, "AKIA1")]);
    assert_eq!(all.roles, [role("app")]);
    assert_eq!(all.oidc_providers, [provider("idp")]);

    let changes = store.since(0, 10).await.unwrap();
    let changes: Vec<_> = changes.iter().map(|change| (change.kind, change.key.as_str())).collect();
    assert_eq!(changes, [(Kind::Account, "000000000000"), (Kind::Role, "app"), (Kind::OidcProvider, "idp")]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    let (_folder, store) = store().await;
    store.put_role(&role("app"), NOW).await.unwrap();
    let mut write = store.write().await.unwrap();
    sqlx::query("UPDATE roles SET tags = '['").execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();
    let error = store.role(AccountId::DEFAULT, "app").await.unwrap_err().to_string();
    assert!(error.contains("role 000000000000/app"), "{error}");
}
