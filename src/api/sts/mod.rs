//! STS (query, version 2011-06-15), one file an operation.

pub mod get_caller_identity;

use super::operation::operations;

operations! {
    nothing: () => { get_caller_identity::GetCallerIdentity }
}
