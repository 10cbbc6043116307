//! Types in words, for people who compare them.

use super::super::model::{Kind, Model, Shape, Type, Width};

/// How many values of an enum are named.
const VALUES_SHOWN: usize = 8;

/// A type in a few words.
pub fn of_type(model: &Model, holds: &Type) -> String {
    let words = match &holds.shape {
        Shape::Null => "nothing".to_owned(),
        Shape::Any => "any JSON".to_owned(),
        Shape::Boolean => "a boolean".to_owned(),
        Shape::Integer(Width::Int32) => "a whole number of 32 bits".to_owned(),
        Shape::Integer(Width::Int64) => "a whole number".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::Text => "a string".to_owned(),
        Shape::List(items) => format!("a list, each item {}", of_type(model, items)),
        Shape::Map(values) => format!("a map, each value {}", of_type(model, values)),
        Shape::Named(name) => match model.named(name).map(|named| &named.kind) {
            Some(Kind::Enum(values)) => {
                format!("one of {}", quoted(&values.iter().collect::<Vec<_>>()))
            }
            _ => format!("the object {name}"),
        },
    };
    if holds.is_nullable { format!("{words} or null") } else { words }
}

/// Values in quotes, the first few of many.
pub fn quoted(values: &[&String]) -> String {
    let shown: Vec<String> = values.iter().take(VALUES_SHOWN).map(|value| format!("{value:?}")).collect();
    match values.len().saturating_sub(VALUES_SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
