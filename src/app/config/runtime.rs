//! `[runtime]`: Node.js.

use std::path::PathBuf;

use super::{node_versions::NodeVersions, section::section};

section! {
    /// What functions run on.
    "runtime" Runtime {
        /// The Node.js executable; the first `node` on the PATH unless set.
        node: Option<PathBuf> = None;
        /// Other Node.js executables for some runtimes, such as `{ "nodejs20.x" = "/opt/node20/bin/node" }`; all others run on
        /// `node`.
        versions: NodeVersions = NodeVersions::default();
        /// Where `callgate setup` puts the AWS SDK that functions find without packaging it; `sdk` in the data directory
        /// unless set. A `node_modules` of your own there is taken, too.
        sdk_dir: Option<PathBuf> = None;
    }
}
