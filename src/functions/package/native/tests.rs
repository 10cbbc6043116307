//! Native code through [`check`]: files made here by hand, those of this machine, and hostile ones.

use std::{fs, path::Path};

use proptest::prelude::*;

use super::*;
use crate::functions::package::{
    PackageLimits,
    hostile::{Entry, archive},
    unpack,
};

const X64: u16 = 62;
const ARM64: u16 = 183;

fn host() -> Host {
    Host { machine: X64, cpu: "x64", libc: Some((Libc::Glibc, Some((2, 36)))) }
}

/// A library of 64 bits that needs these others and these versions of glibc.
fn library(machine: u16, needed: &[&str], versions: &[&str]) -> Vec<u8> {
    let mut strings = vec![0_u8];
    let mut string = |text: &str| {
        let at = strings.len() as u64;
        strings.extend(text.bytes().chain([0]));
        at
    };
    let needed: Vec<u64> = needed.iter().map(|name| string(name)).collect();
    let file = string("libc.so.6");
    let versions: Vec<u64> = versions.iter().map(|name| string(name)).collect();
    let mut verneed = Vec::new();
    if !versions.is_empty() {
        verneed.extend(1_u16.to_le_bytes());
        verneed.extend((versions.len() as u16).to_le_bytes());
        for word in [file as u32, 16, 0] {
            verneed.extend(word.to_le_bytes());
        }
        for (at, name) in versions.iter().enumerate() {
            verneed.extend([0; 8]);
            verneed.extend((*name as u32).to_le_bytes());
            let next: u32 = if at + 1 == versions.len() { 0 } else { 16 };
            verneed.extend(next.to_le_bytes());
        }
    }
    // Head, two program headers, then strings, versions and the dynamic entries; addresses are offsets.
    let strings_at = 64 + 2 * 56;
    let verneed_at = strings_at + strings.len() as u64;
    let dynamic_at = verneed_at + verneed.len() as u64;
    let mut dynamic: Vec<(u64, u64)> = needed.into_iter().map(|name| (1, name)).collect();
    dynamic.push((5, strings_at));
    if !verneed.is_empty() {
        dynamic.extend([(0x6fff_fffe, verneed_at), (0x6fff_ffff, 1)]);
    }
    dynamic.push((0, 0));
    let size = dynamic_at + dynamic.len() as u64 * 16;
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.extend([0; 9]);
    out.extend([3_u16, machine].iter().flat_map(|word| word.to_le_bytes()));
    out.extend(1_u32.to_le_bytes());
    out.extend([0_u64, 64, 0].iter().flat_map(|word| word.to_le_bytes()));
    out.extend(0_u32.to_le_bytes());
    out.extend([64_u16, 56, 2, 64, 0, 0].iter().flat_map(|word| word.to_le_bytes()));
    for (kind, offset, size) in [(1_u32, 0, size), (2, dynamic_at, size - dynamic_at)] {
        out.extend(kind.to_le_bytes());
        out.extend(4_u32.to_le_bytes());
        out.extend([offset, offset, offset, size, size, 8].iter().flat_map(|word| word.to_le_bytes()));
    }
    out.extend(strings);
    out.extend(verneed);
    out.extend(dynamic.iter().flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()]).flatten());
    out
}

fn good() -> Vec<u8> {
    library(X64, &["libm.so.6", "libc.so.6"], &["GLIBC_2.2.5", "GLIBC_2.28"])
}

/// What comes of a package with these files.
fn outcome(files: &[(&str, &[u8])]) -> Result<(), String> {
    let parent = tempfile::tempdir().unwrap();
    let entries: Vec<Entry> = files.iter().map(|(name, content)| Entry::file(name, content)).collect();
    let folder = parent.path().join("unpacked");
    let unpacked = unpack(&archive(&entries), &folder, &PackageLimits::default(), Some(&host()));
    assert_eq!(unpacked.is_ok(), folder.exists(), "a refused package leaves nothing");
    unpacked.map_err(|error| {
        assert!(error.is_refusal(), "{error}");
        error.to_string()
    })
}

fn refusal(content: &[u8]) -> String {
    outcome(&[("index.js", b""), ("node_modules/a/build/Release/a.node", content)]).unwrap_err()
}

#[test]
fn what_fits_is_taken() {
    let static_program = library(X64, &[], &[]);
    outcome(&[("a.node", &good()), ("bin/tool", &static_program), ("lib/libx.so.1", &good())]).unwrap();
}

#[test]
fn what_does_not_fit_is_refused_with_what_and_how_to_mend_it() {
    assert_eq!(
        refusal(&library(ARM64, &["libc.so.6"], &[])),
        "The package's file \"node_modules/a/build/Release/a.node\" cannot be loaded by functions: it is built for arm64, \
         and functions run on x64. Install the packages for the gateway's platform: npm install --os=linux --cpu=x64 \
         --libc=glibc; or, where they are compiled, run npm rebuild on such a machine."
    );
    let musl = refusal(&library(X64, &["libc.musl-x86_64.so.1"], &[]));
    assert!(musl.contains("linked against musl, and functions run with glibc"), "{musl}");
    let new = refusal(&library(X64, &["libc.so.6"], &["GLIBC_2.2.5", "GLIBC_2.38", "GLIBC_2.4"]));
    assert!(new.contains("needs glibc 2.38, and functions run with 2.36"), "{new}");
    assert!(new.contains("npm rebuild --build-from-source"), "{new}");
    let mut small = good();
    small[4] = 1;
    assert!(refusal(&small).contains("32 bits") || refusal(&small).contains("damaged"));
    for (head, system) in [
        (b"\xcf\xfa\xed\xfe\x0c\0\0\x01".as_slice(), "macOS"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "macOS"),
        (b"MZ\x90\0", "Windows"),
    ] {
        assert!(refusal(head).contains(&format!("built for {system}")), "{system}");
    }
    assert!(refusal(b"version https://git-lfs").contains("no native code"));
    assert!(refusal(b"\x7fELF\x02\x01\x01").contains("damaged"));
    let two = outcome(&[("a.node", b"MZ"), ("b.node", b"MZ"), ("c.node", b"MZ")]).unwrap_err();
    assert!(two.contains("\"a.node\"") && two.contains("(and so with 2 more files)"), "{two}");
}

