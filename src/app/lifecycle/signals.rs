//! What tells a gateway to end or to reload: the process's signals, or a test.

use std::io;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

/// What a gateway is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// To drain and end; told once more, to end at once.
    End,
    /// To read its certificate and its limits again.
    Reload,
}

/// Where a gateway hears what it is told.
#[derive(Debug)]
pub struct Signals {
    told: mpsc::Receiver<Told>,
}

/// More signals than this at once say nothing new.
const WAITING_MAX: usize = 8;

impl Signals {
    /// Those of this process: SIGTERM and SIGINT end, SIGHUP reloads.
    pub fn of_process() -> io::Result<Self> {
        let (sender, signals) = Self::by_hand();
        let heard = [
            (SignalKind::terminate(), Told::End),
            (SignalKind::interrupt(), Told::End),
            (SignalKind::hangup(), Told::Reload),
        ];
        for (kind, told) in heard {
            tokio::spawn(forward(signal(kind)?, told, sender.clone()));
        }
        Ok(signals)
    }

    /// Whatever is sent here.
    pub fn by_hand() -> (mpsc::Sender<Told>, Self) {
        let (sender, told) = mpsc::channel(WAITING_MAX);
        (sender, Self { told })
    }

    /// The next thing told. Nobody left to tell means to end.
    pub async fn next(&mut self) -> Told {
        self.told.recv().await.unwrap_or(Told::End)
    }

    /// Waits until told to end.
    pub async fn end(&mut self) {
        while self.next().await != Told::End {}
    }
}

async fn forward(mut signal: Signal, told: Told, sender: mpsc::Sender<Told>) {
    while signal.recv().await.is_some() {
        // A full channel holds enough of the same already.
        if let Err(mpsc::error::TrySendError::Closed(_)) = sender.try_send(told) {
            return;
        }
    }
}
