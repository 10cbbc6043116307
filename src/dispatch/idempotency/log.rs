//! The segment files on disk, and the one thread that writes them.
//!
//! Whatever waits is written together and synced once (group commit). Files are only appended to; one that is full is closed and
//! the next begun, and a start begins a new one. A file is rewritten without what is dead in it when that is most of it, or when
//! something in it must not be there any longer, and removed when nothing in it counts.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::segment::{self, Found, Read};
use crate::base::KeyRing;

/// How long a file grows, in bytes.
const SEGMENT_MAX: u64 = 16 << 20;
/// How many writes wait, at most.
const QUEUE_MAX: usize = 1024;
/// How many KiB of writes wait, at most; the longest answer is 6 MiB.
const QUEUE_KIB_MAX: u32 = 64 << 10;
/// How many writes are synced together, and from how many bytes on no more are added.
const BATCH_MAX: usize = 256;
const BATCH_BYTES: usize = 8 << 20;
const ENDING: &str = "seg";

/// A segment file.
#[derive(Debug)]
pub(super) struct Segment {
    number: u64,
    file: File,
    length: AtomicU64,
    /// Bytes of records that count.
    live: AtomicU64,
    /// Whether something in it must not be there any longer.
    must_go: AtomicBool,
}

/// Where a record stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    segment: Arc<Segment>,
    at: u64,
    length: u64,
}

impl Place {
    /// Whether this is the same place.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.segment, &other.segment) && self.at == other.at
    }

    /// The record counts no more.
    pub(super) fn release(&self) {
        self.segment.live.fetch_sub(self.length, Ordering::Relaxed);
    }

    fn count(self) -> Self {
        self.segment.live.fetch_add(self.length, Ordering::Relaxed);
        self
    }

    /// Reads the record's bytes. It waits for the disk.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.length).map_err(io::Error::other)?];
        self.segment.file.read_exact_at(&mut bytes, self.at)?;
        Ok(bytes)
    }
}

/// Knows which records count, and hears where they are put.
pub(super) trait Owner: Send + Sync {
    /// Whether this record, which stands here, still counts.
    fn counts(&self, found: &Found, place: &Place) -> bool;
    /// It stands in another place now. False if it counts no more.
    fn moved(&self, found: &Found, from: &Place, to: &Place) -> bool;
}

type Then = Box<dyn FnOnce(Option<Place>) + Send>;

enum Order {
    /// Write this frame, and say where it stands once it is on disk; `None` if it could not be.
    Append { frame: Vec<u8>, then: Then, _room: OwnedSemaphorePermit },
    /// Rewrite and remove what should be.
    Tidy { owner: Arc<dyn Owner> },
    /// Everything in these files that does not count must go.
    Purge { owner: Arc<dyn Owner>, done: oneshot::Sender<bool> },
}

/// The files, as those see them who have something written.
#[derive(Debug)]
pub(super) struct Log {
    orders: std::sync::Mutex<Option<mpsc::Sender<Order>>>,
    room: Arc<Semaphore>,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
}

/// A file that was there at the start.
pub(super) struct Opened<'s> {
    pub(super) read: Read,
    segment: &'s Arc<Segment>,
}

impl Opened<'_> {
    /// The place of a record in it, which counts from now on.
    pub(super) fn place(&self, found: &Found) -> Place {
        Place { segment: self.segment.clone(), at: found.at as u64, length: found.length as u64 }.count()
    }

    /// The file's number, for messages.
    pub(super) fn number(&self) -> u64 {
        self.segment.number
    }
}

