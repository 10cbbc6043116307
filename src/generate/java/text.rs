//! Strings and comments. Everything is ASCII, so that it means the same to every compiler whatever encoding it expects.

use std::fmt::Write;

use super::super::{
    docs::paragraphs,
    file::File,
    model::{Docs, Type},
};

/// A literal.
pub fn string(text: &str) -> String {
    let mut literal = String::from('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'"') => literal.push_str("\\\""),
            Ok(b'\\') => literal.push_str("\\\\"),
            Ok(b'\n') => literal.push_str("\\n"),
            Ok(b'\r') => literal.push_str("\\r"),
            Ok(ascii @ 0x20..0x7f) => literal.push(char::from(ascii)),
            _ => {
                let _ = write!(literal, "\\u{unit:04x}");
            }
        }
    }
    literal.push('"');
    literal
}

/// Text in a comment: no markup, no tag, no end of the comment, and no backslash, which the compiler would look at.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '@' | '{' | '}' | '\\' | '*' => {
                let _ = write!(plain, "&#{};", u32::from(character));
            }
            ' '..='~' => plain.push(character),
            other => {
                let _ = write!(plain, "&#{};", u32::from(other));
            }
        }
    }
    plain
}

/// Text between the braces of `{@code …}`.
pub fn code(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() && !"{}\\*@".contains(c) || c == ' ' { c } else { '?' })
        .collect()
}

/// Writes a comment: what the schema says, then `more` in words and markup of ours; and the annotation of what is deprecated.
pub fn comment(file: &mut File, steps: usize, docs: &Docs, of: &[(&str, &Type)], more: &[String]) {
    let mut paragraphs: Vec<String> = paragraphs(docs, of)
        .iter()
        .map(|paragraph| paragraph.lines().map(plain).collect::<Vec<_>>().join("\n"))
        .collect();
    paragraphs.extend(more.iter().cloned());
    if docs.is_deprecated {
        paragraphs.push("@deprecated See above.".to_owned());
    }
    file.comment(steps, &paragraphs, "<p>");
    if docs.is_deprecated {
        file.line(steps, "@Deprecated");
    }
}
