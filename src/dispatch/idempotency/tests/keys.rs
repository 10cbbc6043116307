//! What holds for an `Idempotency-Key` alone: it is a promise.

use std::fs;

use super::*;

fn files(stand: &Stand) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(stand.folder.path().join("idempotency"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Every record that stands on disk.
fn records(stand: &Stand) -> Vec<segment::Record> {
    let ring = KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap();
    files(stand)
        .iter()
        .flat_map(|file| segment::read(&fs::read(file).unwrap(), &ring).found)
        .map(|found| found.record)
        .collect()
}

fn key(stand: &Stand, id: &str) -> Call {
    stand.call(Kind::Key, "r:ann", id, "{}")
}

#[tokio::test]
async fn a_crash_at_each_step_never_runs_a_call_twice() {
    let stand = Stand::new();
    // Before anything is recorded nothing has begun: the retry runs.
    let mut first = stand.first(key(&stand, "1"));
    let crashed = stand.after_a_crash();
    drop(crashed.first(key(&crashed, "1")));

    // Recorded, and perhaps begun: nobody knows.
    first.record().await.unwrap();
    for _ in 0..2 {
        let crashed = stand.after_a_crash();
        assert_eq!(crashed.refusal(key(&crashed, "1")), Refusal::Unknown);
        assert_eq!(crashed.refusal(stand.call(Kind::Key, "r:ann", "1", "other")), Refusal::Reused);
        // Nor does the next start, or a clean one.
        let again = crashed.after_a_crash().after_a_clean_restart().await;
        assert_eq!(again.refusal(key(&again, "1")), Refusal::Unknown);
    }

    // It runs.
    let inside = stand.folder.path().join("idempotency");
    let crashed_inside = tempfile::tempdir().unwrap();
    let to = crashed_inside.path().join("idempotency");
    first
        .run(async move {
            copy(&inside, &to);
            Ok(outcome("done"))
        })
        .await
        .unwrap();
    let calls = open(crashed_inside.path(), &stand.clock, stand.options).idempotency;
    assert!(matches!(calls.claim(key(&stand, "1")), Claim::Refused(Refusal::Unknown)));

    // It has run, and its answer is on disk.
    stand.written().await;
    let crashed = stand.after_a_crash();
    assert_eq!(crashed.stored(key(&crashed, "1")).await.outcome, outcome("done"));
    assert_eq!(crashed.refusal(stand.call(Kind::Key, "r:ann", "1", "other")), Refusal::Reused);

    // Refused by dispatch after it was recorded.
    let mut first = stand.first(key(&stand, "2"));
    first.record().await.unwrap();
    first.run(async { Err(DispatchError::ShuttingDown) }).await.unwrap_err();
    let crashed = stand.after_a_crash();
    drop(crashed.first(key(&crashed, "2")));

    // Left by its caller between record and run.
    let mut first = stand.first(key(&stand, "3"));
    first.record().await.unwrap();
    drop(first);
    stand.written().await;
    let crashed = stand.after_a_crash();
    drop(crashed.first(key(&crashed, "3")));
}

#[tokio::test]
async fn a_write_cut_at_any_byte_never_runs_a_call_twice_and_never_gives_a_wrong_answer() {
    let stand = Stand::new();
    let mut first = stand.first(key(&stand, "1"));
    first.record().await.unwrap();
    let begun = fs::metadata(&files(&stand)[0]).unwrap().len();
    first.run(async { Ok(outcome("done")) }).await.unwrap();
    stand.written().await;
    let bytes = fs::read(&files(&stand)[0]).unwrap();
    for cut in usize::try_from(begun).unwrap()..bytes.len() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("idempotency")).unwrap();
        fs::write(folder.path().join("idempotency/000000000001.seg"), &bytes[..cut]).unwrap();
        let calls = open(folder.path(), &stand.clock, stand.options).idempotency;
        match calls.claim(key(&stand, "1")) {
            Claim::Refused(Refusal::Unknown) => {}
            Claim::Stored(stored) => assert_eq!(stored.read().await.unwrap().outcome, outcome("done")),
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_changed_answer_on_disk_is_none() {
    let stand = Stand::new();
    stand.run(key(&stand, "1"), "a long enough answer").await;
    let file = &files(&stand)[0];
    let bytes = fs::read(file).unwrap();
    let ended = segment::read(&bytes, &stand.calls.ring).found.remove(1);
    for at in ended.at..ended.at + ended.length {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(file, &changed).unwrap();
        let Claim::Stored(stored) = stand.calls.claim(key(&stand, "1")) else { panic!() };
        assert_eq!(stored.read().await, None, "byte {at}");
    }
}

#[tokio::test]
async fn another_payload_with_the_key_is_refused_while_it_runs_and_after() {
    let stand = Stand::new();
    let mut first = stand.first(key(&stand, "1"));
    let other = || stand.call(Kind::Key, "r:ann", "1", "other");
    assert_eq!(stand.refusal(other()), Refusal::Reused);
    first.record().await.unwrap();
    first.run(async { Ok(outcome("1")) }).await.unwrap();
    assert_eq!(stand.refusal(other()), Refusal::Reused);
    stand.written().await;
    assert_eq!(stand.refusal(other()), Refusal::Reused);
}

#[tokio::test]
async fn keys_are_remembered_for_their_window_over_restarts_and_then_leave_the_disk() {
    let stand = Stand::new();
    stand.run(key(&stand, "1"), "1").await;
    stand.clock.advance(KEY_WINDOW - Duration::from_secs(1));
    let stand = stand.after_a_clean_restart().await;
    assert_eq!(stand.stored(key(&stand, "1")).await.outcome, outcome("1"));
    stand.clock.advance(Duration::from_secs(1));
    drop(stand.first(key(&stand, "1")));
    for _ in 0..SWEEPS_PER_TIDY {
        stand.calls.sweep();
    }
    stand.written().await;
    assert!(!records(&stand).iter().any(|record| record.what == segment::What::Ended));
    assert_eq!(stand.calls.levels().key_entries, 0);
}

#[tokio::test]
async fn whoever_is_over_their_share_is_refused_before_the_run_and_others_are_not() {
    let stand = Stand::new();
    for id in ["1", "2", "3", "4"] {
        stand.run(key(&stand, id), id).await;
    }
    let mut over = stand.first(key(&stand, "5"));
    assert_eq!(over.record().await, Err(NotRecorded::Full(Over::Owner)));
    drop(over);
    stand.run(stand.call(Kind::Key, "r:bob", "1", "{}"), "1").await;
    assert_eq!(stand.calls.levels().full, 1);
    // Room comes with time, here and after a restart.
    let stand = stand.after_a_clean_restart().await;
    assert_eq!(stand.first(key(&stand, "5")).record().await, Err(NotRecorded::Full(Over::Owner)));
    stand.clock.advance(KEY_WINDOW);
    stand.calls.sweep();
    stand.run(key(&stand, "5"), "5").await;
}

#[tokio::test]
async fn an_answer_for_which_there_is_no_room_is_told_and_its_call_does_not_run_again() {
    let stand = Stand::new();
    stand.run(key(&stand, "1"), &"x".repeat(70 << 10)).await;
    assert_eq!(stand.refusal(key(&stand, "1")), Refusal::Unknown);
    let crashed = stand.after_a_crash();
    assert_eq!(crashed.refusal(key(&crashed, "1")), Refusal::Unknown);
    assert_eq!(stand.calls.levels().unknown, 1);
}

#[tokio::test]
async fn a_deleted_identity_leaves_nothing_on_disk_nor_what_was_merged_into_it() {
    let stand = Stand::new();
    stand.run(key(&stand, "1"), "ann's").await;
    stand.run(stand.call(Kind::Sdk, "r:ann", "1", "{}"), "ann's").await;
    stand.run(stand.call(Kind::Key, "r:guest", "1", "{}"), "guest's").await;
    stand.run(stand.call(Kind::Key, "r:bob", "1", "{}"), "bob's").await;
    let mut running = stand.first(key(&stand, "2"));
    running.record().await.unwrap();
    stand.clock.advance(Duration::from_secs(1));
    stand.calls.merged("r:guest", "r:ann", stand.clock.now());

    assert!(stand.calls.erase_identity("r:ann").await);
    // The run that goes on is told and leaves nothing either.
    running.run(async { Ok(outcome("2")) }).await.unwrap();
    stand.written().await;
    let of = |record: &segment::Record| record.identity.clone();
    let kept: Vec<_> = records(&stand).iter().filter_map(of).collect();
    assert_eq!(kept, ["r:bob".into()]);
    drop(stand.first(key(&stand, "1")));
    drop(stand.first(stand.call(Kind::Sdk, "r:ann", "1", "{}")));
    assert_eq!(stand.stored(stand.call(Kind::Key, "r:bob", "1", "{}")).await.outcome, outcome("bob's"));
    let crashed = stand.after_a_crash();
    drop(crashed.first(key(&crashed, "1")));
    assert_eq!(crashed.stored(stand.call(Kind::Key, "r:bob", "1", "{}")).await.outcome, outcome("bob's"));

    assert!(stand.calls.erase_pool("r:pool").await);
    assert_eq!(stand.calls.levels().key_entries, 0);
    assert_eq!(records(&stand).iter().filter_map(of).count(), 0);
}

#[tokio::test]
async fn many_calls_at_once_are_each_on_disk_before_they_run() {
    let options = Options { keys: Bounds { owner: Bound::bytes(MIB), ..options().keys }, ..options() };
    let wide = Bound::bytes(64 * MIB);
    let stand = Stand::with(Options {
        keys: Bounds { all: wide, owner: wide, address: wide, pool: wide },
        ..options
    });
    let calls = (0..200).map(|n| key(&stand, &format!("{n}")));
    let mut firsts: Vec<_> = calls.map(|call| stand.first(call)).collect();
    let recorded = futures_util::future::join_all(firsts.iter_mut().map(|first| first.record())).await;
    assert!(recorded.iter().all(Result::is_ok));
    assert_eq!(records(&stand).len(), 200);
    drop(firsts);
}
