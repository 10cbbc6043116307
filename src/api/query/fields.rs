//! Reading a form's fields against the constraints of the service's model. All that is wrong is said at once, in the
//! words in which AWS says it.

use std::{collections::BTreeMap, fmt::Display};

use super::Form;
use crate::api::ApiError;

/// How much of a wrong value is repeated.
const SHOWN_CHARS_MAX: usize = 256;

/// A pattern of the model, and what it means.
pub type Pattern = (&'static str, fn(&str) -> bool);

/// What a text must be.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    /// The fewest characters.
    pub min: usize,
    /// The most characters.
    pub max: usize,
    /// The model's pattern, and what it means.
    pub pattern: Option<Pattern>,
}

impl Constraint {
    /// Of this length, of any characters.
    pub const fn length(min: usize, max: usize) -> Self {
        Self { min, max, pattern: None }
    }

    /// Of this length and pattern.
    pub const fn pattern(min: usize, max: usize, pattern: &'static str, fits: fn(&str) -> bool) -> Self {
        Self { min, max, pattern: Some((pattern, fits)) }
    }

    fn violation(&self, text: &str) -> Option<String> {
        let chars = text.chars().count();
        if chars < self.min {
            return Some(format!("Member must have length greater than or equal to {}", self.min));
        }
        if chars > self.max {
            return Some(format!("Member must have length less than or equal to {}", self.max));
        }
        let (pattern, fits) = self.pattern?;
        (!fits(text)).then(|| format!("Member must satisfy regular expression pattern: {pattern}"))
    }
}

/// A form that is being read.
#[derive(Debug)]
pub struct Fields<'f> {
    form: &'f Form,
    violations: Vec<String>,
    duplicate_tags: bool,
}

impl<'f> Fields<'f> {
    /// Begins to read.
    pub fn of(form: &'f Form) -> Self {
        Self { form, violations: Vec::new(), duplicate_tags: false }
    }

    /// A text that must be there. What stands in for a wrong one is never used, since [`Self::finish`] refuses.
    pub fn text(&mut self, name: &str, constraint: &Constraint) -> String {
        match self.optional(name, constraint) {
            Some(text) => text,
            None => {
                self.missing(&camel(name));
                String::new()
            }
        }
    }

    /// A text that need not be there.
    pub fn optional(&mut self, name: &str, constraint: &Constraint) -> Option<String> {
        let text = self.form.get(name)?;
        self.check(&camel(name), text, constraint);
        Some(text.to_owned())
    }

    /// A number that need not be there.
    pub fn number(&mut self, name: &str, min: u32, max: u32) -> Option<u32> {
        let text = self.form.get(name)?;
        let at = camel(name);
        match text.parse::<i64>() {
            Ok(number) if number < i64::from(min) => {
                self.violate(
                    &at,
                    text,
                    format_args!("Member must have value greater than or equal to {min}"),
                );
            }
            Ok(number) if number > i64::from(max) => {
                self.violate(&at, text, format_args!("Member must have value less than or equal to {max}"));
            }
            Ok(number) => return u32::try_from(number).ok(),
            Err(_) => self.violate(&at, text, "Member must be a number"),
        }
        None
    }

    /// A flag; false if it is not there.
    pub fn flag(&mut self, name: &str) -> bool {
        let Some(text) = self.form.get(name) else { return false };
        let flag = text.parse();
        if flag.is_err() {
            self.violate(&camel(name), text, "Member must be true or false");
        }
        flag.unwrap_or(false)
    }

    /// A list of texts; empty if it is not there.
    pub fn texts(&mut self, name: &str, constraint: &Constraint) -> Vec<String> {
        let texts = self.form.list(name);
        for text in &texts {
            self.check(&camel(name), text, constraint);
        }
        texts.into_iter().map(str::to_owned).collect()
    }

    /// A list of structures of which one member matters, which each must have.
    pub fn list_of(&mut self, name: &str, member: &str, constraint: &Constraint) -> Vec<String> {
        let mut texts = Vec::new();
        for (index, structure) in self.form.structures(name).into_iter().enumerate() {
            let at = format!("{}.{}.member.{}", camel(name), index + 1, camel(member));
            match structure.get(member) {
                Some(text) => {
                    self.check(&at, text, constraint);
                    texts.push((*text).to_owned());
                }
                None => self.missing(&at),
            }
        }
        texts
    }

    /// A list of `{Key, Value}`. A key twice, in whatever case, is refused.
    pub fn tags(&mut self, name: &str, key: &Constraint, value: &Constraint) -> BTreeMap<String, String> {
        let mut tags: BTreeMap<String, String> = BTreeMap::new();
        for (index, tag) in self.form.structures(name).into_iter().enumerate() {
            let at = |member: &str| format!("{}.{}.member.{member}", camel(name), index + 1);
            let mut member = |name: &str, constraint: &Constraint| match tag.get(name) {
                Some(text) => {
                    self.check(&at(&camel(name)), text, constraint);
                    (*text).to_owned()
                }
                None => {
                    self.missing(&at(&camel(name)));
                    String::new()
                }
            };
            let (key, value) = (member("Key", key), member("Value", value));
            self.duplicate_tags |= tags.keys().any(|known| known.eq_ignore_ascii_case(&key));
            tags.insert(key, value);
        }
        tags
    }

