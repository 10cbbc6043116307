//! Functions that mean harm, and what must hold after each: a neighbour's sandbox answers as before, and no process is left.

use std::{collections::BTreeMap, fs, process::Command, sync::OnceLock};

use callgate::dispatch::FunctionError;
use serde_json::Value;

use super::stand::{Stand, package_of, value};

/// The program of `probe.c`, compiled once a test run.
pub fn probe() -> &'static [u8] {
    static PROBE: OnceLock<Vec<u8>> = OnceLock::new();
    PROBE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let (source, program) = (folder.path().join("probe.c"), folder.path().join("probe"));
        fs::write(&source, include_str!("probe.c")).unwrap();
        let compiled = Command::new("cc").arg("-o").arg(&program).arg(&source).output().unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        fs::read(&program).unwrap()
    })
}

/// A hostile function `fn` beside a neighbour.
pub struct Hostile {
    pub stand: Stand,
}

impl Hostile {
    /// One that has this code, and the probe at `/var/task/probe`.
    pub async fn with(code: &str) -> Self {
        Self::of(code, 0o755).await
    }

    /// The same; the probe's file has this mode.
    pub async fn of(code: &str, mode: u32) -> Self {
        let stand = Stand::new().await;
        stand.deploy("neighbour", "exports.handler = async (event) => event").await;
        let files = [("index.js", 0o644, code.as_bytes()), ("probe", mode, probe())];
        stand.deploy_package("fn", package_of(&files), |settings| settings.timeout_seconds = Some(15)).await;
        let first = stand.outcome("neighbour", "1").await;
        assert!(first.cold.is_some());
        Self { stand }
    }

    /// One whose handler has this body, an `async` function's with `event`, `context`, `fs`, `run` (the probe, its lines split).
    pub async fn handling(body: &str) -> Self {
        Self::with(&handler(body)).await
    }

    /// What the hostile function returns.
    pub async fn value(&self, payload: &str) -> Value {
        self.stand.value("fn", payload).await
    }

    /// The error that a call of it ends in.
    pub async fn error(&self, payload: &str) -> (String, String) {
        let (kind, error) = self.stand.error("fn", payload).await;
        assert_eq!(kind, FunctionError::Unhandled);
        let text = |name: &str| error[name].as_str().unwrap().to_owned();
        (text("errorType"), text("errorMessage"))
    }

    /// Looks that the neighbour's sandbox is unharmed, and ends all.
    pub async fn over(self) {
        let again = self.stand.outcome("neighbour", "2").await;
        assert_eq!((value(&again), again.cold), (Value::from(2), None), "the neighbour is unharmed");
        self.stand.close().await;
    }
}

/// A module whose handler has this body.
pub fn handler(body: &str) -> String {
    format!(
        "const fs = require('node:fs');
const {{ execFileSync, spawn, spawnSync }} = require('node:child_process');
const run = (...given) => execFileSync('/var/task/probe', given.map(String), {{ encoding: 'utf8' }}).trim().split('\\n');
exports.handler = async (event, context) => {{ {body} }};"
    )
}

/// Runs the probe in a sandbox, as `node`'s child: what it tried, and what came of it. `{{node}}` is Node.js's process id.
pub async fn tried(arguments: &str) -> BTreeMap<String, String> {
    let hostile = Hostile::handling(&format!("return run({arguments})")).await;
    let tried = hostile.value("").await;
    hostile.over().await;
    let lines = tried.as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(what, result)| (what.into(), result.into()))
        .collect()
}

/// Asserts that all tries ended so, but those listed.
pub fn all_end(tried: &BTreeMap<String, String>, usual: &str, others: &[(&str, &str)]) {
    for (what, result) in tried {
        let other = others.iter().find(|(name, _)| name == what);
        assert_eq!(result, other.map_or(usual, |(_, result)| result), "{what} of {tried:?}");
    }
    for (name, _) in others {
        assert!(tried.contains_key(*name), "{name} was not tried");
    }
}
