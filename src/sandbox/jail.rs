//! The jail: bubblewrap's command line, and what is done between fork and exec.

use std::{
    ffi::{CStr, CString, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change},
    process::Uid,
    thread::{
        Gid, LinkNameSpaceType, move_into_link_name_space, set_thread_groups, set_thread_res_gid,
        set_thread_res_uid,
    },
};

use super::{
    cgroup::Entrances,
    child::{self, Birth},
    users::HostUser,
};

/// What runs in a sandbox that is nobody's yet, and with what. All that is a function's comes later
/// ([`super::Control::bind`]).
#[derive(Clone, Debug)]
pub struct Spec {
    /// The bubblewrap program.
    pub bwrap: PathBuf,
    /// The Node.js program.
    pub node: PathBuf,
    /// The unpacked runtime: `pid1`, `bootstrap/`, `etc/`.
    pub runtime: PathBuf,
    /// The AWS SDK's `node_modules`, mounted read-only at `/var/node_modules`, where modules of `/var/task` find what is not
    /// in their own.
    pub sdk: Option<PathBuf>,
    /// Processes and threads it may have at once.
    pub processes_max: u32,
    /// Whether Node.js boots with the heap of the largest function there is, instead of what it takes by itself.
    pub largest_heap: bool,
    /// Variables that must be there before Node.js boots (`NODE_OPTIONS`, `LD_…`); all others come with BIND.
    pub boot_environment: Vec<(String, String)>,
}

/// A sandbox's ends of its channels.
#[derive(Debug)]
pub struct Ends {
    /// The socket it reads requests from.
    pub requests: OwnedFd,
    /// The socket it writes answers to.
    pub answers: OwnedFd,
    /// Takes its standard output and error.
    pub output: OwnedFd,
}

/// The user and group inside.
const INSIDE_ID: &str = "993";
/// The sandbox's own descriptors, and those of bubblewrap's options and its filters of system calls.
const REQUESTS_FD: RawFd = 3;
const ANSWERS_FD: RawFd = 4;
const OPTIONS_FD: RawFd = 5;
const ALLOW_FD: RawFd = 6;
const REFUSE_FD: RawFd = 7;
/// `runtime/seccomp/filter.toml`, compiled by `build.rs`. The one that refuses is loaded last: its word is the one that is
/// told where both refuse.
const ALLOW: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/seccomp-allow.bpf"));
const REFUSE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/seccomp-refuse.bpf"));
/// The bootstrap has a native part, whatever the function's NODE_OPTIONS say of its own.
const NODE_OPTION: &str = "--addons";
/// The heap of the largest function there is; BIND lowers it (`heapLimitMb`). Its youngest part is as small in every version of
/// Node.js as it was in 20 and 22: it comes on top of the limit, three times. Any option of V8 makes the boot dearer.
const LARGEST_HEAP: [&str; 2] = ["--max-old-space-size=9216", "--max-semi-space-size=16"];
/// A private tmpfs is laid here before bubblewrap starts, to make things reachable that only root may reach: bubblewrap
/// then runs as a user who may not enter the data directory. Every Linux system has the folder, and no sandbox needs the
/// host's.
const STAGE: &CStr = c"/tmp";
const STAGED_RUNTIME: &CStr = c"/tmp/runtime";
const STAGED_NODE: &CStr = c"/tmp/node";
const STAGED_SDK: &CStr = c"/tmp/sdk";

