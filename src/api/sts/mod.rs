//! STS (query, version 2011-06-15), one file an operation.

pub mod get_caller_identity;

use std::sync::Arc;

use super::{Perform, operation::Bound, support::Support};

/// An operation's name and its members, as they are supported.
pub type Members = (&'static str, &'static [(&'static str, Support)]);

/// Every operation, for the generated table.
pub const OPERATIONS: &[Members] = &[(get_caller_identity::NAME, get_caller_identity::MEMBERS)];

/// Every operation, bound to its state.
pub fn operations() -> Vec<Arc<dyn Perform>> {
    vec![Bound::<get_caller_identity::GetCallerIdentity>::bind(Arc::new(()))]
}
