use super::*;
use crate::{
    base::PolicyHash,
    store::{
        ChangeLog,
        iam::{PolicyRecord, PolicyStore, PolicyVersionRecord, SessionPolicyStore, UserRecord, UserStore},
    },
};

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
    AccessKeyRecord {
        id: id.to_owned(),
        account,
        user: None,
        sealed_secret: vec![1, 2],
        active: true,
        created: NOW,
    }
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
        attached: [].into(),
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

fn user(name: &str) -> UserRecord {
    UserRecord {
        account: AccountId::DEFAULT,
        name: name.to_owned(),
        id: format!("AIDA{name}"),
        path: "/a/".to_owned(),
        created: NOW,
        policies: [("p".to_owned(), "{ }".to_owned())].into(),
        attached: [].into(),
        tags: [("k".to_owned(), "v".to_owned())].into(),
        revision: 1,
    }
}

fn policy(name: &str) -> PolicyRecord {
    let version = PolicyVersionRecord { document: "{ }".to_owned(), created: NOW };
    PolicyRecord {
        account: AccountId::DEFAULT,
        name: name.to_owned(),
        id: format!("ANPA{name}"),
        path: "/".to_owned(),
        description: None,
        created: NOW,
        updated: NOW,
        versions: [(1, version.clone()), (3, version)].into(),
        default: 3,
        newest: 4,
        tags: [].into(),
        revision: 1,
    }
}

async fn newest_change(store: &SqliteStore) -> (Kind, String) {
    let change = store.since(store.newest().await.unwrap() - 1, 1).await.unwrap().remove(0);
    (change.kind, change.key)
}

#[tokio::test]
async fn a_user_keeps_its_keys_and_cannot_be_deleted_with_them() {
    let (_folder, store) = store().await;
    let of = |id: &str| AccessKeyRecord { user: Some("ann".to_owned()), ..key(AccountId::DEFAULT, id) };
    assert!(!store.add_user_key(&of("AKIA1")).await.unwrap(), "there is no such user");
    assert!(store.put_user(&user("ann"), NOW).await.unwrap());
    assert!(!store.put_user(&UserRecord { id: "AIDAX".into(), ..user("ANN") }, NOW).await.unwrap(), "case");
    assert!(store.add_user_key(&of("AKIA1")).await.unwrap());
    assert!(!store.add_user_key(&of("AKIA1")).await.unwrap(), "the id is taken");
    assert!(!store.add_user_key(&key(AccountId::DEFAULT, "AKIA2")).await.unwrap(), "it names no user");
    assert_eq!(newest_change(&store).await, (Kind::User, "ann".to_owned()));
    assert_eq!(store.user_keys(AccountId::DEFAULT, "ann").await.unwrap(), [of("AKIA1")]);
    assert_eq!(store.all().await.unwrap().users, [user("ann")]);
    assert!(!store.delete_user(&user("ann"), NOW).await.unwrap());

    assert!(store.set_user_key(AccountId::DEFAULT, "ann", "AKIA1", false, NOW).await.unwrap());
    assert!(!store.set_user_key(AccountId::DEFAULT, "bob", "AKIA1", true, NOW).await.unwrap(), "another's");
    assert!(!store.user_keys(AccountId::DEFAULT, "ann").await.unwrap()[0].active);
    assert!(!store.delete_user_key(AccountId::DEFAULT, "bob", "AKIA1", NOW).await.unwrap(), "another's");
    assert!(store.delete_user_key(AccountId::DEFAULT, "ann", "AKIA1", NOW).await.unwrap());
    assert!(store.delete_user(&user("ann"), NOW).await.unwrap());
    assert_eq!(store.user(AccountId::DEFAULT, "ann").await.unwrap(), None);
}

#[tokio::test]
async fn the_roots_key_is_replaced_without_touching_those_of_users() {
    let (_folder, store) = store().await;
    store.put_user(&user("ann"), NOW).await.unwrap();
    let of_ann = AccessKeyRecord { user: Some("ann".to_owned()), ..key(AccountId::DEFAULT, "AKIA1") };
    store.add_user_key(&of_ann).await.unwrap();
    assert!(store.replace_access_keys(&key(AccountId::DEFAULT, "AKIA2")).await.unwrap());
    assert!(store.replace_access_keys(&key(AccountId::DEFAULT, "AKIA3")).await.unwrap());
    assert!(!store.replace_access_keys(&key(AccountId::DEFAULT, "AKIA1")).await.unwrap(), "ann's");
    assert_eq!(store.access_keys(AccountId::DEFAULT).await.unwrap(), [key(AccountId::DEFAULT, "AKIA3")]);
    assert_eq!(store.user_keys(AccountId::DEFAULT, "ann").await.unwrap(), [of_ann]);
}

#[tokio::test]
async fn what_is_attached_is_there_as_long_as_it_is_attached() {
    let (_folder, store) = store().await;
    let attached = || ["shared".to_owned()].into();
    let with_role = RoleRecord { attached: attached(), ..role("app") };
    let with_user = UserRecord { attached: attached(), ..user("ann") };
    assert!(!store.put_role(&with_role, NOW).await.unwrap(), "there is no such policy");
    assert!(!store.put_user(&with_user, NOW).await.unwrap(), "there is no such policy");
    assert!(store.put_policy(&policy("shared"), NOW).await.unwrap());
    assert_eq!(newest_change(&store).await, (Kind::Policy, "shared".to_owned()));
    assert_eq!(store.policy(AccountId::DEFAULT, "shared").await.unwrap(), Some(policy("shared")));
    assert!(store.put_role(&with_role, NOW).await.unwrap());
    assert!(store.put_user(&with_user, NOW).await.unwrap());
    assert_eq!(store.role(AccountId::DEFAULT, "app").await.unwrap(), Some(with_role.clone()));
    assert!(!store.delete_policy(&policy("shared"), NOW).await.unwrap());
    assert!(store.put_role(&RoleRecord { revision: 2, ..role("app") }, NOW).await.unwrap());
    assert!(!store.delete_policy(&policy("shared"), NOW).await.unwrap(), "the user has it");
    assert!(store.put_user(&UserRecord { revision: 2, ..user("ann") }, NOW).await.unwrap());
    assert!(!store.delete_policy(&PolicyRecord { revision: 2, ..policy("shared") }, NOW).await.unwrap());
    assert!(store.delete_policy(&policy("shared"), NOW).await.unwrap());
    let again = RoleRecord { revision: 3, ..with_role };
    assert!(!store.put_role(&again, NOW).await.unwrap(), "it has gone");
}

#[tokio::test]
async fn session_policies_are_kept_until_their_last_session_ends() {
    let (_folder, store) = store().await;
    let (hash, later) = (PolicyHash([7; 32]), Timestamp::from_seconds(2000));
    assert_eq!(store.session_policies(&hash).await.unwrap(), None);
    store.keep_session_policies(&hash, "[]", later).await.unwrap();
    store.keep_session_policies(&hash, "[]", NOW).await.unwrap();
    assert_eq!(store.drop_session_policies(later).await.unwrap(), 0);
    assert_eq!(store.session_policies(&hash).await.unwrap().as_deref(), Some("[]"));
    assert_eq!(store.drop_session_policies(Timestamp::from_seconds(2001)).await.unwrap(), 1);
    assert_eq!(store.session_policies(&hash).await.unwrap(), None);
}
