//! What is saved in a folder, as the kernel tells it.

use std::{path::Path, time::Duration};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, CreateKind},
};
use tokio::{sync::mpsc, time::timeout};

use super::matters;
use crate::app::cli::Failure;

/// What is saved is taken up when nothing more has come for this long: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(40);
/// It is taken up after so many steps at the latest.
const STEPS_MAX: u32 = 25;
/// A new folder is watched only after its first files may be there: it is looked at once more after this time.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Change {
    /// Something was saved.
    Saved,
    /// A folder was made, or the kernel lost count.
    Unclear,
}

/// The changes of a folder and all below it.
pub(super) struct Changes {
    heard: mpsc::Receiver<Change>,
    second_look: bool,
    // It is told for as long as this lives.
    _watcher: RecommendedWatcher,
}

/// Changes that wait. One that finds no room says nothing that those do not.
const WAITING_MAX: usize = 64;

impl Changes {
    /// From now on.
    pub(super) fn of(folder: &Path) -> Result<Self, Failure> {
        let (told, heard) = mpsc::channel(WAITING_MAX);
        let root = folder.to_owned();
        let tell = move |event: notify::Result<Event>| {
            if let Some(change) = event.map_or(Some(Change::Unclear), |event| change(&event, &root)) {
                let _ = told.try_send(change);
            }
        };
        let refused = |cause: notify::Error| -> Failure {
            format!(
                "{} cannot be watched: {cause}. If it holds very many folders: sysctl fs.inotify.max_user_watches=1000000",
                folder.display()
            )
            .into()
        };
        let mut watcher = notify::recommended_watcher(tell).map_err(refused)?;
        watcher.watch(folder, RecursiveMode::Recursive).map_err(refused)?;
        Ok(Self { heard, second_look: false, _watcher: watcher })
    }

    /// Waits until something was saved and then nothing more for a moment.
    pub(super) async fn next(&mut self) -> Result<(), Failure> {
        let first = if std::mem::take(&mut self.second_look) {
            match timeout(SECOND_LOOK, self.heard.recv()).await {
                Ok(first) => first,
                Err(_) => return Ok(()),
            }
        } else {
            self.heard.recv().await
        };
        let mut change = first.ok_or("the folder is watched no more")?;
        for _ in 0..STEPS_MAX {
            self.second_look |= change == Change::Unclear;
            match timeout(QUIET, self.heard.recv()).await {
                Ok(Some(more)) => change = more,
                Ok(None) | Err(_) => break,
            }
        }
        Ok(())
    }
}

/// What an event means; `None` for mere reading, which deploying does itself, and for files that are no part of a package.
fn change(event: &Event, root: &Path) -> Option<Change> {
    if event.need_rescan() {
        return Some(Change::Unclear);
    }
    if !event.paths.iter().any(|path| matters(root, path)) {
        return None;
    }
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Change::Saved),
        EventKind::Access(_) => None,
        EventKind::Create(CreateKind::Folder) => Some(Change::Unclear),
        _ => Some(Change::Saved),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn what_is_saved_is_told_and_what_is_read_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("lib")).unwrap();
        fs::write(folder.path().join("lib/a.js"), "1").unwrap();
        let mut changes = Changes::of(folder.path()).unwrap();
        fs::read(folder.path().join("lib/a.js")).unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::write(folder.path().join("lib/a.js"), "2").unwrap();
        timeout(SOON, changes.next()).await.unwrap().unwrap();
        assert!(!changes.second_look, "neither reading nor .git counts");
        fs::rename(folder.path().join("lib/a.js"), folder.path().join("lib/b.js")).unwrap();
        timeout(SOON, changes.next()).await.unwrap().unwrap();
        fs::remove_file(folder.path().join("lib/b.js")).unwrap();
        timeout(SOON, changes.next()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_new_folder_is_looked_at_twice() {
        let folder = tempfile::tempdir().unwrap();
        let mut changes = Changes::of(folder.path()).unwrap();
        fs::create_dir_all(folder.path().join("new/deep")).unwrap();
        timeout(SOON, changes.next()).await.unwrap().unwrap();
        assert!(changes.second_look);
        timeout(SOON, changes.next()).await.unwrap().unwrap();
    }
}
