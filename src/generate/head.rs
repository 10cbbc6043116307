//! A schema by itself: its type, what narrows it, its enum, its required members. What lies in it is the reader's.

use super::{
    fault::{Fault, below},
    keywords,
    model::{Rule, Width},
};
use crate::base::json::Node;

/// Values of one enum.
const VALUES_MAX: usize = 400;
/// Bytes of a definition's or property's name, or an enum's value.
const NAME_BYTES_MAX: usize = 200;

/// What a schema says of its type beside what lies in it.
pub struct Head {
    /// Its name in JSON Schema.
    pub type_name: &'static str,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// Of whole numbers.
    pub width: Width,
    /// What narrows it.
    pub rules: Vec<Rule>,
}

const TYPES: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];

impl Head {
    /// From a schema's members; every keyword of it is looked at.
    pub fn of(members: &[(String, Node)], pointer: &str) -> Result<Self, Fault> {
        let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let (type_name, mut is_nullable) = match (member("type"), member("const"), member("enum")) {
            (Some(type_node), ..) => type_of(type_node, &below(pointer, "type"))?,
            (None, Some(Node::Text(_)), _) | (None, None, Some(_)) => ("string", false),
            (None, Some(Node::Bool(_)), _) => ("boolean", false),
            _ => {
                let what = format!("the type is missing: write \"type\" and one of {}", TYPES.join(", "));
                return Err(Fault::at(pointer, what));
            }
        };
        keywords::check(members, Some(type_name), "type", pointer)?;
        let mut rules = keywords::rules(members, pointer)?;
        let mut width = Width::Int64;
        if let Some(format) = member("format").and_then(Node::text)
            && type_name != "string"
        {
            rules.retain(|rule| rule.keyword != "format");
            width = match (type_name, format) {
                ("integer", "int32") => Width::Int32,
                ("integer", "int64") | ("number", "double" | "float") => Width::Int64,
                _ => {
                    let what = format!(
                        "{format:?} is no format of the type {type_name}: write int32 or int64 for an integer, \
                        double for a number"
                    );
                    return Err(Fault::at(&below(pointer, "format"), what));
                }
            };
        }
        if let Some(Node::List(values)) = member("enum") {
            // Null is admitted where both say so; a type alone says it of what has no enum.
            is_nullable = values.contains(&Node::Null) && (is_nullable || member("type").is_none());
        }
        if let Some(value) = member("const") {
            let fits = match (type_name, value) {
                ("string", Node::Text(_)) | ("boolean", Node::Bool(_)) | ("number", Node::Number(_)) => true,
                ("integer", Node::Number(decimal)) => decimal.parse::<i64>().is_ok(),
                _ => false,
            };
            if !fits {
                let what = format!("const is {}, and the type is {type_name}: let them agree", value.kind());
                return Err(Fault::at(&below(pointer, "const"), what));
            }
            rules.push(Rule { keyword: "const", value: value.to_string() });
        }
        Ok(Self { type_name, is_nullable, width, rules })
    }
}

/// The type that a `type` names, and whether null is one beside it.
fn type_of(node: &Node, pointer: &str) -> Result<(&'static str, bool), Fault> {
    let known = |name: &Node| TYPES.into_iter().find(|known| Some(*known) == name.text());
    let found = match node {
        Node::List(two) => match two.as_slice() {
            [one] => known(one).map(|one| (one, false)),
            [one, other] => match (known(one), known(other)) {
                (Some("null"), Some(one)) | (Some(one), Some("null")) if one != "null" => Some((one, true)),
                _ => None,
            },
            _ => None,
        },
        one => known(one).map(|one| (one, false)),
    };
    found.ok_or_else(|| {
        let what = format!(
            "{node:.100} is no type: write one of {}, or a list of one of them and null",
            TYPES.join(", ")
        );
        Fault::at(pointer, what)
    })
}

/// The values of an enum.
pub fn values_of(node: &Node, pointer: &str) -> Result<Vec<String>, Fault> {
    let Node::List(nodes) = node else {
        return Err(Fault::at(pointer, format!("enum is {}: write a list of strings", node.kind())));
    };
    let mut values: Vec<String> = Vec::new();
    for node in nodes {
        match node {
            Node::Null => {}
            Node::Text(value) => {
                short(value, pointer)?;
                if values.contains(value) {
                    return Err(Fault::at(
                        pointer,
                        format!("the value {value:?} is there twice: take one out"),
                    ));
                }
                values.push(value.clone());
            }
            other => {
                return Err(Fault::at(pointer, format!("a value is {}: write strings alone", other.kind())));
            }
        }
    }
    if values.is_empty() || values.len() > VALUES_MAX {
        return Err(Fault::at(
            pointer,
            format!("an enum has from 1 to {VALUES_MAX} strings: use a string without enum"),
        ));
    }
    Ok(values)
}

/// The names of the members that are always there.
pub fn required<'n>(
    node: &'n Node,
    members: &[(String, Node)],
    pointer: &str,
) -> Result<Vec<&'n str>, Fault> {
    let pointer = below(pointer, "required");
    let names = match node.member("required") {
        None => return Ok(Vec::new()),
        Some(Node::List(names)) => names,
        Some(other) => {
            return Err(Fault::at(&pointer, format!("required is {}: write a list of names", other.kind())));
        }
    };
    names
        .iter()
        .map(|name| match name.text() {
            None => Err(Fault::at(&pointer, format!("a name is {}: write strings", name.kind()))),
            Some(name) if members.iter().any(|(member, _)| member == name) => Ok(name),
            Some(name) => Err(Fault::at(
                &pointer,
                format!("{name:.200?} is not among the properties: give its schema there, or take it out"),
            )),
        })
        .collect()
}

/// Refuses names that are too long.
pub fn short(name: &str, pointer: &str) -> Result<(), Fault> {
    if name.len() > NAME_BYTES_MAX {
        let begin: String = name.chars().take(40).collect();
        return Err(Fault::at(
            pointer,
            format!("the name {begin:?}… has more than {NAME_BYTES_MAX} bytes: shorten it"),
        ));
    }
    Ok(())
}
