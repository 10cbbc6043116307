//! Documents: a policy as it was put, compiled for deciding.

use std::{collections::HashSet, ops::ControlFlow};

use super::{
    action::{ActionIndex, Folded},
    decide::Request,
    element,
    error::{ParseError, Problem},
    json::{self, Node},
    statement::{Effect, Statement},
};

/// The longest text of any policy, white space included, in bytes (IAM's `policyDocumentType`).
pub const TEXT_BYTES_MAX: usize = 131_072;

/// What a policy is for, which says which elements it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Attached to a role or user, and so without principals; also session policies.
    Identity,
    /// A role's trust policy: who may assume it. It has principals and no resources.
    Trust,
}

impl Kind {
    /// The most characters without white space (IAM quotas: the inline policies of a role 10,240, which is a limit on
    /// their sum, see [`Document::size`]; the trust policy of a role 2,048).
    pub fn size_max(self) -> usize {
        match self {
            Self::Identity => 10_240,
            Self::Trust => 2_048,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Identity => "role's inline policies",
            Self::Trust => "role's trust policy",
        }
    }
}

/// A compiled policy. It is made when a policy is put and then only read.
#[derive(Debug)]
pub struct Document {
    size: usize,
    statements: Vec<Statement>,
    denies: ActionIndex,
    allows: ActionIndex,
}

impl Document {
    /// Reads and compiles a policy. What AWS refuses and what is not understood here is an error that names statement
    /// and element.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, ParseError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(ParseError::TooLong { kind: kind.name(), size: text.len(), limit: kind.size_max() });
        }
        let size = json::size(text);
        if size > kind.size_max() {
            return Err(ParseError::TooLong { kind: kind.name(), size, limit: kind.size_max() });
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
            match statement.effect {
                Effect::Deny => document.denies.add(actions, index),
                Effect::Allow => document.allows.add(actions, index),
            }
            document.statements.push(statement);
        }
        Ok(document)
    }

    /// The characters of the text without white space: what counts against [`Kind::size_max`], and against the limit
    /// on the sum of a role's inline policies.
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

    /// A statement with this effect that matches.
    pub(super) fn find(&self, effect: Effect, action: &Folded<'_>, request: &Request<'_>) -> Option<usize> {
        let index = match effect {
            Effect::Deny => &self.denies,
            Effect::Allow => &self.allows,
        };
        let found = index.visit(action, |position| match self.statements.get(position) {
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
