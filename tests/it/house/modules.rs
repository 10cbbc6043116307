//! Which files the crate is made of: what is reachable by `mod` from its roots.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{files, none, read, root, shown};

/// A source file of the crate.
pub struct Module {
    /// Its path in the crate: `["edge", "routes"]`; empty for a root.
    pub path: Vec<String>,
    /// Whether it is compiled for tests only.
    pub only_for_tests: bool,
}

/// Every file that is reachable from the library and the command.
pub fn reachable() -> BTreeMap<PathBuf, Module> {
    let mut found = BTreeMap::new();
    for name in ["src/lib.rs", "src/main.rs"] {
        visit(&root().join(name), Module { path: Vec::new(), only_for_tests: false }, &mut found);
    }
    found
}

fn visit(file: &Path, module: Module, found: &mut BTreeMap<PathBuf, Module>) {
    let text = without_comments(&read(file));
    for (name, for_tests) in declared(&text) {
        let below = folder_of(file);
        let candidates = [below.join(format!("{name}.rs")), below.join(&name).join("mod.rs")];
        // A declaration without a file does not compile, so this is an inline module's, or of another target.
        let Some(next) = candidates.into_iter().find(|path| path.exists()) else { continue };
        let mut path = module.path.clone();
        path.push(name);
        visit(&next, Module { path, only_for_tests: module.only_for_tests || for_tests }, found);
    }
    found.insert(file.to_owned(), module);
}

/// Where the modules that a file declares lie.
fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") | None => folder.to_owned(),
        Some(stem) => folder.join(stem),
    }
}

/// The modules declared with a semicolon, and whether only for tests.
fn declared(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut attributes = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            attributes.push_str(line);
            continue;
        }
        let rest = line.split_once("mod ").filter(|(before, _)| {
            let before = before.trim();
            before.is_empty() || before == "pub" || (before.starts_with("pub(") && before.ends_with(')'))
        });
        if let Some(name) = rest.and_then(|(_, rest)| rest.strip_suffix(';')) {
            found.push((name.trim().to_owned(), attributes.contains("cfg(test)")));
        }
        if !line.is_empty() {
            attributes.clear();
        }
    }
    found
}

/// The text with comments blanked out. Strings that hold `//` lose their end with it, which no rule here minds.
pub fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_rust_file_is_part_of_the_crate() {
    let reachable = reachable();
    // Programs that the build script compiles by themselves.
    let build = read(&root().join("build.rs"));
    let dead: Vec<String> = files("src", &["rs"])
        .iter()
        .filter(|file| !reachable.contains_key(*file) && !build.contains(&shown(file)))
        .map(|file| shown(file))
        .collect();
    none("files that no `mod` reaches", &dead);
}

#[test]
fn declarations_are_found() {
    let text = "mod a;\n#[cfg(test)]\nmod tests;\npub mod b;\npub(crate) mod c;\nmod inline {\n}\n#[cfg(test)]\nfn f() {}\nmod d;";
    let found = declared(text);
    let names: Vec<(&str, bool)> = found.iter().map(|(name, test)| (name.as_str(), *test)).collect();
    assert_eq!(names, [("a", false), ("tests", true), ("b", false), ("c", false), ("d", false)]);
}
