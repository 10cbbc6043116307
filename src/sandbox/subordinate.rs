//! Users that are subordinate to an ordinary one (subuid(5)): a user namespace that has them, made with the help of
//! `newuidmap` and `newgidmap`, which may say who is who in it.

use std::{
    fs, io,
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
};

use rustix::fs::{Mode, OFlags, open};

use super::{detect::find_program, process};

/// Fewer than this are no use.
const COUNT_MIN: u32 = 256;

/// Why an ordinary user has no subordinate ones. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NoSubordinate {
    /// The user has no name.
    #[error("user {0} has no line in /etc/passwd")]
    NoName(u32),
    /// No range.
    #[error(
        "user {name} has no {COUNT_MIN} ids in {file}: as root, usermod --add-subuids 2000000-2065535 --add-subgids \
         2000000-2065535 {name}"
    )]
    NoRange {
        /// Whose.
        name: String,
        /// Where.
        file: &'static str,
    },
    /// The programs are missing.
    #[error("newuidmap and newgidmap are not installed: apt-get install uidmap")]
    NoProgram,
    /// User namespaces are not to be had.
    #[error("user namespaces cannot be made: {0}")]
    NoNamespace(io::Error),
    /// They refused.
    #[error("{program} refused: {said}")]
    Refused {
        /// Which program.
        program: &'static str,
        /// What it said.
        said: String,
    },
}

/// A range of ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    first: u32,
    count: u32,
}

/// A user namespace in which the gateway's user is 0 and as many others as are told follow. It lasts as long as its descriptor.
pub(super) fn namespace() -> Result<(OwnedFd, u32), NoSubordinate> {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(&passwd, uid).ok_or(NoSubordinate::NoName(uid))?;
    let range = |file| {
        let ranges = fs::read_to_string(file).unwrap_or_default();
        range_of(&ranges, name, uid).ok_or_else(|| NoSubordinate::NoRange { name: name.to_owned(), file })
    };
    let (uids, gids) = (range("/etc/subuid")?, range("/etc/subgid")?);
    // Each sandbox has a group of the same number as its user.
    let count = uids.count.min(gids.count);
    let mut holder = Holder::start().map_err(NoSubordinate::NoNamespace)?;
    for (program, own, range) in [("newuidmap", uid, uids), ("newgidmap", gid, gids)] {
        let path = find_program(program).ok_or(NoSubordinate::NoProgram)?;
        let numbers = [holder.0.id(), 0, own, 1, 1, range.first, count].map(|number| number.to_string());
        let ran = Command::new(path).args(numbers).stdin(Stdio::null()).output();
        let said = match ran {
            Ok(output) if output.status.success() => continue,
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        return Err(NoSubordinate::Refused { program, said });
    }
    let path = format!("/proc/{}/ns/user", holder.0.id());
    let opened = open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    holder.end();
    Ok((opened.map_err(|error| NoSubordinate::NoNamespace(error.into()))?, count))
}

/// A process in a new user namespace, which is there to be named.
struct Holder(Child);

impl Holder {
    fn start() -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        // It waits for its input to end, which it does at the latest with the gateway.
        command.args(["-c", "read _"]).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        process::before_exec(&mut command, process::own_users);
        Ok(Self(command.spawn()?))
    }

    fn end(&mut self) {
        process::end(&mut self.0);
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.end();
    }
}

/// The name of a user, from the text of `/etc/passwd`.
fn name_of(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

/// The first range of a user that is large enough, from the text of `/etc/subuid` or `/etc/subgid`.
fn range_of(ranges: &str, name: &str, uid: u32) -> Option<Range> {
    ranges.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let whose = fields.next()?;
        let range = Range { first: fields.next()?.parse().ok()?, count: fields.next()?.parse().ok()? };
        ((whose == name || whose.parse() == Ok(uid)) && range.count >= COUNT_MIN).then_some(range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ranges_are_read() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\ngate:x:1000:1000::/home/gate:/bin/sh\n";
        assert_eq!(name_of(passwd, 1_000), Some("gate"));
        assert_eq!(name_of(passwd, 7), None);
        let ranges = "other:100000:65536\ngate:165536:10\ngate:231072:65536\n12:300000:1000\nbroken\n";
        assert_eq!(range_of(ranges, "gate", 1_000), Some(Range { first: 231_072, count: 65_536 }));
        assert_eq!(range_of(ranges, "twelve", 12), Some(Range { first: 300_000, count: 1_000 }));
        assert_eq!(range_of(ranges, "nobody", 65_534), None);
    }
}
