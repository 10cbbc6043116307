//! The comments of generated code, in the words that all languages share.

use super::model::{Docs, Rule, Shape, Type};

/// The paragraphs of a comment: what the schema says, then the rules of the types that it is about, each under its name if it has
/// one. Markup of no language is in them; none is empty.
pub fn paragraphs(docs: &Docs, of: &[(&str, &Type)]) -> Vec<String> {
    let said = docs.title.iter().chain(&docs.description).map(|text| text.trim());
    let mut paragraphs: Vec<String> = said.filter(|text| !text.is_empty()).map(str::to_owned).collect();
    let mut notes: Vec<String> = Vec::new();
    for (name, holds) in of {
        let rules = rules(holds);
        match *name {
            "" => notes.extend(rules),
            name if !rules.is_empty() => notes.push(format!("{name}: {}", rules.join(" "))),
            _ => {}
        }
    }
    notes.extend(docs.default.iter().map(|default| format!("{default} where nothing is sent.")));
    if let Some((first, more)) = docs.examples.split_first() {
        let more: String = more.iter().map(|example| format!(", {example}")).collect();
        notes.push(format!("For example {first}{more}."));
    }
    if !notes.is_empty() {
        paragraphs.push(notes.join(" "));
    }
    paragraphs
}

/// The rules of a type and of what lies in it, in words.
fn rules(holds: &Type) -> Vec<String> {
    let mut notes: Vec<String> = holds.rules.iter().map(words).collect();
    let (Shape::List(inner) | Shape::Map(inner)) = &holds.shape else { return notes };
    let inside = rules(inner);
    if !inside.is_empty() {
        let each = if matches!(holds.shape, Shape::List(_)) { "item" } else { "value" };
        notes.push(format!("Each {each}: {}", inside.join(" ")));
    }
    notes
}

fn words(rule: &Rule) -> String {
    let value = rule.value.as_str();
    match rule.keyword {
        "const" => format!("Always {value}."),
        "minLength" => format!("At least {value} characters."),
        "maxLength" => format!("At most {value} characters."),
        "pattern" => format!("Matches the pattern {value}."),
        "minimum" => format!("At least {value}."),
        "maximum" => format!("At most {value}."),
        "exclusiveMinimum" => format!("More than {value}."),
        "exclusiveMaximum" => format!("Less than {value}."),
        "multipleOf" => format!("A multiple of {value}."),
        "minItems" => format!("At least {value} items."),
        "maxItems" => format!("At most {value} items."),
        "uniqueItems" if value == "true" => "No item twice.".to_owned(),
        "uniqueItems" => "Items may be there twice.".to_owned(),
        "minProperties" => format!("At least {value} members."),
        "maxProperties" => format!("At most {value} members."),
        "format" => format!("Format {value}."),
        "contentEncoding" => format!("Encoded as {value}."),
        "contentMediaType" => format!("Of the media type {value}."),
        other => format!("{other}: {value}."),
    }
}

/// Lines of at most `width` characters where words allow it; line ends of the text are kept.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut wrapped = String::new();
        for word in line.split_whitespace() {
            if !wrapped.is_empty() && wrapped.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut wrapped));
            }
            if !wrapped.is_empty() {
                wrapped.push(' ');
            }
            wrapped.push_str(word);
        }
        if !wrapped.is_empty() {
            lines.push(wrapped);
        }
    }
    lines
}
