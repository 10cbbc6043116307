//! The names of condition operators.

use std::cmp::Ordering;

/// What an operator compares and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    /// `ArnEquals` and `ArnLike` behave identically.
    Arn,
    Bool,
    Null,
    Numeric(Relation),
    Date(Relation),
    /// `IpAddress`
    Ip,
    /// `BinaryEquals`
    Binary,
}

impl Comparison {
    /// Whether values of the policy may have variables in them (IAM User Guide, "IAM JSON policy elements: Condition
    /// operators": string and ARN operators).
    pub(super) fn takes_variables(self) -> bool {
        matches!(self, Self::StringEquals | Self::StringEqualsIgnoreCase | Self::StringLike | Self::Arn)
    }
}

/// How an operator looks at a key that may have several values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quantifier {
    /// No set operator.
    Plain,
    /// `ForAnyValue:`
    AnyValue,
    /// `ForAllValues:`
    AllValues,
}

/// How a number or time of the request must stand to one of the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    /// Whether the relation holds for this outcome of a comparison.
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// An operator with its prefix and suffix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Operator {
    pub(super) comparison: Comparison,
    /// The operator says what must not be so; true if the key is absent.
    pub(super) negated: bool,
    /// Its set operator.
    pub(super) quantifier: Quantifier,
    /// `…IfExists`
    pub(super) if_exists: bool,
}

/// The operators by name: comparison and whether it is negated.
const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("StringEquals", Comparison::StringEquals, false),
    ("StringNotEquals", Comparison::StringEquals, true),
    ("StringEqualsIgnoreCase", Comparison::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Comparison::StringEqualsIgnoreCase, true),
    ("StringLike", Comparison::StringLike, false),
    ("StringNotLike", Comparison::StringLike, true),
    ("Bool", Comparison::Bool, false),
    ("Null", Comparison::Null, false),
    ("NumericEquals", Comparison::Numeric(Relation::Equal), false),
    ("NumericNotEquals", Comparison::Numeric(Relation::Equal), true),
    ("NumericLessThan", Comparison::Numeric(Relation::Less), false),
    ("NumericLessThanEquals", Comparison::Numeric(Relation::LessOrEqual), false),
    ("NumericGreaterThan", Comparison::Numeric(Relation::Greater), false),
    ("NumericGreaterThanEquals", Comparison::Numeric(Relation::GreaterOrEqual), false),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnNotLike", Comparison::Arn, true),
    ("DateEquals", Comparison::Date(Relation::Equal), false),
    ("DateNotEquals", Comparison::Date(Relation::Equal), true),
    ("DateLessThan", Comparison::Date(Relation::Less), false),
    ("DateLessThanEquals", Comparison::Date(Relation::LessOrEqual), false),
    ("DateGreaterThan", Comparison::Date(Relation::Greater), false),
    ("DateGreaterThanEquals", Comparison::Date(Relation::GreaterOrEqual), false),
    ("IpAddress", Comparison::Ip, false),
    ("NotIpAddress", Comparison::Ip, true),
    ("BinaryEquals", Comparison::Binary, false),
];

/// Reads an operator's name as a policy has it. The error is a sentence.
pub(super) fn parse(name: &str) -> Result<Operator, String> {
    let (quantifier, rest) = match name.split_once(':') {
        None => (Quantifier::Plain, name),
        Some(("ForAnyValue", rest)) => (Quantifier::AnyValue, rest),
        Some(("ForAllValues", rest)) => (Quantifier::AllValues, rest),
        Some((prefix, _)) => {
            return Err(format!("{prefix} is not a set operator; ForAnyValue and ForAllValues are"));
        }
    };
    let (if_exists, base) = match rest.strip_suffix("IfExists") {
        Some(base) => (true, base),
        None => (false, rest),
    };
    let Some((_, comparison, negated)) = OPERATORS.iter().find(|(known, ..)| *known == base) else {
        let nearest = OPERATORS
            .iter()
            .map(|(known, ..)| {
                (strsim::damerau_levenshtein(&known.to_lowercase(), &base.to_lowercase()), *known)
            })
            .min()
            .filter(|(distance, _)| *distance <= 3);
        return Err(match nearest {
            Some((_, known)) => format!("there is no condition operator {name}; {known} is the nearest"),
            None => format!("there is no condition operator {name}"),
        });
    };
    if *comparison == Comparison::Null && (quantifier != Quantifier::Plain || if_exists) {
        return Err("the condition operator Null takes neither IfExists nor a set operator".to_owned());
    }
    Ok(Operator { comparison: *comparison, negated: *negated, quantifier, if_exists })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let operator = |comparison, negated, quantifier, if_exists| {
            Ok(Operator { comparison, negated, quantifier, if_exists })
        };
        for (name, expected) in [
            ("StringNotLikeIfExists", operator(Comparison::StringLike, true, Quantifier::Plain, true)),
            ("ForAnyValue:ArnEquals", operator(Comparison::Arn, false, Quantifier::AnyValue, false)),
            (
                "ForAllValues:StringEqualsIfExists",
                operator(Comparison::StringEquals, false, Quantifier::AllValues, true),
            ),
            (
                "DateLessThanIfExists",
                operator(Comparison::Date(Relation::Less), false, Quantifier::Plain, true),
            ),
            ("NotIpAddress", operator(Comparison::Ip, true, Quantifier::Plain, false)),
            ("BinaryEquals", operator(Comparison::Binary, false, Quantifier::Plain, false)),
        ] {
            assert_eq!(parse(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (name, fragment) in [
            ("stringequals", "StringEquals is the nearest"),
            ("StringLikes", "StringLike is the nearest"),
            ("IPAddress", "IpAddress is the nearest"),
            ("Matches", "no condition operator Matches"),
            ("ForEachValue:StringLike", "not a set operator"),
            ("ForAnyValue:ForAllValues:StringLike", "no condition operator"),
            ("NullIfExists", "takes neither"),
            ("ForAnyValue:Null", "takes neither"),
            ("ForAllValues:Null", "takes neither"),
            ("StringEqualsIfExistsIfExists", "no condition operator"),
            ("IfExists", "no condition operator"),
            ("", "no condition operator"),
        ] {
            let error = parse(name).unwrap_err();
            assert!(error.contains(fragment), "{name}: {error}");
        }
    }
}
