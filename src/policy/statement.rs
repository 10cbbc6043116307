//! Statements: whom, what and when; the actions are kept apart, in the document's index.

use super::{
    action::{self, Actions},
    arn::ResourcePattern,
    condition::{self, Condition, sentence},
    decide::Request,
    document::Kind,
    element,
    error::{ParseError, Problem},
    json::Node,
    principal::{Grant, Principals},
    text::{self, Piece, Syntax},
};

/// What a statement does where it matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever allows.
    Deny,
}

/// A statement, compiled.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sid: Option<Box<str>>,
    pub(super) effect: Effect,
    /// `None` in identity policies, which are about whoever they are attached to.
    pub(super) principals: Option<Principals>,
    pub(super) resources: Resources,
    pub(super) conditions: Box<[Condition]>,
}

/// The resources that a statement is about.
#[derive(Debug)]
pub(super) enum Resources {
    /// Everything: a trust policy is about its role.
    All,
    These(Box<[ResourcePattern]>),
    AllBut(Box<[ResourcePattern]>),
}

/// The elements of a statement as they stand in the text.
#[derive(Default)]
struct Elements<'n> {
    sid: Option<&'n str>,
    effect: Option<&'n Node>,
    principal: Option<&'n Node>,
    not_principal: Option<&'n Node>,
    action: Option<&'n Node>,
    not_action: Option<&'n Node>,
    resource: Option<&'n Node>,
    not_resource: Option<&'n Node>,
    condition: Option<&'n Node>,
}

impl Statement {
    /// Reads the statement at `index`, counted from 0. `variables` says whether the policy's version has them.
    pub(super) fn parse(
        node: &Node,
        index: usize,
        kind: Kind,
        variables: bool,
    ) -> Result<(Self, Actions), ParseError> {
        let elements = Elements::read(node).map_err(|problem| problem.in_statement(index, None))?;
        let sid = elements.sid;
        elements.compile(kind, variables).map_err(|problem| problem.in_statement(index, sid))
    }

    /// Whether the statement matches a request whose action is known to be among its actions.
    pub(super) fn matches(&self, request: &Request<'_>) -> bool {
        self.grant(request).is_some()
    }

    /// What an Allow gives to the one who asks, if the statement matches a request whose action is known to be among its
    /// actions.
    pub(super) fn grant(&self, request: &Request<'_>) -> Option<Grant> {
        let grant = self.whom(request)?;
        let matches =
            self.resources.include(request) && self.conditions.iter().all(|one| one.holds(request.keys));
        matches.then_some(grant)
    }

    /// What an Allow gives to the one who asks, by its principals alone.
    pub(super) fn whom(&self, request: &Request<'_>) -> Option<Grant> {
        match (&self.principals, &request.requester) {
            (None, _) => Some(Grant::Direct),
            (Some(principals), Some(requester)) => principals.grant(requester),
            (Some(_), None) => None,
        }
    }
}

impl Resources {
    /// Whether the resource of the request is among them.
    pub(super) fn include(&self, request: &Request<'_>) -> bool {
        let any = |patterns: &[ResourcePattern]| {
            patterns.iter().any(|pattern| pattern.matches(request.resource, request.keys))
        };
        match self {
            Self::All => true,
            Self::These(patterns) => any(patterns),
            Self::AllBut(patterns) => !any(patterns),
        }
    }
}

impl<'n> Elements<'n> {
    fn read(node: &'n Node) -> Result<Self, Problem> {
        let Node::Map(members) = node else {
            return Err(Problem::whole(format!("A statement must be an object, not {}.", node.kind())));
        };
        let mut elements = Self::default();
        for (name, node) in members {
            match name.as_str() {
                "Sid" => elements.sid = Some(element::string("Sid", node)?),
                "Effect" => elements.effect = Some(node),
                "Principal" => elements.principal = Some(node),
                "Action" => elements.action = Some(node),
                "NotAction" => elements.not_action = Some(node),
                "Resource" => elements.resource = Some(node),
                "NotResource" => elements.not_resource = Some(node),
                "Condition" => elements.condition = Some(node),
                "NotPrincipal" => elements.not_principal = Some(node),
                other => {
                    return Err(Problem::at(
                        other,
                        "Syntax errors in policy: a statement has no such element.",
                    ));
                }
            }
        }
        Ok(elements)
    }

