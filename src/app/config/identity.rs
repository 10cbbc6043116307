//! `[identity]`: identity pools.

use super::section::section;

section! {
    /// Identity pools.
    "identity" Identity {
        /// For how many days descriptions of an identity name the ids that were merged into it, and those of a merged id whom
        /// it was merged into.
        alias_days: u32 = 30, 0 to 3_650;
        /// How much memory identities that were read of late may take, in MiB; what is not there is read from the store.
        cache_mib: u64 = 16, 0 to 4_096;
        /// After how many days without asking for credentials or a token a guest expires: its identity is deleted within a
        /// day more. 0 means never.
        guest_idle_days: u32 = 0, 0 to 3_650;
        /// How often a second a pool's merge hook is asked; the burst is as large.
        merge_hook_rate: u32 = 10, 1 to 10_000;
        /// How long a merge hook may take to answer, in milliseconds.
        merge_hook_timeout_ms: u64 = 5_000, 10 to 5_000;
    }
}
