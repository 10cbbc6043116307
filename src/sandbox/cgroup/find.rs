//! Where this process stands in the machine's control groups: version 2 alone, version 1, or both (hybrid).

use std::path::{Path, PathBuf};

/// Which of the kernel's two interfaces a hierarchy has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// One hierarchy for each controller, or a few.
    V1,
    /// One for all.
    V2,
}

/// A mounted hierarchy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hierarchy {
    /// Its interface.
    pub version: Version,
    /// Version 1: its controllers. (Those of version 2 are told by a file in each group.)
    pub controllers: Vec<String>,
    /// The folder of the group that this process is in.
    pub own: PathBuf,
}

/// The hierarchies, from the texts of `/proc/self/mountinfo` and `/proc/self/cgroup` (cgroups(7)).
pub fn hierarchies(mountinfo: &str, memberships: &str) -> Vec<Hierarchy> {
    mountinfo.lines().filter_map(|line| hierarchy(line, memberships)).collect()
}

fn hierarchy(mount: &str, memberships: &str) -> Option<Hierarchy> {
    let (before, after) = mount.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, at) = (before.next()?, before.next()?);
    let mut after = after.split(' ');
    let version = match after.next()? {
        "cgroup" => Version::V1,
        "cgroup2" => Version::V2,
        _ => return None,
    };
    let options: Vec<&str> = after.nth(1)?.split(',').collect();
    let (controllers, path) = memberships.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let belongs = match version {
            Version::V2 => controllers.is_empty(),
            // `name=systemd` has no controller, and is for systemd alone.
            Version::V1 => {
                controllers.split(',').all(|name| options.contains(&name)) && !controllers.contains('=')
            }
        };
        belongs.then_some((controllers, path))
    })?;
    // In a container the mount may show a part of the hierarchy alone.
    let below = match path.strip_prefix(root) {
        Some(below) if root != "/" => below,
        _ => path,
    };
    let controllers = match version {
        Version::V1 => controllers.split(',').map(str::to_owned).collect(),
        Version::V2 => Vec::new(),
    };
    Some(Hierarchy { version, controllers, own: Path::new(at).join(below.trim_start_matches('/')) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(mountinfo: &str, memberships: &str) -> Vec<(Version, String, String)> {
        hierarchies(mountinfo, memberships)
            .into_iter()
            .map(|found| (found.version, found.controllers.join(","), found.own.display().to_string()))
            .collect()
    }

    #[test]
    fn every_layout_is_read() {
        let v2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(
            found(v2, "0::/system.slice/callgate.service"),
            [(Version::V2, String::new(), "/sys/fs/cgroup/system.slice/callgate.service".to_owned())]
        );
        let hybrid = "40 1 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      41 1 0:32 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      42 1 0:33 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n\
                      43 1 0:34 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                      44 1 0:35 / /tmp rw - tmpfs tmpfs rw";
        let memberships = "9:name=systemd:/\n4:memory:/a/b\n2:cpu,cpuacct:/\n0::/";
        assert_eq!(
            found(hybrid, memberships),
            [
                (Version::V1, "memory".to_owned(), "/sys/fs/cgroup/memory/a/b".to_owned()),
                (Version::V1, "cpu,cpuacct".to_owned(), "/sys/fs/cgroup/cpu,cpuacct/".to_owned()),
                (Version::V2, String::new(), "/sys/fs/cgroup/unified/".to_owned()),
            ]
        );
        let container = "40 1 0:31 /docker/x /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids";
        assert_eq!(
            found(container, "8:pids:/docker/x/inner"),
            [(Version::V1, "pids".to_owned(), "/sys/fs/cgroup/pids/inner".to_owned())]
        );
    }
}
