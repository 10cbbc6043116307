//! Archives, honest and hostile, through [`unpack`].

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    PackageError, PackageLimits,
    hostile::{Entry, archive},
    native::Host,
    unpack,
};

/// Everything below `folder`: path → content, or `-> target` for links, or `/` for folders, with the mode.
fn listing(folder: &Path) -> BTreeMap<String, (String, u32)> {
    fn walk(root: &Path, at: &Path, out: &mut BTreeMap<String, (String, u32)>) {
        for found in fs::read_dir(at).unwrap() {
            let path = found.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let meta = fs::symlink_metadata(&path).unwrap();
            let mode = meta.permissions().mode() & 0o7777;
            if meta.is_symlink() {
                out.insert(name, (format!("-> {}", fs::read_link(&path).unwrap().display()), 0));
            } else if meta.is_dir() {
                out.insert(name, ("/".to_owned(), mode));
                walk(root, &path, out);
            } else {
                out.insert(name, (String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(), mode));
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(folder, folder, &mut out);
    out
}

/// Unpacks and says what came of it; a refusal must leave nothing.
fn outcome(zip: &[u8], limits: &PackageLimits) -> Result<BTreeMap<String, (String, u32)>, PackageError> {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("unpacked");
    let result = unpack(zip, &folder, limits, None);
    if result.is_err() {
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0, "a refused package left something");
    }
    result.map(|()| listing(&folder))
}

fn refusal(entries: &[Entry]) -> String {
    outcome(&archive(entries), &PackageLimits::default()).unwrap_err().to_string()
}

const CORRUPT: &str = "Could not unzip uploaded file. Please check your file, then try to upload again.";

#[test]
fn files_folders_links_and_modes_are_kept() {
    let zip = archive(&[
        Entry::file("index.js", "a"),
        Entry::file("bin/run", "b").mode(0o104_755),
        Entry::file("secret", "c").mode(0o100_000),
        Entry::file("plain", "d").mode(0),
        Entry::file("empty/", "").mode(0o040_700),
        Entry::link("node_modules/.bin/x", "../x/cli.js"),
        Entry::file("node_modules/x/cli.js", "e"),
    ]);
    let file = |content: &str, mode| (content.to_owned(), mode);
    let folder = file("/", 0o755);
    let expected = BTreeMap::from([
        ("index.js".to_owned(), file("a", 0o644)),
        ("bin".to_owned(), folder.clone()),
        ("bin/run".to_owned(), file("b", 0o755)),
        ("secret".to_owned(), file("c", 0o644)),
        ("plain".to_owned(), file("d", 0o644)),
        ("empty".to_owned(), folder.clone()),
        ("node_modules".to_owned(), folder.clone()),
        ("node_modules/.bin".to_owned(), folder.clone()),
        ("node_modules/.bin/x".to_owned(), file("-> ../x/cli.js", 0)),
        ("node_modules/x".to_owned(), folder),
        ("node_modules/x/cli.js".to_owned(), file("e", 0o644)),
    ]);
    assert_eq!(outcome(&zip, &PackageLimits::default()).unwrap(), expected);
}

#[test]
fn a_deflated_archive_of_an_ordinary_tool_is_unpacked() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("lib", SimpleFileOptions::default()).unwrap();
    writer.start_file("lib/big.txt", SimpleFileOptions::default()).unwrap();
    writer.write_all(&[b'x'; 300_000]).unwrap();
    let zip = writer.finish().unwrap().into_inner();
    assert!(zip.len() < 10_000, "it is compressed");
    let unpacked = outcome(&zip, &PackageLimits::default()).unwrap();
    assert_eq!(unpacked["lib/big.txt"].0.len(), 300_000);
}

#[test]
fn an_entry_that_leaves_the_root_is_refused_and_nothing_is_written() {
    let good = Entry::file("good.js", "x");
    assert_eq!(
        refusal(&[good.clone(), Entry::file("../evil", "x")]),
        r#"The package's entry "../evil" leaves the package's root"#
    );
    for name in ["/abs", "a/../../evil", "C:/evil", "a\\..\\evil", "a\0b"] {
        assert!(refusal(&[good.clone(), Entry::file(name, "x")]).contains("entry"), "{name:?}");
    }
    assert!(refusal(&[Entry::file(b"\xff\xfe", "x")]).contains("UTF-8"));
}

#[test]
fn a_link_that_points_outside_is_refused_also_by_way_of_another_one() {
    for links in [
        vec![Entry::link("a", "/etc/passwd")],
        vec![Entry::link("a", "../x")],
        vec![Entry::link("d/e/up", "../.."), Entry::link("out", "d/e/up/..")],
        vec![Entry::link("a", &"x".repeat(5_000))],
    ] {
        assert!(refusal(&links).contains("links"), "{links:?}");
    }
}

#[test]
fn nothing_is_written_below_a_link_or_a_file() {
    for entries in [
        [Entry::link("a", "b"), Entry::file("a/x", "1")],
        [Entry::file("a/x", "1"), Entry::link("a", "b")],
        [Entry::file("a", "1"), Entry::file("a/x", "1")],
        [Entry::file("a", "1"), Entry::file("a/", "")],
    ] {
        assert!(refusal(&entries).contains("at once"), "{entries:?}");
    }
}

#[test]
fn two_entries_of_one_path_are_refused() {
    assert_eq!(refusal(&[Entry::file("a", "1"), Entry::file("a", "2")]), CORRUPT);
    assert!(refusal(&[Entry::file("a", "1"), Entry::file("./a", "2")]).contains("twice"));
}

#[test]
fn what_is_encrypted_special_or_oddly_compressed_is_refused() {
    let plain = Entry::file("a", "1");
    assert!(refusal(&[Entry { flags: 1, ..plain.clone() }]).contains("encrypted"));
    assert!(refusal(&[Entry { method: 12, ..plain.clone() }]).contains("compressed"));
    for special in [0o010_644, 0o020_644, 0o060_644, 0o140_644] {
        assert!(refusal(&[plain.clone().mode(special)]).contains("no file"), "{special:o}");
    }
}

#[test]
fn a_wrong_checksum_or_size_is_corrupt() {
    let plain = Entry::file("a", "1234");
    assert_eq!(refusal(&[Entry { crc: Some(7), ..plain.clone() }]), CORRUPT);
    assert_eq!(refusal(&[Entry { declared: Some(3), ..plain.clone() }]), CORRUPT);
    assert_eq!(refusal(&[Entry { declared: Some(5), ..plain }]), CORRUPT);
}

#[test]
fn nothing_and_no_archive_are_refused_as_aws_does() {
    let limits = PackageLimits::default();
    assert_eq!(outcome(b"", &limits).unwrap_err().to_string(), "Uploaded file must be a non-empty zip");
    assert_eq!(refusal(&[]), "Uploaded file must be a non-empty zip");
    assert_eq!(outcome(b"this is not a zip", &limits).unwrap_err().to_string(), CORRUPT);
}

#[test]
fn too_much_is_refused_by_what_is_declared_and_by_what_comes() {
    let limits = PackageLimits { unpacked_bytes_max: 100, entries_max: 3 };
    let fits = [Entry::file("a", [0; 60]), Entry::file("b", [0; 40])];
    assert_eq!(outcome(&archive(&fits), &limits).unwrap().len(), 2);
    let declared = [Entry::file("a", [0; 60]), Entry::file("b", [0; 41])];
    assert!(matches!(outcome(&archive(&declared), &limits), Err(PackageError::TooLarge(100))));
    let many: Vec<_> = (0..4).map(|n| Entry::file(format!("{n}"), "")).collect();
    assert!(matches!(outcome(&archive(&many), &limits), Err(PackageError::TooMany(3))));
    let deep = [Entry::file("a/b/c/d/e", "")];
    assert!(matches!(outcome(&archive(&deep), &limits), Err(PackageError::TooMany(3))));
}

#[test]
fn a_bomb_stops_at_the_limit_whatever_it_declares() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bomb", SimpleFileOptions::default()).unwrap();
    writer.write_all(&vec![0; 2_000_000]).unwrap();
    let mut zip = writer.finish().unwrap().into_inner();
    let honest = PackageLimits { unpacked_bytes_max: 1_000_000, ..PackageLimits::default() };
    assert!(matches!(outcome(&zip, &honest), Err(PackageError::TooLarge(1_000_000))));
    // The unpacked size stands 24 bytes into the record of the central directory.
    let record = zip.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    zip[record + 24..record + 28].copy_from_slice(&10u32.to_le_bytes());
    assert!(matches!(outcome(&zip, &honest), Err(PackageError::Corrupt(_))));
}

