//! Which members of each operation's input are implemented, only stored, or refused.
//!
//! The table is what [`super::body::Body`] refuses by, and what the documentation's list is made of, so that the two cannot
//! differ. Members that the model does not have are passed over, as AWS does.

/// What becomes of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// It does what it does on AWS.
    Implemented,
    /// It is kept and answered, and changes nothing.
    Stored,
    /// It is refused by name, unless it says nothing (null, false, empty); the text says what to do instead.
    Refused(&'static str),
}

/// An operation's members. Those of structures stand behind a dot, as in `Code.ZipFile`.
#[derive(Clone, Copy, Debug)]
pub struct Members {
    /// The operation's name.
    pub operation: &'static str,
    /// Each member, as the model calls it.
    pub members: &'static [(&'static str, Support)],
}

impl Members {
    /// What becomes of a member; `None` for one that is not known.
    pub fn support(&self, member: &str) -> Option<Support> {
        self.members.iter().find(|(name, _)| *name == member).map(|(_, support)| *support)
    }
}

// What to do instead, where two operations refuse the same.
pub(super) const INSTEAD_OF_S3: &str = "send the package as ZipFile";
pub(super) const INSTEAD_OF_IMAGES: &str = "send the package as ZipFile, with package type Zip";
pub(super) const INSTEAD_OF_VPC: &str =
    "leave it out; what functions reach is set by the gateway's configuration";
pub(super) const INSTEAD_OF_FILE_SYSTEMS: &str = "leave it out; functions have /tmp";
pub(super) const INSTEAD_OF_LAYERS: &str = "put what the layer holds into the package";
pub(super) const INSTEAD_OF_KMS: &str = "leave it out; the gateway's key ring seals what is stored";
pub(super) const INSTEAD_OF_DEAD_LETTERS: &str = "leave it out; asynchronous invocation is not there yet";
pub(super) const INSTEAD_OF_VERSIONS: &str = "leave it out; versions are not there yet";
pub(super) const INSTEAD_OF_SNAPSHOTS: &str = "leave it out or say None";
pub(super) const INSTEAD_OF_SIGNING: &str = "leave it out; packages are not signed";
pub(super) const LEAVE_OUT: &str = "leave it out";
