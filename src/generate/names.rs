//! Names of JSON as names of programming languages.
//!
//! What is an ordinary name already stays as it is. Everything else is cut into words, and only ASCII letters and digits remain,
//! since compilers do not agree on others.

use std::collections::BTreeSet;

/// `GreetingText`: for types. What has no letters becomes `fallback`, which also goes before a leading digit.
pub fn pascal(text: &str, fallback: &str) -> String {
    if is_plain(text) && text.starts_with(|first: char| first.is_ascii_uppercase()) && !is_shouted(text) {
        return text.to_owned();
    }
    begin(&words(text).iter().map(|word| capital(word)).collect::<String>(), fallback)
}

/// `greetingText`: for properties and methods.
pub fn camel(text: &str, fallback: &str) -> String {
    if is_plain(text) && text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return text.to_owned();
    }
    let words = words(text);
    let name: String = words
        .iter()
        .enumerate()
        .map(|(index, word)| if index == 0 { word.to_ascii_lowercase() } else { capital(word) })
        .collect();
    begin(&name, fallback)
}

/// `GREETING_TEXT`: for constants.
pub fn constant(text: &str, fallback: &str) -> String {
    let words: Vec<_> = words(text).iter().map(|word| word.to_ascii_uppercase()).collect();
    let name = words.join("_");
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return format!("{fallback}_{name}");
    }
    begin(&name, fallback)
}

fn begin(name: &str, fallback: &str) -> String {
    match name.chars().next() {
        None => fallback.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{fallback}{name}"),
        Some(_) => name.to_owned(),
    }
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_alphanumeric())
}

/// Whether it has several letters, and none of them small.
fn is_shouted(text: &str) -> bool {
    text.len() > 1 && !text.contains(|character: char| character.is_ascii_lowercase())
}

/// Cut where something else than a letter or a digit stands, before a capital after a small letter or a digit, and before the
/// last of several capitals that a small letter follows: `HTTPServer2-name` is `HTTP`, `Server2`, `name`.
fn words(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut words = vec![String::new()];
    let mut before: Option<char> = None;
    for (index, &character) in characters.iter().enumerate() {
        if !character.is_ascii_alphanumeric() {
            words.push(String::new());
            before = None;
            continue;
        }
        let after_is_small = characters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let begins = character.is_ascii_uppercase()
            && before.is_some_and(|before| !before.is_ascii_uppercase() || after_is_small);
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
        before = Some(character);
    }
    words.retain(|word| !word.is_empty());
    words
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters.map(|character| character.to_ascii_lowercase())).collect()
}

/// Names of which no two may be alike, such as the properties of one type.
#[derive(Debug)]
pub struct Scope {
    reserved: &'static [&'static str],
    /// What goes behind a reserved name.
    suffix: &'static str,
    taken: BTreeSet<String>,
}

impl Scope {
    /// An empty scope. A reserved name gets the suffix.
    pub fn new(reserved: &'static [&'static str], suffix: &'static str) -> Self {
        Self { reserved, suffix, taken: BTreeSet::new() }
    }

    /// Takes this name, or where it is taken the first that is free of those with a number from 2 on behind it.
    pub fn take(&mut self, wanted: &str) -> String {
        let wanted = match self.reserved.contains(&wanted) {
            true => format!("{wanted}{}", self.suffix),
            false => wanted.to_owned(),
        };
        let mut name = wanted.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_languages_conventions() {
        for (json, type_name, property, value) in [
            ("text", "Text", "text", "TEXT"),
            ("signedIn", "SignedIn", "signedIn", "SIGNED_IN"),
            ("SignedIn", "SignedIn", "signedIn", "SIGNED_IN"),
            ("signed_in", "SignedIn", "signedIn", "SIGNED_IN"),
            ("signed-in.now", "SignedInNow", "signedInNow", "SIGNED_IN_NOW"),
            ("userID", "UserId", "userID", "USER_ID"),
            ("HTTPServer2", "HTTPServer2", "httpServer2", "HTTP_SERVER2"),
            ("HIGH", "High", "high", "HIGH"),
            ("X", "X", "x", "X"),
            ("2fa", "Type2fa", "value2fa", "VALUE_2FA"),
            ("größe", "GrE", "grE", "GR_E"),
            ("", "Type", "value", "VALUE"),
            ("名前", "Type", "value", "VALUE"),
            ("$ref", "Ref", "ref", "REF"),
        ] {
            assert_eq!(pascal(json, "Type"), type_name, "{json}");
            assert_eq!(camel(json, "value"), property, "{json}");
            assert_eq!(constant(json, "VALUE"), value, "{json}");
        }
    }

    #[test]
    fn names_that_are_taken_get_a_number_and_reserved_ones_a_suffix() {
        let mut scope = Scope::new(&["class"], "Value");
        let taken = ["a", "a", "class", "classValue", "a2", "a"].map(|name| scope.take(name));
        assert_eq!(taken, ["a", "a2", "classValue", "classValue2", "a22", "a3"]);
    }
}
