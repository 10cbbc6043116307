//! Strings and comments.

use std::fmt::Write;

use super::super::{
    docs::paragraphs,
    file::File,
    model::{Docs, Type},
};

/// A literal.
pub fn string(text: &str) -> String {
    let mut literal = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' | '$' => literal.extend(['\\', character]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // Those that change how others are shown are no letters either.
            other if other.is_control() || is_unseen(other) => {
                let _ = write!(literal, "\\u{:04x}", u32::from(other));
            }
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}

/// Characters that nobody sees, or that turn the direction of a line: source code shows them as they are not.
fn is_unseen(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Text in a comment: no tag and no begin or end of a comment, of which Kotlin's lie in each other.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '*' | '@' => {
                let _ = write!(plain, "&#{};", u32::from(character));
            }
            other if other.is_control() || is_unseen(other) => plain.push(' '),
            other => plain.push(other),
        }
    }
    plain
}

/// Writes a comment: what the schema says, then `more` in words and markup of ours; and the annotation of what is deprecated.
pub fn comment(file: &mut File, steps: usize, docs: &Docs, of: &[(&str, &Type)], more: &[String]) {
    let mut paragraphs: Vec<String> = paragraphs(docs, of)
        .iter()
        .map(|paragraph| paragraph.lines().map(plain).collect::<Vec<_>>().join("\n"))
        .collect();
    paragraphs.extend(more.iter().cloned());
    file.comment(steps, &paragraphs, "");
    if docs.is_deprecated {
        file.line(steps, "@Deprecated(\"See its description.\")");
    }
}
