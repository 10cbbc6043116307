//! Functions through their whole life, and through the end of the process at every step of a change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;

use super::{
    FunctionError,
    change::CodeUpdate,
    config::Settings,
    environment::GivenVariables,
    package::hostile::{Entry, archive, package},
    testing::{ACCOUNT, Fixture, code, create, named, node, settings},
};
use crate::{
    base::{AccountId, Timestamp},
    store::{
        StoreError,
        functions::{FunctionRecord, FunctionStore, Stage},
        sqlite::SqliteStore,
    },
};

fn code_update(answer: &str) -> CodeUpdate {
    CodeUpdate { zip: package(answer).into(), ..CodeUpdate::default() }
}

fn text<T>(result: Result<T, FunctionError>) -> String {
    result.err().unwrap().to_string()
}

#[tokio::test]
async fn a_function_can_be_run_as_soon_as_it_was_made() {
    let fixture = Fixture::new().await;
    let made = create(&fixture.functions, "greet", "hello").await.unwrap();
    assert_eq!(made.ready, Stage::Creating);
    assert_eq!(&*made.arn, "arn:aws:lambda:us-east-1:000000000000:function:greet");
    assert!(code(&made).contains("hello"));
    let settled = fixture.settled("greet").await;
    assert_eq!(settled.generation, made.generation, "its sandboxes stay");
    assert_ne!(settled.record.revision, made.record.revision);
    assert_eq!(text(create(&fixture.functions, "greet", "x").await), "Function already exist: greet");
}

