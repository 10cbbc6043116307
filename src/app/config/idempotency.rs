//! `[idempotency]`: retries that run once.

use super::section::section;

section! {
    /// Retries that run once: for how long calls are remembered that came with an id, and how much of them is kept. What is kept
    /// of an SDK's ids (`amz-sdk-invocation-id`) makes room by letting the oldest go; an `Idempotency-Key` is a promise, and who
    /// has no room for another is refused.
    "idempotency" Idempotency {
        /// For how many seconds the answer of a call that came with an SDK's id is kept. 0 does without.
        sdk_window_seconds: u32 = 300, 0 to 86_400;
        /// How many MiB such answers take in memory.
        sdk_mib: u64 = 64, 1 to 65_536;
        /// How many such answers are kept.
        sdk_entries: u64 = 100_000, 1 to 10_000_000;
        /// How many MiB of them one identity or principal may have.
        sdk_identity_mib: u64 = 8, 1 to 65_536;
        /// How many of them one identity or principal may have.
        sdk_identity_entries: u64 = 10_000, 1 to 10_000_000;
        /// How many MiB of them one source address (IPv6: one /64) may have.
        sdk_address_mib: u64 = 16, 1 to 65_536;
        /// How many of them one source address may have.
        sdk_address_entries: u64 = 25_000, 1 to 10_000_000;
        /// For how many seconds a call with an `Idempotency-Key` is remembered.
        key_window_seconds: u32 = 86_400, 60 to 2_592_000;
        /// How many MiB calls with a key and their answers take on disk. Each counts 1 KiB at least.
        key_mib: u64 = 1_024, 8 to 1_048_576;
        /// How many MiB of them one identity or principal may have.
        key_identity_mib: u64 = 64, 1 to 1_048_576;
        /// How many MiB of them one source address (IPv6: one /64) may have.
        key_address_mib: u64 = 256, 1 to 1_048_576;
        /// How many MiB of them one identity pool may have.
        key_pool_mib: u64 = 512, 1 to 1_048_576;
    }
}
