//! What a deployment sets: flags over `callgate.toml` in the folder.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Source;
use crate::app::{cli::Failure, package::DEPLOYMENT_FILE};

/// What a deployment sets. What is `None` stays as it is, or gets its default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::app::commands) struct Settings {
    pub(in crate::app::commands) name: String,
    pub(super) role: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(in crate::app::commands) runtime: Option<String>,
    pub(in crate::app::commands) handler: Option<String>,
    pub(super) description: Option<String>,
    pub(super) timeout: Option<u32>,
    pub(super) memory: Option<u32>,
    pub(super) environment: Option<BTreeMap<String, String>>,
}

/// `callgate.toml`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    runtime: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<u32>,
    memory: Option<u32>,
    role: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    environment: Option<BTreeMap<String, String>>,
}

impl Settings {
    /// From the flags and the folder's file.
    pub(in crate::app::commands) fn gather(arguments: &Source) -> Result<Self, Failure> {
        let file = File::read(&arguments.folder)?;
        let name = match arguments.name.clone().or(file.name) {
            Some(name) => name,
            None => folder_name(&arguments.folder)?,
        };
        let mut tags = file.tags;
        tags.extend(arguments.tags.iter().cloned());
        let environment = if arguments.environment.is_empty() {
            file.environment
        } else {
            let mut environment = file.environment.unwrap_or_default();
            environment.extend(arguments.environment.iter().cloned());
            Some(environment)
        };
        Ok(Self {
            name,
            role: arguments.role.clone().or(file.role),
            tags,
            runtime: arguments.runtime.clone().or(file.runtime),
            handler: arguments.handler.clone().or(file.handler),
            description: file.description,
            timeout: arguments.timeout.or(file.timeout),
            memory: arguments.memory.or(file.memory),
            environment,
        })
    }

    /// The members of CreateFunction and UpdateFunctionConfiguration that are set.
    pub(super) fn configuration(&self) -> Map<String, Value> {
        let environment = self.environment.as_ref().map(|variables| json!({ "Variables": variables }));
        [
            ("Role", self.role.as_ref().map(|role| json!(role))),
            ("Runtime", self.runtime.as_ref().map(|runtime| json!(runtime))),
            ("Handler", self.handler.as_ref().map(|handler| json!(handler))),
            ("Description", self.description.as_ref().map(|description| json!(description))),
            ("Timeout", self.timeout.map(|timeout| json!(timeout))),
            ("MemorySize", self.memory.map(|memory| json!(memory))),
            ("Environment", environment),
        ]
        .into_iter()
        .filter_map(|(member, value)| Some((member.to_owned(), value?)))
        .collect()
    }
}

impl File {
    fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(DEPLOYMENT_FILE);
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|cause| format!("{}: {cause}", path.display()).into()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(cause) => Err(format!("{} cannot be read: {cause}", path.display()).into()),
        }
    }
}

/// The name that a folder's function is deployed under if no other is given.
pub(in crate::app::commands) fn name_of(folder: &Path) -> Result<String, Failure> {
    File::read(folder)?.name.map_or_else(|| folder_name(folder), Ok)
}

fn folder_name(folder: &Path) -> Result<String, Failure> {
    let path =
        fs::canonicalize(folder).map_err(|cause| format!("{} cannot be read: {cause}", folder.display()))?;
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| "the folder has no name to take: give one with --name".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Source,
    }

    fn gather(folder: &Path, flags: &[&str]) -> Result<Settings, String> {
        let line = ["deploy", folder.to_str().unwrap()].into_iter().chain(flags.iter().copied());
        Settings::gather(&Line::parse_from(line).arguments).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_folder_without_a_file_gives_its_name_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("greet");
        fs::create_dir(&path).unwrap();
        let expected = Settings { name: "greet".to_owned(), ..Settings::default() };
        assert_eq!(gather(&path, &[]), Ok(expected));
    }

    #[test]
    fn flags_win_over_the_file_and_lists_come_together() {
        let folder = tempfile::tempdir().unwrap();
        let file =
            "name = 'a'\nmemory = 256\ntimeout = 5\n[tags]\nx = '1'\ny = '1'\n[environment]\nA = '1'\n";
        fs::write(folder.path().join(DEPLOYMENT_FILE), file).unwrap();
        let settings = gather(folder.path(), &["--memory", "512", "--tag", "y=2", "--env", "B=c=d"]).unwrap();
        assert_eq!(settings.name, "a");
        assert_eq!(
            settings.tags,
            BTreeMap::from([("x", "1"), ("y", "2")].map(|(a, b)| (a.into(), b.into())))
        );
        assert_eq!(
            Value::Object(settings.configuration()),
            json!({
                "Timeout": 5, "MemorySize": 512, "Environment": { "Variables": { "A": "1", "B": "c=d" } }
            })
        );
    }

    #[test]
    fn a_folders_function_has_the_files_name_or_the_folders() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("greet");
        fs::create_dir(&path).unwrap();
        assert_eq!(name_of(&path).unwrap(), "greet");
        fs::write(path.join(DEPLOYMENT_FILE), "name = 'a'").unwrap();
        assert_eq!(name_of(&path).unwrap(), "a");
    }

    #[test]
    fn an_unknown_key_in_the_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DEPLOYMENT_FILE), "memori = 256\n").unwrap();
        let error = gather(folder.path(), &[]).unwrap_err();
        assert!(error.contains("callgate.toml") && error.contains("memori"), "{error}");
    }
}
