//! Packages on disk: zipped in the package store, and unpacked by content hash for sandboxes to mount.
//!
//! ```text
//! <data>/packages/<hash>.zip     what was uploaded
//! <data>/unpacked/<hash>/        the same unpacked; complete whenever it is there
//! <data>/unpacked/.new-<random>/ being unpacked; removed at the next start if that never ended
//! ```
//! Whatever interrupts this, a row of the database is written only after both are whole and on the disk. What no row refers
//! to is removed: at start at once, later when it has been so for longer than any sandbox may still use it.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, Semaphore};

use super::package::{PackageError, PackageLimits, native::Host, unpack};
use crate::{
    base::{clock::SharedClock, rng::SharedRng},
    store::{
        StoreError,
        artifacts::{PackageHash, Packages},
    },
};

/// How long a package is kept that nothing refers to any more. A sandbox of replaced code ends what it runs, at most 900 s,
/// and goes.
const GRACE: Duration = Duration::from_secs(3_600);
const NEW_PREFIX: &str = ".new-";
/// How many packages are unpacked at a time.
const UNPACKING_MAX: usize = 4;

/// The packages of this node.
pub struct Shelf {
    packages: Packages,
    unpacked: PathBuf,
    limits: PackageLimits,
    /// What native code in a package must fit.
    host: Host,
    clock: SharedClock,
    rng: SharedRng,
    /// Read while a package is put on the shelf and until its row is written; written while unused ones are taken off.
    gate: RwLock<()>,
    /// How many packages may be unpacked at a time: each takes a thread, a core and up to 250 MiB of disk.
    unpacking: Semaphore,
    /// Since when, by the clock's monotonic time, nothing refers to a package.
    unused: Mutex<HashMap<PackageHash, Duration>>,
}

/// A package that is on the shelf and cannot be taken off it while this lives.
pub struct Shelved<'a> {
    /// The hash of its bytes.
    pub hash: PackageHash,
    /// Its size, zipped, in bytes.
    pub zipped_bytes: u64,
    _gate: RwLockReadGuard<'a, ()>,
}

/// A folder that is being unpacked into. Unless it was renamed, it is removed with this, however the upload ends: refused,
/// failed, or dropped half-way because the client has gone.
struct NewFolder(PathBuf);

impl Drop for NewFolder {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(folder = %self.0.display(), %error, "a half unpacked package stays until the next start");
            }
            _ => {}
        }
    }
}

fn disk(error: impl std::fmt::Display) -> StoreError {
    StoreError::Packages(error.to_string())
}

/// Runs something that blocks where that is allowed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Packages(error.to_string()))
}

impl Shelf {
    /// The shelf below a data directory. Its folders are made, for this user alone.
    pub fn open(data: &Path, clock: SharedClock, rng: SharedRng) -> Result<Self, StoreError> {
        let packages = Packages::in_folder(&data.join("packages"))?;
        let unpacked = data.join("unpacked");
        DirBuilder::new().recursive(true).mode(0o700).create(&unpacked).map_err(disk)?;
        Ok(Self {
            packages,
            unpacked,
            limits: PackageLimits::default(),
            host: Host::here(),
            clock,
            rng,
            gate: RwLock::new(()),
            unpacking: Semaphore::new(UNPACKING_MAX),
            unused: Mutex::new(HashMap::new()),
        })
    }

    /// Where a package lies unpacked.
    pub fn folder(&self, hash: &PackageHash) -> PathBuf {
        self.unpacked.join(hash.hex())
    }

    /// The package's bytes as they were uploaded.
    pub async fn zipped(&self, hash: &PackageHash) -> Result<Option<Bytes>, StoreError> {
        self.packages.get(hash).await
    }

    /// Checks a package without keeping anything of it.
    pub async fn check(&self, zip: Bytes) -> Result<PackageHash, PackageError> {
        let (new, limits, host) = (self.new_folder(), self.limits, self.host.clone());
        self.unpacking(move || {
            unpack(&zip, &new.0, &limits, Some(&host))?;
            Ok(PackageHash::of(&zip))
        })
        .await
    }

