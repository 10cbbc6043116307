//! What this machine can load: its processor and its C library, which functions see as they are.

use std::{fs::File, path::Path};

use super::elf::{self, GlibcVersion, Libc};

/// What a file must fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// ELF's number for the processor.
    pub machine: u16,
    /// The processor's name in npm's words, such as `x64`.
    pub cpu: &'static str,
    /// Its C library, and of glibc the version, where it could be found.
    pub libc: Option<(Libc, Option<GlibcVersion>)>,
}

impl Host {
    /// This machine, looked at now.
    pub fn here() -> Self {
        let (machine, cpu, loader) = match std::env::consts::ARCH {
            "aarch64" => (object::elf::EM_AARCH64.0, "arm64", "/lib/ld-musl-aarch64.so.1"),
            _ => (object::elf::EM_X86_64.0, "x64", "/lib/ld-musl-x86_64.so.1"),
        };
        Self { machine, cpu, libc: glibc().or_else(|| musl(Path::new(loader))) }
    }

    /// The name of its C library in npm's words.
    pub fn libc_word(&self) -> &'static str {
        match self.libc {
            Some((Libc::Musl, _)) => "musl",
            _ => "glibc",
        }
    }
}

/// The newest version that the system's own library defines.
fn glibc() -> Option<(Libc, Option<GlibcVersion>)> {
    let multiarch = format!("/usr/lib/{}-linux-gnu/libc.so.6", std::env::consts::ARCH);
    [&*multiarch, "/usr/lib64/libc.so.6", "/lib64/libc.so.6", "/usr/lib/libc.so.6"]
        .into_iter()
        .find_map(|path| elf::read(File::open(path).ok()?).ok())
        .map(|library| (Libc::Glibc, library.defines))
}

fn musl(loader: &Path) -> Option<(Libc, Option<GlibcVersion>)> {
    loader.exists().then_some((Libc::Musl, None))
}
