//! Documents: a policy as it was put, compiled for deciding.

use std::{collections::HashSet, ops::ControlFlow};

use super::{
    action::{ActionIndex, Folded},
    decide::Request,
    element,
    error::{self, ParseError, Problem},
    json::{self, Node},
    principal::Grant,
    statement::{Effect, Statement},
};

/// The longest text of any policy, white space included, in bytes (IAM's `policyDocumentType`).
pub const TEXT_BYTES_MAX: usize = 131_072;

/// What a policy is for, which says which elements it has and how long it may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Inline in a role, and so without principals.
    Identity,
    /// A policy of its own that is attached to roles and users.
    Managed,
    /// What a session may at most do.
    Session,
    /// A role's trust policy: who may assume it. It has principals and no resources.
    Trust,
    /// A resource's own policy: who may use it, and how. It has principals and resources.
    Resource,
}

impl Kind {
    /// The most characters without white space (IAM quotas: the inline policies of a role 10,240, which is a limit on
    /// their sum, see [`Document::size`]; a managed policy 6,144; the trust policy of a role 2,048; STS: a session policy
    /// 2,048). Of a resource's policy, bytes of the text as it is (Lambda quotas: 20,480).
    pub fn size_max(self) -> usize {
        match self {
            Self::Identity => 10_240,
            Self::Managed => 6_144,
            Self::Session | Self::Trust => 2_048,
            Self::Resource => 20_480,
        }
    }

    /// Whether its statements have principals.
    pub(super) fn names_principals(self) -> bool {
        matches!(self, Self::Trust | Self::Resource)
    }

    fn measure(self, text: &str) -> usize {
        match self {
            Self::Resource => text.len(),
            _ => json::size(text),
        }
    }

    fn too_long(self, size: usize) -> ParseError {
        let kind = match self {
            Self::Identity => "role's inline policies",
            Self::Managed => "managed policy",
            Self::Session => "session policy",
            Self::Trust => "role's trust policy",
            Self::Resource => error::RESOURCE,
        };
        ParseError::TooLong { kind, size, limit: self.size_max() }
    }
}

/// A compiled policy. It is made when a policy is put and then only read.
#[derive(Debug)]
pub struct Document {
    size: usize,
    statements: Vec<Statement>,
    denies: ActionIndex,
    allows: ActionIndex,
    /// Statements that say what one before them says, under another Sid, and that one: they are kept, and not evaluated.
    same: Vec<(usize, usize)>,
}

