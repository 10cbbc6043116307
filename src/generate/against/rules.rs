//! Keywords that narrow a type. Functions may check them, apps do not; but apps know what a format or a constant means.

use super::{
    super::{
        fault::below,
        model::{Rule, Type},
    },
    Direction, Walk,
};

/// Which change of a value makes fewer values right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Narrower {
    Greater,
    Smaller,
    /// Any other value.
    Other,
}

fn narrower(keyword: &str) -> Narrower {
    match keyword {
        "minLength" | "minimum" | "exclusiveMinimum" | "minItems" | "minProperties" => Narrower::Greater,
        "maxLength" | "maximum" | "exclusiveMaximum" | "maxItems" | "maxProperties" => Narrower::Smaller,
        _ => Narrower::Other,
    }
}

/// What says nothing, as if it were not there.
fn says_nothing(rule: &&Rule) -> bool {
    match rule.keyword {
        "minLength" | "minItems" | "minProperties" => rule.value == "0",
        "uniqueItems" => rule.value == "false",
        _ => false,
    }
}

/// Notes the differences between the rules of two types of one shape.
pub fn compare(walk: &mut Walk<'_>, was: &Type, is: &Type, at: &str) {
    let find = |holds: &Type, keyword: &str| {
        let found =
            holds.rules.iter().find(|rule| rule.keyword == keyword).filter(|rule| !says_nothing(rule));
        found.map(|rule| rule.value.clone())
    };
    let mut keywords: Vec<&'static str> =
        was.rules.iter().chain(&is.rules).map(|rule| rule.keyword).collect();
    keywords.sort_unstable();
    keywords.dedup();
    for keyword in keywords {
        let (old, new) = (find(was, keyword), find(is, keyword));
        if old == new {
            continue;
        }
        let number = |value: &Option<String>| value.as_ref().and_then(|value| value.parse::<f64>().ok());
        let is_narrower = new.is_some()
            && match (narrower(keyword), number(&old), number(&new)) {
                (Narrower::Greater, Some(old), Some(new)) => new > old,
                (Narrower::Smaller, Some(old), Some(new)) => new < old,
                _ => true,
            };
        let means = matches!(keyword, "const" | "format" | "contentEncoding" | "contentMediaType");
        let breaks = match walk.direction {
            Direction::Input => is_narrower,
            Direction::Output => means && old.is_some(),
        };
        let remedy = match (walk.direction, breaks) {
            (Direction::Input, true) => "Old apps may send what is refused now: go on taking it.",
            (Direction::Output, true) => {
                "Old apps take it for what was: go on answering that, and put the new value into a member of another name."
            }
            (Direction::Input, false) => "More is taken than was.",
            (Direction::Output, false) => "Apps do not check it.",
        };
        let words = |value: Option<String>| match value {
            None => format!("no {keyword}"),
            Some(value) => format!("{keyword} {value}"),
        };
        walk.note(&below(at, keyword), breaks, words(old), words(new), remedy);
    }
}
