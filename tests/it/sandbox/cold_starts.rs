//! Why a sandbox had to be made: each cause, and what a storm of cold starts leaves to others.

use std::time::Duration;

use callgate::{
    base::{
        ColdStart::{self, AfterFailure, Concurrency, Expired, NewCode, NewFunction},
        Timestamp,
        clock::MockClock,
    },
    dispatch::Options,
    functions::{FunctionError, change::CodeUpdate},
    quota::QuotaConfig,
};

use super::stand::{Plan, Stand, package, until};

const WELL: &str = "exports.handler = async (event) => { if (event.exit) process.exit(1); return 'well'; }";

/// Why the sandbox of this call was made; `None` if it was there.
async fn cause(stand: &Stand, name: &str, payload: &str) -> Option<ColdStart> {
    stand.outcome(name, payload).await.cold
}

/// Gives a function this code.
async fn update(stand: &Stand, name: &str, code: &str) {
    let update = || CodeUpdate { zip: package(code), ..CodeUpdate::default() };
    let updated = async {
        // It becomes active in the background, and cannot be changed before.
        while let Err(refused) = stand.functions.update_code(&stand.named(name), update()).await {
            assert!(matches!(refused, FunctionError::Busy(_)), "{refused}");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), updated).await.unwrap();
}

#[tokio::test]
async fn the_first_of_a_function_and_of_its_new_code() {
    let stand = Stand::new().await;
    stand.deploy("fn", WELL).await;
    assert_eq!(cause(&stand, "fn", "{}").await, Some(NewFunction));
    assert_eq!(cause(&stand, "fn", "{}").await, None);
    update(&stand, "fn", &format!("{WELL};")).await;
    assert_eq!(cause(&stand, "fn", "{}").await, Some(NewCode));
    stand.dispatch.retire(callgate::base::AccountId::DEFAULT, "fn");
    // As if another had been made of the same name.
    assert_eq!(cause(&stand, "fn", "{}").await, Some(NewFunction));
    stand.close().await;
}

#[tokio::test]
async fn calls_at_the_same_time() {
    let stand = Stand::new().await;
    stand.deploy("fn", WELL).await;
    let both = async || {
        let (one, other) = tokio::join!(cause(&stand, "fn", "{}"), cause(&stand, "fn", "{}"));
        [one, other]
    };
    let mut causes = both().await.to_vec();
    // The second sandbox may have come too late for the second call.
    until("both stand still", || stand.dispatch.frozen() == 2).await;
    causes.extend(both().await);
    causes.retain(Option::is_some);
    // Whichever was made first.
    causes.sort_by_key(|cause| *cause == Some(Concurrency));
    assert_eq!(causes, [Some(NewFunction), Some(Concurrency)]);
    stand.close().await;
}

#[tokio::test]
async fn after_a_long_rest_or_when_another_took_the_room() {
    let clock = MockClock::at(Timestamp::from_seconds(1_435_752_000));
    let options = Options { sandboxes_max: 1, ..Plan::default().options };
    let stand = Stand::of(Plan { clock: clock.clone(), options, ..Plan::default() }).await;
    stand.deploy("fn", WELL).await;
    stand.deploy("other", WELL).await;
    assert_eq!(cause(&stand, "fn", "{}").await, Some(NewFunction));
    clock.advance(Duration::from_secs(301));
    // Once it goes, and once its pool does.
    stand.dispatch.sweep();
    stand.dispatch.sweep();
    assert_eq!(stand.dispatch.sandboxes(), 0);
    assert_eq!(cause(&stand, "fn", "{}").await, Some(Expired));
    assert_eq!(cause(&stand, "other", "{}").await, Some(NewFunction));
    assert_eq!(cause(&stand, "fn", "{}").await, Some(Expired));
    clock.advance(Duration::from_secs(301));
    stand.dispatch.sweep();
    stand.dispatch.sweep();
    update(&stand, "fn", &format!("{WELL};")).await;
    assert_eq!(cause(&stand, "fn", "{}").await, Some(NewCode));
    stand.close().await;
}