impl Spec {
    /// Bubblewrap's options, each ended by a zero byte, as `--args` takes them: given on the command line they could be read
    /// inside.
    fn options(&self, runtime: &Path, node: &Path, sdk: Option<&Path>) -> Vec<u8> {
        let mut options = Options::default();
        options
            .words("--unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-net --unshare-cgroup");
        options.words(
            "--disable-userns --hostname sandbox --die-with-parent --new-session --cap-drop ALL --as-pid-1",
        );
        options.words("--uid").word(INSIDE_ID).words("--gid").word(INSIDE_ID);
        options.words("--clearenv --setenv PATH /usr/local/bin:/usr/bin:/bin --setenv HOME /tmp");
        for (name, value) in &self.boot_environment {
            options.words("--setenv").word(name).word(value);
        }
        options.words("--size 1048576 --tmpfs /");
        for folder in ["/usr/bin", "/usr/lib", "/usr/lib64"] {
            options.words("--ro-bind-try").word(folder).word(folder);
        }
        options.words("--ro-bind-try /usr/share/zoneinfo /usr/share/zoneinfo");
        options.words("--symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64");
        options.words("--ro-bind").word(node).word("/var/lang/bin/node");
        options.words("--ro-bind").word(runtime.join("bootstrap")).word("/var/runtime");
        options.words("--ro-bind").word(runtime.join("pid1")).word("/var/lang/bin/pid1");
        options.words("--ro-bind").word(runtime.join("etc")).word("/etc");
        options.words("--ro-bind-try /etc/ssl/certs /etc/ssl/certs");
        if let Some(sdk) = sdk {
            options.words("--ro-bind").word(sdk).word("/var/node_modules");
        }
        // Where a function's files are mounted later. The loader takes a folder of its search path that it has not found once
        // for one that is never there: those for libraries are there from the first.
        options
            .words("--dir /var/task --dir /var/task/lib --dir /opt --dir /opt/lib --proc /proc --dev /dev");
        options.words("--perms 1777 --size 16777216 --tmpfs /dev/shm --remount-ro /dev");
        // Until it is bound, when it gets the size that the function has.
        options.words("--perms 1777 --size 1048576 --tmpfs /tmp");
        options.words("--chdir /tmp --remount-ro /");
        for filter in [ALLOW_FD, REFUSE_FD] {
            options.words("--add-seccomp-fd").word(filter.to_string());
        }
        options.0
    }

    /// What starts the sandbox: bubblewrap, as `user`, in the control groups that `entrances` lead to.
    pub(super) fn birth(&self, user: &HostUser, entrances: Entrances, ends: Ends) -> io::Result<Birth> {
        let Ends { requests, answers, output } = ends;
        let staged = user.id().is_some();
        let stage = |staged_at: &CStr, path: &Path| {
            if staged {
                PathBuf::from(OsString::from(staged_at.to_string_lossy().as_ref()))
            } else {
                path.to_owned()
            }
        };
        let options = self.options(
            &stage(STAGED_RUNTIME, &self.runtime),
            &stage(STAGED_NODE, &self.node),
            self.sdk.as_ref().map(|sdk| stage(STAGED_SDK, sdk)).as_deref(),
        );
        let options = memory_file("options", &options)?;
        let (processes_max, options_fd) = (self.processes_max.to_string(), OPTIONS_FD.to_string());
        let own = [
            "--args",
            &options_fd,
            "--",
            "/var/lang/bin/pid1",
            &processes_max,
            "/var/lang/bin/node",
            NODE_OPTION,
        ];
        let arguments = ["bwrap"].into_iter().chain(own);
        let arguments = arguments.chain(LARGEST_HEAP.into_iter().filter(|_| self.largest_heap));
        let arguments =
            arguments.chain(["/var/runtime/index.js"]).map(CString::new).collect::<Result<_, _>>()?;
        let Entrances { threads, birth, process } = entrances;
        let prepare = Prepare {
            requests,
            answers,
            options,
            allow: memory_file("allow", ALLOW)?,
            refuse: memory_file("refuse", REFUSE)?,
            uid: user.id(),
            namespace: user.namespace()?,
            threads,
            process,
            runtime: c_path(&self.runtime)?,
            node: c_path(&self.node)?,
            sdk: self.sdk.as_deref().map(c_path).transpose()?,
        };
        Ok(Birth {
            program: c_path(&self.bwrap)?,
            arguments,
            input: child::nothing()?,
            output,
            group: birth,
            prepare: Box::new(move |is_in_group| prepare.run(is_in_group)),
        })
    }
}

#[derive(Default)]
struct Options(Vec<u8>);

impl Options {
    fn words(&mut self, words: &str) -> &mut Self {
        for word in words.split_ascii_whitespace() {
            self.word(word);
        }
        self
    }