impl Log {
    /// Opens the files of a folder, which is made if it is not there, shows each of them in their order, and begins a thread
    /// that writes.
    pub(super) fn open(
        folder: &Path,
        ring: Arc<KeyRing>,
        mut show: impl FnMut(&Opened<'_>),
    ) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut numbers = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match (path.extension().and_then(|ending| ending.to_str()), number(&path)) {
                (Some(ENDING), Some(number)) => numbers.push(number),
                // Half of a rewritten file: the whole one is still there.
                (Some("new"), _) => fs::remove_file(&path)?,
                _ => {}
            }
        }
        numbers.sort_unstable();
        let mut segments = Vec::with_capacity(numbers.len());
        for number in &numbers {
            let path = path(folder, *number);
            let bytes = fs::read(&path)?;
            let read = segment::read(&bytes, &ring);
            let segment = Arc::new(Segment::of(*number, File::open(&path)?, bytes.len() as u64));
            show(&Opened { read, segment: &segment });
            segments.push(segment);
        }
        let next = numbers.last().map_or(1, |last| last + 1);
        let files = Files { folder: folder.to_owned(), ring, segments, current: None, next };
        let (orders, queue) = mpsc::channel(QUEUE_MAX);
        let thread =
            std::thread::Builder::new().name("idempotency-log".to_owned()).spawn(move || files.run(queue))?;
        Ok(Self {
            orders: std::sync::Mutex::new(Some(orders)),
            room: Arc::new(Semaphore::new(QUEUE_KIB_MAX as usize)),
            thread: std::sync::Mutex::new(Some(thread)),
        })
    }

    fn orders(&self) -> Option<mpsc::Sender<Order>> {
        self.orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Has a frame written, as soon as there is room in the queue; `then` is told when it is on disk, or `None` if it will not
    /// be, on the thread that writes.
    pub(super) async fn append(&self, frame: Vec<u8>, then: impl FnOnce(Option<Place>) + Send + 'static) {
        let kib = u32::try_from(frame.len() / 1024 + 1).unwrap_or(u32::MAX).min(QUEUE_KIB_MAX);
        let then: Then = Box::new(then);
        let (Ok(room), Some(orders)) = (self.room.clone().acquire_many_owned(kib).await, self.orders())
        else {
            return then(None);
        };
        if let Err(mpsc::error::SendError(Order::Append { then, .. })) =
            orders.send(Order::Append { frame, then, _room: room }).await
        {
            then(None);
        }
    }

    /// The same where nobody can wait: false if there is no room.
    pub(super) fn try_append(&self, frame: Vec<u8>) -> bool {
        let kib = u32::try_from(frame.len() / 1024 + 1).unwrap_or(u32::MAX).min(QUEUE_KIB_MAX);
        let (Ok(room), Some(orders)) = (self.room.clone().try_acquire_many_owned(kib), self.orders()) else {
            return false;
        };
        orders.try_send(Order::Append { frame, then: Box::new(drop), _room: room }).is_ok()
    }

    /// Has it on disk before it returns; `None` if that cannot be.
    pub(super) async fn write(&self, frame: Vec<u8>) -> Option<Place> {
        let (done, written) = oneshot::channel();
        self.append(frame, move |place| drop(done.send(place))).await;
        written.await.ok().flatten()
    }

    /// Has files rewritten that are mostly dead, and removed that are wholly so. Does nothing while the queue is full: it is
    /// asked again.
    pub(super) fn tidy(&self, owner: Arc<dyn Owner>) {
        if let Some(orders) = self.orders() {
            let _ = orders.try_send(Order::Tidy { owner });
        }
    }

    /// Has everything gone from the disk that counts no more; false if it cannot be.
    pub(super) async fn purge(&self, owner: Arc<dyn Owner>) -> bool {
        let (done, purged) = oneshot::channel();
        let Some(orders) = self.orders() else { return false };
        orders.send(Order::Purge { owner, done }).await.is_ok() && purged.await.unwrap_or(false)
    }

    /// Writes what waits, and ends the thread. It waits for the disk.
    pub(super) fn close(&self) {
        drop(self.orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes idempotency keys had failed");
        }
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.{ENDING}"))
}

fn number(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl Segment {
    fn of(number: u64, file: File, length: u64) -> Self {
        Self {
            number,
            file,
            length: AtomicU64::new(length),
            live: AtomicU64::new(0),
            must_go: AtomicBool::new(false),
        }
    }

    fn create(path: &Path, number: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path)?;
        Ok(Self::of(number, file, 0))
    }

    fn length(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }

    fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }
}

/// What the thread works with.
struct Files {
    folder: PathBuf,
    ring: Arc<KeyRing>,
    /// Those that are closed, in their order.
    segments: Vec<Arc<Segment>>,
    current: Option<Arc<Segment>>,
    next: u64,
}

