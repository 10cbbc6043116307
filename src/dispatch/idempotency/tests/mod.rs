//! The whole, with a clock of its own and files of its own.

mod keys;
mod sdk;

use std::{path::Path, time::Duration};

use bytes::Bytes;

use super::*;
use crate::{
    base::{
        AccountId, Region, RequestId, Secret,
        clock::{Clock, MockClock},
        rng::{Rng, SeededRng},
    },
    dispatch::{DispatchError, Outcome},
    functions::FunctionRef,
};

const SDK_WINDOW: Duration = Duration::from_secs(300);
const KEY_WINDOW: Duration = Duration::from_secs(86_400);
const MIB: u64 = 1 << 20;

fn options() -> Options {
    let all = Bound { entries: 20, bytes: 64 * MIB };
    Options {
        sdk_window: SDK_WINDOW,
        sdk: Bounds { all, owner: Bound { entries: 4, bytes: 8 * MIB }, address: all, pool: all },
        key_window: KEY_WINDOW,
        keys: Bounds {
            all: Bound::bytes(64 * 1024),
            owner: Bound::bytes(4 * 1024),
            address: Bound::bytes(16 * 1024),
            pool: Bound::bytes(32 * 1024),
        },
    }
}

/// A gateway's calls, in a folder that outlives them.
struct Stand {
    folder: tempfile::TempDir,
    clock: Arc<MockClock>,
    calls: Arc<Idempotency>,
    options: Options,
}

fn open(folder: &Path, clock: &Arc<MockClock>, options: Options) -> Opened {
    let parts = Parts {
        folder: folder.join("idempotency"),
        ring: Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap()),
        clock: clock.clone(),
        rng: Arc::new(SeededRng::new(7)),
    };
    Idempotency::open(options, parts).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

impl Stand {
    fn new() -> Self {
        Self::with(options())
    }

    fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = MockClock::at(Timestamp::from_seconds(1_000_000));
        let calls = open(folder.path(), &clock, options).idempotency;
        Self { folder, clock, calls, options }
    }

    /// What the next start finds if the power goes now.
    fn after_a_crash(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.folder.path().join("idempotency"), &folder.path().join("idempotency"));
        let calls = open(folder.path(), &self.clock, self.options).idempotency;
        Self { folder, clock: self.clock.clone(), calls, options: self.options }
    }

    async fn after_a_clean_restart(self) -> Self {
        self.calls.close(Duration::from_secs(5)).await;
        let calls = open(self.folder.path(), &self.clock, self.options).idempotency;
        Self { calls, ..self }
    }

    /// A call of this identity with this id and payload, now.
    fn call(&self, kind: Kind, identity: &str, id: &str, payload: &str) -> Call {
        let function = FunctionRef {
            region: Region::new("us-east-1"),
            account: AccountId::DEFAULT,
            name: "buy".to_owned(),
            qualifier: None,
        };
        let owner = Owner::identity(identity);
        let mut address = [0; 4];
        address.copy_from_slice(&owner.0[..4]);
        Call {
            key: Key::new(owner, &function, kind, id),
            kind,
            shape: key::shape(None),
            print: key::print(payload.as_bytes()),
            id: RequestId::from_bytes({
                let mut bytes = [0; 16];
                SeededRng::new(u64::from(id.as_bytes()[0])).fill(&mut bytes);
                bytes
            }),
            began: self.clock.now(),
            holders: Holders::new(owner, address.into(), Some(Holder::pool("r:pool"))),
            identity: Some(identity.into()),
        }
    }

    fn first(&self, call: Call) -> Box<First> {
        match self.calls.claim(call) {
            Claim::First(first) => first,
            other => panic!("not the first: {other:?}"),
        }
    }

    fn refusal(&self, call: Call) -> Refusal {
        match self.calls.claim(call) {
            Claim::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    async fn stored(&self, call: Call) -> Arc<Answer> {
        match self.calls.claim(call) {
            Claim::Stored(stored) => stored.read().await.unwrap(),
            other => panic!("not stored: {other:?}"),
        }
    }

    /// Runs a call to its end, on disk too.
    async fn run(&self, call: Call, answer: &str) -> Outcome {
        let mut first = self.first(call);
        first.record().await.unwrap();
        let outcome = outcome(answer);
        let ran = first.run(async move { Ok(outcome) }).await.unwrap();
        self.written().await;
        ran
    }

    /// Everything that was to be written has been.
    async fn written(&self) {
        self.calls.erase_record(&self.call(Kind::Key, "r:nobody", "nothing", "")).await;
    }
}

fn outcome(json: &str) -> Outcome {
    Outcome {
        payload: Bytes::copy_from_slice(json.as_bytes()),
        function_error: None,
        version: "$LATEST".into(),
        log_tail: Some(b"END".to_vec()),
        cold: None,
    }
}

fn kinds() -> [Kind; 2] {
    [Kind::Key, Kind::Sdk]
}
