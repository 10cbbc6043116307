//! Limits of single accounts, functions and pools, which are set while the gateway runs.

use std::sync::Arc;

use super::rule::Rate;
use crate::base::AccountId;

/// A limit that one account, function or pool has instead of the general one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// Whose it is: the account itself, or the owner of the function or pool.
    pub account: AccountId,
    /// What it is for.
    pub target: Target,
    /// The limit's name.
    pub limit: Arc<str>,
    /// How much.
    pub value: Value,
}

/// What an override is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// The account.
    Account,
    /// A function of it, by name.
    Function(Arc<str>),
    /// An identity pool of it, by id.
    Pool(Arc<str>),
}

/// How much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// How often.
    Rate(Rate),
    /// How many at a time.
    Concurrency(u32),
}

/// The limit on an account's executions at a time.
pub const ACCOUNT_CONCURRENCY: &str = "account_concurrency";
/// The limit on an account's invocations a second.
pub const ACCOUNT_RATE: &str = "account_rate";
/// What is reserved for a function of its account's executions at a time.
pub const RESERVED_CONCURRENCY: &str = "reserved_concurrency";
/// The invocations a second that go with it.
pub const RESERVED_RATE: &str = "reserved_rate";
/// Invocations a second of one function; none unless it is set for the function.
pub const FUNCTION_RATE: &str = "function_rate";
/// Requests a second of one pool's identities; none unless it is set for the pool.
pub const POOL_RATE: &str = "pool_rate";
/// New guests of one pool.
pub const GUEST_POOL_RATE: &str = "guest_pool_rate";
/// New guests of one address.
pub const GUEST_ADDRESS_RATE: &str = "guest_address_rate";
/// Questions to one pool's merge hook.
pub const MERGE_HOOK_RATE: &str = "merge_hook_rate";
/// Requests of one address.
pub const ADDRESS_RATE: &str = "address_rate";
/// Requests of one caller.
pub const CALLER_RATE: &str = "caller_rate";

/// The names that no rule of the configuration may have: the limits that are always there, and those that the edge and the
/// dispatcher name in refusals.
pub const NAMES_TAKEN: [&str; 11] = [
    ACCOUNT_CONCURRENCY,
    ACCOUNT_RATE,
    RESERVED_CONCURRENCY,
    RESERVED_RATE,
    FUNCTION_RATE,
    POOL_RATE,
    GUEST_POOL_RATE,
    GUEST_ADDRESS_RATE,
    MERGE_HOOK_RATE,
    ADDRESS_RATE,
    CALLER_RATE,
];
