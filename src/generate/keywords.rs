//! The keywords of JSON Schema 2020-12 that types are made of, and what is said about the others.

use super::{
    fault::{Fault, below},
    model::{Docs, Rule},
};
use crate::base::json::Node;

/// What a keyword's value must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Count,
    Number,
    Text,
    Flag,
}

/// Keywords that narrow a type: of which types, and with what value.
const RULES: [(&str, &[&str], Takes); 16] = [
    ("format", &["string", "integer", "number"], Takes::Text),
    ("minLength", &["string"], Takes::Count),
    ("maxLength", &["string"], Takes::Count),
    ("pattern", &["string"], Takes::Text),
    ("contentEncoding", &["string"], Takes::Text),
    ("contentMediaType", &["string"], Takes::Text),
    ("minimum", &["integer", "number"], Takes::Number),
    ("maximum", &["integer", "number"], Takes::Number),
    ("exclusiveMinimum", &["integer", "number"], Takes::Number),
    ("exclusiveMaximum", &["integer", "number"], Takes::Number),
    ("multipleOf", &["integer", "number"], Takes::Number),
    ("minItems", &["array"], Takes::Count),
    ("maxItems", &["array"], Takes::Count),
    ("uniqueItems", &["array"], Takes::Flag),
    ("minProperties", &["object"], Takes::Count),
    ("maxProperties", &["object"], Takes::Count),
];

/// Keywords that make a type, and the types that they are about; of every type where there are none.
const SHAPES: [(&str, &[&str]); 9] = [
    ("type", &[]),
    ("enum", &["string"]),
    ("const", &["string", "integer", "number", "boolean"]),
    ("properties", &["object"]),
    ("required", &["object"]),
    ("additionalProperties", &["object"]),
    ("items", &["array"]),
    ("anyOf", &[]),
    ("oneOf", &[]),
];

/// Keywords for people.
pub const ANNOTATIONS: [&str; 6] = ["title", "description", "deprecated", "default", "examples", "$comment"];

/// What to do instead of keywords that are often met and not taken.
const INSTEAD: [(&str, &str); 14] = [
    ("allOf", "write the members of all of them into one object"),
    ("not", "say what is meant instead of what is not"),
    ("if", "make the members optional, and say in the description when they are there"),
    ("then", "make the members optional, and say in the description when they are there"),
    ("else", "make the members optional, and say in the description when they are there"),
    ("dependentRequired", "say it in the description"),
    ("dependentSchemas", "make the members optional, and say in the description when they are there"),
    ("patternProperties", "use additionalProperties with the schema of all values"),
    ("propertyNames", "say it in the description"),
    ("unevaluatedProperties", "use additionalProperties"),
    ("prefixItems", "use an object with a name for each item"),
    ("contains", "say it in the description"),
    ("definitions", "use $defs at the root of the file"),
    ("$defs", "put it at the root of the file, beside input and output"),
];

/// All that types are made of.
#[cfg(test)]
pub fn all() -> impl Iterator<Item = &'static str> {
    let shapes = SHAPES.iter().map(|(name, _)| *name).chain(["$ref", "$defs"]);
    shapes.chain(RULES.iter().map(|(name, ..)| *name)).chain(ANNOTATIONS)
}

/// Refuses members of a schema that are no keywords for a value of this type; without a type, all but annotations.
pub fn check(
    members: &[(String, Node)],
    type_name: Option<&str>,
    beside: &str,
    pointer: &str,
) -> Result<(), Fault> {
    for (keyword, _) in members {
        let keyword = keyword.as_str();
        let types = SHAPES
            .iter()
            .find(|(name, _)| *name == keyword)
            .map(|(_, types)| *types)
            .or_else(|| RULES.iter().find(|(name, ..)| *name == keyword).map(|(_, types, _)| *types));
        let is_taken = ANNOTATIONS.contains(&keyword)
            || keyword == beside
            || type_name.is_some_and(|name| types.is_some_and(|types| types.contains(&name)));
        if is_taken {
            continue;
        }
        let place = below(pointer, keyword);
        let what = match (types, type_name) {
            (Some(_), None) => {
                format!("{keyword} cannot stand beside {beside}: put it into what {beside} names")
            }
            (Some(_), Some(name)) => {
                format!("{keyword} says nothing about a value of the type {name}: take it out")
            }
            (None, _) => match INSTEAD.iter().find(|(name, _)| *name == keyword) {
                Some((_, instead)) => format!("no type can be made of {keyword}: {instead}"),
                None => format!(
                    "{keyword:.100} is no keyword that types are made of (docs/generate.md lists them): take it out"
                ),
            },
        };
        return Err(Fault::at(&place, what));
    }
    Ok(())
}

/// The rules among a schema's members.
pub fn rules(members: &[(String, Node)], pointer: &str) -> Result<Vec<Rule>, Fault> {
    let mut rules = Vec::new();
    for (keyword, _, takes) in RULES {
        let Some((_, value)) = members.iter().find(|(name, _)| name == keyword) else { continue };
        let (fits, wanted) = match (takes, value) {
            (Takes::Count, Node::Number(decimal)) => {
                (decimal.parse::<u64>().is_ok(), "a whole number from 0 on")
            }
            (Takes::Count, _) => (false, "a whole number from 0 on"),
            (Takes::Number, value) => (matches!(value, Node::Number(_)), "a number"),
            (Takes::Text, value) => (matches!(value, Node::Text(_)), "a string"),
            (Takes::Flag, value) => (matches!(value, Node::Bool(_)), "true or false"),
        };
        if !fits {
            let what = format!("{keyword} is {}: write {wanted}", value.kind());
            return Err(Fault::at(&below(pointer, keyword), what));
        }
        rules.push(Rule { keyword, value: value.to_string() });
    }
    Ok(rules)
}

/// What a schema says for people.
pub fn docs(members: &[(String, Node)], pointer: &str) -> Result<Docs, Fault> {
    let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let wrong = |name: &str, value: &Node, wanted: &str| {
        Fault::at(&below(pointer, name), format!("{name} is {}: write {wanted}", value.kind()))
    };
    let text = |name: &str| match member(name) {
        None => Ok(None),
        Some(Node::Text(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(name, other, "a string")),
    };
    text("$comment")?;
    Ok(Docs {
        title: text("title")?,
        description: text("description")?,
        is_deprecated: match member("deprecated") {
            None => false,
            Some(Node::Bool(is_deprecated)) => *is_deprecated,
            Some(other) => return Err(wrong("deprecated", other, "true or false")),
        },
        default: member("default").map(Node::to_string),
        examples: match member("examples") {
            None => Vec::new(),
            Some(Node::List(examples)) => examples.iter().map(Node::to_string).collect(),
            Some(other) => return Err(wrong("examples", other, "a list")),
        },
    })
}
