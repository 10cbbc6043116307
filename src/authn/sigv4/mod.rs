//! Signature Version 4, in header form and in query form, as a verifier sees it.
//!
//! Source: IAM User Guide, "Create a signed AWS API request". Where signers in use differ from it, [`canonical`] says what
//! is accepted, and why no request can be taken for another by it.

pub mod canonical;
pub mod header;
pub mod key;
pub mod query;
pub mod verify;

#[cfg(test)]
pub(crate) mod test_signer;
