//! What holds for every id, and what holds for an SDK's alone.

use tokio::sync::oneshot;

use super::*;
use crate::dispatch::{Full, FunctionError};

#[tokio::test]
async fn a_second_request_waits_for_the_run_and_a_third_gets_its_answer() {
    let stand = Stand::new();
    for kind in kinds() {
        let call = || stand.call(kind, "r:ann", "1", "{}");
        let mut first = stand.first(call());
        first.record().await.unwrap();
        let Claim::Join(waiting) = stand.calls.claim(call()) else { panic!() };
        assert_eq!(waiting.run().waiting(), 2);
        let ran = first.run(async { Ok(outcome("{\"n\":1}")) }).await.unwrap();
        let joined = waiting.answer().await.unwrap();
        let stored = stand.stored(call()).await;
        assert_eq!((&joined.outcome, &stored.outcome), (&ran, &ran));
        assert_eq!((joined.id, stored.id), (call().id, call().id));
        stand.written().await;
        assert_eq!(stand.stored(call()).await, stored);
    }
    let levels = stand.calls.levels();
    assert_eq!((levels.joined, levels.replayed, levels.sdk_entries, levels.key_entries), (2, 4, 1, 1));
}

#[tokio::test]
async fn function_errors_are_answers_too() {
    let stand = Stand::new();
    for kind in kinds() {
        let call = || stand.call(kind, "r:ann", "1", "{}");
        let mut first = stand.first(call());
        first.record().await.unwrap();
        let failed = Outcome { function_error: Some(FunctionError::Unhandled), ..outcome("{}") };
        let run = failed.clone();
        first.run(async move { Ok(run) }).await.unwrap();
        stand.written().await;
        assert_eq!(stand.stored(call()).await.outcome, failed);
    }
}

#[tokio::test]
async fn kinds_identities_functions_and_qualifiers_are_apart() {
    let stand = Stand::new();
    for kind in kinds() {
        stand.run(stand.call(kind, "r:ann", "1", "{}"), "1").await;
    }
    for kind in kinds() {
        stand.first(stand.call(kind, "r:bob", "1", "{}"));
        stand.first(stand.call(kind, "r:ann", "2", "{}"));
        let qualified = Call { shape: key::shape(Some("prod")), ..stand.call(kind, "r:ann", "1", "{}") };
        stand.first(qualified);
    }
}

