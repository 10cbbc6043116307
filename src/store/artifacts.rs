//! Packages: the zip archives of functions, each under the hash of its bytes.
//!
//! What is stored under a hash never changes, so writing it twice does no harm, and a reader sees a whole package or none:
//! the object store writes to a temporary name, syncs, renames and syncs the folder.

use std::{fmt, os::unix::fs::DirBuilderExt, path::Path, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path as Key};

use super::StoreError;

/// The SHA-256 of a package's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageHash([u8; 32]);

impl PackageHash {
    /// Hashes a package.
    pub fn of(zip: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, zip).as_ref());
        Self(hash)
    }

    /// From the 32 bytes of the hash; `None` for any other number of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits, as files are called.
    pub fn hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.0
            .iter()
            .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
            .map(char::from)
            .collect()
    }

    /// Reads what [`Self::hex`] writes, and nothing else.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }

    /// As Lambda answers `CodeSha256`.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl fmt::Debug for PackageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// The store of packages.
#[derive(Clone, Debug)]
pub struct Packages {
    objects: Arc<dyn ObjectStore>,
}

fn failed(error: impl fmt::Display) -> StoreError {
    StoreError::Packages(error.to_string())
}

impl Packages {
    /// Packages in any object store.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// Packages in a folder, which is made, for this user alone, if it is not there.
    pub fn in_folder(folder: &Path) -> Result<Self, StoreError> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(failed)?.with_fsync(true);
        Ok(Self::new(Arc::new(objects)))
    }

    fn key(hash: &PackageHash) -> Key {
        Key::from(format!("{}.zip", hash.hex()))
    }

    /// Stores a package durably, unless it is there already.
    pub async fn put(&self, hash: &PackageHash, zip: Bytes) -> Result<(), StoreError> {
        let key = Self::key(hash);
        match self.objects.head(&key).await {
            Ok(_) => return Ok(()),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
        self.objects.put(&key, zip.into()).await.map_err(failed)?;
        Ok(())
    }

    /// A package's bytes.
    pub async fn get(&self, hash: &PackageHash) -> Result<Option<Bytes>, StoreError> {
        match self.objects.get(&Self::key(hash)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes a package. It is no error if there is none. The removal need not be durable: what comes back after a loss
    /// of power is found and removed at the next start.
    pub async fn delete(&self, hash: &PackageHash) -> Result<(), StoreError> {
        match self.objects.delete(&Self::key(hash)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// The hashes of all packages, in no order. Files that are no packages are passed over.
    pub async fn list(&self) -> Result<Vec<PackageHash>, StoreError> {
        let found: Vec<_> = self.objects.list(None).try_collect().await.map_err(failed)?;
        Ok(found
            .iter()
            .filter_map(|object| PackageHash::from_hex(object.location.filename()?.strip_suffix(".zip")?))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_package_is_stored_under_its_hash_until_it_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let packages = Packages::in_folder(&folder.path().join("packages")).unwrap();
        let zip = Bytes::from_static(b"zip");
        let hash = PackageHash::of(&zip);
        assert_eq!(packages.get(&hash).await.unwrap(), None);
        packages.put(&hash, zip.clone()).await.unwrap();
        packages.put(&hash, zip.clone()).await.unwrap();
        assert_eq!(packages.get(&hash).await.unwrap(), Some(zip));
        assert_eq!(packages.list().await.unwrap(), [hash]);
        packages.delete(&hash).await.unwrap();
        packages.delete(&hash).await.unwrap();
        assert!(packages.list().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_that_is_no_package_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let packages = Packages::in_folder(folder.path()).unwrap();
        for name in ["notes.txt", "abc.zip", &format!("{}.zip", "A".repeat(64))] {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        assert!(packages.list().await.unwrap().is_empty());
    }

    #[test]
    fn a_hash_survives_the_round_trip() {
        let hash = PackageHash::of(b"abc");
        assert_eq!(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hash.base64(), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!(PackageHash::from_hex(&hash.hex()), Some(hash));
        assert_eq!(PackageHash::from_bytes(hash.as_bytes()), Some(hash));
        assert_eq!(PackageHash::from_hex(&hash.hex().to_uppercase()), None);
        assert_eq!(PackageHash::from_bytes(b"short"), None);
    }
}