    /// Checks a package and puts it on the shelf, zipped and unpacked, durably.
    ///
    /// # Errors
    /// Every [`PackageError`]; a refused package leaves nothing.
    pub async fn put(&self, zip: Bytes) -> Result<Shelved<'_>, PackageError> {
        let gate = self.gate.read().await;
        let (bytes, new, limits) = (zip.clone(), self.new_folder(), self.limits);
        let (unpacked, host) = (self.unpacked.clone(), self.host.clone());
        let work = move || {
            let hash = PackageHash::of(&bytes);
            if unpacked.join(hash.hex()).is_dir() {
                return Ok((hash, None));
            }
            unpack(&bytes, &new.0, &limits, Some(&host))?;
            Ok((hash, Some(new)))
        };
        let (hash, ready) = self.unpacking(work).await?;
        let zipped_bytes = u64::try_from(zip.len()).unwrap_or(u64::MAX);
        self.packages.put(&hash, zip).await.map_err(store)?;
        if let Some(new) = ready {
            self.publish(new, hash).await?;
        }
        Ok(Shelved { hash, zipped_bytes, _gate: gate })
    }

    /// Sees that a package that a row refers to is there unpacked; if not, unpacks what is stored.
    pub async fn ensure(&self, hash: PackageHash) -> Result<PathBuf, StoreError> {
        let folder = self.folder(&hash);
        if folder.is_dir() {
            return Ok(folder);
        }
        let zip = self
            .packages
            .get(&hash)
            .await?
            .ok_or_else(|| StoreError::Packages(format!("package {} is gone", hash.hex())))?;
        let (new, limits) = (self.new_folder(), self.limits);
        let failed = |error: PackageError| StoreError::Packages(format!("package {}: {error}", hash.hex()));
        // It was taken when it was uploaded: another machine since then is no reason to lose it.
        let new = self
            .unpacking(move || unpack(&zip, &new.0, &limits, None).map(|()| new))
            .await
            .map_err(failed)?;
        self.publish(new, hash).await.map_err(failed)?;
        Ok(folder)
    }

    /// Unpacks, a few at a time.
    async fn unpacking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PackageError> + Send + 'static,
    ) -> Result<T, PackageError> {
        let _permit =
            self.unpacking.acquire().await.map_err(|error| PackageError::Disk(io::Error::other(error)))?;
        run(work).await
    }

    fn new_folder(&self) -> NewFolder {
        let mut random = [0; 16];
        self.rng.fill(&mut random);
        NewFolder(self.unpacked.join(format!("{NEW_PREFIX}{:032x}", u128::from_be_bytes(random))))
    }

    /// Makes an unpacked package durable and gives it its name, in this order.
    async fn publish(&self, new: NewFolder, hash: PackageHash) -> Result<(), PackageError> {
        let (folder, parent) = (self.folder(&hash), self.unpacked.clone());
        let rename = move || {
            // One call for all files: a sync of each would take a second for every thousand of them.
            rustix::fs::syncfs(&File::open(&new.0)?)?;
            match fs::rename(&new.0, &folder) {
                // Another upload of the same bytes was first.
                Err(_) if folder.is_dir() => {}
                other => other?,
            }
            File::open(&parent)?.sync_all()
        };
        run(move || rename().map_err(PackageError::Disk)).await
    }

    /// Takes packages off the shelf that none of `used` is: at start all of them and what never got ready, later those
    /// that have been unused for an hour. Says how many.
    pub async fn sweep(
        &self,
        at_start: bool,
        used: impl FnOnce() -> HashSet<PackageHash> + Send,
    ) -> Result<usize, StoreError> {
        let _gate = self.gate.write().await;
        let mut there: HashSet<PackageHash> = self.packages.list().await?.into_iter().collect();
        let names = list(&self.unpacked).map_err(disk)?;
        there.extend(names.iter().filter_map(|name| PackageHash::from_hex(name)));
        // Asked behind the gate: whatever was being put on the shelf has its row by now.
        let used = used();
        let now = self.clock.monotonic();
        let mut unused = self.unused.lock().await;
        unused.retain(|hash, _| there.contains(hash) && !used.contains(hash));
        let gone: Vec<PackageHash> = there
            .into_iter()
            .filter(|hash| !used.contains(hash))
            .filter(|hash| {
                let since = *unused.entry(*hash).or_insert(now);
                at_start || now.saturating_sub(since) >= GRACE
            })
            .collect();
        for hash in &gone {
            unused.remove(hash);
            self.packages.delete(hash).await?;
        }
        let mut folders: Vec<PathBuf> = gone.iter().map(|hash| self.folder(hash)).collect();
        if at_start {
            folders.extend(
                names.iter().filter(|name| name.starts_with(NEW_PREFIX)).map(|name| self.unpacked.join(name)),
            );
        }
        blocking(move || {
            for folder in folders {
                match fs::remove_dir_all(folder) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            Ok(())
        })
        .await?
        .map_err(disk)?;
        Ok(gone.len())
    }
}

fn store(error: StoreError) -> PackageError {
    PackageError::Disk(io::Error::other(error))
}

/// Like [`blocking`], for work on a package.
async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PackageError> + Send + 'static,
) -> Result<T, PackageError> {
    blocking(work).await.map_err(store)?
}

