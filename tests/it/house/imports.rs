//! Who may import whom: the table of docs/architecture.md, held against every `crate::` and `super::` path of the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{
    modules::{reachable, without_comments},
    none, read, root, shown,
};

const HEADING: &str = "## Who may import whom";
const EVERYONE: &str = "everyone";
const NOBODY: &str = "nobody";

/// The table: each module, and those it may import. `None` may import everyone.
fn table() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = read(&root().join("docs/architecture.md"));
    let section = text.split(HEADING).nth(1).expect("docs/architecture.md has the table");
    let rows =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        let may = match cells.next()? {
            EVERYONE => None,
            NOBODY => Some(BTreeSet::new()),
            names => Some(names.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect()),
        };
        Some((name, may))
    })
    .collect()
}

/// The first names after `crate::` in this text, those in braces too.
fn imported(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let before = text[..at].chars().next_back();
        if before.is_none_or(|c| !c.is_alphanumeric() && c != '_') {
            names(&text[at + "crate::".len()..], &mut found);
        }
    }
    found
}

/// The names that `super::`, repeated `depth` times, brings in: those of the crate's root.
fn climbed(text: &str, depth: usize) -> BTreeSet<String> {
    let climb = "super::".repeat(depth);
    let mut found = BTreeSet::new();
    if depth > 0 {
        for (at, _) in text.match_indices(&climb) {
            let rest = &text[at + climb.len()..];
            if !text[..at].ends_with("super::") && !rest.starts_with("super::") {
                names(rest, &mut found);
            }
        }
    }
    found
}

/// The name at the beginning of this text; of a group in braces, the first name of each of its members.
fn names(text: &str, found: &mut BTreeSet<String>) {
    let Some(group) = text.strip_prefix('{') else {
        found.extend(name(text));
        return;
    };
    let (mut depth, mut from) = (0_usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                found.extend(name(group[from..at].trim_start()));
                from = at + 1;
                if c == '}' {
                    return;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
}

fn name(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// A file's own code, without the tests at its end: those may reach for whatever helps them.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default()
}

/// Every import of one of these modules by another: who, whom, and in which file.
fn imports(modules: &BTreeSet<String>) -> Vec<(String, String, PathBuf)> {
    let mut found = Vec::new();
    for (file, module) in reachable() {
        let Some(own) = module.path.first().filter(|_| !module.only_for_tests) else { continue };
        let text = without_comments(&read(&file));
        let text = code(&text);
        let mut seen = imported(text);
        seen.extend(climbed(text, module.path.len()));
        let foreign = seen.into_iter().filter(|name| name != own && modules.contains(name));
        found.extend(foreign.map(|name| (own.clone(), name, file.clone())));
    }
    found
}

#[test]
fn modules_import_whom_they_may_and_may_import_whom_they_do() {
    let table = table();
    let imports = imports(&table.keys().cloned().collect());
    let listed = |own: &str, name: &str| {
        table.get(own).is_some_and(|may| may.as_ref().is_none_or(|may| may.contains(name)))
    };
    let broken: Vec<String> = imports
        .iter()
        .filter(|(own, name, _)| !listed(own, name))
        .map(|(own, name, file)| format!("{}: {own} may not import {name}", shown(file)))
        .collect();
    none("imports against the table in docs/architecture.md", &broken);
    let unused: Vec<String> = table
        .iter()
        .flat_map(|(own, may)| may.iter().flatten().map(move |name| (own, name)))
        .filter(|(own, name)| !imports.iter().any(|(by, of, _)| by == *own && of == *name))
        .map(|(own, name)| format!("{own} does not import {name}"))
        .collect();
    none("permissions in docs/architecture.md that nobody uses", &unused);
}

#[test]
fn the_table_names_the_modules_that_there_are() {
    let modules: BTreeSet<String> = reachable()
        .into_values()
        .filter(|module| module.path.len() == 1)
        .map(|module| module.path[0].clone())
        .collect();
    let table = table();
    assert_eq!(table.keys().cloned().collect::<BTreeSet<_>>(), modules);
    let unknown: Vec<String> =
        table.values().flatten().flatten().filter(|name| !modules.contains(*name)).cloned().collect();
    none("names in the table that are no module", &unknown);
}

#[test]
fn the_table_has_no_circles() {
    let table = table();
    let mut left: BTreeMap<_, _> =
        table.iter().filter_map(|(name, may)| may.as_ref().map(|may| (name, may))).collect();
    while let Some(leaf) =
        left.iter().find(|(_, may)| !may.iter().any(|name| left.contains_key(name))).map(|(name, _)| *name)
    {
        left.remove(leaf);
    }
    assert!(left.is_empty(), "these import each other: {:?}", left.keys());
}

#[test]
fn paths_are_found_in_every_form() {
    let text = "use crate::{\n    api::{ApiError, b::C},\n    base, store::X as Y,\n};\nlet x = crate::quota::y();\nmycrate::no();";
    let found: Vec<String> = imported(text).into_iter().collect();
    assert_eq!(found, ["api", "base", "quota", "store"]);
    let found: Vec<String> =
        climbed("use super::super::{a::b, c}; use super::d; super::super::super::e", 2).into_iter().collect();
    assert_eq!(found, ["a", "c"]);
}
