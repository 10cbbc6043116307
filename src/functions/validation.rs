//! Faults of a request's members, collected and worded as AWS does.
//!
//! `1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must …`; several are joined by
//! `; `. Members are named as in the service's model, beginning in lower case.

use std::fmt::{self, Display};

/// Faults found so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Violations(Vec<String>);

impl Violations {
    /// Notes that `value` at `member` does not satisfy `constraint`.
    pub fn add(&mut self, value: impl Display, member: &str, constraint: impl Display) {
        self.0.push(format!("Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"));
    }

    /// The same for a value that must not be shown.
    pub fn add_hidden(&mut self, member: &str, constraint: impl Display) {
        self.0.push(format!("Value at '{member}' failed to satisfy constraint: {constraint}"));
    }

    /// Notes that a member that is required is not there.
    pub fn missing(&mut self, member: &str) {
        self.0
            .push(format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"));
    }

    /// A text's length in characters.
    pub fn length(&mut self, value: &str, member: &str, min: usize, max: usize) {
        let length = value.chars().count();
        if length > max {
            self.add(value, member, format_args!("Member must have length less than or equal to {max}"));
        } else if length < min {
            self.add(value, member, format_args!("Member must have length greater than or equal to {min}"));
        }
    }

    /// A number's range.
    pub fn range(&mut self, value: i64, member: &str, min: i64, max: i64) {
        if value > max {
            self.add(value, member, format_args!("Member must have value less than or equal to {max}"));
        } else if value < min {
            self.add(value, member, format_args!("Member must have value greater than or equal to {min}"));
        }
    }

    /// A text's pattern: `matches` says whether it does, `pattern` is the model's, for the message.
    pub fn pattern(&mut self, value: &str, member: &str, matches: bool, pattern: &str) {
        if !matches {
            self.add(
                value,
                member,
                format_args!("Member must satisfy regular expression pattern: {pattern}"),
            );
        }
    }

    /// One of a few words.
    pub fn one_of(&mut self, value: &str, member: &str, words: &[&str]) {
        if !words.contains(&value) {
            self.add(value, member, OneOf(words));
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Themselves as the error, if there are any.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = if self.0.len() == 1 { "error" } else { "errors" };
        write!(f, "{} validation {errors} detected: {}", self.0.len(), self.0.join("; "))
    }
}

/// The constraint that a value is one of some words.
pub struct OneOf<'a>(pub &'a [&'a str]);

impl Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member must satisfy enum value set: [{}]", self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_satisfies_its_constraint_is_no_fault() {
        let mut violations = Violations::default();
        violations.length("ä", "a", 1, 1);
        violations.range(3, "b", 3, 3);
        violations.one_of("x", "c", &["x"]);
        violations.pattern("x", "d", true, "x");
        assert_eq!(violations.into_result(), Ok(()));
    }

    #[test]
    fn faults_are_counted_and_joined() {
        let mut violations = Violations::default();
        violations.range(901, "timeout", 1, 900);
        assert_eq!(
            violations.to_string(),
            "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value \
             less than or equal to 900"
        );
        violations.missing("role");
        violations.add_hidden("environment.variables", "x");
        assert_eq!(
            violations.to_string(),
            "3 validation errors detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value \
             less than or equal to 900; Value null at 'role' failed to satisfy constraint: Member must not be null; Value \
             at 'environment.variables' failed to satisfy constraint: x"
        );
    }
}
