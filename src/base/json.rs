//! JSON that people write for the gateway to hold on to: a key that appears twice is an error, and so is depth beyond what the
//! reader allows. (A general JSON reader would take the last of two `Effect`s, and a document must not mean what only one reader
//! sees in it.)

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value; members of objects keep their order.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// `null`
    Null,
    /// `true` and `false`
    Bool(bool),
    /// Its decimal form.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Node>),
    /// An object.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// What it is, in words for error texts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    /// A member of an object; `None` where there is none, or where this is no object.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// As JSON, in one line.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(decimal) => f.write_str(decimal),
            Self::Text(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Map(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {value}", serde_json::Value::from(name.as_str()))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Reads one JSON value and nothing after it, nested at most `depth_max` deep. `what` it is, for example `a policy`, goes into the
/// error, which is a phrase with line and column.
pub fn read(text: &str, depth_max: u8, what: &'static str) -> Result<Node, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { left: depth_max, what };
    let node = seed.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(node)
}

#[derive(Clone, Copy)]
struct Seed {
    /// How much deeper it may go.
    left: u8,
    what: &'static str,
}

impl Seed {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("it is nested more deeply than {} can be", self.what)))?;
        Ok(Self { left, ..self })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, String> {
        super::read(text, 6, "a test")
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
        assert!(read("[[[[[[[1]]]]]]]").unwrap_err().contains("nested more deeply than a test can be"));
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read("{} {}").is_err());
    }

    #[test]
    fn a_value_is_shown_as_json_with_its_members_in_order() {
        let text = r#"{"b": [1, -2.5, "\"\\"], "a": {"c": null, "d": true}}"#;
        assert_eq!(read(text).unwrap().to_string(), text);
    }
}
