//! The text of a resource or a condition value: literals, wildcards and policy variables.

use super::keys::{Keys, Values};

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// These characters.
    Literal(String),
    /// `*`: any characters, or none.
    Any,
    /// `?`: any one character.
    One,
    /// `${key}` or `${key, 'default'}`; the key in lower case.
    Variable { key: Box<str>, default: Option<Box<str>> },
}

/// What has a meaning in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// `${…}` is a variable (policies of version 2012-10-17).
    pub(super) variables: bool,
}

/// Reads a text into pieces; the error is a sentence. Neighbouring literals, and neighbouring `*`, are one piece.
pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if syntax.variables && rest.starts_with("${") {
            let (piece, after) = variable(rest)?;
            push(&mut pieces, piece);
            rest = after;
            continue;
        }
        match first {
            '*' if syntax.wildcards => push(&mut pieces, Piece::Any),
            '?' if syntax.wildcards => push(&mut pieces, Piece::One),
            other => push_literal(&mut pieces, other.encode_utf8(&mut [0; 4])),
        }
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    Ok(pieces)
}

/// Reads `${…}` at the head of `text`; also gives what follows it.
fn variable(text: &str) -> Result<(Piece, &str), String> {
    let (inside, after) = text
        .get(2..)
        .and_then(|inside| inside.split_once('}'))
        .ok_or_else(|| format!("the policy variable in \"{text}\" has no closing brace"))?;
    // Three variables stand for the characters that otherwise have a meaning.
    if matches!(inside, "*" | "?" | "$") {
        return Ok((Piece::Literal(inside.to_owned()), after));
    }
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let default = default.trim();
            let quoted = default.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            let Some(quoted) = quoted.filter(|text| !text.contains('\'')) else {
                return Err(format!(
                    "the default of the policy variable ${{{inside}}} must stand in single quotes"
                ));
            };
            (key, Some(quoted.into()))
        }
    };
    let key = key.trim_end();
    if key.is_empty() || key.starts_with(' ') || key.contains(['$', '{', '*', '?', '\'', '"']) {
        return Err(format!("${{{inside}}} is not a policy variable"));
    }
    if !key.contains(':') {
        return Err(format!("the policy variable ${{{inside}}} must name a condition key with its prefix"));
    }
    Ok((Piece::Variable { key: key.to_lowercase().into(), default }, after))
}

/// Adds a piece, joined to the one before where both say the same as one would.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match piece {
        Piece::Literal(text) => push_literal(pieces, &text),
        Piece::Any if pieces.last() == Some(&Piece::Any) => {}
        piece => pieces.push(piece),
    }
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    if let Some(Piece::Literal(before)) = pieces.last_mut() {
        before.push_str(text);
    } else if !text.is_empty() {
        pieces.push(Piece::Literal(text.to_owned()));
    }
}

/// The text itself, if it is nothing but literal.
pub(super) fn fixed(pieces: &[Piece]) -> Option<&str> {
    match pieces {
        [] => Some(""),
        [Piece::Literal(text)] => Some(text),
        _ => None,
    }
}

/// Whether a variable occurs.
pub(super) fn varies(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. }))
}

/// Puts the values of variables in, as literals: a `*` in a value is a star and no wildcard. `None` if a variable has
/// neither a single value nor a default: such a text equals nothing and is like nothing.
pub(super) fn resolve(pieces: &[Piece], keys: &dyn Keys) -> Option<Vec<Piece>> {
    let mut resolved = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match piece {
            Piece::Variable { key, default } => match keys.get(key) {
                Some(Values::One(value)) => push_literal(&mut resolved, &value),
                _ => push_literal(&mut resolved, default.as_deref()?),
            },
            other => push(&mut resolved, other.clone()),
        }
    }
    Some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Syntax = Syntax { wildcards: true, variables: true };

    fn literal(text: &str) -> Piece {
        Piece::Literal(text.to_owned())
    }

    #[test]
    fn a_text_is_read_into_its_pieces() {
        let variable = |default: Option<&str>| Piece::Variable {
            key: "aws:username".into(),
            default: default.map(Into::into),
        };
        assert_eq!(
            parse("a**b?${aws:Username}c", ALL).unwrap(),
            vec![literal("a"), Piece::Any, literal("b"), Piece::One, variable(None), literal("c")]
        );
        assert_eq!(parse("${aws:username, 'no one'}", ALL).unwrap(), vec![variable(Some("no one"))]);
        assert_eq!(parse("x${*}${?}${$}y", ALL).unwrap(), vec![literal("x*?$y")]);
        assert_eq!(parse("a$b{c}", ALL).unwrap(), vec![literal("a$b{c}")]);
    }

    #[test]
    fn without_a_meaning_all_is_literal() {
        let none = Syntax { wildcards: false, variables: false };
        assert_eq!(parse("a*?${aws:username", none).unwrap(), vec![literal("a*?${aws:username")]);
    }

    #[test]
    fn broken_variables_are_refused() {
        for (text, fragment) in [
            ("${aws:username", "no closing brace"),
            ("${}", "is not a policy variable"),
            ("${ aws:username}", "is not a policy variable"),
            ("${${aws:username}}", "is not a policy variable"),
            ("${username}", "with its prefix"),
            ("${aws:username, none}", "single quotes"),
            ("${aws:username, 'it's'}", "single quotes"),
        ] {
            let error = parse(text, ALL).unwrap_err();
            assert!(error.contains(fragment), "{text}: {error}");
        }
    }
}
