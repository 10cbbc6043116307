//! Sandboxes by themselves: started generic, bound and called by hand, without functions and dispatch around them.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use callgate::sandbox::{
    Binding, Control, Exit, HostUser, Link, Means, Process, RuntimeFiles, Spawner, Spec,
    link::Event,
    protocol::{self, Frame, Invoke},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    processes,
    stand::{gateway, mark, program, users},
};

/// A function's package.
const CODE: &str = "
const fs = require('node:fs');
const { execFileSync, spawn, spawnSync } = require('node:child_process');
exports.handler = async (event) => {
  try { return await eval(event); } catch (error) { return error.code ?? error.message; }
};";

/// Where sandboxes are started.
pub struct Ground {
    pub spawner: Spawner,
    spec: Arc<Spec>,
    pub mark: u32,
    pub folder: TempDir,
}

/// A sandbox.
pub struct Bare {
    pub process: Process,
    pub link: Link,
    pub control: Control,
    _user: HostUser,
}

impl Ground {
    /// With all that this machine has.
    pub fn new() -> Self {
        Self::with(Means::find(users(), gateway()).unwrap())
    }

    /// Without control groups, as where the gateway may have none.
    pub fn without_groups() -> Self {
        let watch = callgate::sandbox::memory_watch::Watch::start().unwrap();
        Self::with(Means { groups: None, watch: Some(watch), ..Means::find(users(), gateway()).unwrap() })
    }

    fn with(means: Means) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mark = mark();
        let spec = Spec {
            bwrap: program("bwrap"),
            node: program("node"),
            sdk: None,
            runtime: RuntimeFiles::unpack(&folder.path().join("runtime")).unwrap().folder().to_owned(),
            processes_max: mark,
            largest_heap: false,
            boot_environment: Vec::new(),
        };
        let package = folder.path().join("package");
        fs::create_dir(&package).unwrap();
        fs::write(package.join("index.js"), CODE).unwrap();
        for (path, mode) in [(&package, 0o755), (&package.join("index.js"), 0o644)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        Self { spawner: Spawner::new(2, 10, means).unwrap(), spec: Arc::new(spec), mark, folder }
    }

    pub fn package(&self) -> PathBuf {
        self.folder.path().join("package")
    }

    /// A sandbox that has said READY and is nobody's yet.
    pub async fn generic(&self) -> Bare {
        let started = self.spawner.start(self.spec.clone(), |started| async { started }).await.unwrap();
        let mut bare = Bare {
            process: started.process,
            link: started.link,
            control: started.control,
            _user: started.user,
        };
        assert!(matches!(bare.frame().await.unwrap(), Frame::Ready(_)));
        bare
    }

    pub fn binding(&self) -> Binding {
        Binding { mounts: vec![(self.package(), "/var/task")], memory_mb: 256, tmp_mb: 64 }
    }

    /// A sandbox with the package above.
    pub async fn bound(&self) -> Bare {
        let mut bare = self.generic().await;
        bare.bind(&self.binding()).await;
        bare
    }

    /// Looks that nothing is left of sandboxes that were dropped.
    pub async fn close(self, groups: Vec<PathBuf>) {
        processes::Living::of(self.mark).ended().await;
        gone(&groups).await;
    }
}

/// Waits until all of these are gone.
pub async fn gone(paths: &[PathBuf]) {
    let there = |path: &PathBuf| Path::exists(path);
    for _ in 0..1_000 {
        if !paths.iter().any(there) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("still there: {paths:?}");
}

impl Bare {
    /// The next frame that is no log; `None` at the end.
    pub async fn frame(&mut self) -> Option<Frame> {
        loop {
            match self.link.event().await {
                Ok(Event::Frame(Frame::Log(_)) | Event::Output(_)) => {}
                Ok(Event::Frame(frame)) => return Some(frame),
                Err(_) => return None,
            }
        }
    }

    pub async fn bind(&mut self, binding: &Binding) {
        self.control.bind(binding).await.unwrap();
        let names = json!({
            "protocol": protocol::VERSION, "functionName": "fn", "functionVersion": "$LATEST",
            "memoryLimitInMB": binding.memory_mb.to_string(), "handler": "index.handler",
            "taskRoot": "/var/task", "runtime": "nodejs22.x", "model": "modern",
            "heapLimitMb": binding.memory_mb, "dataLimitMb": 1_024, "region": "us-east-1",
            "logGroupName": "/group", "logStreamName": "stream", "environment": {},
        });
        let frame = protocol::bind(&serde_json::to_vec(&names).unwrap()).unwrap();
        self.link.write(&frame, &[]).await.unwrap();
        match self.frame().await {
            Some(Frame::Bound(bound)) => assert!(bound.starts_with(br#"{"ok":true"#), "{bound:?}"),
            other => panic!("{other:?}"),
        }
    }

    /// Evaluates an expression inside; how it ended, if it did not answer.
    pub async fn evaluate(&mut self, expression: &str) -> Result<Value, Exit> {
        self.send(expression).await;
        match self.answer().await {
            Some(json) => Ok(serde_json::from_slice(&json).unwrap()),
            None => {
                let exit = self.process.wait().await.unwrap();
                Err(if self.control.oom_killed() { Exit::OutOfMemory } else { exit })
            }
        }
    }

    pub async fn send(&mut self, expression: &str) {
        let payload = Value::from(expression).to_string();
        let invoke = Invoke {
            id: &[7; 16],
            deadline_ms: 1 << 50,
            frozen_ms: 0,
            meta: b"{}",
            payload_length: payload.len(),
        };
        self.link.write(&protocol::invoke(&invoke).unwrap(), payload.as_bytes()).await.unwrap();
    }

    pub async fn answer(&mut self) -> Option<Bytes> {
        match self.frame().await {
            Some(Frame::Result { json, .. }) => Some(json),
            None => None,
            other => panic!("{other:?}"),
        }
    }
}