impl Files {
    fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        while let Some(order) = queue.blocking_recv() {
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut next = Some(order);
            let mut other = None;
            while let Some(order) = next.take() {
                match order {
                    Order::Append { frame, then, _room } => {
                        bytes += frame.len();
                        batch.push((frame, then, _room));
                        if batch.len() < BATCH_MAX && bytes < BATCH_BYTES {
                            next = queue.try_recv().ok();
                        }
                    }
                    order => other = Some(order),
                }
            }
            self.commit(batch);
            match other {
                Some(Order::Tidy { owner }) => {
                    self.rewrite_where(&*owner, |segment| segment.live() * 2 < segment.length());
                }
                Some(Order::Purge { owner, done }) => {
                    self.close_current();
                    self.segments.iter().for_each(|segment| segment.must_go.store(true, Ordering::Relaxed));
                    let _ = done.send(self.rewrite_where(&*owner, |_| false));
                }
                Some(Order::Append { .. }) | None => {}
            }
        }
    }

    /// Writes these together; each hears where it stands.
    fn commit(&mut self, batch: Vec<(Vec<u8>, Then, OwnedSemaphorePermit)>) {
        if batch.is_empty() {
            return;
        }
        let frames: Vec<&[u8]> = batch.iter().map(|(frame, ..)| frame.as_slice()).collect();
        let written = self.append(&frames);
        if let Err(cause) = &written {
            tracing::error!(%cause, "idempotency keys could not be written; the calls that need them are refused");
            // What came onto the disk of it is not known: nothing is written behind it.
            self.close_current();
        }
        let mut at = written.as_ref().map_or(0, |(_, at)| *at);
        for (frame, then, _room) in batch {
            let length = frame.len() as u64;
            let place = written
                .as_ref()
                .ok()
                .map(|(segment, _)| Place { segment: segment.clone(), at, length }.count());
            at += length;
            then(place);
        }
    }

    fn append(&mut self, frames: &[&[u8]]) -> io::Result<(Arc<Segment>, u64)> {
        if self.current.as_ref().is_some_and(|current| current.length() >= SEGMENT_MAX) {
            self.close_current();
        }
        let segment = match &self.current {
            Some(current) => current.clone(),
            None => {
                let made = Segment::create(&path(&self.folder, self.next), self.next)?;
                self.next += 1;
                sync_folder(&self.folder)?;
                let made = Arc::new(made);
                self.current = Some(made.clone());
                made
            }
        };
        let bytes = frames.concat();
        (&segment.file).write_all(&bytes)?;
        segment.file.sync_data()?;
        let at = segment.length.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok((segment, at))
    }

    fn close_current(&mut self) {
        self.segments.extend(self.current.take());
    }

    /// Rewrites the closed files for which this is so and those in which something must go, and removes the empty ones.
    fn rewrite_where(&mut self, owner: &dyn Owner, dead: impl Fn(&Segment) -> bool) -> bool {
        let mut whole = true;
        let mut kept = Vec::with_capacity(self.segments.len());
        for segment in std::mem::take(&mut self.segments) {
            if !segment.must_go.load(Ordering::Relaxed) && !dead(&segment) {
                kept.push(segment);
                continue;
            }
            match self.rewrite(&segment, owner) {
                Ok(rewritten) => kept.extend(rewritten),
                Err(cause) => {
                    whole = false;
                    let path = path(&self.folder, segment.number);
                    tracing::error!(path = %path.display(), %cause, "a file of idempotency keys could not be rewritten");
                    kept.push(segment);
                }
            }
        }
        self.segments = kept;
        whole
    }

    /// Writes a file anew with what counts in it, and puts it in the old one's place; `None` if nothing does.
    fn rewrite(&self, segment: &Arc<Segment>, owner: &dyn Owner) -> io::Result<Option<Arc<Segment>>> {
        let path = path(&self.folder, segment.number);
        let bytes = fs::read(&path)?;
        let read = segment::read(&bytes, &self.ring);
        let place = |found: &Found, segment: &Arc<Segment>, at| Place {
            segment: segment.clone(),
            at,
            length: found.length as u64,
        };
        let counts: Vec<&Found> = read
            .found
            .iter()
            .filter(|found| owner.counts(found, &place(found, segment, found.at as u64)))
            .collect();
        if counts.is_empty() {
            fs::remove_file(&path)?;
            sync_folder(&self.folder)?;
            return Ok(None);
        }
        if counts.len() == read.found.len() && read.damaged + read.torn == 0 {
            segment.must_go.store(false, Ordering::Relaxed);
            return Ok(Some(segment.clone()));
        }
        let new = path.with_extension("new");
        if new.exists() {
            fs::remove_file(&new)?;
        }
        let rewritten = Arc::new(Segment::create(&new, segment.number)?);
        let kept: Vec<&[u8]> =
            counts.iter().filter_map(|found| bytes.get(found.at..found.at + found.length)).collect();
        let kept = kept.concat();
        (&rewritten.file).write_all(&kept)?;
        rewritten.file.sync_all()?;
        fs::rename(&new, &path)?;
        sync_folder(&self.folder)?;
        rewritten.length.store(kept.len() as u64, Ordering::Relaxed);
        let mut at = 0;
        for found in counts {
            let to = place(found, &rewritten, at).count();
            at += found.length as u64;
            if !owner.moved(found, &place(found, segment, found.at as u64), &to) {
                to.release();
            }
        }
        Ok(Some(rewritten))
    }
}
