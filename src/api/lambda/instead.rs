//! What to do instead of giving a member that is refused, where two operations refuse the same.

pub(super) const S3: &str = "send the package as ZipFile";
pub(super) const IMAGES: &str = "send the package as ZipFile, with package type Zip";
pub(super) const VPC: &str = "leave it out; what functions reach is set by the gateway's configuration";
pub(super) const FILE_SYSTEMS: &str = "leave it out; functions have /tmp";
pub(super) const LAYERS: &str = "put what the layer holds into the package";
pub(super) const KMS: &str = "leave it out; the gateway's key ring seals what is stored";
pub(super) const DEAD_LETTERS: &str = "leave it out; asynchronous invocation is not there yet";
pub(super) const VERSIONS: &str = "leave it out; versions have numbers only";
pub(super) const SNAPSHOTS: &str = "leave it out or say None";
pub(super) const SIGNING: &str = "leave it out; packages are not signed";
pub(super) const LEAVE_OUT: &str = "leave it out";
