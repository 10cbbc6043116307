//! `[sandbox]`: where functions run.

use super::{
    Problem,
    field::{Field, Given, quote},
    section::section,
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
        /// How many sandboxes are kept ready at least, with Node.js booted, for functions that have none.
        prewarmed_min: u32 = 1, 0 to 1_000;
        /// How many are kept ready at most; between the two it is as many as were wanted in the last ten seconds.
        prewarmed_max: u32 = 8, 0 to 1_000;
        /// The first of the user ids that sandboxes run as, each with one of its own, when the gateway runs as root.
        uid_base: u32 = 300_000, 1_000 to 4_000_000_000;
        /// How many user ids there are for sandboxes.
        uid_count: u32 = 65_536, 1 to 1_000_000;
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
    pub(super) fn validate(&self, problems: &mut Vec<Problem>) {
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