#[test]
fn one_of_several_platforms_is_enough() {
    let (arm, musl) = (library(ARM64, &["libc.so.6"], &[]), library(X64, &["libc.musl-x86_64.so.1"], &[]));
    let fits = good();
    for paths in [
        [
            "m/prebuilds/linux-x64/m.node",
            "m/prebuilds/linux-arm64/m.node",
            "m/prebuilds/darwin-x64+arm64/m.node",
        ],
        ["m/linux-x64/m.glibc.node", "m/linux-arm64/m.glibc.node", "m/darwin-arm64/m.node"],
        [
            "@i/s-linux-x64/lib/s-linux-x64.node",
            "@i/s-linuxmusl-x64/lib/s-linuxmusl-x64.node",
            "@i/s-darwin-arm64/lib/s-darwin-arm64.node",
        ],
        ["b/linux_x86_64/m.node", "b/linux_aarch64/m.node", "b/win32_x64/m.node"],
    ] {
        let others: [&[u8]; 2] = [&arm, b"\xcf\xfa\xed\xfe"];
        let [ours, theirs, mac] = paths;
        outcome(&[(ours, &fits), (theirs, others[0]), (mac, others[1])]).unwrap();
        assert!(outcome(&[(theirs, others[0]), (mac, others[1])]).is_err(), "{theirs}");
    }
    outcome(&[("l/libvips.so.42", &fits), ("l-arm64/libvips.so.42", &arm)]).unwrap();
    outcome(&[("l-x64/libvips.so.42", &fits), ("l-musl/libvips.so.42", &musl)]).unwrap();
    // Another add-on that fits does not help.
    assert!(outcome(&[("a-x64/a.node", &fits), ("b-arm64/b.node", &arm)]).is_err());
}

#[test]
fn a_package_that_is_for_other_systems_alone_is_let_be() {
    let mac = b"\xcf\xfa\xed\xfe".as_slice();
    let for_mac = br#"{"name":"fsevents","os":["darwin"]}"#.as_slice();
    outcome(&[("node_modules/fsevents/fsevents.node", mac), ("node_modules/fsevents/package.json", for_mac)])
        .unwrap();
    // A variant for a platform says so too, and is there because it should have been loaded.
    let variant = "node_modules/@i/s-darwin-arm64";
    let (addon, description) = (format!("{variant}/lib/s.node"), format!("{variant}/package.json"));
    assert!(outcome(&[(&addon, mac), (&description, for_mac)]).is_err());
    let both = br#"{"name":"a","os":["darwin","linux"]}"#.as_slice();
    assert!(outcome(&[("node_modules/a/a.node", mac), ("node_modules/a/package.json", both)]).is_err());
}

#[test]
fn data_and_object_files_are_no_business_of_ours() {
    let mut object = library(ARM64, &[], &[]);
    object[16] = 1;
    outcome(&[("build/a.o", &object), ("fixtures/cut", b"\x7fELF"), ("empty.node", b"")]).unwrap();
}

#[test]
fn this_machine_fits_itself() {
    let host = Host::here();
    let program = elf::read(File::open("/proc/self/exe").unwrap()).unwrap();
    assert_eq!(elf_misfit(&program, &host), None, "{program:?} on {host:?}");
    let (libc, version) = host.libc.unwrap();
    assert_eq!(program.libc.unwrap_or(libc), libc);
    if libc == Libc::Glibc {
        assert!(version.unwrap() >= (2, 17) && program.needs.unwrap() >= (2, 17));
    }
}

#[test]
fn too_many_native_files_are_refused() {
    let paths: Vec<String> = (0..=FILES_MAX).map(|number| format!("{number}.node")).collect();
    let refused = check(Path::new("/nowhere"), &paths, &host());
    assert!(matches!(refused, Err(PackageError::TooManyNative(FILES_MAX))));
}

#[test]
fn tables_without_an_end_are_given_up() {
    // The one version entry points at itself, and there are said to be as many as can be.
    let mut endless = library(X64, &["libc.so.6"], &["GLIBC_2.2.5"]);
    let count = endless.windows(8).rposition(|word| word == 0x6fff_ffff_u64.to_le_bytes()).unwrap() + 8;
    endless[count..count + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(refusal(&endless).contains("damaged"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is done to a library, it is taken or refused, soon and without a panic.
    #[test]
    fn a_mutated_library_is_taken_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = good();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.node"), &bytes).unwrap();
        match check(folder.path(), &["a.node".to_owned()], &host()) {
            Ok(()) => {}
            Err(error) => prop_assert!(error.is_refusal(), "{error}"),
        }
    }

    /// No bytes after a library's first ones break the reader.
    #[test]
    fn any_bytes_are_read_to_an_end(rest in prop::collection::vec(any::<u8>(), 0..400), class in 0_u8..4, data in 0_u8..4) {
        let mut bytes = b"\x7fELF".to_vec();
        bytes.extend([class, data]);
        bytes.extend(rest);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), &bytes).unwrap();
        let _read = elf::read(File::open(folder.path().join("a")).unwrap());
    }
}
