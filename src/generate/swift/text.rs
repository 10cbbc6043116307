//! Swift's tokens.

use std::fmt::Write as _;

use crate::generate::{
    docs::{paragraphs, wrap},
    model::{Docs, Type},
};

/// Where lines break.
const COLUMNS: usize = 100;
/// Names that need backticks.
pub const KEYWORDS: &[&str] = &[
    "as",
    "associatedtype",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "continue",
    "default",
    "defer",
    "deinit",
    "do",
    "else",
    "enum",
    "extension",
    "fallthrough",
    "false",
    "fileprivate",
    "for",
    "func",
    "guard",
    "if",
    "import",
    "in",
    "inout",
    "internal",
    "is",
    "let",
    "nil",
    "operator",
    "precedencegroup",
    "private",
    "protocol",
    "public",
    "repeat",
    "rethrows",
    "return",
    "static",
    "struct",
    "subscript",
    "super",
    "switch",
    "throw",
    "throws",
    "true",
    "try",
    "typealias",
    "var",
    "where",
    "while",
];

/// The comment of a declaration: lines, so that nothing in it ends it early.
pub(super) fn comment(docs: &Docs, of: &[(&str, &Type)]) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in paragraphs(docs, of) {
        if !lines.is_empty() {
            lines.push("///".to_owned());
        }
        for line in wrap(&paragraph, COLUMNS) {
            let line: String =
                line.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
            lines.push(format!("/// {}", line.trim_end()));
        }
    }
    lines
}

/// A string literal. Letters and digits of all scripts stay, other characters beyond ASCII are escaped.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => literal.extend(['\\', character]),
            ' '..='~' => literal.push(character),
            character if character.is_alphanumeric() => literal.push(character),
            character => {
                let _ = write!(literal, "\\u{{{:X}}}", u32::from(character));
            }
        }
    }
    literal.push('"');
    literal
}

/// The name as it is written.
pub(super) fn ticked(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("`{name}`") } else { name.to_owned() }
}

/// Items between `begin` and `end`: on one line, or where that would be long on one each.
pub(super) fn list(begin: &str, items: &[String], end: &str) -> Vec<String> {
    let line = format!("{begin}{}{end}", items.join(", "));
    if line.chars().count() <= COLUMNS || items.is_empty() {
        return vec![line];
    }
    let mut lines = vec![begin.to_owned()];
    let last = items.len() - 1;
    lines.extend(
        items
            .iter()
            .enumerate()
            .map(|(index, item)| format!("    {item}{}", if index == last { "" } else { "," })),
    );
    lines.push(end.to_owned());
    lines
}

pub(super) fn indented(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| if line.is_empty() { line } else { format!("    {line}") }).collect()
}