#[tokio::test]
async fn new_functions_and_updates_end_by_themselves() {
    let fixture = Fixture::new().await;
    create(&fixture.functions, "greet", "hello").await.unwrap();
    let ended = async {
        while fixture.functions.find(ACCOUNT, "greet").unwrap().ready != Stage::Settled {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the function became active");
}

#[tokio::test]
async fn new_code_needs_new_sandboxes_and_the_same_code_does_not() {
    let fixture = Fixture::new().await;
    let first = fixture.create("greet", "one").await;
    let updated = fixture.functions.update_code(&named("greet"), code_update("two")).await.unwrap();
    assert_eq!(updated.ready, Stage::Updating);
    assert_ne!(updated.generation, first.generation);
    assert!(code(&updated).contains("two"));
    assert!(code(&first).contains("one"), "running sandboxes keep theirs");
    let second = fixture.settled("greet").await;
    fixture.functions.update_code(&named("greet"), code_update("two")).await.unwrap();
    assert_eq!(fixture.settled("greet").await.generation, second.generation);
}

#[tokio::test]
async fn settings_need_new_sandboxes_but_descriptions_do_not() {
    let fixture = Fixture::new().await;
    let first = fixture.create("greet", "one").await;
    let update = async |settings: Settings| {
        fixture.functions.update_configuration(&named("greet"), &settings, None).await.unwrap();
        fixture.settled("greet").await
    };
    let described = update(Settings { description: Some("new".to_owned()), ..Settings::default() }).await;
    assert_eq!(described.generation, first.generation);
    assert_eq!(described.record.configuration.description, "new");
    let variables = GivenVariables(vec![("NAME".to_owned(), "value".to_owned())]);
    let with_variables = Settings { environment: Some(variables), ..Settings::default() };
    let second = update(with_variables.clone()).await;
    assert_ne!(second.generation, first.generation);
    assert_eq!(second.environment.get("NAME").map(String::as_str), Some("value"));
    assert_eq!(update(with_variables).await.generation, second.generation, "the same once more");
    assert_ne!(
        update(Settings { memory_mb: Some(256), ..Settings::default() }).await.generation,
        second.generation
    );
}

#[tokio::test]
async fn variables_are_sealed_on_the_disk_and_opened_in_memory() {
    let fixture = Fixture::new().await;
    let variables = GivenVariables(vec![("NAME".to_owned(), "hunter2hunter2".to_owned())]);
    let settings = Settings { environment: Some(variables), ..settings() };
    fixture
        .functions
        .create(ACCOUNT, "greet", &settings, BTreeMap::new(), package("x").into())
        .await
        .unwrap();
    let record = fixture.store.get(ACCOUNT, "greet").await.unwrap().remove(0);
    let sealed = record.environment.unwrap();
    assert!(!sealed.windows(7).any(|bytes| bytes == b"hunter2"));
    let function = fixture.functions.find(ACCOUNT, "greet").unwrap();
    assert_eq!(function.environment.get("NAME").map(String::as_str), Some("hunter2hunter2"));
    assert!(!format!("{function:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_second_update_meanwhile_is_a_conflict() {
    let fixture = Fixture::new().await;
    create(&fixture.functions, "greet", "one").await.unwrap();
    fixture.settled("greet").await;
    fixture.functions.update_code(&named("greet"), code_update("two")).await.unwrap();
    let refused = "The operation cannot be performed at this time. An update is in progress for resource: \
                   arn:aws:lambda:us-east-1:000000000000:function:greet";
    let functions = &fixture.functions;
    assert_eq!(text(functions.update_code(&named("greet"), code_update("three")).await), refused);
    let nothing = Settings::default();
    assert_eq!(text(functions.update_configuration(&named("greet"), &nothing, None).await), refused);
    let settled = fixture.settled("greet").await;
    assert!(code(&settled).contains("two"));
    assert!(functions.update_configuration(&named("greet"), &nothing, None).await.is_ok());
}

#[tokio::test]
async fn of_two_updates_at_once_one_wins_and_the_other_is_a_conflict() {
    let fixture = Fixture::new().await;
    fixture.create("greet", "one").await;
    let name = named("greet");
    let (a, b) = tokio::join!(
        fixture.functions.update_code(&name, code_update("two")),
        fixture.functions.update_code(&name, code_update("three")),
    );
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1);
    let winner = if a.is_ok() { "two" } else { "three" };
    let settled = fixture.settled("greet").await;
    assert!(code(&settled).contains(winner));
}

#[tokio::test]
async fn a_stale_revision_changes_nothing() {
    let fixture = Fixture::new().await;
    let first = fixture.create("greet", "one").await;
    let stale = |answer| CodeUpdate { revision: Some("old".to_owned()), ..code_update(answer) };
    let functions = &fixture.functions;
    assert!(
        text(functions.update_code(&named("greet"), stale("two")).await)
            .starts_with("The Revision Id provided")
    );
    let settings = Settings { memory_mb: Some(256), ..Settings::default() };
    assert!(functions.update_configuration(&named("greet"), &settings, Some("old")).await.is_err());
    let now = functions.find(ACCOUNT, "greet").unwrap();
    assert_eq!(now.record, first.record);
    let known = Some(first.record.revision.as_str());
    assert!(functions.update_configuration(&named("greet"), &settings, known).await.is_ok());
}

#[tokio::test]
async fn a_dry_run_checks_the_package_and_changes_nothing() {
    let fixture = Fixture::new().await;
    let first = fixture.create("greet", "one").await;
    let dry = |zip: Vec<u8>| CodeUpdate { zip: zip.into(), dry_run: true, ..CodeUpdate::default() };
    let would_be = fixture.functions.update_code(&named("greet"), dry(package("two"))).await.unwrap();
    assert_ne!(would_be.record.code, first.record.code);
    assert_eq!(would_be.record.revision, first.record.revision);
    assert!(fixture.functions.update_code(&named("greet"), dry(b"no zip".to_vec())).await.is_err());
    assert_eq!(fixture.functions.find(ACCOUNT, "greet").unwrap().record, first.record);
    assert_eq!(fixture.functions.sweep(true).await.unwrap(), 0, "nothing of it was kept");
}

#[tokio::test]
async fn a_role_that_lambda_cannot_have_is_refused() {
    let fixture = Fixture::new().await;
    let make = async |role: &str| {
        let settings = Settings { role_arn: Some(role.to_owned()), ..settings() };
        text(fixture.functions.create(ACCOUNT, "greet", &settings, BTreeMap::new(), Bytes::new()).await)
    };
    assert_eq!(
        make("arn:aws:iam::000000000000:role/r-untrusting").await,
        "The role defined for the function cannot be assumed by Lambda."
    );
    assert_eq!(make("arn:aws:iam::111111111111:role/r").await, "Cross-account pass role is not allowed.");
}

#[tokio::test]
async fn a_deleted_function_is_gone_and_its_package_after_it() {
    let fixture = Fixture::new().await;
    let function = fixture.create("greet", "hello").await;
    fixture.functions.delete(&named("greet")).await.unwrap();
    assert!(fixture.functions.find(ACCOUNT, "greet").is_none());
    assert_eq!(
        text(fixture.functions.delete(&named("greet")).await),
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:greet"
    );
    assert_eq!(fixture.functions.sweep(false).await.unwrap(), 0);
    assert!(function.package_dir.is_dir(), "a sandbox may still run it");
    fixture.clock.advance(Duration::from_secs(3_600));
    assert_eq!(fixture.functions.sweep(false).await.unwrap(), 1);
    assert!(!function.package_dir.exists());
}

#[tokio::test]
async fn pages_of_functions_are_in_order_and_end() {
    let fixture = Fixture::new().await;
    for name in ["c", "a", "b"] {
        create(&fixture.functions, name, name).await.unwrap();
    }
    let page = |after, limit| {
        let (page, more) = fixture.functions.list(ACCOUNT, after, limit);
        (page.iter().map(|function| function.name.to_string()).collect::<Vec<_>>(), more)
    };
    assert_eq!(page(None, 2), (vec!["a".to_owned(), "b".to_owned()], true));
    assert_eq!(page(Some("b"), 2), (vec!["c".to_owned()], false));
    assert_eq!(page(Some("c"), 2), (vec![], false));
    let other: AccountId = "111111111111".parse().unwrap();
    assert!(fixture.functions.list(other, None, 2).0.is_empty());
}

#[tokio::test]
async fn a_link_opens_for_ten_minutes_and_cannot_be_made_up() {
    let fixture = Fixture::new().await;
    let hash = fixture.create("greet", "hello").await.record.code;
    let link = fixture.functions.make_link(&hash).unwrap();
    assert_eq!(fixture.functions.open_link(&link), Some(hash));
    assert!(fixture.functions.package(&hash).await.unwrap().is_some());
    for wrong in ["", "x", &link[1..], &format!("{link}A"), &link.replace(|c: char| c.is_ascii_digit(), "_")]
    {
        assert_eq!(fixture.functions.open_link(wrong), None, "{wrong:?}");
    }
    fixture.clock.advance(Duration::from_secs(600));
    assert_eq!(fixture.functions.open_link(&link), Some(hash));
    fixture.clock.advance(Duration::from_millis(1));
    assert_eq!(fixture.functions.open_link(&link), None);
}

#[tokio::test]
async fn a_change_ends_also_when_its_caller_has_gone() {
    let fixture = Fixture::new().await;
    let function = fixture.create("greet", "one").await;
    let record = FunctionRecord { revision: "new".to_owned(), ..function.record.clone() };
    let commit = fixture.functions.commit(&record, Some(&function.record.revision));
    assert!(commit.now_or_never().is_none(), "the caller went after the first step");
    let seen = async {
        while fixture.functions.find(ACCOUNT, "greet").unwrap().record.revision != "new" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), seen).await.expect("memory has the change");
}

/// A store whose writes fail before or after they are committed, as for a process that is killed there.
struct Failing {
    store: SqliteStore,
    after_commit: bool,
}

#[async_trait]
impl FunctionStore for Failing {
    async fn all(&self) -> Result<Vec<FunctionRecord>, StoreError> {
        self.store.all().await
    }

    async fn get(&self, account: AccountId, name: &str) -> Result<Vec<FunctionRecord>, StoreError> {
        self.store.get(account, name).await
    }

    async fn put_all(
        &self,
        records: &[(&FunctionRecord, Option<&str>)],
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.after_commit {
            self.store.put_all(records, at).await?;
        }
        Err(StoreError::Packages("killed".to_owned()))
    }

    async fn delete(&self, _: AccountId, _: &str, _: Timestamp) -> Result<bool, StoreError> {
        Err(StoreError::Packages("killed".to_owned()))
    }

    async fn delete_version(&self, _: AccountId, _: &str, _: u32, _: Timestamp) -> Result<bool, StoreError> {
        Err(StoreError::Packages("killed".to_owned()))
    }
}

/// Starts over in the fixture's folder, as after the end of the process, and returns what the function's code says.
async fn after_restart(fixture: &Fixture) -> String {
    fixture.store.close().await;
    let (functions, _, _) = node(fixture.data.path(), &fixture.clock, |store| Arc::new(store)).await;
    functions.sweep(true).await.unwrap();
    functions.settle(ACCOUNT, "greet").await.unwrap();
    let function = functions.find(ACCOUNT, "greet").unwrap();
    assert_eq!(function.ready, Stage::Settled, "what was on its way has ended");
    assert_eq!(std::fs::read_dir(fixture.data.path().join("unpacked")).unwrap().count(), 1, "no orphan");
    assert_eq!(std::fs::read_dir(fixture.data.path().join("packages")).unwrap().count(), 1, "no orphan");
    functions.update_code(&named("greet"), code_update("three")).await.expect("it can be changed again");
    code(&function)
}

#[tokio::test]
async fn an_end_while_unpacking_leaves_the_old_function() {
    let fixture = Fixture::new().await;
    fixture.create("greet", "one").await;
    let half = fixture.data.path().join("unpacked/.new-0123");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("index.js"), "half").unwrap();
    assert!(after_restart(&fixture).await.contains("one"));
}

#[tokio::test]
async fn an_end_between_package_and_record_leaves_the_old_function() {
    let fixture = Fixture::new().await;
    fixture.create("greet", "one").await;
    fixture.functions.shelf.put(package("two").into()).await.unwrap();
    assert!(after_restart(&fixture).await.contains("one"));
}

#[tokio::test]
async fn an_end_before_the_commit_leaves_the_old_function_and_after_it_the_new_one() {
    for (after_commit, expected) in [(false, "one"), (true, "two")] {
        let fixture = Fixture::new().await;
        fixture.create("greet", "one").await;
        let wrap = |store| Arc::new(Failing { store, after_commit }) as Arc<dyn FunctionStore>;
        let (failing, _, _) = node(fixture.data.path(), &fixture.clock, wrap).await;
        assert!(failing.update_code(&named("greet"), code_update("two")).await.is_err());
        assert!(after_restart(&fixture).await.contains(expected), "after the commit: {after_commit}");
    }
}

#[tokio::test]
async fn an_end_before_a_new_function_is_active_makes_it_active_at_the_next_start() {
    let fixture = Fixture::new().await;
    create(&fixture.functions, "greet", "one").await.unwrap();
    assert!(after_restart(&fixture).await.contains("one"));
}

#[tokio::test]
async fn a_refused_package_leaves_the_old_function_and_nothing_on_the_disk() {
    let fixture = Fixture::new().await;
    fixture.create("greet", "one").await;
    let hostile = archive(&[Entry::file("index.js", "x"), Entry::file("../../evil", "x")]);
    let update = CodeUpdate { zip: hostile.into(), ..CodeUpdate::default() };
    assert!(fixture.functions.update_code(&named("greet"), update).await.is_err());
    assert_eq!(std::fs::read_dir(fixture.data.path().join("unpacked")).unwrap().count(), 1);
    assert!(!fixture.data.path().join("evil").exists());
    assert!(after_restart(&fixture).await.contains("one"));
}

#[tokio::test]
async fn a_function_that_cannot_be_served_does_not_keep_others_from_running() {
    let fixture = Fixture::new().await;
    let lost = fixture.create("lost", "one").await;
    fixture.create("greet", "two").await;
    std::fs::remove_dir_all(&lost.package_dir).unwrap();
    std::fs::remove_file(fixture.data.path().join(format!("packages/{}.zip", lost.record.code.hex())))
        .unwrap();
    fixture.store.close().await;
    let (functions, _, _) = node(fixture.data.path(), &fixture.clock, |store| Arc::new(store)).await;
    assert!(functions.find(ACCOUNT, "lost").is_none());
    assert!(functions.find(ACCOUNT, "greet").is_some());
    assert_eq!(functions.count(), 1);
}

#[tokio::test]
async fn a_change_of_another_process_is_seen() {
    let fixture = Fixture::new().await;
    let (other, _, _) = node(fixture.data.path(), &fixture.clock, |store| Arc::new(store)).await;
    create(&other, "greet", "hello").await.unwrap();
    assert!(fixture.functions.find(ACCOUNT, "greet").is_none());
    fixture.feed.catch_up().await.unwrap();
    assert!(fixture.functions.find(ACCOUNT, "greet").is_some());
}
