//! JSON as policies need it: a key that appears twice is an error, and so is depth that no policy has. (A general JSON
//! reader would take the last of two `Effect`s, and a policy must not mean what only one reader sees in it.)

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of a policy: document, statements, statement, condition, operator, values.
const DEPTH_MAX: u8 = 6;

/// A JSON value; members of objects keep their order.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// Its decimal form.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// What it is, in words for error texts.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

/// Reads one JSON value and nothing after it. The error is a phrase with line and column.
pub(super) fn read(text: &str) -> Result<Node, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = Seed { depth: 0 }.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(node)
}

#[derive(Clone, Copy)]
struct Seed {
    depth: u8,
}

impl Seed {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom("it is nested more deeply than a policy can be"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let seed = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let seed = self.deeper()?;
        let mut map: Vec<(String, Node)> = Vec::new();
        // A set beside the list: comparing every key with every other would be quadratic in what a client sent.
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("the key \"{key}\" appears twice in one object")));
            }
            let value = members.next_value_seed(seed)?;
            map.push((key, value));
        }
        Ok(Node::Map(map))
    }
}

/// The characters of a JSON text that IAM counts against its limits: all but the white space between tokens.
pub(super) fn size(text: &str) -> usize {
    let (mut size, mut in_string, mut escaped) = (0, false, false);
    for character in text.chars() {
        if in_string {
            size += 1;
            (in_string, escaped) = match character {
                _ if escaped => (true, false),
                '\\' => (true, true),
                '"' => (false, false),
                _ => (true, false),
            };
        } else if !character.is_ascii_whitespace() {
            size += 1;
            in_string = character == '"';
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_counts_inside_strings_only() {
        assert_eq!(size("{ \"a b\" :\n\t1 }"), "{\"a b\":1}".len());
        assert_eq!(size(r#"{"a\" b": "\\" , "c":1}"#), r#"{"a\" b":"\\","c":1}"#.len());
    }

    #[test]
    fn a_key_that_appears_twice_is_an_error_at_any_level() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"s":[{"b":{"c":1,"c":1}}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(read(text).unwrap_err().contains("appears twice"), "{text}");
        }
    }

    #[test]
    fn depth_and_trailing_text_are_refused() {
        assert!(read("[[[[[[1]]]]]]").is_ok());
        assert!(read("[[[[[[[1]]]]]]]").unwrap_err().contains("nested more deeply"));
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read("{} {}").is_err());
    }
}
