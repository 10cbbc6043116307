//! `[log]`: what the gateway itself writes to standard error.

use tracing_subscriber::EnvFilter;

use super::{
    field::{Field, Given, quote},
    section::section,
};

section! {
    /// What the gateway itself writes to standard error.
    "log" Log {
        /// `text` for people or `json` for machines, one object a line.
        format: Format = Format::Text;
        /// What is written: a level (`error`, `warn`, `info`, `debug`, `trace`) or directives such as
        /// `info,callgate::edge=debug`.
        level: Level = Level("info".to_owned());
    }
}

/// The form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Field for Format {
    const KIND: &'static str = "\"text\" or \"json\"";

    fn read(given: &Given<'_>) -> Option<Self> {
        match given.text()? {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> Option<String> {
        Some(quote(match self {
            Self::Text => "text",
            Self::Json => "json",
        }))
    }
}

/// Directives of `tracing`'s filter that were found to be well formed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Level(String);

impl Level {
    /// What somebody wants to see who writes a function: what it logs, and what is amiss.
    pub fn of_developing() -> Self {
        Self("warn,callgate::function=debug".to_owned())
    }

    /// The filter that the directives make.
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::builder().parse_lossy(&self.0)
    }
}

impl Field for Level {
    const KIND: &'static str =
        "a level such as \"info\", or directives such as \"info,callgate::edge=debug\"";

    fn read(given: &Given<'_>) -> Option<Self> {
        let text = given.text().filter(|text| !text.is_empty())?;
        // A bare word that is no level would be taken for a target's name and silence everything else.
        let well_formed = text.split(',').map(str::trim).all(|directive| {
            directive.contains(['=', '[', ':'])
                || matches!(directive, "error" | "warn" | "info" | "debug" | "trace" | "off")
        });
        (well_formed && EnvFilter::builder().parse(text).is_ok()).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.0))
    }
}
