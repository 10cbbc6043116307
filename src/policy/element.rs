//! Reading the forms that elements of a policy take.

use super::{error::Problem, json::Node};

/// The members of an object.
pub(super) fn map<'n>(field: &str, node: &'n Node) -> Result<&'n [(String, Node)], Problem> {
    match node {
        Node::Map(members) => Ok(members),
        other => Err(Problem::at(field, format!("It must be an object, not {}.", other.kind()))),
    }
}

/// A string.
pub(super) fn string<'n>(field: &str, node: &'n Node) -> Result<&'n str, Problem> {
    match node {
        Node::Text(text) => Ok(text),
        other => Err(Problem::at(field, format!("It must be a string, not {}.", other.kind()))),
    }
}

/// One string or a list of them.
pub(super) fn strings<'n>(field: &str, node: &'n Node) -> Result<Vec<&'n str>, Problem> {
    match node {
        Node::Text(text) => Ok(vec![text]),
        Node::List(items) => items.iter().map(|item| string(field, item)).collect(),
        other => Err(Problem::at(
            field,
            format!("It must be a string or a list of strings, not {}.", other.kind()),
        )),
    }
}

/// One string, number or boolean, or a list of them, as texts: the values of conditions.
pub(super) fn scalars(field: &str, node: &Node) -> Result<Vec<String>, Problem> {
    match node {
        Node::List(items) => items.iter().map(|item| scalar(field, item)).collect(),
        item => Ok(vec![scalar(field, item)?]),
    }
}

fn scalar(field: &str, node: &Node) -> Result<String, Problem> {
    match node {
        Node::Text(text) | Node::Number(text) => Ok(text.clone()),
        Node::Bool(value) => Ok(value.to_string()),
        other => Err(Problem::at(
            field,
            format!("A value must be a string, a number or a boolean, not {}.", other.kind()),
        )),
    }
}
