//! Builds what every sandbox needs, so that the gateway can carry it: the first process, the filter of system calls, the
//! bootstrap's native part, and the bootstrap in one file.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use seccompiler::{BpfProgram, TargetArch};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    build_pid1(&out)?;
    build_addon(&out)?;
    build_filters(&out)?;
    bundle_runtime(&out)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/store/sqlite/migrations");
    Ok(())
}

/// The sandbox's first process is a program of its own: one runs in every sandbox, so it must be small.
fn build_pid1(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let source = "src/sandbox/pid1/main.rs";
    for file in [source, "src/sandbox/pid1/landlock.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let status = Command::new(env::var("RUSTC")?)
        .args([
            "--edition=2024",
            "--crate-name=callgate_pid1",
            "--crate-type=bin",
            "--target",
            &env::var("TARGET")?,
        ])
        .args(["-Copt-level=s", "-Cpanic=abort", "-Cstrip=symbols", "-Ccodegen-units=1", "-Clto=fat"])
        .arg("-o")
        .arg(out.join("pid1"))
        .arg(source)
        .status()?;
    if !status.success() {
        return Err(format!("{source} did not compile").into());
    }
    Ok(())
}

/// Puts the bootstrap's files together into one, `index.js`: one file is found, read and compiled sooner than many. Each is a
/// function of its own, called when it is first required.
fn bundle_runtime(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new("runtime/bootstrap");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "js") {
            let name = path.file_name().ok_or("a file without a name")?.to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(path)?);
        }
    }
    let mut bundle = "'use strict';\nconst files = {\n__proto__: null,\n".to_owned();
    for (name, contents) in files {
        bundle += &format!("'./{name}'(module, require) {{\n{contents}}},\n");
    }
    bundle += BUNDLE_END;
    fs::write(out.join("index.js"), bundle)?;
    Ok(())
}

/// What follows the files: as much of `require` as they need of each other.
const BUNDLE_END: &str = "};
const loaded = { __proto__: null };
function load(name) {
  if (files[name] === undefined) {
    return require(name);
  }
  if (loaded[name] === undefined) {
    loaded[name] = { exports: {} };
    files[name](loaded[name], load);
  }
  return loaded[name].exports;
}
load.cache = require.cache;
load('./index.js');
";

