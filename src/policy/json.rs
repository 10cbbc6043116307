//! JSON as policies need it.

use crate::base::json;
pub(super) use crate::base::json::Node;

/// The deepest nesting of a policy: document, statements, statement, condition, operator, values.
const DEPTH_MAX: u8 = 6;

/// Reads one JSON value and nothing after it. The error is a phrase with line and column.
pub(super) fn read(text: &str) -> Result<Node, String> {
    json::read(text, DEPTH_MAX, "a policy")
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
    fn depth_is_refused() {
        assert!(read("[[[[[[1]]]]]]").is_ok());
        assert!(read("[[[[[[[1]]]]]]]").unwrap_err().contains("nested more deeply than a policy can be"));
    }
}
