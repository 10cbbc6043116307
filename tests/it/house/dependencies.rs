//! What may be linked in: deny.toml's licences and sources, held on every run, also where cargo-deny is not installed.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use super::{none, read, root};

/// Packages of the lock file that this platform builds, as cargo knows them.
fn packages() -> Vec<Value> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", &platform])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let Value::Array(packages) = metadata["packages"].take() else { panic!("cargo metadata lists packages") };
    packages
}

fn allowed() -> BTreeSet<String> {
    let rules: toml::Table = read(&root().join("deny.toml")).parse().unwrap();
    let allow = rules["licenses"]["allow"].as_array().unwrap();
    allow.iter().map(|licence| licence.as_str().unwrap().to_owned()).collect()
}

/// Whether an SPDX expression can be met with these licences alone.
fn met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let met = either(&mut words, allowed);
    met && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut met = both(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= both(words, allowed);
    }
    met
}

fn both(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    match words.next() {
        Some("(") => {
            let met = either(words, allowed);
            words.next_if_eq(&")").is_some() && met
        }
        Some(licence) => {
            let exception = words.next_if_eq(&"WITH").and_then(|_| words.next());
            allowed.contains(
                &exception.map_or(licence.to_owned(), |exception| format!("{licence} WITH {exception}")),
            )
        }
        None => false,
    }
}

#[test]
fn dependencies_have_allowed_licences_and_a_known_source() {
    let allowed = allowed();
    let text = |package: &Value, name: &str| package[name].as_str().unwrap_or_default().to_owned();
    let found = packages();
    assert!(found.len() > 50, "cargo metadata listed only {} packages", found.len());
    let bad: Vec<String> = found
        .iter()
        .filter(|package| package["name"] != env!("CARGO_PKG_NAME"))
        .filter(|package| {
            // The registry; neither a git repository nor a folder beside this one.
            let known = text(package, "source").starts_with("registry+");
            !known || !met(&text(package, "license"), &allowed)
        })
        .map(|package| {
            let show = |name| text(package, name);
            format!("{} {}: {:?} from {:?}", show("name"), show("version"), show("license"), show("source"))
        })
        .collect();
    none("dependencies against deny.toml", &bad);
}

#[test]
fn what_is_banned_is_not_there() {
    let rules: toml::Table = read(&root().join("deny.toml")).parse().unwrap();
    let banned: BTreeSet<&str> =
        rules["bans"]["deny"].as_array().unwrap().iter().filter_map(|ban| ban["crate"].as_str()).collect();
    assert!(!banned.is_empty());
    let found: Vec<String> = packages()
        .iter()
        .filter_map(|package| package["name"].as_str())
        .filter(|name| banned.contains(name))
        .map(str::to_owned)
        .collect();
    none("banned crates", &found);
}

#[test]
fn expressions_are_met_as_spdx_says() {
    let allowed: BTreeSet<String> = ["MIT", "ISC"].map(str::to_owned).into();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR ISC) AND MIT", true),
        ("ISC AND (GPL-3.0 OR BSD-3-Clause)", false),
        ("MIT WITH exception", false),
        ("", false),
        ("MIT MIT", false),
    ] {
        assert_eq!(met(expression, &allowed), expected, "{expression}");
    }
}
