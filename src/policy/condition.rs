//! Conditions: one operator on one key, compiled.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    arn::ArnPattern,
    date::Instant,
    element,
    error::Problem,
    glob::Glob,
    ip::Range,
    json::Node,
    keys::{Keys, Values},
    number::Number,
    operator::{self, Comparison, Operator, Quantifier, Relation},
    text::{self, Piece, Syntax},
};

/// One operator on one key with the values that the policy lists.
#[derive(Debug)]
pub(super) struct Condition {
    /// In lower case.
    key: Box<str>,
    test: Test,
    negated: bool,
    quantifier: Quantifier,
    if_exists: bool,
    said: Box<Said>,
}

/// A condition as it stands in the text, for explanations.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) operator: Box<str>,
    pub(super) key: Box<str>,
    pub(super) values: Box<[String]>,
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
    Date(Relation, Box<[Instant]>),
    Ip(Box<[Range]>),
    Binary(Box<[Box<[u8]>]>),
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
            let said = Said {
                operator: name.as_str().into(),
                key: key.as_str().into(),
                values: values.into_boxed_slice(),
            };
            conditions.push(Condition {
                key: key.to_lowercase().into(),
                test,
                negated: operator.negated,
                quantifier: operator.quantifier,
                if_exists: operator.if_exists,
                said: Box::new(said),
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
        if variables
            && !operator.comparison.takes_variables()
            && let Some(value) = values.iter().find(|value| value.contains("${"))
        {
            return Err(format!(
                "\"{value}\" has a policy variable, which only operators on strings and ARNs take"
            ));
        }
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
                all(values, "is not a decimal number", |value| Number::parse(value).map(Number::into_owned))?,
            ),
            Comparison::Date(relation) => Self::Date(
                relation,
                all(values, "is neither an ISO 8601 date nor seconds since 1970", Instant::parse)?,
            ),
            Comparison::Ip => Self::Ip(all(values, "is not an IP address or a CIDR range", Range::parse)?),
            Comparison::Binary => Self::Binary(all(values, "is not base64", |value| {
                STANDARD.decode(value).ok().map(Vec::into_boxed_slice)
            })?),
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
            // Asked of the key and not of a value, in `Condition::holds`.
            Self::Null { present, .. } => *present,
            Self::Numeric(relation, numbers) => Number::parse(value)
                .is_some_and(|value| numbers.iter().any(|number| relation.holds(value.compare(number)))),
            Self::Date(relation, instants) => Instant::parse(value)
                .is_some_and(|value| instants.iter().any(|instant| relation.holds(value.cmp(instant)))),
            Self::Ip(ranges) => {
                value.parse().is_ok_and(|address| ranges.iter().any(|range| range.contains(address)))
            }
            Self::Binary(texts) => texts.iter().any(|text| **text == *value.as_bytes()),
        }
    }
}

/// Reads every value, or says which one is not what it must be.
fn all<T>(values: &[String], fault: &str, read: impl Fn(&str) -> Option<T>) -> Result<Box<[T]>, String> {
    values.iter().map(|value| read(value).ok_or_else(|| format!("\"{value}\" {fault}"))).collect()
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
        match (&self.test, self.quantifier) {
            (Test::Null { absent, present }, _) => match values {
                None => *absent,
                Some(_) => *present,
            },
            (test, Quantifier::Plain) => match values {
                // Absent: IfExists and negated operators are true.
                None => self.if_exists || self.negated,
                Some(values) => values.any(|value| test.accepts(value, keys)) != self.negated,
            },
            // An empty set, and one of nothing but the empty text: ForAnyValue finds no value, negated or not, and
            // ForAllValues finds none that does not fit.
            (test, Quantifier::AnyValue) => match values {
                None => self.if_exists,
                Some(values) if values.is_null() => false,
                Some(values) => values.any(|value| test.accepts(value, keys) != self.negated),
            },
            (test, Quantifier::AllValues) => match values {
                None => true,
                Some(values) if values.is_null() => true,
                Some(values) => !values.any(|value| test.accepts(value, keys) == self.negated),
            },
        }
    }

    /// How the policy words it.
    pub(super) fn said(&self) -> &Said {
        &self.said
    }

    /// What the request has under the key.
    pub(super) fn held<'k>(&self, keys: &'k dyn Keys) -> Option<Values<'k>> {
        keys.get(&self.key)
    }
}
