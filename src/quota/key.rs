//! What a bucket belongs to, as a number: a fixed size whatever a client sends, and nothing that a client could aim at.

use std::{
    cell::Cell,
    hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState},
    net::IpAddr,
};

use super::{address::Prefix, rule::By};
use crate::base::{AccountId, Caller, Principal};

/// A keyed hash. That among a million keys two are the same, and share a bucket, happens to one process in 37 million.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key(u64);

impl Key {
    /// Which of `count` shards it lies in: by other bits than those by which tables are ordered.
    pub(super) fn shard(self, count: usize) -> usize {
        usize::try_from((self.0 >> 32) % count as u64).unwrap_or_default()
    }

    /// Itself, for whoever shares something out.
    pub(super) fn number(self) -> u64 {
        self.0
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// A key is a hash already.
#[derive(Default)]
pub(super) struct Pass(u64);

impl Hasher for Pass {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// For maps by key.
pub(super) type BuildPass = BuildHasherDefault<Pass>;

/// Makes keys, with secrets of this process.
#[derive(Debug)]
pub(super) struct Keys {
    hasher: RandomState,
    /// For addresses: two numbers that nobody knows.
    mixed_with: [u64; 2],
}

impl Keys {
    pub(super) fn new() -> Self {
        let hasher = RandomState::new();
        let mixed_with = [hasher.hash_one(0), hasher.hash_one(1) | 1];
        Self { hasher, mixed_with }
    }

    fn of(&self, what: impl Hash) -> Key {
        Key(self.hasher.hash_one(&what))
    }

    /// Every call has an address, and it has 64 bits at most: they are mixed with what nobody knows, so that no two of a kind
    /// are the same (the steps are MurmurHash3's last ones, which can be undone).
    pub(super) fn address(&self, address: IpAddr) -> Key {
        let [add, multiply] = self.mixed_with;
        let bits = match Prefix::of(address) {
            Prefix::V4(octets) => u64::from(u32::from_be_bytes(octets)).wrapping_mul(multiply),
            Prefix::V6(octets) => u64::from_be_bytes(octets) ^ multiply,
        };
        let mut mixed = bits.wrapping_add(add);
        for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
            mixed = (mixed ^ (mixed >> 33)).wrapping_mul(factor);
        }
        Key(mixed ^ (mixed >> 33))
    }

    /// An identity, or the user, role or root that a caller without one acts as. A session's name, which clients choose, makes
    /// no difference.
    pub(super) fn caller(&self, caller: &Caller) -> Key {
        match (&caller.identity, &caller.principal) {
            (Some(identity), _) => self.identity(&identity.identity_id),
            (None, Principal::AssumedRole { role_id, .. }) => {
                self.of((b'r', caller.account.as_str(), &**role_id))
            }
            (None, Principal::User { id, .. }) => self.of((b'u', caller.account.as_str(), &**id)),
            (None, Principal::Root) => self.of((b'o', caller.account.as_str())),
        }
    }

    pub(super) fn identity(&self, identity_id: &str) -> Key {
        self.of((b'i', identity_id))
    }

    pub(super) fn function(&self, account: AccountId, name: &str) -> Key {
        self.of((b'f', account.as_str(), name))
    }

    pub(super) fn pool(&self, pool_id: &str) -> Key {
        self.of((b'p', pool_id))
    }

    pub(super) fn app(&self, package: &str) -> Key {
        self.of((b'n', package))
    }
}

/// What is known of a call at one of its steps. Each key is computed once, and only if a limit asks for it.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub(super) address: Option<IpAddr>,
    pub(super) caller: Option<&'a Caller>,
    pub(super) identity: Option<&'a str>,
    pub(super) account: Option<AccountId>,
    pub(super) function: Option<&'a str>,
    pub(super) pool: Option<&'a str>,
    pub(super) app: Option<&'a str>,
    pub(super) known: [Cell<Option<Key>>; By::COUNT],
}

impl Asked<'_> {
    /// The key for limits of this kind; `None` if there is nothing of the kind here.
    pub(super) fn key(&self, keys: &Keys, by: By) -> Option<Key> {
        let known = self.known.get(by as usize)?;
        if let Some(key) = known.get() {
            return Some(key);
        }
        let key = match by {
            By::Address => keys.address(self.address?),
            By::Identity => match self.caller {
                Some(caller) => keys.caller(caller),
                None => keys.identity(self.identity?),
            },
            // Accounts are few, and have their buckets in what else is kept of them.
            By::Account => return None,
            By::Function => keys.function(self.account?, self.function?),
            By::Pool => keys.pool(self.pool?),
            By::App => keys.app(self.app?),
        };
        known.set(Some(key));
        Some(key)
    }
}
