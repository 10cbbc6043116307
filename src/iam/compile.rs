//! Turning what is kept into what is held: policies are compiled when they are read, not when they are asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::policy::{Document, Kind, ParseError};

/// Where the documents of managed policies are found by the policies' names.
pub(super) type Attached<'a> = &'a dyn Fn(&str) -> Option<Arc<Document>>;

/// Why a record cannot be held. To go on without it could be to go on without a Deny.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompileError {
    /// A document is none.
    #[error(transparent)]
    Document(#[from] ParseError),
    /// An attached policy is not there.
    #[error("its attached policy {0} is not there")]
    Missing(String),
    /// A managed policy has lost its default version.
    #[error("it has no version v{0}, which is its default")]
    NoDefault(u32),
}

/// Everything that a role or user may do and may not.
pub(super) fn documents(
    inline: &BTreeMap<String, String>,
    attached: &BTreeSet<String>,
    find: Attached<'_>,
) -> Result<Vec<Arc<Document>>, CompileError> {
    let inline = inline.values().map(|text| Ok(Arc::new(Document::parse(text, Kind::Identity)?)));
    let attached = attached.iter().map(|name| find(name).ok_or_else(|| CompileError::Missing(name.clone())));
    inline.chain(attached).collect()
}
