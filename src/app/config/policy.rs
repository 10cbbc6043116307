//! `[policy]`: what policies are told of this gateway.

use super::{section::section, words::OrganizationId};

section! {
    /// What policies are told of this gateway.
    "policy" Policy {
        /// The organization of every account here, which conditions know as `aws:PrincipalOrgID`; without one the key is absent.
        org_id: Option<OrganizationId> = None;
    }
}
