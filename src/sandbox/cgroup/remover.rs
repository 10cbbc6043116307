//! Removing groups. The kernel refuses for a moment after the last process has ended (EBUSY), so a thread tries again.

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::tree::kill_all;

/// How often a group is tried, and how long is waited in between: ten seconds in all.
const TRIES_MAX: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(10);

/// A group to remove, and what keeps others off it meanwhile.
pub type Removal = (PathBuf, Option<OwnedFd>);

/// Takes folders of groups that are to go, with all that is below them and in them.
pub fn start() -> io::Result<mpsc::Sender<Removal>> {
    // As long as there are sandboxes that end, and each is here once.
    let (sender, taken) = mpsc::channel::<Removal>();
    thread::Builder::new().name("cgroups".to_owned()).spawn(move || run(&taken))?;
    Ok(sender)
}

fn run(taken: &mpsc::Receiver<Removal>) {
    let mut left: Vec<(Removal, u32)> = Vec::new();
    loop {
        let next = if left.is_empty() {
            taken.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected)
        } else {
            taken.recv_timeout(PAUSE)
        };
        match next {
            Ok(group) => left.push((group, 0)),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            // The last of the gateway's sandboxes is gone, or about to be.
            Err(mpsc::RecvTimeoutError::Disconnected) if left.is_empty() => return,
            Err(mpsc::RecvTimeoutError::Disconnected) => thread::park_timeout(PAUSE),
        }
        left.extend(taken.try_iter().map(|group| (group, 0)));
        left.retain_mut(|((group, _lock), tries)| {
            *tries += 1;
            match remove(group) {
                Err(error) if *tries < TRIES_MAX => {
                    tracing::trace!(group = %group.display(), %error, "a control group is still in use");
                    true
                }
                Err(error) => {
                    tracing::warn!(group = %group.display(), %error, "a control group could not be removed");
                    false
                }
                Ok(()) => false,
            }
        });
    }
}

fn remove(group: &Path) -> io::Result<()> {
    if let Ok(below) = fs::read_dir(group) {
        for child in below.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            kill_all(&child.path());
            let _ = fs::remove_dir(child.path());
        }
    }
    kill_all(group);
    match fs::remove_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
