use super::*;
use crate::{
    base::{Timestamp, clock::MockClock},
    store::sqlite::SqliteStore,
};

const ACCOUNT: AccountId = AccountId::DEFAULT;

async fn over(folder: &std::path::Path) -> (Arc<Limits>, Arc<Quota>) {
    let store = SqliteStore::open(&folder.join("callgate.db")).await.unwrap();
    let (limits, _, quota) = testing::over(&store, MockClock::at(Timestamp::from_seconds(1))).await;
    (limits, quota)
}

fn of_account(limit: &str, value: Value) -> Override {
    Override { account: ACCOUNT, target: Target::Account, limit: limit.into(), value }
}

fn rate(tokens: u32, seconds: u64, burst: u32) -> Value {
    let positive = |number| NonZeroU32::new(number).unwrap();
    Value::Rate(Rate { tokens: positive(tokens), per: Duration::from_secs(seconds), burst: positive(burst) })
}

#[tokio::test]
async fn limits_hold_at_once_and_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (limits, quota) = over(folder.path()).await;
    assert_eq!(quota.concurrency(ACCOUNT), (100, 100));
    let concurrency = of_account("account_concurrency", Value::Concurrency(250));
    let slow = of_account("account_rate", rate(7, 60, 9));
    limits.put(concurrency.clone()).await.unwrap();
    limits.put(of_account("account_rate", rate(1, 1, 1))).await.unwrap();
    limits.put(slow.clone()).await.unwrap();
    assert_eq!(quota.concurrency(ACCOUNT), (250, 250));
    let (again, quota) = over(folder.path()).await;
    assert_eq!(again.list(ACCOUNT), [concurrency, slow]);
    assert_eq!(quota.concurrency(ACCOUNT), (250, 250));
    assert!(again.delete(ACCOUNT, &Target::Account, "account_concurrency").await.unwrap());
    assert!(!again.delete(ACCOUNT, &Target::Account, "account_concurrency").await.unwrap());
    assert_eq!(quota.concurrency(ACCOUNT), (100, 100));
    assert_eq!(again.list("123456789012".parse().unwrap()), []);
}

#[tokio::test]
async fn what_is_not_there_or_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (limits, _) = over(folder.path()).await;
    let put = async |target: Target, limit: &str, value| {
        let one = Override { account: ACCOUNT, target, limit: limit.into(), value };
        limits.put(one).await.unwrap_err().to_string()
    };
    let count = Value::Concurrency(1);
    let function = || Target::Function("missing".into());
    assert_eq!(put(function(), "reserved_concurrency", count).await, "Function 'missing' not found.");
    let pool = Target::Pool("us-east-1:x".into());
    assert_eq!(put(pool, "pool_rate", rate(1, 1, 1)).await, "IdentityPool 'us-east-1:x' not found.");
    assert!(put(Target::Account, "moon", count).await.starts_with("no limit moon is by account"));
    assert!(put(Target::Account, "account_rate", rate(1, 86_400, 40)).await.contains("more than 30 days"));
    let too_much = put(function(), "reserved_concurrency", Value::Concurrency(91)).await;
    assert!(too_much.ends_with("below its minimum value of [10]."), "{too_much}");
    assert_eq!(limits.list(ACCOUNT), []);
}