impl Document {
    /// Reads and compiles a policy. What AWS refuses and what is not understood here is an error that names statement
    /// and element.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, ParseError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(kind.too_long(text.len()));
        }
        let size = kind.measure(text);
        if size > kind.size_max() {
            return Err(kind.too_long(size));
        }
        let root = json::read(text).map_err(|error| {
            Problem::whole(format!("This policy contains invalid JSON: {error}.")).in_document()
        })?;
        let (statements, variables) = outline(&root).map_err(Problem::in_document)?;
        let mut document = Self {
            size,
            statements: Vec::with_capacity(statements.len()),
            denies: ActionIndex::default(),
            allows: ActionIndex::default(),
            same: Vec::new(),
        };
        let mut sids = HashSet::new();
        for (index, node) in statements.iter().enumerate() {
            let (statement, actions) = Statement::parse(node, index, kind, variables)?;
            if let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty())
                && !sids.insert(sid.to_owned())
            {
                let problem = Problem::at("Sid", "Statement IDs (SID) in a single policy must be unique.");
                return Err(problem.in_statement(index, Some(sid)));
            }
            let before = if kind == Kind::Resource { index } else { 0 };
            let earlier = statements.iter().take(before).position(|earlier| says_the_same(earlier, node));
            match (earlier, statement.effect) {
                (Some(earlier), _) => document.same.push((index, earlier)),
                (None, Effect::Deny) => document.denies.add(actions, index),
                (None, Effect::Allow) => document.allows.add(actions, index),
            }
            document.statements.push(statement);
        }
        Ok(document)
    }

    /// What counts against [`Kind::size_max`], and against the limit on the sum of a role's inline policies.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The number of statements.
    pub fn statements(&self) -> usize {
        self.statements.len()
    }

    /// The Sid of the statement at `index`, counted from 0.
    pub fn sid(&self, index: usize) -> Option<&str> {
        self.statements.get(index)?.sid.as_deref()
    }

    /// The statements in the order of the text.
    pub(super) fn compiled(&self) -> &[Statement] {
        &self.statements
    }

    /// The positions of the statements with this effect that are about the action, in no order and perhaps repeatedly.
    pub(super) fn about(&self, effect: Effect, action: &Folded<'_>) -> HashSet<usize> {
        let mut positions = HashSet::new();
        let _ = self.index(effect).visit(action, |position| {
            positions.insert(position);
            ControlFlow::<()>::Continue(())
        });
        for (index, earlier) in &self.same {
            if positions.contains(earlier) {
                positions.insert(*index);
            }
        }
        positions
    }

    /// The Allow that matches and gives most.
    pub(super) fn find_grant(&self, action: &Folded<'_>, request: &Request<'_>) -> Option<(usize, Grant)> {
        let mut best: Option<(usize, Grant)> = None;
        let _ = self.allows.visit(action, |position| {
            let grant = self.statements.get(position).and_then(|statement| statement.grant(request));
            if let Some(grant) = grant
                && best.is_none_or(|(_, other)| grant > other)
            {
                best = Some((position, grant));
            }
            match grant {
                Some(Grant::Direct) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        best
    }

    fn index(&self, effect: Effect) -> &ActionIndex {
        match effect {
            Effect::Deny => &self.denies,
            Effect::Allow => &self.allows,
        }
    }

    /// A statement with this effect that matches.
    pub(super) fn find(&self, effect: Effect, action: &Folded<'_>, request: &Request<'_>) -> Option<usize> {
        let found = self.index(effect).visit(action, |position| match self.statements.get(position) {
            Some(statement) if statement.matches(request) => ControlFlow::Break(position),
            _ => ControlFlow::Continue(()),
        });
        match found {
            ControlFlow::Break(position) => Some(position),
            ControlFlow::Continue(()) => None,
        }
    }
}

impl AsRef<Document> for Document {
    fn as_ref(&self) -> &Document {
        self
    }
}

/// Whether two statements are equal but for their Sids.
fn says_the_same(one: &Node, other: &Node) -> bool {
    let (Node::Map(one), Node::Map(other)) = (one, other) else { return false };
    let rest = |members: &'_ [(String, Node)]| members.iter().filter(|(name, _)| name != "Sid").count();
    rest(one) == rest(other)
        && one
            .iter()
            .filter(|(name, _)| name != "Sid")
            .all(|member| other.iter().any(|candidate| candidate == member))
}

/// The statements of a document, and whether its version has variables.
fn outline(root: &Node) -> Result<(&[Node], bool), Problem> {
    let Node::Map(members) = root else {
        return Err(Problem::whole(format!("A policy must be an object, not {}.", root.kind())));
    };
    let (mut statements, mut variables) = (None, false);
    for (name, node) in members {
        match name.as_str() {
            "Version" => match node {
                Node::Text(version) if version == "2012-10-17" => variables = true,
                Node::Text(version) if version == "2008-10-17" => {}
                _ => {
                    let text = "The policy must contain a valid version string: 2012-10-17 or 2008-10-17.";
                    return Err(Problem::at("Version", text));
                }
            },
            "Id" => {
                element::string("Id", node)?;
            }
            "Statement" => statements = Some(node),
            other => {
                return Err(Problem::at(other, "Syntax errors in policy: a policy has no such element."));
            }
        }
    }
    match statements {
        Some(Node::List(list)) if list.is_empty() => {
            Err(Problem::at("Statement", "Syntax errors in policy: there is no statement."))
        }
        Some(Node::List(list)) => Ok((list, variables)),
        Some(one) => Ok((std::slice::from_ref(one), variables)),
        None => Err(Problem::at("Statement", "Missing required field Statement.")),
    }
}
