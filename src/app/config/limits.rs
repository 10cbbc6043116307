//! `[limits]`: how often and how much at once.

use super::{rules::Rules, section::section};

section! {
    /// How often and how much at once. Over a limit a call is answered 429 and says which limit it was. A running gateway reads
    /// this section anew on SIGHUP, and forgets nothing that was used ([limits.md](limits.md)).
    "limits" Limits {
        /// Concurrent executions per account, charged to the account that owns the function.
        account_concurrency: u32 = 100, 1 to 1_000_000;
        /// Invocations a second per account, charged like the above; the burst is as large.
        account_rate: u32 = 1_000, 1 to 1_000_000;
        /// Concurrent executions of each account that no function may reserve (AWS: 100).
        unreserved_minimum: u32 = 10, 0 to 1_000_000;
        /// Requests a second per source address (IPv6: per /64), before anything else is looked at.
        address_rate: u32 = 2_000, 1 to 1_000_000;
        /// How many requests a source address may send at once before its rate counts.
        address_burst: u32 = 4_000, 1 to 1_000_000;
        /// New guests a second per source address (IPv6: per /64).
        guest_address_rate: u32 = 50, 1 to 1_000_000;
        /// How many new guests a source address may make at once before its rate counts.
        guest_address_burst: u32 = 5_000, 1 to 1_000_000;
        /// New guests a second per identity pool.
        guest_pool_rate: u32 = 500, 1 to 1_000_000;
        /// How many new guests an identity pool may get at once before its rate counts.
        guest_pool_burst: u32 = 50_000, 1 to 1_000_000;
        /// Requests a second per caller (identity, or principal where there is none); no limit unless set.
        caller_rate: Option<u32> = None, 1 to 1_000_000;
        /// Further limits by function, pool, identity, app or address: [limits.md](limits.md#rules).
        rules: Rules = Rules::default();
    }
}
