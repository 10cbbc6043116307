//! Builds the sandbox's first process, and lists the runtime's files, so that the gateway can carry both.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    build_pid1(&out)?;
    list_runtime(&out)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/store/sqlite/migrations");
    Ok(())
}

/// The sandbox's first process is a program of its own: one runs in every sandbox, so it must be small.
fn build_pid1(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let source = "src/sandbox/pid1/main.rs";
    println!("cargo::rerun-if-changed={source}");
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

/// Writes `runtime.rs`: name and contents of every file of the bootstrap.
fn list_runtime(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new("runtime/bootstrap");
    println!("cargo::rerun-if-changed={}", folder.display());
    let root = env::current_dir()?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "js") {
            let name = path.file_name().ok_or("a file without a name")?.to_string_lossy().into_owned();
            files.push(format!("    ({name:?}, include_bytes!({:?})),\n", root.join(&path)));
        }
    }
    files.sort();
    let list = format!(
        "/// The bootstrap's files.\npub const BOOTSTRAP: &[(&str, &[u8])] = &[\n{}];\n",
        files.concat()
    );
    fs::write(out.join("runtime.rs"), list)?;
    Ok(())
}
