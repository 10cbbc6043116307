//! Actions: reading them, and finding the statements that may concern one without looking at the others.

use std::{collections::HashMap, ops::ControlFlow};

use super::{
    element,
    error::Problem,
    glob::Glob,
    json::Node,
    text::{self, Piece, Syntax},
};

/// An entry of `Action` or `NotAction`; names are in lower case.
#[derive(Debug)]
pub(super) struct ActionPattern {
    /// The service's prefix; `None` for all services.
    service: Option<Box<str>>,
    name: Name,
}

#[derive(Debug)]
enum Name {
    Exact(Box<str>),
    Like(Glob),
}

/// The actions that a statement is about.
#[derive(Debug)]
pub(super) enum Actions {
    These(Vec<ActionPattern>),
    AllBut(Vec<ActionPattern>),
}

/// Reads `Action` or `NotAction`, whichever `field` says.
pub(super) fn parse(field: &str, node: &Node) -> Result<Vec<ActionPattern>, Problem> {
    let names = element::strings(field, node)?;
    if names.is_empty() {
        return Err(Problem::at(field, "Policy statement must contain actions."));
    }
    names
        .into_iter()
        .map(|name| ActionPattern::parse(name).map_err(|text| Problem::at(field, text)))
        .collect()
}

impl ActionPattern {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self { service: None, name: Name::Like(Glob::new(&[Piece::Any])) });
        }
        let Some((service, name)) = text.split_once(':') else {
            return Err(format!(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: \"{text}\"."
            ));
        };
        if name.contains(':') {
            return Err(format!("Actions/Condition can contain only one colon: \"{text}\"."));
        }
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if service != "*" && (service.is_empty() || !service.bytes().all(valid)) {
            return Err(format!("Vendor {service} is not valid."));
        }
        let valid = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'*' | b'?')
        };
        if name.is_empty() || !name.bytes().all(valid) {
            return Err(format!("\"{text}\" is not the name of an action."));
        }
        let service = (service != "*").then(|| service.to_ascii_lowercase().into());
        let pieces = text::parse(&name.to_ascii_lowercase(), Syntax { wildcards: true, variables: false })?;
        let name = match text::fixed(&pieces) {
            Some(name) => Name::Exact(name.into()),
            None => Name::Like(Glob::new(&pieces)),
        };
        Ok(Self { service, name })
    }

    /// Whether it names a single service, for example `sts`.
    pub(super) fn is_of(&self, service: &str) -> bool {
        self.service.as_deref() == Some(service)
    }

    fn matches(&self, action: &Folded<'_>) -> bool {
        self.service.as_deref().is_none_or(|service| service == action.service())
            && match &self.name {
                Name::Exact(name) => **name == *action.name(),
                Name::Like(glob) => glob.matches(action.name()),
            }
    }
}

/// The action of a request in lower case, without an allocation for any action that exists.
pub(super) struct Folded<'b> {
    text: &'b str,
    colon: Option<usize>,
}

/// Longer than any action's name.
const ACTION_BYTES: usize = 128;

/// Calls `use_it` with the action in lower case.
pub(super) fn fold<R>(action: &str, use_it: impl FnOnce(&Folded<'_>) -> R) -> R {
    let mut buffer = [0_u8; ACTION_BYTES];
    let long;
    let text = match buffer.get_mut(..action.len()) {
        Some(bytes) => {
            bytes.copy_from_slice(action.as_bytes());
            bytes.make_ascii_lowercase();
            // Lower case of ASCII letters leaves UTF-8 what it was; an empty action would match nothing but `*`.
            std::str::from_utf8(bytes).unwrap_or_default()
        }
        None => {
            long = action.to_ascii_lowercase();
            &long
        }
    };
    use_it(&Folded { text, colon: text.find(':') })
}

impl Folded<'_> {
    fn service(&self) -> &str {
        self.colon.and_then(|colon| self.text.get(..colon)).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.colon.map_or(Some(self.text), |colon| self.text.get(colon + 1..)).unwrap_or_default()
    }
}

/// The statements of a list by the actions they are about, as positions in the list.
#[derive(Debug, Default)]
pub(super) struct ActionIndex {
    /// Statements that name an action in full, by that name.
    exact: HashMap<Box<str>, Vec<usize>>,
    /// Statements with wildcards after a service's prefix, by the service.
    of_service: HashMap<Box<str>, Vec<(ActionPattern, usize)>>,
    /// Statements about all services.
    of_any: Vec<(ActionPattern, usize)>,
    /// Statements with `NotAction`.
    all_but: Vec<(Vec<ActionPattern>, usize)>,
}

impl ActionIndex {
    /// Adds the statement at `position`.
    pub(super) fn add(&mut self, actions: Actions, position: usize) {
        let patterns = match actions {
            Actions::These(patterns) => patterns,
            Actions::AllBut(patterns) => {
                self.all_but.push((patterns, position));
                return;
            }
        };
        for pattern in patterns {
            match (&pattern.service, &pattern.name) {
                (Some(service), Name::Exact(name)) => {
                    self.exact.entry(format!("{service}:{name}").into()).or_default().push(position);
                }
                (Some(service), Name::Like(_)) => {
                    self.of_service.entry(service.clone()).or_default().push((pattern, position));
                }
                (None, _) => self.of_any.push((pattern, position)),
            }
        }
    }

    /// Visits the statements that are about the action until the visitor breaks. A statement that names an action in
    /// several ways may be visited several times.
    pub(super) fn visit<B>(
        &self,
        action: &Folded<'_>,
        mut visitor: impl FnMut(usize) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        for position in self.exact.get(action.text).into_iter().flatten() {
            visitor(*position)?;
        }
        for (pattern, position) in
            self.of_service.get(action.service()).into_iter().flatten().chain(&self.of_any)
        {
            if pattern.matches(action) {
                visitor(*position)?;
            }
        }
        for (patterns, position) in &self.all_but {
            if !patterns.iter().any(|pattern| pattern.matches(action)) {
                visitor(*position)?;
            }
        }
        ControlFlow::Continue(())
    }
}