    /// Refuses with all that was wrong.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.violations.len() {
            0 if self.duplicate_tags => Err(ApiError::bad_request(
                "InvalidInput",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            )),
            0 => Ok(()),
            1 => Err(validation(format!("1 validation error detected: {}", self.violations.concat()))),
            n => Err(validation(format!("{n} validation errors detected: {}", self.violations.join("; ")))),
        }
    }

    fn check(&mut self, at: &str, text: &str, constraint: &Constraint) {
        if let Some(violation) = constraint.violation(text) {
            self.violate(at, text, violation);
        }
    }

    fn missing(&mut self, at: &str) {
        self.violations
            .push(format!("Value null at '{at}' failed to satisfy constraint: Member must not be null"));
    }

    fn violate(&mut self, at: &str, text: &str, constraint: impl Display) {
        let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        self.violations.push(format!("Value '{shown}' at '{at}' failed to satisfy constraint: {constraint}"));
    }
}

/// The refusal of an input.
pub fn validation(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("ValidationError", message)
}

/// `RoleName` → `roleName`, as messages call members.
fn camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::form::tests::form, *};

    const NAME: Constraint =
        Constraint::pattern(1, 5, "[a-z]+", |text| text.bytes().all(|b| b.is_ascii_lowercase()));

    fn refusal(body: &str, read: impl FnOnce(&mut Fields<'_>)) -> String {
        let form = form(body);
        let mut fields = Fields::of(&form);
        read(&mut fields);
        let error = fields.finish().unwrap_err();
        assert_eq!((error.status.as_u16(), error.code.as_ref()), (400, "ValidationError"));
        error.message.unwrap()
    }

    #[test]
    fn what_fits_is_read() {
        let form = form("RoleName=app&Max=7&L.member.1=a&T.member.1.Key=k&T.member.1.Value=v");
        let mut fields = Fields::of(&form);
        assert_eq!(fields.text("RoleName", &NAME), "app");
        assert_eq!(fields.optional("Absent", &NAME), None);
        assert_eq!(fields.number("Max", 1, 7), Some(7));
        assert_eq!(fields.texts("L", &NAME), ["a"]);
        assert_eq!(fields.tags("T", &NAME, &NAME), [("k".to_owned(), "v".to_owned())].into());
        fields.finish().unwrap();
    }

    #[test]
    fn each_violation_is_said_as_aws_says_it() {
        type Read = fn(&mut Fields<'_>);
        let table: [(&str, Read, &str); 8] = [
            (
                "",
                |f| drop(f.text("RoleName", &NAME)),
                "Value null at 'roleName' failed to satisfy constraint: Member must not be null",
            ),
            (
                "N=",
                |f| drop(f.text("N", &NAME)),
                "Value '' at 'n' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ),
            (
                "N=abcdef",
                |f| drop(f.text("N", &NAME)),
                "Value 'abcdef' at 'n' failed to satisfy constraint: Member must have length less than or equal to 5",
            ),
            (
                "N=A",
                |f| drop(f.optional("N", &NAME)),
                "Value 'A' at 'n' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+",
            ),
            (
                "N=0",
                |f| assert_eq!(f.number("N", 1, 9), None),
                "Value '0' at 'n' failed to satisfy constraint: Member must have value greater than or equal to 1",
            ),
            (
                "N=10",
                |f| assert_eq!(f.number("N", 1, 9), None),
                "Value '10' at 'n' failed to satisfy constraint: Member must have value less than or equal to 9",
            ),
            (
                "N=x",
                |f| assert_eq!(f.number("N", 1, 9), None),
                "Value 'x' at 'n' failed to satisfy constraint: Member must be a number",
            ),
            (
                "T.member.1.Key=k",
                |f| drop(f.tags("T", &NAME, &NAME)),
                "Value null at 't.1.member.value' failed to satisfy constraint: Member must not be null",
            ),
        ];
        for (body, read, expected) in table {
            assert_eq!(refusal(body, read), format!("1 validation error detected: {expected}"));
        }
    }

    #[test]
    fn all_violations_are_said_at_once() {
        let message = refusal("A=1&B=2", |fields| {
            fields.text("A", &NAME);
            fields.text("B", &NAME);
        });
        assert!(message.starts_with("2 validation errors detected: Value '1' at 'a'"), "{message}");
        assert!(message.contains("; Value '2' at 'b'"), "{message}");
    }

    #[test]
    fn a_tag_key_twice_is_refused() {
        const KEY: Constraint = Constraint::length(1, 5);
        for second in ["k", "K"] {
            let form = form(&format!(
                "T.member.1.Key=k&T.member.1.Value=a&T.member.2.Key={second}&T.member.2.Value=b"
            ));
            let mut fields = Fields::of(&form);
            fields.tags("T", &KEY, &KEY);
            assert_eq!(fields.finish().unwrap_err().code, "InvalidInput");
        }
    }

    #[test]
    fn a_long_value_is_not_repeated_whole() {
        let message = refusal(&format!("N={}", "a".repeat(10_000)), |f| drop(f.text("N", &NAME)));
        assert!(message.len() < 500, "{}", message.len());
    }
}