#[tokio::test]
async fn after_one_that_failed() {
    let clock = MockClock::at(Timestamp::from_seconds(1_435_752_000));
    let stand = Stand::of(Plan { clock: clock.clone(), ..Plan::default() }).await;
    stand.deploy("fn", WELL).await;
    assert_eq!(cause(&stand, "fn", r#"{"exit":true}"#).await, Some(NewFunction));
    // That its pool is forgotten meanwhile changes nothing.
    stand.dispatch.sweep();
    assert_eq!(cause(&stand, "fn", "{}").await, Some(AfterFailure));
    assert_eq!(cause(&stand, "fn", "{}").await, None);
    stand.deploy("broken", "throw new Error('broken')").await;
    for expected in [NewFunction, AfterFailure, AfterFailure] {
        let failed = stand.outcome("broken", "{}").await;
        assert!(failed.function_error.is_some());
        assert_eq!(failed.cold, Some(expected));
    }
    stand.close().await;
}

/// Sandboxes that a stand's spawner starts at the same time.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn a_storm_leaves_turns_to_other_functions() {
    const STORM: usize = 40;
    let options = Options {
        sandboxes_max: 100,
        function_sandboxes_max: STORM,
        line_max: 200,
        ..Plan::default().options
    };
    let quota = QuotaConfig { account_concurrency: 1_000, ..QuotaConfig::default() };
    let stand = Stand::of(Plan { options, quota, ..Plan::default() }).await;
    let wait =
        "exports.handler = async () => { await new Promise((ok) => setTimeout(ok, 300)); return 'done'; }";
    stand.deploy("storm", wait).await;
    stand.deploy("new", WELL).await;
    stand.deploy("warm", WELL).await;
    stand.value("warm", "{}").await;
    let storm = futures_util::future::join_all((0..200).map(|_| stand.value("storm", "{}")));
    let most = std::cell::Cell::new(0);
    let watched = async {
        let mut storm = std::pin::pin!(storm);
        loop {
            most.set(most.get().max(stand.dispatch.being_made()));
            tokio::select! {
                answers = &mut storm => return answers,
                () = tokio::task::yield_now() => {}
            }
        }
    };
    // Each start takes its room when it begins, and nothing ends meanwhile: starts begun are counted, not time.
    let begun = || usize::try_from(stand.dispatch.sandboxes()).unwrap();
    let others = async {
        until("the storm grows", || begun() >= 8).await;
        let before = begun();
        assert_eq!(stand.outcome("warm", "{}").await.cold, None);
        let warm = begun() - before;
        let before = begun();
        assert_eq!(stand.outcome("new", "{}").await.cold, Some(NewFunction));
        let new = begun() - before - 1;
        assert!(begun() < STORM, "nothing was left of the storm to wait behind");
        assert!(warm <= AT_ONCE, "{warm} starts of the storm began before a warm call was answered");
        assert!(new <= 3 * AT_ONCE, "{new} starts of the storm began before a first call was answered");
    };
    let (answers, ()) = tokio::join!(watched, others);
    assert!(answers.iter().all(|answer| answer == "done"));
    assert!(begun() <= STORM + 2, "{} were made", begun());
    assert!((2..=AT_ONCE).contains(&most.get()), "{} were made at once", most.get());
    stand.close().await;
}

#[tokio::test]
async fn a_storm_ends_nobody_elses_sandboxes_beyond_its_half() {
    let options = Options { sandboxes_max: 4, ..Plan::default().options };
    let stand = Stand::of(Plan { options, ..Plan::default() }).await;
    let wait =
        "exports.handler = async () => { await new Promise((ok) => setTimeout(ok, 100)); return 'done'; }";
    stand.deploy("storm", wait).await;
    for warm in ["one", "two", "three"] {
        stand.deploy(warm, WELL).await;
        stand.value(warm, "{}").await;
    }
    let calls = futures_util::future::join_all((0..40).map(|_| stand.value("storm", "{}")));
    assert!(calls.await.iter().all(|answer| answer == "done"));
    // The one that was free, and that of whoever was coldest.
    assert_eq!(cause(&stand, "three", "{}").await, None);
    assert_eq!(cause(&stand, "two", "{}").await, None);
    assert_eq!(stand.dispatch.sandboxes(), 4);
    stand.close().await;
}
