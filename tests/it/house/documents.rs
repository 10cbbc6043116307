//! Documents that rot are worse than none: what they point at is there.

use std::path::Path;

use super::{files, none, read, root, shown};

fn documents() -> Vec<std::path::PathBuf> {
    files("", &["md"])
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let broken: Vec<String> = documents()
        .iter()
        .flat_map(|document| {
            let text = read(document);
            let folder = document.parent().unwrap_or(Path::new("")).to_owned();
            links(&text)
                .into_iter()
                .filter(|link| {
                    !link.contains("://") && !link.starts_with('#') && !link.starts_with("mailto:")
                })
                .filter(|link| !folder.join(link.split('#').next().unwrap_or(link)).exists())
                .map(|link| format!("{}: {link}", shown(document)))
                .collect::<Vec<_>>()
        })
        .collect();
    none("links to nothing", &broken);
}

/// Paths in backticks that begin with one of the repository's folders name a file or a folder that is there.
#[test]
fn paths_in_documents_exist() {
    const BEGINNINGS: [&str; 10] = [
        "src/",
        "tests/",
        "docs/",
        "runtime/",
        "policies/",
        "examples/",
        "benches/",
        "scripts/",
        "sdk-clients/",
        ".ci/",
    ];
    let missing: Vec<String> = documents()
        .iter()
        .flat_map(|document| {
            let text = read(document);
            text.split('`')
                .skip(1)
                .step_by(2)
                .filter(|code| BEGINNINGS.iter().any(|beginning| code.starts_with(beginning)))
                .filter(|code| !code.contains([' ', '*', '<', '{', '…', '\n']))
                .filter(|path| !root().join(path.trim_end_matches('/')).exists())
                .map(|path| format!("{}: {path}", shown(document)))
                .collect::<Vec<_>>()
        })
        .collect();
    none("paths that are not there", &missing);
}

/// `file::name` in these documents names a test of `tests/it/sandbox/<file>.rs`, also below a folder; `file::*` all of them.
#[test]
fn promises_of_sandboxes_name_their_tests() {
    for document in ["docs/jail.md", "docs/isolation-levels.md", "docs/runtime.md"] {
        let text = read(&root().join(document));
        let named: Vec<(&str, &str)> =
            text.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
        let of_a_file = |file: &str| root().join("tests/it/sandbox").join(file).with_extension("rs");
        let tests: Vec<_> = named
            .into_iter()
            // Others are paths of the code: their names are capital, or they are unit tests.
            .filter(|(file, name)| {
                file.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '/'))
                    && !name.starts_with("tests")
            })
            .collect();
        assert!(tests.len() > 4, "{document} names its tests");
        let missing: Vec<String> = tests
            .into_iter()
            .filter(|(file, name)| {
                let file = of_a_file(file);
                !file.exists() || (*name != "*" && !read(&file).contains(&format!("fn {name}(")))
            })
            .map(|(file, name)| format!("{document}: {file}::{name}"))
            .collect();
        none("tests that are named and not there", &missing);
    }
}

/// `*file: name*` in docs/runtime.md names a test of `runtime/test/<file>.test.js`; an ellipsis stands for anything.
#[test]
fn promises_of_the_runtime_name_their_tests() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words(&read(&root().join("docs/runtime.md")));
    let named: Vec<(&str, &str)> = text
        .split('*')
        .filter_map(|part| part.split_once(": "))
        .filter(|(file, _)| root().join(format!("runtime/test/{file}.test.js")).exists())
        .collect();
    assert!(named.len() > 20, "docs/runtime.md names its tests: {named:?}");
    let missing: Vec<String> = named
        .into_iter()
        .filter(|(file, name)| {
            let tests =
                words(&read(&root().join(format!("runtime/test/{file}.test.js"))).replace("\\'", "'"));
            !name.split('…').all(|piece| tests.contains(piece.trim()))
        })
        .map(|(file, name)| format!("{file}: {name}"))
        .collect();
    none("tests that docs/runtime.md names and that are not there", &missing);
}

/// `*file: name*` in these documents names a test of `tests/contract/test_<file>.py`.
#[test]
fn promises_of_packages_clients_and_levels_name_their_tests() {
    for (document, fewest) in
        [("docs/packages.md", 11), ("docs/clients.md", 11), ("docs/isolation-levels.md", 5)]
    {
        let text = read(&root().join(document));
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let named: Vec<(&str, &str)> = joined
            .split('*')
            .filter_map(|part| part.split_once(": "))
            .filter(|(file, name)| {
                let is_word = |text: &str| {
                    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                };
                is_word(file) && is_word(name) && *name != "name"
            })
            .collect();
        assert!(named.len() >= fewest, "{document} names its tests: {named:?}");
        let missing: Vec<String> = named
            .into_iter()
            .filter(|(file, name)| {
                let file = root().join(format!("tests/contract/test_{file}.py"));
                !file.exists() || !read(&file).contains(&format!("def test_{name}("))
            })
            .map(|(file, name)| format!("{file}: {name}"))
            .collect();
        none(&format!("tests that {document} names and that are not there"), &missing);
    }
}

/// `*retries: name*` in docs/retries.md names a test of `tests/contract/test_retries.py`, `*idempotency: name*` one below
/// `src/dispatch/idempotency/`.
#[test]
fn promises_of_retries_name_their_tests() {
    let text = read(&root().join("docs/retries.md"));
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let named: Vec<(&str, &str)> = joined
        .split('*')
        .filter_map(|part| part.split_once(": "))
        .filter(|(file, name)| {
            matches!(*file, "retries" | "idempotency")
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        })
        .collect();
    assert!(named.len() > 20, "docs/retries.md names its tests: {named:?}");
    let contract = read(&root().join("tests/contract/test_retries.py"));
    let unit: String = files("src/dispatch/idempotency", &["rs"]).iter().map(|file| read(file)).collect();
    let missing: Vec<String> = named
        .into_iter()
        .filter(|(file, name)| match *file {
            "retries" => !contract.contains(&format!("def test_{name}(")),
            _ => !unit.contains(&format!("fn {name}(")),
        })
        .map(|(file, name)| format!("{file}: {name}"))
        .collect();
    none("tests that docs/retries.md names and that are not there", &missing);
}
