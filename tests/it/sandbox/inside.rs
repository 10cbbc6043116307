//! What a sandbox is given: its role's credentials, its Node.js, the AWS SDK's folder.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use callgate::{
    base::{AccountId, Clock, Timestamp, clock::MockClock},
    dispatch::{
        Options,
        credentials::{CredentialSource, LIFETIME, RoleCredentials},
        nodes::Nodes,
    },
    functions::environment::GivenVariables,
};
use serde_json::json;

use super::stand::{Plan, Stand, node};

const HOUR: Duration = Duration::from_secs(3_600);
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// Credentials with a number in them, for whoever asks.
#[derive(Default)]
struct Numbered(AtomicU32);

impl CredentialSource for Numbered {
    fn credentials(
        &self,
        account: AccountId,
        role_arn: &str,
        session: &str,
        expires: Timestamp,
    ) -> Result<RoleCredentials, String> {
        assert_eq!((account, role_arn), (AccountId::DEFAULT, "arn:aws:iam::000000000000:role/any"));
        assert!(expires >= NOW.plus(LIFETIME));
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(RoleCredentials {
            access_key_id: format!("ASIA{number}"),
            secret_access_key: format!("secret of {session}").into(),
            session_token: format!("token {number}").into(),
        })
    }
}

#[tokio::test]
async fn a_sandbox_is_retired_before_its_credentials_end() {
    let clock = MockClock::at(NOW);
    let plan = Plan::default();
    let options = Options { idle: 100 * HOUR, ..plan.options };
    let credentials = Arc::new(Numbered::default());
    let stand = Stand::of(Plan { clock: clock.clone(), options, credentials, ..plan }).await;
    let code = "exports.handler = async () => ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'] \
                .map((name) => process.env[`AWS_${name}`]);";
    stand.deploy("fn", code).await;
    let given = |number: u32| json!([format!("ASIA{number}"), "secret of fn", format!("token {number}")]);
    assert_eq!(stand.value("fn", "").await, given(1));
    clock.advance(11 * HOUR - Duration::from_secs(1));
    stand.dispatch.sweep();
    assert_eq!(stand.value("fn", "").await, given(1));
    // An idle one goes when the sweep finds it.
    clock.advance(Duration::from_secs(1));
    stand.dispatch.sweep();
    assert_eq!(stand.value("fn", "").await, given(2));
    // One that is called all the time goes after the call during which its time is over.
    clock.advance(11 * HOUR);
    assert_eq!(stand.value("fn", "").await, given(2));
    assert_eq!(stand.value("fn", "").await, given(3));
    assert!(clock.now() < NOW.plus(2 * LIFETIME), "nobody has seen credentials that had ended");
    stand.close().await;
}

#[tokio::test]
async fn variables_of_credentials_pass_with_the_tag_alone() {
    let plan = Plan { credentials: Arc::new(Numbered::default()), ..Plan::default() };
    let stand = Stand::of(plan).await;
    let code = "exports.handler = async () => Object.fromEntries(Object.entries(process.env) \
                .filter(([name]) => name.startsWith('AWS_ENDPOINT') || name.endsWith('KEY_ID') || name.endsWith('TOKEN')));";
    let own = GivenVariables(vec![("AWS_ACCESS_KEY_ID".to_owned(), "AKIAOWN".to_owned())]);
    let tags = BTreeMap::from([("callgate:credentials".to_owned(), "own".to_owned())]);
    stand.deploy_tagged("own", code, tags, |settings| settings.environment = Some(own)).await;
    assert_eq!(stand.value("own", "").await, json!({ "AWS_ACCESS_KEY_ID": "AKIAOWN" }));
    // The tag goes, and with it what it let through: new sandboxes have the role's.
    let named = stand.named("own");
    stand.functions.retag(&named, BTreeMap::clear).await.unwrap();
    stand.dispatch.retire(named.account, &named.name);
    let endpoint = "http://127.0.0.1:9001";
    assert_eq!(
        stand.value("own", "").await,
        json!({
            "AWS_ACCESS_KEY_ID": "ASIA1",
            "AWS_SESSION_TOKEN": "token 1",
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY": endpoint,
            "AWS_ENDPOINT_URL_LAMBDA": endpoint,
            "AWS_ENDPOINT_URL_STS": endpoint,
        })
    );
    stand.close().await;
}

/// A folder that every user can enter.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test]
async fn what_lies_in_the_sdks_folder_is_found_by_either_kind_of_module() {
    let folder = folder();
    let modules = folder.path().join("node_modules");
    for (file, text) in [
        ("shared/index.js", "exports.who = 'ours, with ' + require('deeper');"),
        ("deeper/index.js", "module.exports = 'another';"),
    ] {
        fs::create_dir_all(modules.join(file).parent().unwrap()).unwrap();
        fs::write(modules.join(file), text).unwrap();
    }
    let stand = Stand::of(Plan { sdk: Some(modules), ..Plan::default() }).await;
    let code = "exports.handler = async () => { \
                  let refused; \
                  try { require('fs').writeFileSync('/var/node_modules/shared/index.js', ''); } \
                  catch (error) { refused = error.code; } \
                  return [require('shared').who, (await import('shared')).default.who, refused]; };";
    stand.deploy("fn", code).await;
    assert_eq!(stand.value("fn", "").await, json!(["ours, with another", "ours, with another", "EROFS"]));
    stand.close().await;
}

#[tokio::test]
async fn each_runtime_runs_on_its_own_node() {
    // The same program by another name: what counts is which one is started.
    let folder = folder();
    let other: PathBuf = folder.path().join("other-node");
    symlink(fs::canonicalize(node()).unwrap(), &other).unwrap();
    let gone = PathBuf::from("/nowhere/node");
    let versions = BTreeMap::from([("nodejs22.x".to_owned(), node()), ("nodejs24.x".to_owned(), gone)]);
    let stand = Stand::of(Plan { nodes: Nodes::new(other, versions), ..Plan::default() }).await;
    let code = "exports.handler = async () => process.version;";
    stand.deploy("own", code).await;
    stand.deploy_with("default", code, |settings| settings.runtime = Some("nodejs20.x".to_owned())).await;
    stand.deploy_with("gone", code, |settings| settings.runtime = Some("nodejs24.x".to_owned())).await;
    assert_eq!(stand.value("own", "").await, stand.value("default", "").await);
    let failed = stand.run("gone", super::stand::invocation("gone", "")).await;
    assert!(failed.is_err(), "{failed:?}");
    stand.close().await;
}