#[test]
fn schemas_for_apps_are_checked_when_a_package_is_uploaded_and_not_when_it_is_unpacked_again() {
    let host = Host::here();
    let uploaded = |entry: Entry| {
        let parent = tempfile::tempdir().unwrap();
        let zip = archive(&[Entry::file("index.js", ""), entry]);
        unpack(&zip, &parent.path().join("a"), &PackageLimits::default(), Some(&host))
            .map_err(|error| error.to_string())
    };
    const FILE: &str = "callgate.schemas.json";
    let wrong = r#"{"input": {"type": "strin"}}"#;
    assert_eq!(uploaded(Entry::file(FILE, r#"{"input": {"type": "string"}}"#)), Ok(()));
    assert_eq!(uploaded(Entry::file("lib/callgate.schemas.json", wrong)), Ok(()), "only the root's counts");
    let refused = uploaded(Entry::file(FILE, wrong)).unwrap_err();
    assert!(
        refused.starts_with(
            "The package's file callgate.schemas.json at /input/type: \"strin\" is no type: write"
        ),
        "{refused}"
    );
    assert!(uploaded(Entry::file(FILE, vec![b' '; 300_000])).unwrap_err().contains("more than 262144 bytes"));
    assert!(uploaded(Entry::link(FILE, "index.js")).unwrap_err().contains("it is a link: put the file"));
    assert!(
        uploaded(Entry::file("callgate.schemas.json/a", "")).unwrap_err().contains("it is a folder: give")
    );
    // What was taken once is not lost to a later version that knows better.
    let zip = archive(&[Entry::file("index.js", ""), Entry::file(FILE, wrong)]);
    assert!(outcome(&zip, &PackageLimits::default()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is done to an archive: it is taken or refused, without a panic, nothing left behind, nothing outside.
    #[test]
    fn a_mutated_archive_is_taken_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        do_cut in any::<bool>(),
    ) {
        let mut zip = archive(&[
            Entry::file("index.js", "exports.handler = 1"),
            Entry::file("lib/a", "x"),
            Entry::link("lib/b", "../index.js"),
            Entry::file("lib/c", "y"),
        ]);
        for (at, byte) in &changes {
            let at = at.index(zip.len());
            zip[at] = *byte;
        }
        if do_cut {
            zip.truncate(cut.index(zip.len()));
        }
        let limits = PackageLimits { unpacked_bytes_max: 10_000, entries_max: 100 };
        match outcome(&zip, &limits) {
            Ok(listing) => prop_assert!(!listing.is_empty()),
            Err(error) => prop_assert!(error.is_refusal(), "{error}"),
        }
    }

    /// An archive of any bytes as names is unpacked below its root or refused.
    #[test]
    fn names_of_any_bytes_do_no_harm(names in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 1..4)) {
        let entries: Vec<_> = names.iter().map(|name| Entry::file(name, "x")).collect();
        if let Err(error) = outcome(&archive(&entries), &PackageLimits::default()) {
            prop_assert!(error.is_refusal(), "{error}");
        }
    }
}
