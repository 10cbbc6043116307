//! Conditions: one operator on one key, compiled.

use super::{
    arn::ArnPattern,
    element,
    error::Problem,
    glob::Glob,
    json::Node,
    keys::Keys,
    number::Number,
    operator::{self, Comparison, Operator, Relation},
    text::{self, Piece, Syntax},
};

/// One operator on one key with the values that the policy lists.
#[derive(Debug)]
pub(super) struct Condition {
    /// In lower case.
    key: Box<str>,
    test: Test,
    negated: bool,
    any_value: bool,
    if_exists: bool,
}

/// What is asked of a value of the request: whether it fits any value of the policy.
#[derive(Debug)]
enum Test {
    Equals(Box<[Value<Box<str>>]>),
    EqualsIgnoreCase(Box<[Value<Box<str>>]>),
    Like(Box<[Value<Glob>]>),
    Arn(Box<[Value<ArnPattern>]>),
    Bool { yes: bool, no: bool },
    Null { absent: bool, present: bool },
    Numeric(Relation, Box<[Number<Box<str>>]>),
}

/// A value of the policy, compiled as far as can be before there is a request.
#[derive(Debug)]
enum Value<T> {
    Fixed(T),
    Varying(Box<[Piece]>),
}

impl<T> Value<T> {
    fn new(pieces: Vec<Piece>, compile: impl FnOnce(&[Piece]) -> T) -> Self {
        if text::varies(&pieces) { Self::Varying(pieces.into()) } else { Self::Fixed(compile(&pieces)) }
    }

    fn fits(
        &self,
        keys: &dyn Keys,
        compile: impl FnOnce(&[Piece]) -> T,
        test: impl FnOnce(&T) -> bool,
    ) -> bool {
        match self {
            Self::Fixed(value) => test(value),
            Self::Varying(pieces) => {
                text::resolve(pieces, keys).is_some_and(|pieces| test(&compile(&pieces)))
            }
        }
    }
}

/// The text of pieces that have neither wildcards nor variables.
fn literal(pieces: &[Piece]) -> Box<str> {
    text::fixed(pieces).unwrap_or_default().into()
}

/// Reads a `Condition` element: operator → key → values.
pub(super) fn parse(node: &Node, variables: bool) -> Result<Box<[Condition]>, Problem> {
    let mut conditions = Vec::new();
    for (name, keys) in element::map("Condition", node)? {
        let field = format!("Condition.{name}");
        let operator = operator::parse(name).map_err(|text| Problem::at("Condition", sentence(&text)))?;
        for (key, values) in element::map(&field, keys)? {
            let field = format!("{field}.{key}");
            if !key.contains(':') {
                let text = "Conditions must be prefaced by a vendor, for example aws:username.";
                return Err(Problem::at(field, text));
            }
            if key.contains("${") {
                return Err(Problem::at(field, "A condition key cannot contain a policy variable."));
            }
            let values = element::scalars(&field, values)?;
            let test = Test::new(operator, &values, variables)
                .map_err(|text| Problem::at(field, sentence(&text)))?;
            conditions.push(Condition {
                key: key.to_lowercase().into(),
                test,
                negated: operator.negated,
                any_value: operator.any_value,
                if_exists: operator.if_exists,
            });
        }
    }
    Ok(conditions.into())
}

/// A phrase as a sentence.
pub(super) fn sentence(phrase: &str) -> String {
    let mut characters = phrase.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

impl Test {
    fn new(operator: Operator, values: &[String], variables: bool) -> Result<Self, String> {
        let read = |wildcards| {
            values
                .iter()
                .map(|value| text::parse(value, Syntax { wildcards, variables }))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match operator.comparison {
            Comparison::StringEquals => {
                Self::Equals(read(false)?.into_iter().map(|pieces| Value::new(pieces, literal)).collect())
            }
            Comparison::StringEqualsIgnoreCase => Self::EqualsIgnoreCase(
                read(false)?.into_iter().map(|pieces| Value::new(pieces, literal)).collect(),
            ),
            Comparison::StringLike => {
                Self::Like(read(true)?.into_iter().map(|pieces| Value::new(pieces, Glob::new)).collect())
            }
            Comparison::Arn => {
                Self::Arn(read(true)?.into_iter().map(|pieces| Value::new(pieces, ArnPattern::new)).collect())
            }
            Comparison::Bool => {
                let (yes, no) = truths(values)?;
                Self::Bool { yes, no }
            }
            Comparison::Null => {
                let (absent, present) = truths(values)?;
                Self::Null { absent, present }
            }
            Comparison::Numeric(relation) => Self::Numeric(
                relation,
                values
                    .iter()
                    .map(|value| {
                        Number::parse(value)
                            .map(Number::into_owned)
                            .ok_or_else(|| format!("\"{value}\" is not a decimal number"))
                    })
                    .collect::<Result<_, _>>()?,
            ),
        })
    }

    /// Whether one value of the request fits any value of the policy.
    fn accepts(&self, value: &str, keys: &dyn Keys) -> bool {
        match self {
            Self::Equals(texts) => texts.iter().any(|text| text.fits(keys, literal, |text| **text == *value)),
            Self::EqualsIgnoreCase(texts) => {
                texts.iter().any(|text| text.fits(keys, literal, |text| equal_but_for_case(text, value)))
            }
            Self::Like(globs) => {
                globs.iter().any(|glob| glob.fits(keys, Glob::new, |glob| glob.matches(value)))
            }
            Self::Arn(arns) => {
                arns.iter().any(|arn| arn.fits(keys, ArnPattern::new, |arn| arn.matches(value)))
            }
            Self::Bool { yes, no } => match truth(value) {
                Some(true) => *yes,
                Some(false) => *no,
                None => false,
            },
            Self::Null { present, .. } => *present,
            Self::Numeric(relation, numbers) => Number::parse(value)
                .is_some_and(|value| numbers.iter().any(|number| relation.holds(value.compare(number)))),
        }
    }
}

/// Which of `true` and `false` the values name.
fn truths(values: &[String]) -> Result<(bool, bool), String> {
    let (mut yes, mut no) = (false, false);
    for value in values {
        match truth(value) {
            Some(true) => yes = true,
            Some(false) => no = true,
            None => return Err(format!("\"{value}\" is neither true nor false")),
        }
    }
    Ok((yes, no))
}

fn truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn equal_but_for_case(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
        || left.chars().flat_map(char::to_lowercase).eq(right.chars().flat_map(char::to_lowercase))
}

impl Condition {
    /// Whether the request meets the condition.
    pub(super) fn holds(&self, keys: &dyn Keys) -> bool {
        let values = keys.get(&self.key).filter(|values| !values.is_empty());
        match (&self.test, values) {
            (Test::Null { absent, .. }, None) => *absent,
            // Absent: IfExists and negated operators are true; ForAnyValue finds no value, negated or not.
            (_, None) => self.if_exists || (self.negated && !self.any_value),
            (test, Some(values)) if self.any_value => {
                values.any(|value| test.accepts(value, keys) != self.negated)
            }
            (test, Some(values)) => values.any(|value| test.accepts(value, keys)) != self.negated,
        }
    }
}
