//! Matching ARNs: the `Resource` element and the Arn operators, whose wildcards know of colons, each in its own way.

use super::{glob::Glob, keys::Keys, text, text::Piece};

/// An entry of `Resource` or `NotResource`.
///
/// "You can use wildcard characters within the individual segments of an ARN (the parts separated by colons) … If the *
/// wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries." (IAM
/// User Guide, "IAM JSON policy elements: Resource".) An ARN with fewer than six parts means all that begins with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ResourcePattern {
    /// `*`
    All,
    /// No wildcard.
    Exact(Box<str>),
    /// One wildcard, and it is the last character.
    Prefix(Box<str>),
    /// Wildcards anywhere.
    Parts(Ends, Parts),
    /// Variables, so it is compiled anew for each request.
    Varying(Ends, Box<[Piece]>),
}

/// The literal text that a pattern begins and ends with: most resources that do not match fail here, at the cost of two
/// comparisons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ends {
    prefix: Box<str>,
    suffix: Box<str>,
}

impl Ends {
    fn new(pieces: &[Piece]) -> Self {
        let literal = |piece: Option<&Piece>| match piece {
            Some(Piece::Literal(text)) => text.as_str().into(),
            _ => Box::default(),
        };
        Self { prefix: literal(pieces.first()), suffix: literal(pieces.last()) }
    }

    fn fit(&self, text: &str) -> bool {
        text.starts_with(&*self.prefix) && text.ends_with(&*self.suffix)
    }
}

/// The parts between colons, without those at the start that are literal: they belong to the prefix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parts {
    /// The bytes of the literal parts at the start, with their colons.
    skip: usize,
    rest: Box<[Part]>,
}

/// A part between two colons.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    form: Form,
    /// It ends with `*`, and so may take in the parts that follow.
    open: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Form {
    Any,
    Literal(Box<str>),
    Glob(Glob),
}

impl Part {
    fn new(pieces: &[Piece]) -> Self {
        let form = match (pieces, text::fixed(pieces)) {
            ([Piece::Any], _) => Form::Any,
            (_, Some(text)) => Form::Literal(text.into()),
            (_, None) => Form::Glob(Glob::new(pieces)),
        };
        Self { form, open: pieces.last() == Some(&Piece::Any) }
    }

    fn matches(&self, text: &str) -> bool {
        match &self.form {
            Form::Any => true,
            Form::Literal(literal) => **literal == *text,
            Form::Glob(glob) => glob.matches(text),
        }
    }
}

/// The number of parts that an ARN has at least.
const ARN_PARTS: usize = 6;

impl ResourcePattern {
    /// Compiles the pieces of an ARN or of `*`.
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        if text::varies(&pieces) {
            // An incomplete ARN has no variables, so what the text ends with is what a resource must end with.
            Self::Varying(Ends::new(&pieces), pieces.into())
        } else {
            Self::fixed(&pieces)
        }
    }

    fn fixed(pieces: &[Piece]) -> Self {
        let mut parts = split(pieces, usize::MAX);
        match pieces {
            [Piece::Any] => return Self::All,
            [Piece::Literal(text)] if parts.len() >= ARN_PARTS => return Self::Exact(text.as_str().into()),
            [Piece::Literal(text), Piece::Any] => return Self::Prefix(text.as_str().into()),
            _ => {}
        }
        let mut ends = Ends::new(pieces);
        while parts.len() < ARN_PARTS {
            parts.push(vec![Piece::Any]);
            ends.suffix = Box::default();
        }
        let literal = |part: &Vec<Piece>| text::fixed(part).map(|text| text.len() + 1);
        let heads: Vec<usize> = parts.iter().map_while(literal).collect();
        let rest = parts.iter().skip(heads.len()).map(|part| Part::new(part)).collect();
        // "arn:aws:lambda" begins more than "arn:aws:lambda:…" does, and its last part has no colon of its own.
        if let [Piece::Literal(text)] = pieces {
            ends.prefix = format!("{text}:").into();
        }
        Self::Parts(ends, Parts { skip: heads.iter().sum(), rest })
    }

    /// Whether `resource` is one of those meant.
    pub(super) fn matches(&self, resource: &str, keys: &dyn Keys) -> bool {
        match self {
            Self::All => true,
            Self::Exact(text) => **text == *resource,
            Self::Prefix(text) => resource.starts_with(&**text),
            Self::Parts(ends, parts) => {
                ends.fit(resource)
                    && resource.get(parts.skip..).is_some_and(|rest| matches_parts(&parts.rest, rest))
            }
            Self::Varying(ends, pieces) => {
                ends.fit(resource)
                    && text::resolve(pieces, keys)
                        .is_some_and(|pieces| Self::fixed(&pieces).matches(resource, keys))
            }
        }
    }
}

/// Matches part by part. An open part takes in further parts one at a time when what follows does not fit; only the
/// last open part ever needs to, as with the stars of a [`Glob`].
fn matches_parts(parts: &[Part], text: &str) -> bool {
    let (mut at, mut rest) = (0, Some(text));
    let mut retry: Option<(usize, Option<&str>)> = None;
    loop {
        match (parts.get(at), rest) {
            (None, None) => return true,
            (Some(part), Some(text)) => {
                let (head, tail) = cut(text);
                if part.matches(head) {
                    at += 1;
                    rest = tail;
                    if part.open {
                        retry = Some((at, tail));
                    }
                    continue;
                }
            }
            _ => {}
        }
        let Some((after, Some(text))) = retry else { return false };
        let (_, tail) = cut(text);
        retry = Some((after, tail));
        (at, rest) = (after, tail);
    }
}