fn list(folder: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|found| found.map(|entry| entry.file_name().into_string().ok()));
    names.filter_map(io::Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;
    use crate::{
        base::{Timestamp, clock::MockClock, rng::SeededRng},
        functions::package::hostile::{Entry, archive, package},
    };

    fn shelf(data: &Path) -> (Shelf, Arc<MockClock>) {
        let clock = MockClock::at(Timestamp::from_seconds(0));
        (Shelf::open(data, clock.clone(), Arc::new(SeededRng::new(1))).unwrap(), clock)
    }

    fn names(folder: impl AsRef<Path>) -> Vec<String> {
        list(folder.as_ref()).unwrap()
    }

    #[tokio::test]
    async fn a_package_is_there_zipped_and_unpacked() {
        let data = tempfile::tempdir().unwrap();
        let (shelf, _) = shelf(data.path());
        let zip = Bytes::from(package("hello"));
        let hash = shelf.put(zip.clone()).await.unwrap().hash;
        assert_eq!(shelf.put(zip.clone()).await.unwrap().hash, hash, "twice is as good as once");
        assert_eq!(shelf.zipped(&hash).await.unwrap(), Some(zip));
        assert!(shelf.folder(&hash).join("index.js").is_file());
        assert_eq!(names(data.path().join("unpacked")), [hash.hex()]);
    }

    #[tokio::test]
    async fn a_refused_or_checked_package_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let (shelf, _) = shelf(data.path());
        assert!(shelf.put(archive(&[Entry::file("../x", "")]).into()).await.is_err());
        assert!(shelf.check(archive(&[Entry::file("../x", "")]).into()).await.is_err());
        let zip = Bytes::from(package("hello"));
        assert_eq!(shelf.check(zip.clone()).await.unwrap(), PackageHash::of(&zip));
        assert!(names(data.path().join("unpacked")).is_empty());
        assert!(names(data.path().join("packages")).is_empty());
    }

    #[tokio::test]
    async fn a_lost_folder_is_unpacked_anew_and_a_lost_package_is_an_error() {
        let data = tempfile::tempdir().unwrap();
        let (shelf, _) = shelf(data.path());
        let hash = shelf.put(package("hello").into()).await.unwrap().hash;
        fs::remove_dir_all(shelf.folder(&hash)).unwrap();
        assert!(shelf.ensure(hash).await.unwrap().join("index.js").is_file());
        assert!(shelf.ensure(PackageHash::of(b"other")).await.is_err());
    }

    #[tokio::test]
    async fn the_start_clears_away_whatever_nothing_refers_to() {
        let data = tempfile::tempdir().unwrap();
        let (shelf, _) = shelf(data.path());
        let kept = shelf.put(package("kept").into()).await.unwrap().hash;
        let gone = shelf.put(package("gone").into()).await.unwrap().hash;
        fs::create_dir(data.path().join("unpacked/.new-1")).unwrap();
        fs::write(data.path().join("unpacked/.new-1/half"), "x").unwrap();
        assert_eq!(shelf.sweep(true, || HashSet::from([kept])).await.unwrap(), 1);
        assert_eq!(names(data.path().join("unpacked")), [kept.hex()]);
        assert_eq!(shelf.zipped(&gone).await.unwrap(), None);
        assert!(shelf.zipped(&kept).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn while_running_an_unused_package_is_kept_for_an_hour() {
        let data = tempfile::tempdir().unwrap();
        let (shelf, clock) = shelf(data.path());
        let hash = shelf.put(package("hello").into()).await.unwrap().hash;
        fs::create_dir(data.path().join("unpacked/.new-1")).unwrap();
        assert_eq!(shelf.sweep(false, HashSet::new).await.unwrap(), 0);
        clock.advance(GRACE - Duration::from_secs(1));
        assert_eq!(shelf.sweep(false, HashSet::new).await.unwrap(), 0);
        // Used again for a moment: the hour begins anew.
        assert_eq!(shelf.sweep(false, || HashSet::from([hash])).await.unwrap(), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(shelf.sweep(false, HashSet::new).await.unwrap(), 0);
        clock.advance(GRACE);
        assert_eq!(shelf.sweep(false, HashSet::new).await.unwrap(), 1);
        assert_eq!(names(data.path().join("unpacked")), [".new-1"], "what is being unpacked is left alone");
    }

    #[tokio::test]
    async fn a_package_on_its_way_to_its_row_is_not_swept_away() {
        let data = tempfile::tempdir().unwrap();
        let (shelf, _) = shelf(data.path());
        let shelved = shelf.put(package("hello").into()).await.unwrap();
        assert!(shelf.sweep(true, HashSet::new).now_or_never().is_none(), "it waits");
        assert!(shelf.folder(&shelved.hash).is_dir());
    }
}
