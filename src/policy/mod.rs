//! May they: IAM's policy language, parsed and compiled once, decided in microseconds.
//!
//! A [`Document`] is made when a policy is put and holds its statements ready for matching; [`decide`] asks any number
//! of documents about one [`Request`]; [`weigh`] decides over the policies of identity, session and resource together;
//! [`permit`] and its kin turn an allowing decision into a [`Permit`], which nothing outside this module can make and without
//! which nothing is dispatched. [`explain`] and [`lint`] are for people. Pure: no I/O, no clock, no state.
//!
//! Semantics are those of AWS's published evaluation logic (IAM User Guide, "Policy evaluation logic", "IAM JSON policy
//! element reference", "Multivalued context keys"). Four rules carry the rest:
//!
//! - **What is not understood is refused when it is put**, never skipped when it is asked. That goes for elements,
//!   operators and forms; condition *keys* are open, and one that the request does not have is absent.
//! - An explicit Deny wins over every Allow; no Allow is a refusal.
//! - A value that names a variable without a value equals nothing and is like nothing. So a positive operator does not
//!   match, and a negated one does.
//! - A key with several values under an operator without a set qualifier matches if any value does; negated operators
//!   are the exact opposite. AWS leaves this case open; this choice never turns a Deny with a negated operator off.

mod action;
mod arn;
pub mod catalog;
mod condition;
mod date;
mod decide;
pub mod defaults;
mod document;
mod element;
mod error;
mod explain;
mod glob;
mod ip;
mod json;
mod keys;
mod lint;
mod number;
mod operator;
mod permit;
mod principal;
mod statement;
mod text;

#[cfg(test)]
mod tests;

pub use decide::{By, Decision, Request, decide};
pub use document::{Document, Kind, TEXT_BYTES_MAX};
pub use error::{ParseError, Place};
pub use explain::{Explained, Mismatch, explain};
pub use keys::{Keys, NoKeys, Values};
pub use lint::{Finding, lint};
pub use permit::{
    Because, Denial, OnResource, Permit, Reason, permit, permit_on, permit_root, permit_service, weigh,
};
pub use principal::{Grant, Requester};
pub use statement::Effect;