fn cut(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    }
}

/// Splits at the colons of literals, into at most `limit` parts.
fn split(pieces: &[Piece], limit: usize) -> Vec<Vec<Piece>> {
    let mut parts = vec![Vec::new()];
    for piece in pieces {
        let Piece::Literal(literal) = piece else {
            add(&mut parts, piece.clone());
            continue;
        };
        let mut rest = literal.as_str();
        while parts.len() < limit {
            let Some((head, tail)) = rest.split_once(':') else { break };
            if !head.is_empty() {
                add(&mut parts, Piece::Literal(head.to_owned()));
            }
            parts.push(Vec::new());
            rest = tail;
        }
        if !rest.is_empty() {
            add(&mut parts, Piece::Literal(rest.to_owned()));
        }
    }
    parts
}

fn add(parts: &mut [Vec<Piece>], piece: Piece) {
    if let Some(last) = parts.last_mut() {
        last.push(piece);
    }
}

/// A value of an Arn operator: "Each of the six colon-delimited components of the ARN is checked separately and each can
/// include multi-character match wildcards (*) or single-character match wildcards (?)." A value with fewer components
/// matches nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ArnPattern(Box<[Glob]>);

impl ArnPattern {
    /// Compiles pieces whose variables have been resolved.
    pub(super) fn new(pieces: &[Piece]) -> Self {
        Self(split(pieces, ARN_PARTS).iter().map(|part| Glob::new(part)).collect())
    }

    /// Whether the ARN is one of those meant.
    pub(super) fn matches(&self, arn: &str) -> bool {
        let mut components = arn.splitn(ARN_PARTS, ':');
        self.0.len() == ARN_PARTS
            && self.0.iter().all(|glob| components.next().is_some_and(|component| glob.matches(component)))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{keys::NoKeys, text::Syntax},
        *,
    };

    fn pieces(text: &str) -> Vec<Piece> {
        text::parse(text, Syntax { wildcards: true, variables: false }).unwrap()
    }

    #[test]
    fn resources_match_part_by_part() {
        let greet = "arn:aws:lambda:us-east-1:000000000000:function:greet";
        let prod = "arn:aws:lambda:us-east-1:000000000000:function:greet:PROD";
        for (pattern, resource, expected) in [
            ("*", greet, true),
            (greet, greet, true),
            (greet, prod, false),
            ("arn:aws:lambda:us-east-1:000000000000:function:*", prod, true),
            ("arn:aws:lambda:us-east-1:000000000000:function:gr*t", greet, true),
            // Within a part: this star does not reach over the colon …
            ("arn:aws:lambda:us-east-1:000000000000:function:g*T:PROD", prod, false),
            ("arn:aws:lambda:us-east-1:000000000000:*ion", greet, false),
            ("arn:aws:lambda:us-east-1:000000000000:fun*OD", prod, false),
            // … the one at a part's end does, wherever the part stands …
            ("arn:aws:lambda:us-east-1:000000000000:function:g*:PROD", prod, true),
            ("arn:aws:lambda:us-*:greet:PROD", prod, true),
            ("arn:aws:lambda:us-*:function:greet", greet, true),
            ("arn:aws:lambda:us-*:function:greet", prod, false),
            // … and ? never does.
            ("arn:aws:lambda:us-east-1:000000000000:function?greet", greet, false),
            ("arn:aws:lambda:us-east-1:000000000000:function:gree?", greet, true),
            ("arn:*:lambda:*:*:function:greet", greet, true),
            // Fewer than six parts stand for all that begins with them.
            ("arn:aws:lambda", greet, true),
            ("arn:aws:lambda:us-east-1", greet, true),
            ("arn:aws:lambda:us-east-2", greet, false),
            ("arn:aws:lam", greet, false),
            ("arn:aws:lambda:us-????-1", greet, true),
            ("arn:aws:lambda:*:greet", greet, false),
            ("arn:aws:lambda:*:greet", prod, true),
        ] {
            let pattern_ = ResourcePattern::new(pieces(pattern));
            assert_eq!(pattern_.matches(resource, &NoKeys), expected, "{pattern} on {resource}");
        }
    }

    #[test]
    fn arn_operators_match_six_components() {
        let topic = "arn:aws:sns:us-east-1:123456789012:mobile:sub";
        for (pattern, expected) in [
            (topic, true),
            ("arn:aws:sns:*:*:*", true),
            ("arn:aws:sns:us-*-?:123456789012:mob*", true),
            ("arn:aws:sns:us-east-1:123456789012:*sub", true),
            // A star stays within its component, also at its end.
            ("arn:aws:sns:us-*:mobile:sub", false),
            ("arn:aws:sns:*", false),
            ("*", false),
            ("arn:aws:sns:us-east-1:123456789012:mobile", false),
        ] {
            assert_eq!(ArnPattern::new(&pieces(pattern)).matches(topic), expected, "{pattern}");
        }
        assert!(!ArnPattern::new(&pieces("*:*:*:*:*:*")).matches("not-an-arn"));
    }

    #[test]
    fn open_parts_cost_at_most_pattern_times_text() {
        let pattern = format!("arn:aws:{}x", "a*:".repeat(300));
        let text = format!("arn:aws:{}", "a:".repeat(2_000));
        // With backtracking over every star this would not end in a lifetime.
        assert!(!ResourcePattern::new(pieces(&pattern)).matches(&text, &NoKeys));
    }
}