/// The bootstrap's native part is plain C without any header of Node.js's: one file serves every version.
fn build_addon(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let source = "runtime/native/sandbox.c";
    println!("cargo::rerun-if-changed={source}");
    let compiler = cc::Build::new().opt_level_str("s").debug(false).warnings(true).try_get_compiler()?;
    let status = compiler
        .to_command()
        .args(["-std=c11", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-s", "-Wl,-z,now"])
        .arg("-o")
        .arg(out.join("sandbox.node"))
        .arg(source)
        .status()?;
    if !status.success() {
        return Err(format!("{source} did not compile").into());
    }
    Ok(())
}

/// Compiles `runtime/seccomp/filter.toml` into `seccomp-allow.bpf` and `seccomp-refuse.bpf`, in the kernel's own form.
fn build_filters(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let source = "runtime/seccomp/filter.toml";
    println!("cargo::rerun-if-changed={source}");
    let rules: toml::Table = fs::read_to_string(source)?.parse()?;
    let target = env::var("CARGO_CFG_TARGET_ARCH")?;
    let mut built = false;
    // Both, so that a mistake in the part of the one shows also where the other is built.
    for architecture in ["x86_64", "aarch64"] {
        let [allow, refuse] =
            filters(&rules, architecture).map_err(|error| format!("{source} for {architecture}: {error}"))?;
        if architecture == target {
            fs::write(out.join("seccomp-allow.bpf"), bytes(&allow))?;
            fs::write(out.join("seccomp-refuse.bpf"), bytes(&refuse))?;
            built = true;
        }
    }
    if built { Ok(()) } else { Err(format!("{source} has no rules for {target}").into()) }
}

/// The programs of `[[allow]]` and `[[refuse]]`.
fn filters(rules: &toml::Table, architecture: &str) -> Result<[BpfProgram; 2], Box<dyn std::error::Error>> {
    const EPERM: u32 = 1;
    const ENOSYS: u32 = 38;
    let allow = entries(rules, "allow", architecture)?;
    let refuse = entries(rules, "refuse", architecture)?;
    let description = json!({
        "allow": { "mismatch_action": { "errno": ENOSYS }, "match_action": "allow", "filter": allow },
        "refuse": { "mismatch_action": "allow", "match_action": { "errno": EPERM }, "filter": refuse },
    });
    let target = TargetArch::try_from(architecture)?;
    let mut programs = seccompiler::compile_from_json(description.to_string().as_bytes(), target)?;
    let mut take = |name: &str| programs.remove(name).ok_or("a program is missing");
    Ok([take("allow")?, take("refuse")?])
}

/// The groups of one kind, in seccompiler's form: one entry a call and alternative.
fn entries(
    rules: &toml::Table,
    kind: &str,
    architecture: &str,
) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let mut entries = Vec::new();
    // Whether each call named so far has conditions.
    let mut named = BTreeMap::new();
    for group in rules.get(kind).and_then(toml::Value::as_array).ok_or("no groups")? {
        let why = group.get("why").and_then(toml::Value::as_str).ok_or("a group without its why")?;
        if group.get("only").is_some_and(|only| only.as_str() != Some(architecture)) {
            continue;
        }
        let conditions = group.get("when").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
        let alternatives = alternatives(conditions).map_err(|error| format!("{why}: {error}"))?;
        for call in group.get("calls").and_then(toml::Value::as_array).ok_or("a group without calls")? {
            let call = call.as_str().ok_or("a call that is no name")?;
            // The compiler would forget the group without conditions.
            if *named.entry(call).or_insert(conditions.is_empty()) != conditions.is_empty() {
                return Err(format!("{kind} names {call} with conditions and without").into());
            }
            for arguments in &alternatives {
                entries.push(if arguments.is_empty() {
                    json!({ "syscall": call })
                } else {
                    json!({ "syscall": call, "args": arguments })
                });
            }
        }
    }
    Ok(entries)
}

/// Conditions that must all hold, as alternatives of comparisons that must all hold.
fn alternatives(conditions: &[toml::Value]) -> Result<Vec<Vec<Value>>, &'static str> {
    let mut found = vec![Vec::new()];
    for condition in conditions {
        let argument = condition.get("argument").and_then(toml::Value::as_integer).ok_or("no argument")?;
        let compare = |operator: Value, value: i64| json!({ "index": argument, "type": "dword", "op": operator, "val": value });
        let values = |name: &str| -> Option<Vec<i64>> {
            condition.get(name)?.as_array()?.iter().map(toml::Value::as_integer).collect()
        };
        let choices: Vec<Vec<Value>> = if let Some(values) = values("is") {
            values.into_iter().map(|value| vec![compare(json!("eq"), value)]).collect()
        } else if let Some(values) = values("is_not") {
            vec![values.into_iter().map(|value| compare(json!("ne"), value)).collect()]
        } else if let Some(bits) = condition.get("has_any").and_then(toml::Value::as_integer) {
            (0..32)
                .map(|bit| bits & (1 << bit))
                .filter(|bit| *bit != 0)
                .map(|bit| vec![compare(json!({ "masked_eq": bit }), bit)])
                .collect()
        } else {
            return Err("a condition that is none of is, is_not, has_any");
        };
        found = found
            .iter()
            .flat_map(|so_far| choices.iter().map(move |choice| [&so_far[..], &choice[..]].concat()))
            .collect();
    }
    Ok(found)
}

/// A program as the kernel takes it: an array of `struct sock_filter`, in the target's byte order, little-endian for both.
fn bytes(program: &BpfProgram) -> Vec<u8> {
    program
        .iter()
        .flat_map(|step| {
            let mut bytes = Vec::with_capacity(8);
            bytes.extend_from_slice(&step.code.to_le_bytes());
            bytes.extend_from_slice(&[step.jt, step.jf]);
            bytes.extend_from_slice(&step.k.to_le_bytes());
            bytes
        })
        .collect()
}
