//! What every sandbox needs from the gateway's binary: the first process, the bootstrap with its native part and a few files
//! of `/etc`, unpacked into a folder named by their contents.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;

/// The sandbox's first process, built by `build.rs`.
const PID1: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/pid1"));
/// The bootstrap's native part, `runtime/native/sandbox.c`.
const ADDON: (&str, &[u8]) = ("sandbox.node", include_bytes!(concat!(env!("OUT_DIR"), "/sandbox.node")));
/// The files of `runtime/bootstrap/`, put together by `build.rs`.
const BOOTSTRAP: (&str, &[u8]) = ("index.js", include_bytes!(concat!(env!("OUT_DIR"), "/index.js")));

/// The sandbox's `/etc`. Its user is 993, named `sandbox`, as AWS's are named and numbered.
const ETC: &[(&str, &[u8])] = &[
    ("passwd", b"root:x:0:0:root:/root:/sbin/nologin\nsandbox:x:993:993:sandbox:/tmp:/sbin/nologin\n"),
    ("group", b"root:x:0:\nsandbox:x:993:\n"),
    ("hosts", b"127.0.0.1 localhost\n::1 localhost\n"),
    ("nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n"),
    ("resolv.conf", b"nameserver 127.0.0.1\noptions timeout:5 attempts:2\n"),
];

/// The unpacked files.
#[derive(Clone, Debug)]
pub struct RuntimeFiles {
    folder: PathBuf,
}

impl RuntimeFiles {
    /// Unpacks into a folder below `parent` that is named by a hash of everything in it. A folder that is already there is
    /// used as it is: it was renamed into place whole.
    pub fn unpack(parent: &Path) -> io::Result<Self> {
        let folder = parent.join(content_hash());
        if folder.is_dir() {
            return Ok(Self { folder });
        }
        let temporary = parent.join(format!("unpacking-{}", std::process::id()));
        let _ = fs::remove_dir_all(&temporary);
        fs::create_dir_all(temporary.join("bootstrap"))?;
        // Mount points inside the read-only /etc.
        fs::create_dir_all(temporary.join("etc/ssl/certs"))?;
        write(&temporary.join("pid1"), PID1, 0o755)?;
        for (name, contents) in [BOOTSTRAP, ADDON] {
            write(&temporary.join("bootstrap").join(name), contents, 0o644)?;
        }
        for (name, contents) in ETC {
            write(&temporary.join("etc").join(name), contents, 0o644)?;
        }
        for sub in ["", "bootstrap", "etc", "etc/ssl", "etc/ssl/certs"] {
            fs::set_permissions(temporary.join(sub), fs::Permissions::from_mode(0o755))?;
        }
        match fs::rename(&temporary, &folder) {
            // Another gateway over the same folder was faster: its files are the same.
            Err(_) if folder.is_dir() => fs::remove_dir_all(&temporary)?,
            renamed => renamed?,
        }
        Ok(Self { folder })
    }

    /// The folder: `pid1`, `bootstrap/`, `etc/`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn write(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(contents)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    // The folder is trusted once it has its name: its files must be on the disk before that.
    file.sync_all()
}

fn content_hash() -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for (name, contents) in [("pid1", PID1), BOOTSTRAP, ADDON].iter().chain(ETC) {
        hash.update(name.as_bytes());
        hash.update(&[0]);
        hash.update(&(contents.len() as u64).to_le_bytes());
        hash.update(contents);
    }
    hash.finish().as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_twice_gives_the_same_folder() {
        let parent = tempfile::tempdir().unwrap();
        let first = RuntimeFiles::unpack(parent.path()).unwrap();
        let second = RuntimeFiles::unpack(parent.path()).unwrap();
        assert_eq!(first.folder(), second.folder());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        let mode = fs::metadata(first.folder().join("pid1")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert!(first.folder().join("bootstrap/index.js").is_file());
    }
}