    fn word(&mut self, word: impl AsRef<std::ffi::OsStr>) -> &mut Self {
        self.0.extend_from_slice(word.as_ref().as_bytes());
        self.0.push(0);
        self
    }
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from)
}

/// A file in memory that holds `bytes`, to be read from its start.
fn memory_file(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    use std::io::{Seek, Write};
    let fd = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(fd);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// What the child does between fork and exec: system calls alone, since the gateway has other threads whose locks, the
/// allocator's among them, may be held at the moment of the fork.
struct Prepare {
    requests: OwnedFd,
    answers: OwnedFd,
    options: OwnedFd,
    allow: OwnedFd,
    refuse: OwnedFd,
    uid: Option<u32>,
    namespace: Option<OwnedFd>,
    threads: Vec<OwnedFd>,
    process: Option<OwnedFd>,
    runtime: CString,
    node: CString,
    sdk: Option<CString>,
}

impl Prepare {
    fn run(&self, is_in_group: bool) -> io::Result<()> {
        for entrance in self.threads.iter().chain(self.process.iter().filter(|_| !is_in_group)) {
            rustix::io::write(entrance, b"0")?;
        }
        if let Some(namespace) = &self.namespace {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::User))?;
        }
        if let Some(uid) = self.uid {
            self.stage()?;
            let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
            set_thread_groups(&[])?;
            set_thread_res_gid(group, group, group)?;
            set_thread_res_uid(user, user, user)?;
        }
        let places = [
            (&self.requests, REQUESTS_FD),
            (&self.answers, ANSWERS_FD),
            (&self.options, OPTIONS_FD),
            (&self.allow, ALLOW_FD),
            (&self.refuse, REFUSE_FD),
        ];
        // First out of each other's way: one may stand where another is to be.
        let raised = places.map(|(fd, number)| (rustix::io::fcntl_dupfd_cloexec(fd, REFUSE_FD + 1), number));
        for (fd, number) in raised {
            crate::sandbox::process::place(&fd?, number)?;
        }
        // Whatever else the gateway has open, and forgot to mark, stays outside.
        crate::sandbox::process::close_on_exec_from(REFUSE_FD + 1)
    }

    /// As root, if only of a namespace: reaches into folders that the sandbox's user may not enter, in a mount namespace of this child's own.
    fn stage(&self) -> io::Result<()> {
        crate::sandbox::process::own_mounts()?;
        mount_change(c"/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
        // What is to be staged may itself lie below the stage: take hold of it before the stage covers it.
        let hold = |path: &CStr| rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let (runtime, node) = (hold(&self.runtime)?, hold(&self.node)?);
        let sdk = self.sdk.as_deref().map(hold).transpose()?;
        mount(
            c"tmpfs",
            STAGE,
            c"tmpfs",
            MountFlags::NOSUID | MountFlags::NODEV,
            c"mode=755,size=64k,nr_inodes=16",
        )?;
        rustix::fs::mkdir(STAGED_RUNTIME, Mode::from(0o755))?;
        rustix::fs::open(STAGED_NODE, OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::from(0o755))?;
        if sdk.is_some() {
            rustix::fs::mkdir(STAGED_SDK, Mode::from(0o755))?;
        }
        let all = [(runtime, STAGED_RUNTIME), (node, STAGED_NODE)];
        for (source, target) in all.into_iter().chain(sdk.map(|sdk| (sdk, STAGED_SDK))) {
            let mut path = [0; 32];
            mount_bind(descriptor_path(source.as_raw_fd(), &mut path), target)?;
        }
        Ok(())
    }
}

/// `/proc/self/fd/N`, without allocating.
fn descriptor_path(fd: RawFd, buffer: &mut [u8; 32]) -> &CStr {
    const PREFIX: &[u8] = b"/proc/self/fd/";
    buffer[..PREFIX.len()].copy_from_slice(PREFIX);
    let mut digits = [0_u8; 10];
    let (mut at, mut rest) = (digits.len(), fd.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let number = &digits[at..];
    buffer[PREFIX.len()..PREFIX.len() + number.len()].copy_from_slice(number);
    CStr::from_bytes_until_nul(&buffer[..]).unwrap_or(c"/proc/self/fd/-1")
}
