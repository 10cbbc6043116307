//! The states of a sandbox, and every way from one to another.

/// Where a sandbox stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Node.js boots.
    Booting,
    /// It is nobody's yet, and waits to become a function's.
    Generic,
    /// The function loads.
    Loading,
    /// It waits for an invocation.
    Idle,
    /// It is being frozen.
    Freezing,
    /// It waits for an invocation, and everything in it stands still.
    Frozen,
    /// An invocation was written to it, and its caller waits.
    Running,
    /// An invocation was written to it, and its caller has left: its answer is still to be read.
    Owing,
    /// It is not used again.
    Ended,
}

/// What happens to a sandbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Node.js has booted.
    Booted,
    /// It is bound to a function.
    Bound,
    /// The function is loaded.
    Loaded,
    /// It has been idle for long enough.
    Rested,
    /// Everything in it stands still.
    Froze,
    /// Everything in it goes on.
    Thawed,
    /// An invocation is about to be written.
    Taken,
    /// The answer was read.
    Answered,
    /// The caller left before the answer.
    Abandoned,
    /// It crashed, ran out of time, did not stop when told, broke the protocol, or said that it is spent.
    Failed,
    /// It was idle for too long, its function changed, or the gateway goes down.
    Retired,
}

impl State {
    /// Where `event` leads; `None` if it cannot happen here, which is a defect of the caller's.
    pub fn after(self, event: Event) -> Option<Self> {
        use Event::{
            Abandoned, Answered, Booted, Bound, Failed, Froze, Loaded, Rested, Retired, Taken, Thawed,
        };
        match (self, event) {
            (Self::Booting, Booted) => Some(Self::Generic),
            (Self::Generic, Bound) => Some(Self::Loading),
            (Self::Loading, Loaded) | (Self::Running | Self::Owing, Answered) | (Self::Frozen, Thawed) => {
                Some(Self::Idle)
            }
            (Self::Idle, Rested) => Some(Self::Freezing),
            (Self::Freezing, Froze) => Some(Self::Frozen),
            (Self::Idle, Taken) => Some(Self::Running),
            (Self::Running, Abandoned) => Some(Self::Owing),
            // Whoever runs is ended by its time-out or its answer, and whoever freezes by the freezer.
            (Self::Booting | Self::Generic | Self::Loading | Self::Idle | Self::Frozen, Retired) => {
                Some(Self::Ended)
            }
            (Self::Ended, Failed) => None,
            (_, Failed) => Some(Self::Ended),
            (
                _,
                Abandoned | Answered | Booted | Bound | Froze | Loaded | Rested | Retired | Taken | Thawed,
            ) => None,
        }
    }

    /// Whether it owes an answer.
    pub fn owes(self) -> bool {
        matches!(self, Self::Running | Self::Owing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 9] = [
        State::Booting,
        State::Generic,
        State::Loading,
        State::Idle,
        State::Freezing,
        State::Frozen,
        State::Running,
        State::Owing,
        State::Ended,
    ];
    const EVENTS: [Event; 11] = [
        Event::Booted,
        Event::Bound,
        Event::Loaded,
        Event::Taken,
        Event::Answered,
        Event::Abandoned,
        Event::Rested,
        Event::Froze,
        Event::Thawed,
        Event::Failed,
        Event::Retired,
    ];

    #[test]
    fn every_state_and_event() {
        let mut table = String::new();
        for state in STATES {
            for event in EVENTS {
                if let Some(next) = state.after(event) {
                    table.push_str(&format!("{state:?} {event:?} {next:?}\n"));
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        Booting Booted Generic
        Booting Failed Ended
        Booting Retired Ended
        Generic Bound Loading
        Generic Failed Ended
        Generic Retired Ended
        Loading Loaded Idle
        Loading Failed Ended
        Loading Retired Ended
        Idle Taken Running
        Idle Rested Freezing
        Idle Failed Ended
        Idle Retired Ended
        Freezing Froze Frozen
        Freezing Failed Ended
        Frozen Thawed Idle
        Frozen Failed Ended
        Frozen Retired Ended
        Running Answered Idle
        Running Abandoned Owing
        Running Failed Ended
        Owing Answered Idle
        Owing Failed Ended
        ");
    }

    #[test]
    fn only_an_idle_sandbox_is_taken_and_an_ended_one_stays_so() {
        for state in STATES {
            assert_eq!(state.after(Event::Taken).is_some(), state == State::Idle);
        }
        for event in EVENTS {
            assert_eq!(State::Ended.after(event), None);
        }
    }
}