#[tokio::test]
async fn eight_wait_and_the_ninth_is_refused() {
    let stand = Stand::new();
    let call = || stand.call(Kind::Sdk, "r:ann", "1", "{}");
    let first = stand.first(call());
    let waiting: Vec<_> = (0..running::JOINS_MAX)
        .map(|_| match stand.calls.claim(call()) {
            Claim::Join(waiting) => waiting,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(stand.refusal(call()), Refusal::TooManyWait);
    drop(first);
    for waiting in waiting {
        assert_eq!(waiting.answer().await, None);
    }
    stand.first(call());
}

#[tokio::test]
async fn what_was_refused_before_it_began_may_be_tried_again() {
    let stand = Stand::new();
    for kind in kinds() {
        let call = || stand.call(kind, "r:ann", "1", "{}");
        // By admission, before anything is recorded; and by dispatch.
        drop(stand.first(call()));
        let mut first = stand.first(call());
        first.record().await.unwrap();
        let Claim::Join(waiting) = stand.calls.claim(call()) else { panic!() };
        let full = Full { limit: "sandbox.sandboxes_max", most: 1, why: "full" };
        let refused = first.run(async move { Err(DispatchError::Saturated(full)) }).await;
        assert_eq!(refused, Err(DispatchError::Saturated(full)));
        assert_eq!(waiting.answer().await, None);
        stand.run(call(), "2").await;
        assert_eq!(stand.stored(call()).await.outcome.payload, "2");
    }
    // The gateway of after a crash knows of the run, not of the refusals before it.
    let later = stand.after_a_crash();
    assert_eq!(later.stored(later.call(Kind::Key, "r:ann", "1", "{}")).await.outcome.payload, "2");
}

#[tokio::test]
async fn a_run_goes_on_when_its_caller_leaves() {
    let stand = Stand::new();
    for kind in kinds() {
        let call = || stand.call(kind, "r:ann", "1", "{}");
        let mut first = stand.first(call());
        first.record().await.unwrap();
        let run = first.run_of().clone();
        let (go, gone) = oneshot::channel::<()>();
        let mut running = Box::pin(first.run(async move {
            let _ = gone.await;
            Ok(outcome("late"))
        }));
        assert!(futures_util::poll!(&mut running).is_pending());
        assert_eq!(run.waiting(), 1);
        drop(running);
        assert_eq!(run.waiting(), 0);
        let function = FunctionRef {
            region: Region::new("us-east-1"),
            account: AccountId::DEFAULT,
            name: "buy".to_owned(),
            qualifier: Some("any".to_owned()),
        };
        let found = stand.calls.running(Owner::identity("r:ann"), &function, "1");
        assert!(found.len() == 1 && Arc::ptr_eq(&found[0], &run));
        // The retry comes while it still runs.
        let Claim::Join(waiting) = stand.calls.claim(call()) else { panic!() };
        go.send(()).unwrap();
        assert_eq!(waiting.answer().await.unwrap().outcome.payload, "late");
        assert!(stand.calls.running(Owner::identity("r:ann"), &function, "1").is_empty());
        stand.written().await;
        assert_eq!(stand.stored(call()).await.outcome.payload, "late");
    }
}

#[tokio::test]
async fn a_run_that_never_ends_tells_whoever_waits() {
    let stand = Stand::new();
    let call = || stand.call(Kind::Sdk, "r:ann", "1", "{}");
    let first = stand.first(call());
    let Claim::Join(waiting) = stand.calls.claim(call()) else { panic!() };
    let panicked = tokio::spawn(first.run(async { panic!("a defect") })).await;
    assert!(panicked.is_err());
    assert_eq!(waiting.answer().await, None);
    stand.first(call());
}

#[tokio::test]
async fn the_same_id_with_another_payload_is_a_call_of_its_own() {
    let stand = Stand::new();
    for (payload, answer) in [("1", "one"), ("2", "two")] {
        stand.run(stand.call(Kind::Sdk, "r:ann", "1", payload), answer).await;
    }
    assert_eq!(stand.stored(stand.call(Kind::Sdk, "r:ann", "1", "1")).await.outcome.payload, "one");
    assert_eq!(stand.stored(stand.call(Kind::Sdk, "r:ann", "1", "2")).await.outcome.payload, "two");
    // So many are told apart and no more: the further ones run.
    let firsts: Vec<_> =
        (0..14).map(|n| stand.first(stand.call(Kind::Sdk, "r:ann", "1", &format!("more {n}")))).collect();
    let further = stand.calls.claim(stand.call(Kind::Sdk, "r:ann", "1", "further"));
    assert!(matches!(further, Claim::Unremembered), "{further:?}");
    drop(firsts);
}

#[tokio::test]
async fn answers_are_forgotten_after_their_window() {
    let stand = Stand::new();
    let call = || stand.call(Kind::Sdk, "r:ann", "1", "{}");
    stand.run(call(), "1").await;
    stand.clock.advance(SDK_WINDOW - Duration::from_secs(1));
    stand.stored(call()).await;
    stand.clock.advance(Duration::from_secs(1));
    // Looked at before any sweep.
    drop(stand.first(call()));
    assert_eq!(stand.calls.levels().sdk_entries, 0);
    stand.run(call(), "2").await;
    stand.clock.advance(SDK_WINDOW);
    stand.calls.sweep();
    assert_eq!(stand.calls.levels(), Levels { replayed: 1, ..Levels::default() });
}

#[tokio::test]
async fn the_oldest_goes_first_and_whoever_is_over_loses_their_own() {
    let stand = Stand::new();
    stand.run(stand.call(Kind::Sdk, "r:ann", "1", "{}"), "1").await;
    for id in ["1", "2", "3", "4", "5"] {
        stand.run(stand.call(Kind::Sdk, "r:bob", id, "{}"), id).await;
    }
    assert_eq!(stand.calls.levels().evicted, 1);
    stand.stored(stand.call(Kind::Sdk, "r:ann", "1", "{}")).await;
    stand.stored(stand.call(Kind::Sdk, "r:bob", "2", "{}")).await;
    drop(stand.first(stand.call(Kind::Sdk, "r:bob", "1", "{}")));
    for n in 0..15 {
        stand.run(stand.call(Kind::Sdk, &format!("r:{n}"), "1", "{}"), "x").await;
    }
    assert_eq!(stand.calls.levels().sdk_entries, 20);
    stand.stored(stand.call(Kind::Sdk, "r:ann", "1", "{}")).await;
    // One more than there may be: the oldest of all goes.
    stand.run(stand.call(Kind::Sdk, "r:last", "1", "{}"), "x").await;
    assert_eq!((stand.calls.levels().sdk_entries, stand.calls.levels().evicted), (20, 2));
    drop(stand.first(stand.call(Kind::Sdk, "r:ann", "1", "{}")));
}

#[tokio::test]
async fn an_answer_too_long_for_its_owners_share_is_told_and_not_kept() {
    let stand = Stand::new();
    let call = || stand.call(Kind::Sdk, "r:ann", "1", "{}");
    let first = stand.first(call());
    let Claim::Join(waiting) = stand.calls.claim(call()) else { panic!() };
    let long = "x".repeat(9 << 20);
    let told = outcome(&long);
    first.run(async move { Ok(told) }).await.unwrap();
    assert_eq!(waiting.answer().await.unwrap().outcome.payload.len(), long.len());
    stand.first(call());
    assert_eq!((stand.calls.levels().sdk_entries, stand.calls.levels().evicted), (0, 1));
}

#[tokio::test]
async fn sdks_ids_outlive_a_clean_restart_and_no_crash() {
    let stand = Stand::new();
    stand.run(stand.call(Kind::Sdk, "r:ann", "1", "{}"), "1").await;
    stand.run(stand.call(Kind::Sdk, "r:ann", "2", "{}"), "2").await;
    let crashed = stand.after_a_crash();
    crashed.first(crashed.call(Kind::Sdk, "r:ann", "1", "{}"));

    let stand = stand.after_a_clean_restart().await;
    stand.clock.advance(SDK_WINDOW - Duration::from_secs(1));
    let kept = stand.stored(stand.call(Kind::Sdk, "r:ann", "1", "{}")).await;
    assert_eq!(kept.outcome, outcome("1"));
    assert_eq!(stand.calls.levels().sdk_entries, 2);
    // What the restart read is gone: a crash now finds nothing.
    let crashed = stand.after_a_crash();
    crashed.first(crashed.call(Kind::Sdk, "r:ann", "2", "{}"));
    // The window counts from the answer, not from the restart.
    stand.clock.advance(Duration::from_secs(1));
    stand.first(stand.call(Kind::Sdk, "r:ann", "1", "{}"));
}

#[tokio::test]
async fn a_changed_file_of_answers_gives_none_or_the_right_ones() {
    let stand = Stand::new();
    for id in ["1", "2", "3"] {
        stand.run(stand.call(Kind::Sdk, "r:ann", id, "{}"), id).await;
    }
    stand.calls.close(Duration::from_secs(5)).await;
    let file = stand.folder.path().join("idempotency/sdk-answers");
    let bytes = std::fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(17) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        std::fs::write(&file, &changed).unwrap();
        let calls = open(stand.folder.path(), &stand.clock, stand.options).idempotency;
        assert!(calls.levels().sdk_entries >= 2, "byte {at}");
        for id in ["1", "2", "3"] {
            if let Claim::Stored(stored) = calls.claim(stand.call(Kind::Sdk, "r:ann", id, "{}")) {
                assert_eq!(stored.read().await.unwrap().outcome, outcome(id), "byte {at}");
            }
        }
    }
}

#[tokio::test]
async fn without_a_window_sdks_ids_count_for_nothing() {
    let stand = Stand::with(Options { sdk_window: Duration::ZERO, ..options() });
    let claim = stand.calls.claim(stand.call(Kind::Sdk, "r:ann", "1", "{}"));
    assert!(matches!(claim, Claim::Unremembered));
    stand.first(stand.call(Kind::Key, "r:ann", "1", "{}"));
}

#[tokio::test]
async fn what_a_merged_identity_sent_before_the_merge_counts_as_the_others() {
    let stand = Stand::new();
    for kind in kinds() {
        stand.run(stand.call(kind, "r:guest", "1", "{}"), "guest's").await;
    }
    stand.clock.advance(Duration::from_secs(1));
    let mut running = stand.first(stand.call(Kind::Key, "r:guest", "2", "{}"));
    running.record().await.unwrap();
    stand.clock.advance(Duration::from_secs(1));
    stand.calls.merged("r:guest", "r:user", stand.clock.now());
    // Its sessions ended with the merge; whatever came later would not be the user's.
    stand.run(stand.call(Kind::Sdk, "r:guest", "3", "{}"), "late").await;

    for kind in kinds() {
        let answer = stand.stored(stand.call(kind, "r:user", "1", "{}")).await;
        assert_eq!(answer.outcome.payload, "guest's");
        drop(stand.first(stand.call(kind, "r:stranger", "1", "{}")));
    }
    assert_eq!(stand.refusal(stand.call(Kind::Key, "r:user", "1", "other")), Refusal::Reused);
    assert!(matches!(stand.calls.claim(stand.call(Kind::Key, "r:user", "2", "{}")), Claim::Join(_)));
    drop(stand.first(stand.call(Kind::Sdk, "r:user", "3", "{}")));
    // A start learns the identities that are to be asked about.
    stand.written().await;
    let crashed = tempfile::tempdir().unwrap();
    copy(&stand.folder.path().join("idempotency"), &crashed.path().join("idempotency"));
    assert_eq!(open(crashed.path(), &stand.clock, stand.options).identities, ["r:guest".into()]);
}