    fn compile(self, kind: Kind, variables: bool) -> Result<(Statement, Actions), Problem> {
        // Lambda's statement ids have more characters than IAM's.
        let more: &[u8] = if kind == Kind::Resource { b"-_." } else { b"" };
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
        if self.sid.is_some_and(|sid| !sid.bytes().all(valid)) {
            let text = "Statement IDs (SID) must be alpha-numeric.";
            return Err(Problem::at("Sid", text));
        }
        let effect = match self.effect {
            None => return Err(Problem::at("Effect", "Missing required field Effect.")),
            Some(Node::Text(text)) if text == "Allow" => Effect::Allow,
            Some(Node::Text(text)) if text == "Deny" => Effect::Deny,
            Some(_) => return Err(Problem::at("Effect", "It must be Allow or Deny, with these capitals.")),
        };
        let actions = match (self.action, self.not_action) {
            (Some(node), None) => Actions::These(action::parse("Action", node)?),
            (None, Some(node)) => Actions::AllBut(action::parse("NotAction", node)?),
            (None, None) => return Err(Problem::at("Action", "Policy statement must contain actions.")),
            (Some(_), Some(_)) => {
                return Err(Problem::at(
                    "NotAction",
                    "A statement has either Action or NotAction, not both.",
                ));
            }
        };
        let principals = self.principals(kind, effect)?;
        let resources = match kind {
            Kind::Trust => {
                check_trusted_actions(&actions)?;
                if self.resource.is_some() || self.not_resource.is_some() {
                    let field = if self.resource.is_some() { "Resource" } else { "NotResource" };
                    return Err(Problem::at(field, format!("Has prohibited field {field}.")));
                }
                Resources::All
            }
            _ => self.resources(variables)?,
        };
        let conditions = match self.condition {
            Some(node) => condition::parse(node, variables)?,
            None => Box::default(),
        };
        let sid = self.sid.map(Into::into);
        Ok((Statement { sid, effect, principals, resources, conditions }, actions))
    }

    fn principals(&self, kind: Kind, effect: Effect) -> Result<Option<Principals>, Problem> {
        match (kind.names_principals(), self.principal, self.not_principal) {
            (false, None, None) => Ok(None),
            (false, Some(_), _) => {
                Err(Problem::at("Principal", "Policy document should not specify a principal."))
            }
            (false, None, Some(_)) => {
                Err(Problem::at("NotPrincipal", "Policy document should not specify a principal."))
            }
            (true, Some(_), Some(_)) => Err(Problem::at(
                "NotPrincipal",
                "A statement has either Principal or NotPrincipal, not both.",
            )),
            (true, Some(node), None) => Principals::parse(node).map(Some),
            (true, None, Some(_)) if kind == Kind::Trust => {
                Err(Problem::at("NotPrincipal", "Has prohibited field NotPrincipal."))
            }
            (true, None, Some(_)) if effect == Effect::Allow => Err(Problem::at(
                "NotPrincipal",
                "Using it with Allow is not supported: it must be used with Deny.",
            )),
            (true, None, Some(node)) => Principals::parse_not(node).map(Some),
            (true, None, None) => Err(Problem::at("Principal", "Missing required field Principal.")),
        }
    }

    fn resources(&self, variables: bool) -> Result<Resources, Problem> {
        match (self.resource, self.not_resource) {
            (Some(node), None) => {
                let patterns = patterns("Resource", node, variables)?;
                // One that means everything makes the others superfluous.
                let all = patterns.contains(&ResourcePattern::All);
                Ok(if all { Resources::All } else { Resources::These(patterns) })
            }
            (None, Some(node)) => Ok(Resources::AllBut(patterns("NotResource", node, variables)?)),
            (None, None) => Err(Problem::at("Resource", "Policy statement must contain resources.")),
            (Some(_), Some(_)) => {
                Err(Problem::at("NotResource", "A statement has either Resource or NotResource, not both."))
            }
        }
    }
}

fn check_trusted_actions(actions: &Actions) -> Result<(), Problem> {
    match actions {
        Actions::These(patterns) if patterns.iter().all(|pattern| pattern.is_of("sts")) => Ok(()),
        Actions::These(_) => {
            Err(Problem::at("Action", "AssumeRole policy may only specify STS AssumeRole actions."))
        }
        Actions::AllBut(_) => {
            Err(Problem::at("NotAction", "AssumeRole policy may only specify STS AssumeRole actions."))
        }
    }
}

fn patterns(field: &str, node: &Node, variables: bool) -> Result<Box<[ResourcePattern]>, Problem> {
    let texts = element::strings(field, node)?;
    if texts.is_empty() {
        return Err(Problem::at(field, "Policy statement must contain resources."));
    }
    texts
        .into_iter()
        .map(|text| pattern(text, variables).map_err(|problem| Problem::at(field, problem)))
        .collect()
}

/// Reads `*` or an ARN. Its service is written out, and a variable stands only after the fifth colon: "You can't use a
/// variable to replace parts of the ARN before the fifth colon, such as the service or account."
fn pattern(text: &str, variables: bool) -> Result<ResourcePattern, String> {
    let pieces =
        text::parse(text, Syntax { wildcards: true, variables }).map_err(|phrase| sentence(&phrase))?;
    if pieces != [Piece::Any] {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, service) = (parts.next(), parts.next(), parts.next());
        if arn != Some("arn") || partition.is_none() {
            return Err(format!("Resource {text} must be in ARN format or \"*\"."));
        }
        match partition {
            Some("*") => {}
            Some(name) if name == "aws" || name.starts_with("aws-") => {}
            _ => {
                let name = partition.unwrap_or_default();
                return Err(format!("Partition \"{name}\" is not valid for resource \"{text}\"."));
            }
        }
        let vendor = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !service.is_some_and(vendor) {
            return Err(format!(
                "Resource vendor must be fully qualified and cannot contain regexes: {text}."
            ));
        }
        if parts.take(2).any(|part| variables && part.contains("${")) {
            return Err(format!(
                "A policy variable can stand only after the fifth colon of a resource: {text}."
            ));
        }
    }
    Ok(ResourcePattern::new(pieces))
}
