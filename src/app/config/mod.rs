//! The configuration: sections of fields, read from flags, environment variables and a TOML file, in that order.
//!
//! Each section is declared once, in its own file, with the documentation and the default of each field; the struct, the
//! reading and the table in `docs/configuration.md` follow from it. Nothing is passed over: an unknown key, section or
//! variable, a value of the wrong type and a combination that is not safe are all reported at once, each with its place.

mod data;
mod field;
mod idempotency;
mod identity;
mod keys;
mod limits;
mod log;
mod node_versions;
mod oidc;
mod outbound;
mod policy;
mod reader;
mod rules;
mod runtime;
mod sandbox;
mod section;
mod server;
mod table;
mod words;

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use reader::Reader;
pub use reader::{Override, Problem};
pub use section::FieldInfo;
use section::Section;
pub use {
    data::Data,
    idempotency::Idempotency,
    identity::Identity,
    keys::Keys,
    limits::Limits,
    log::{Format, Level, Log},
    node_versions::NodeVersions,
    oidc::Oidc,
    outbound::Outbound,
    policy::Policy,
    runtime::Runtime,
    sandbox::{Isolation, Reach, Sandbox},
    server::Server,
    table::{effective, reference},
    words::{BaseUrl, Origin},
};

/// Declares the sections that there are, in the order in which the table shows them.
macro_rules! sections {
    ($($(#[doc = $doc:literal])+ $name:ident: $section:ty,)+) => {
        /// The whole configuration.
        #[derive(Clone, PartialEq, Debug, Default)]
        pub struct Config {
            $(
                $(#[doc = $doc])+
                pub $name: $section,
            )+
        }

        impl Config {
            fn read(mut reader: Reader<'_>) -> (Self, Vec<Problem>) {
                let config = Self { $($name: <$section>::read(&mut reader),)+ };
                let known: Vec<_> = config
                    .sections()
                    .into_iter()
                    .map(|section| (section.name, section.fields.iter().map(|field| field.name).collect()))
                    .collect();
                let problems = reader.finish(&known);
                (config, problems)
            }

            /// What the documentation says of every section, with the values in force.
            pub fn sections(&self) -> Vec<SectionInfo> {
                vec![
                    $(SectionInfo {
                        name: <$section>::NAME,
                        about: <$section>::about(),
                        fields: self.$name.fields(),
                    },)+
                ]
            }
        }
    };
}

sections! {
    /// Where and how the gateway listens.
    server: Server,
    /// Where it keeps what it must not lose.
    data: Data,
    /// How often and how much at once.
    limits: Limits,
    /// The key ring.
    keys: Keys,
    /// OpenID Connect issuers.
    oidc: Oidc,
    /// Identity pools.
    identity: Identity,
    /// Retries that run once.
    idempotency: Idempotency,
    /// What policies are told of this gateway.
    policy: Policy,
    /// Requests sent on somebody's word.
    outbound: Outbound,
    /// Where functions run.
    sandbox: Sandbox,
    /// What functions run on.
    runtime: Runtime,
    /// What the gateway itself writes.
    log: Log,
}

/// What the documentation says of one section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SectionInfo {
    /// The table's name in the file.
    pub name: &'static str,
    /// Its documentation.
    pub about: String,
    /// Its fields.
    pub fields: Vec<FieldInfo>,
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// The file could not be read.
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// These things are wrong with it.
    Problems(Vec<Problem>),
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, cause } => {
                write!(f, "the configuration file {} cannot be read: {cause}", path.display())
            }
            Self::Problems(problems) => {
                match problems.len() {
                    1 => f.write_str("there is a problem with the configuration:")?,
                    count => write!(f, "there are {count} problems with the configuration:")?,
                }
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl Config {
    /// Reads the configuration from `overrides` (flags), `environment` and `file`, earlier ones winning, and checks it.
    pub fn load(
        overrides: &[Override],
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            None => None,
            Some(path) => match std::fs::read_to_string(path) {
                Ok(text) => Some((path, text)),
                Err(cause) => return Err(ConfigError::File { path: path.to_owned(), cause }),
            },
        };
        let file = text.as_ref().map(|(path, text)| (*path, text.as_str()));
        let (config, mut problems) = Self::read(Reader::new(overrides, environment, file));
        // What holds between fields is worth saying only of fields that could be read.
        if problems.is_empty() {
            config.server.validate(&mut problems);
            config.sandbox.validate(&mut problems);
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError::Problems(problems)) }
    }
}

#[cfg(test)]
mod tests;
