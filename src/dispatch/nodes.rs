//! Which Node.js a function runs on.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The Node.js programs there are: one for every runtime, and others for some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nodes {
    default: PathBuf,
    versions: BTreeMap<String, PathBuf>,
}

impl Nodes {
    /// `default` for all runtimes but those that `versions` names, such as `nodejs20.x`.
    pub fn new(default: PathBuf, versions: BTreeMap<String, PathBuf>) -> Self {
        Self { default, versions }
    }

    /// The program for every runtime that has none of its own.
    pub fn default(&self) -> &Path {
        &self.default
    }

    /// The program for this runtime.
    pub fn of(&self, runtime: &str) -> &Path {
        self.versions.get(runtime).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_has_its_own_node_or_the_one_of_all() {
        let versions = BTreeMap::from([("nodejs20.x".to_owned(), PathBuf::from("/opt/20/node"))]);
        let nodes = Nodes::new(PathBuf::from("/usr/bin/node"), versions);
        assert_eq!(nodes.of("nodejs20.x"), Path::new("/opt/20/node"));
        assert_eq!(nodes.of("nodejs22.x"), Path::new("/usr/bin/node"));
        assert_eq!(nodes.of("nodejs"), Path::new("/usr/bin/node"));
    }
}
