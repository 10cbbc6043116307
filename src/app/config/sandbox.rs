//! `[sandbox]`: where functions run.

use std::net::IpAddr;

use super::{
    Problem,
    field::{Field, Given, quote},
    section::section,
};
use crate::{
    base::{Egress, Network},
    sandbox::network::{Range, addresses::InvalidRange},
};

section! {
    /// Where functions run.
    "sandbox" Sandbox {
        /// What is between sandboxes: `separate-users` (each runs as a host user that no other has) or `shared-user` (all run as
        /// the gateway's own user, for accounts that trust each other). A gateway that is root always separates them.
        isolation: Isolation = Isolation::SeparateUsers;
        /// After how many seconds without a call a sandbox is ended.
        idle_seconds: u64 = 300, 1 to 86_400;
        /// How many sandboxes there may be at once.
        sandboxes_max: u32 = 1_000, 1 to 100_000;
        /// How many sandboxes one function may have at once.
        function_sandboxes_max: u32 = 1_000, 1 to 100_000;
        /// How many sandboxes may be starting at once; twice the number of processors unless set.
        spawn_at_once: Option<u32> = None, 1 to 1_024;
        /// How many sandboxes may wait to be started; over it calls get 429.
        spawn_queue_max: u32 = 1_000, 0 to 100_000;
        /// How many calls of one function may wait for a sandbox; over it they get 429.
        function_queue_max: u32 = 1_000, 0 to 100_000;
        /// How many milliseconds a sandbox is idle before everything in it is frozen; longer, up to a second, where it is woken
        /// soon each time.
        freeze_delay_ms: u64 = 5, 0 to 1_000;
        /// How many milliseconds a call that is told to stop may take for it before it is killed with its sandbox.
        cancel_grace_ms: u64 = 500, 0 to 60_000;
        /// How many sandboxes are kept ready at least, with Node.js booted, for functions that have none.
        prewarmed_min: u32 = 1, 0 to 1_000;
        /// How many are kept ready at most; between the two it is as many as were wanted in the last ten seconds.
        prewarmed_max: u32 = 8, 0 to 1_000;
        /// The first of the user ids that sandboxes run as, each with one of its own, when the gateway runs as root.
        uid_base: u32 = 300_000, 1_000 to 4_000_000_000;
        /// How many user ids there are for sandboxes.
        uid_count: u32 = 65_536, 1 to 1_000_000;
        /// Where functions may connect to: `internet`, public IPv4 addresses alone, or `none`. A function's tag
        /// `callgate:network` may say less: `none`, or a list of hosts and ports.
        network: Reach = Reach::Internet;
        /// Private addresses for sandboxes, none of which this host has or routes. They also stand for sandboxes as sources of
        /// calls to the gateway.
        network_range: Network = Network::new([100, 64, 0, 0].into(), 16);
        /// Whether a gateway that is root may switch on this host's IPv4 forwarding, for sandboxes alone.
        network_setup: bool = true;
    }
}

/// Where functions may connect to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Public addresses.
    Internet,
    /// Nothing.
    Nothing,
}

impl Reach {
    /// As the sandboxes' network takes it.
    pub fn egress(self) -> Egress {
        match self {
            Self::Internet => Egress::Internet,
            Self::Nothing => Egress::Nothing,
        }
    }
}

impl Field for Reach {
    const KIND: &'static str = "\"internet\" or \"none\"";

    fn read(given: &Given<'_>) -> Option<Self> {
        match given.text()? {
            "internet" => Some(Self::Internet),
            "none" => Some(Self::Nothing),
            _ => None,
        }
    }

    fn show(&self) -> Option<String> {
        Some(quote(match self {
            Self::Internet => "internet",
            Self::Nothing => "none",
        }))
    }
}

/// What is between sandboxes beside their namespaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// Each runs as a host user that no other has.
    SeparateUsers,
    /// All run as the gateway's user.
    SharedUser,
}

impl Field for Isolation {
    const KIND: &'static str = "\"separate-users\" or \"shared-user\"";

    fn read(given: &Given<'_>) -> Option<Self> {
        match given.text()? {
            "separate-users" => Some(Self::SeparateUsers),
            "shared-user" => Some(Self::SharedUser),
            _ => None,
        }
    }

    fn show(&self) -> Option<String> {
        Some(quote(match self {
            Self::SeparateUsers => "separate-users",
            Self::SharedUser => "shared-user",
        }))
    }
}

impl Sandbox {
    /// The addresses of sandboxes.
    pub fn range(&self) -> Result<Range, InvalidRange> {
        match self.network_range.address() {
            IpAddr::V4(first) => Range::new(first, self.network_range.prefix_bits()),
            IpAddr::V6(_) => Err(InvalidRange::Size),
        }
    }

    pub(super) fn validate(&self, problems: &mut Vec<Problem>) {
        if let Err(why) = self.range() {
            problems.push(Problem { place: "[sandbox] network_range".to_owned(), what: why.to_string() });
        }
        if self.uid_count < self.sandboxes_max {
            problems.push(Problem {
                place: "[sandbox] uid_count".to_owned(),
                what: format!(
                    "must be at least sandboxes_max ({}), since each sandbox runs as a user id of its own",
                    self.sandboxes_max
                ),
            });
        }
    }
}
