//! A function's folder, deployed when it differs from what was deployed before.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::app::{
    cli::Failure,
    client::Remote,
    commands::deploy::{self, HANDLER, RUNTIME, Settings, Source},
    config::Config,
    doctor, package,
};

/// What was deployed.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Deployed {
    /// The size of its package.
    pub(super) bytes: usize,
    package: Vec<u8>,
    settings: Settings,
}

/// A folder, and how to make a function of it.
pub(super) struct Folder {
    source: Source,
    path: PathBuf,
    name: String,
    config: Config,
}

impl Folder {
    /// The folder that the command names, which must be there.
    pub(super) fn open(source: &Source, config: &Config) -> Result<Self, Failure> {
        let path = source
            .folder
            .canonicalize()
            .map_err(|cause| format!("{} cannot be read: {cause}", source.folder.display()))?;
        if !path.is_dir() {
            return Err(
                format!("{} is no folder: name the one with the function's code", path.display()).into()
            );
        }
        let mut source = source.clone();
        source.folder = path.clone();
        let name = Settings::gather(&source)?.name;
        Ok(Self { source, path, name, config: config.clone() })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The function's name when the command began.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Deploys the folder as it is now; `None` if it is as it was `before`.
    pub(super) async fn deploy(
        &self,
        remote: &Remote,
        before: Option<&Deployed>,
    ) -> Result<Option<Deployed>, Failure> {
        // Read anew: `callgate.toml` may be what was saved.
        let settings = Settings::gather(&self.source)?;
        if settings.name != self.name {
            return Err(format!(
                "it is called {} now and was {} at the start: end callgate dev and begin anew",
                settings.name, self.name
            )
            .into());
        }
        let path = self.path.clone();
        let package = tokio::task::spawn_blocking(move || package::pack_quickly(&path)).await??;
        if before.is_some_and(|before| before.package == package && before.settings == settings) {
            return Ok(None);
        }
        self.check_syntax(&settings).await?;
        deploy::put(remote, &settings, &package).await?;
        Ok(Some(Deployed { bytes: package.len(), package, settings }))
    }

    /// Has Node.js parse the handler's file: what does not parse would only be found out by the next call, and would have
    /// taken the place of something that worked.
    async fn check_syntax(&self, settings: &Settings) -> Result<(), Failure> {
        let handler = settings.handler.as_deref().unwrap_or(HANDLER);
        let Some(file) = handler_file(&self.path, handler) else { return Ok(()) };
        let runtime = settings.runtime.as_deref().unwrap_or(RUNTIME);
        let own = self.config.runtime.versions.0.get(runtime).cloned();
        let Some(node) = own.or_else(|| doctor::find_node(&self.config)) else { return Ok(()) };
        let checked = Command::new(node).arg("--check").arg(file).env_clear().output().await?;
        if checked.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&checked.stderr);
        // The error itself; what follows is where in Node.js it was found.
        let error: Vec<&str> = said.lines().take_while(|line| !line.starts_with("    at ")).collect();
        Err(format!("it does not parse.\n{}", error.join("\n").trim_end()).into())
    }
}

/// The file that a handler's name means, if it is one of the folder's own.
fn handler_file(folder: &Path, handler: &str) -> Option<PathBuf> {
    let (parent, file) = handler.rsplit_once('/').map_or(("", handler), |(parent, file)| (parent, file));
    let module = file.split('.').next().filter(|module| !module.is_empty())?;
    let parent = folder.join(parent.trim_start_matches("/var/task").trim_start_matches('/'));
    ["js", "mjs", "cjs"]
        .into_iter()
        .map(|extension| parent.join(format!("{module}.{extension}")))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handlers_file_is_found_as_the_runtime_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lib")).unwrap();
        for name in ["index.mjs", "lib/app.js"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = |handler| handler_file(folder.path(), handler);
        assert_eq!(found("index.handler"), Some(folder.path().join("index.mjs")));
        assert_eq!(found("lib/app.nested.go"), Some(folder.path().join("lib/app.js")));
        assert_eq!(found("/var/task/lib/app.go"), Some(folder.path().join("lib/app.js")));
        assert_eq!(found("gone.handler"), None);
    }
}
