//! The states of a sandbox, and every way from one to another.

/// Where a sandbox stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Node.js boots, the function loads.
    Starting,
    /// It waits for an invocation.
    Idle,
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
    /// The function is loaded.
    Loaded,
    /// An invocation is about to be written.
    Taken,
    /// The answer was read.
    Answered,
    /// The caller left before the answer.
    Abandoned,
    /// It crashed, ran out of time, broke the protocol, or said that it is spent.
    Failed,
    /// It was idle for too long, its function changed, or the gateway goes down.
    Retired,
}

impl State {
    /// Where `event` leads; `None` if it cannot happen here, which is a defect of the caller's.
    pub fn after(self, event: Event) -> Option<Self> {
        use Event::{Abandoned, Answered, Failed, Loaded, Retired, Taken};
        match (self, event) {
            (Self::Starting, Loaded) | (Self::Running | Self::Owing, Answered) => Some(Self::Idle),
            (Self::Idle, Taken) => Some(Self::Running),
            (Self::Running, Abandoned) => Some(Self::Owing),
            (Self::Starting | Self::Idle | Self::Running | Self::Owing, Failed)
            | (Self::Starting | Self::Idle, Retired) => Some(Self::Ended),
            (Self::Starting | Self::Owing | Self::Ended, Taken)
            | (Self::Starting | Self::Idle | Self::Ended, Answered)
            | (Self::Starting | Self::Idle | Self::Owing | Self::Ended, Abandoned)
            | (Self::Idle | Self::Running | Self::Owing | Self::Ended, Loaded)
            | (Self::Running | Self::Owing | Self::Ended, Retired)
            | (Self::Running, Taken)
            | (Self::Ended, Failed) => None,
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

    const STATES: [State; 5] = [State::Starting, State::Idle, State::Running, State::Owing, State::Ended];

    #[test]
    fn every_state_and_event() {
        use Event::{Abandoned, Answered, Failed, Loaded, Retired, Taken};
        let mut table = String::new();
        for state in STATES {
            for event in [Loaded, Taken, Answered, Abandoned, Failed, Retired] {
                if let Some(next) = state.after(event) {
                    table.push_str(&format!("{state:?} {event:?} {next:?}\n"));
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        Starting Loaded Idle
        Starting Failed Ended
        Starting Retired Ended
        Idle Taken Running
        Idle Failed Ended
        Idle Retired Ended
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
        for event in
            [Event::Loaded, Event::Taken, Event::Answered, Event::Abandoned, Event::Failed, Event::Retired]
        {
            assert_eq!(State::Ended.after(event), None);
        }
    }
}
