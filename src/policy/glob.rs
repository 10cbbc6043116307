//! Wildcard matching that cannot blow up: a text is tried chunk by chunk, and a chunk that has found its place is never
//! moved again, so the work is at most the pattern's length times the text's.

use super::text::Piece;

/// A compiled pattern. It consists of the chunks between its stars: the first is anchored at the start, the last at the
/// end, and those between take the first place they fit. A pattern without a star is one chunk, anchored at both ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Glob {
    first: Chunk,
    /// The chunks after each star; empty if there is no star.
    later: Box<[Chunk]>,
}

/// What lies between two stars.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Chunk(Vec<Atom>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Atom {
    Literal(Box<str>),
    One,
}

impl Glob {
    /// Compiles pieces whose variables have been resolved; one that is left over stands for its own text.
    pub(super) fn new(pieces: &[Piece]) -> Self {
        let mut chunks = vec![Chunk::default()];
        for piece in pieces {
            match piece {
                Piece::Any => chunks.push(Chunk::default()),
                Piece::One => add(&mut chunks, Atom::One),
                Piece::Literal(text) => add(&mut chunks, Atom::Literal(text.as_str().into())),
                Piece::Variable { key, .. } => add(&mut chunks, Atom::Literal(format!("${{{key}}}").into())),
            }
        }
        let mut chunks = chunks.into_iter();
        Self { first: chunks.next().unwrap_or_default(), later: chunks.collect() }
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.matches_counting(text, &mut || ())
    }

    /// As [`Glob::matches`]; `step` is called for every comparison of an atom.
    fn matches_counting(&self, text: &str, step: &mut impl FnMut()) -> bool {
        let Some(mut rest) = self.first.strip(text, step) else { return false };
        let Some((last, middle)) = self.later.split_last() else { return rest.is_empty() };
        for chunk in middle {
            match chunk.strip_first(rest, step) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        last.ends(rest, step)
    }
}

fn add(chunks: &mut [Chunk], atom: Atom) {
    if let Some(last) = chunks.last_mut() {
        last.0.push(atom);
    }
}

impl Chunk {
    /// What follows the chunk, if `text` begins with it.
    fn strip<'t>(&self, text: &'t str, step: &mut impl FnMut()) -> Option<&'t str> {
        let mut rest = text;
        for atom in &self.0 {
            step();
            rest = match atom {
                Atom::Literal(literal) => rest.strip_prefix(&**literal)?,
                Atom::One => after_one(rest)?,
            };
        }
        Some(rest)
    }

    /// What follows the first place where the chunk fits.
    fn strip_first<'t>(&self, text: &'t str, step: &mut impl FnMut()) -> Option<&'t str> {
        if let [Atom::Literal(literal)] = self.0.as_slice() {
            step();
            let at = text.find(&**literal)?;
            return text.get(at + literal.len()..);
        }
        let mut rest = text;
        loop {
            if let Some(after) = self.strip(rest, step) {
                return Some(after);
            }
            rest = after_one(rest)?;
        }
    }

    /// Whether `text` ends with the chunk.
    fn ends(&self, text: &str, step: &mut impl FnMut()) -> bool {
        if self.0.is_empty() {
            return true;
        }
        if let [Atom::Literal(literal)] = self.0.as_slice() {
            step();
            return text.ends_with(&**literal);
        }
        let length: usize = self
            .0
            .iter()
            .map(|atom| match atom {
                Atom::Literal(literal) => literal.chars().count(),
                Atom::One => 1,
            })
            .sum();
        let tail = text.char_indices().rev().nth(length.saturating_sub(1)).and_then(|(at, _)| text.get(at..));
        tail.and_then(|tail| self.strip(tail, step)).is_some_and(str::is_empty)
    }
}

fn after_one(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::text::{Syntax, parse},
        *,
    };

    fn glob(pattern: &str) -> Glob {
        Glob::new(&parse(pattern, Syntax { wildcards: true, variables: false }).unwrap())
    }

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("?", "", false),
            ("?", "é", true),
            ("??", "é", false),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("*?", "", false),
            ("*?", "é", true),
            ("?*?", "a", false),
            ("*a?c*", "xxabcxx", true),
            ("*a?c*", "aac", true),
            ("*ab", "aab", true),
            ("*a?b", "aaéb", true),
            ("[a-z]", "b", false),
            ("a.c", "abc", false),
        ] {
            assert_eq!(glob(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_cost_at_most_pattern_times_text() {
        let text = "a".repeat(4_000);
        for pattern in ["a*".repeat(500) + "b", "*a?".repeat(300) + "b", "*?".repeat(1_000) + "b"] {
            let mut steps = 0_usize;
            assert!(!glob(&pattern).matches_counting(&text, &mut || steps += 1));
            assert!(
                steps <= pattern.len() * text.len(),
                "{steps} steps for {} × {}",
                pattern.len(),
                text.len()
            );
        }
        // A chunk that never fits is tried once at each place, and the stars before it are not moved for it.
        let mut steps = 0_usize;
        let pattern = "*a".repeat(200) + "*a?a?b*";
        assert!(!glob(&pattern).matches_counting(&text, &mut || steps += 1));
        assert!(steps <= 200 + 6 * text.len(), "{steps}");
    }

    /// The definition, word for word.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|taken| slow(rest, &text[taken..])),
            Some(('?', rest)) => !text.is_empty() && slow(rest, &text[1..]),
            Some((one, rest)) => text.first() == Some(one) && slow(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[abé*?]{0,10}", text in "[abé]{0,12}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(glob(&pattern).matches(&text), slow(&characters(&pattern), &characters(&text)));
        }
    }
}
