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
}

/// How a number of the request must stand to one of the policy.
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
    /// `ForAnyValue:`
    pub(super) any_value: bool,
    /// `…IfExists`
    pub(super) if_exists: bool,
}

/// The operators by name: comparison and whether it is negated.
const OPERATORS: [(&str, Comparison, bool); 18] = [
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
];

/// Operators of AWS that are not understood here.
const NOT_SUPPORTED: [&str; 9] = [
    "BinaryEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "IpAddress",
    "NotIpAddress",
];

/// Reads an operator's name as a policy has it. The error is a sentence.
pub(super) fn parse(name: &str) -> Result<Operator, String> {
    let (any_value, rest) = match name.split_once(':') {
        None => (false, name),
        Some(("ForAnyValue", rest)) => (true, rest),
        Some(("ForAllValues", _)) => {
            return Err("the set operator ForAllValues is not supported by Callgate".to_owned());
        }
        Some((prefix, _)) => {
            return Err(format!("{prefix} is not a set operator; ForAnyValue is one"));
        }
    };
    let (if_exists, base) = match rest.strip_suffix("IfExists") {
        Some(base) => (true, base),
        None => (false, rest),
    };
    if NOT_SUPPORTED.contains(&base) {
        return Err(format!("the condition operator {name} is not supported by Callgate"));
    }
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
    if *comparison == Comparison::Null && (any_value || if_exists) {
        return Err("the condition operator Null takes neither IfExists nor a set operator".to_owned());
    }
    if any_value && if_exists {
        // AWS's documentation and its behaviour disagree on an absent key here. A policy must not depend on it.
        return Err(format!("{name} is not supported by Callgate: use ForAnyValue without IfExists"));
    }
    Ok(Operator { comparison: *comparison, negated: *negated, any_value, if_exists })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(
            parse("StringNotLikeIfExists"),
            Ok(Operator {
                comparison: Comparison::StringLike,
                negated: true,
                any_value: false,
                if_exists: true
            })
        );
        assert_eq!(
            parse("ForAnyValue:ArnEquals"),
            Ok(Operator { comparison: Comparison::Arn, negated: false, any_value: true, if_exists: false })
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (name, fragment) in [
            ("ForAllValues:StringEquals", "ForAllValues is not supported"),
            ("DateLessThanIfExists", "DateLessThanIfExists is not supported"),
            ("NotIpAddress", "NotIpAddress is not supported"),
            ("BinaryEquals", "BinaryEquals is not supported"),
            ("stringequals", "StringEquals is the nearest"),
            ("StringLikes", "StringLike is the nearest"),
            ("Matches", "no condition operator Matches"),
            ("ForEachValue:StringLike", "not a set operator"),
            ("NullIfExists", "takes neither"),
            ("ForAnyValue:Null", "takes neither"),
            ("ForAnyValue:StringLikeIfExists", "without IfExists"),
            ("IfExists", "no condition operator"),
            ("", "no condition operator"),
        ] {
            let error = parse(name).unwrap_err();
            assert!(error.contains(fragment), "{name}: {error}");
        }
    }
}
