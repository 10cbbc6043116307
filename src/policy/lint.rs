//! What is legal in a policy and yet probably not meant.

use serde::Serialize;

use super::{
    catalog::{self, Source},
    document::{Document, Kind},
    error::ParseError,
    glob::Glob,
    json::{self, Node},
    text::{self, Syntax},
};

/// Something in a policy that somebody should look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Finding {
    /// The statement, counted from 1.
    pub statement: usize,
    /// Its Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The rule, for example `device-claim`; `docs/policies.md` lists them.
    pub rule: &'static str,
    /// What is the matter and what to do, as a sentence.
    pub message: String,
}

/// Looks a policy over. `actions` are the names of all actions there are, for example `lambda:InvokeFunction`; none means that
/// actions are not looked at. A text that is no policy is an error.
pub fn lint(text: &str, kind: Kind, actions: &[&str]) -> Result<Vec<Finding>, ParseError> {
    Document::parse(text, kind)?;
    // Parsed a moment ago, so these cannot fail; if they did there would be nothing to say.
    let root = json::read(text).unwrap_or(Node::Null);
    let old = member(&root, "Version").and_then(as_text) != Some("2012-10-17");
    let statements = match member(&root, "Statement") {
        Some(Node::List(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut findings = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        let look =
            Look { statement, kind, allow: member(statement, "Effect").and_then(as_text) == Some("Allow") };
        look.actions(actions, &mut found);
        look.reach(&mut found);
        look.conditions(&mut found);
        look.trust(&mut found);
        if old && has_variable(statement) {
            let text = "Policies of version 2008-10-17 have no variables, so ${…} is taken as it stands: set Version to 2012-10-17.";
            found.push(("variable-in-old-version", text.to_owned()));
        }
        if let Some(other) = statements.iter().position(|other| shadows(other, statement)) {
            let text = format!(
                "Statement {} denies all that this one allows, so it never has an effect.",
                other + 1
            );
            found.push(("unreachable", text));
        } else if let Some(other) =
            statements.iter().take(index).position(|other| without_sid(other) == without_sid(statement))
        {
            found.push(("unreachable", format!("Statement {} says the same.", other + 1)));
        }
        let sid = member(statement, "Sid").and_then(as_text).filter(|sid| !sid.is_empty()).map(str::to_owned);
        findings.extend(found.into_iter().map(|(rule, message)| Finding {
            statement: index + 1,
            sid: sid.clone(),
            rule,
            message,
        }));
    }
    Ok(findings)
}

/// One statement that is looked at.
struct Look<'n> {
    statement: &'n Node,
    kind: Kind,
    allow: bool,
}

impl Look<'_> {
    fn list(&self, element: &str) -> Vec<&str> {
        member(self.statement, element).map(texts).unwrap_or_default()
    }

    /// Operator, key and values of every condition.
    fn all_conditions(&self) -> Vec<(&str, &str, &Node)> {
        let operators = member(self.statement, "Condition").map(members).unwrap_or_default();
        operators
            .iter()
            .flat_map(|(operator, keys)| {
                members(keys).iter().map(move |(key, values)| (operator.as_str(), key.as_str(), values))
            })
            .collect()
    }

    fn actions(&self, known: &[&str], found: &mut Vec<(&'static str, String)>) {
        for pattern in self.list("Action").into_iter().chain(self.list("NotAction")) {
            let lower = pattern.to_lowercase();
            if !known.is_empty() && !known.iter().any(|action| matches(&lower, &action.to_lowercase())) {
                found.push(("unknown-action", format!("No action of Callgate is \"{pattern}\".")));
            }
        }
    }

    /// Whether it lets in everyone, or everything.
    fn reach(&self, found: &mut Vec<(&'static str, String)>) {
        if let Some(not) = member(self.statement, "NotPrincipal")
            && is_everyone(not)
        {
            let text = "NotPrincipal excepts everyone, so the statement never has an effect.";
            found.push(("unreachable", text.to_owned()));
        }
        if !self.allow {
            return;
        }
        if self.list("Action").contains(&"*") && self.list("Resource").contains(&"*") {
            let text = "It allows every action on every resource: name what is needed.";
            found.push(("allows-everything", text.to_owned()));
        }
        if member(self.statement, "NotAction").is_some() {
            let text = "An Allow with NotAction also allows every action that will ever be added: name what is needed.";
            found.push(("allows-all-but", text.to_owned()));
        }
        let Some(principal) = member(self.statement, "Principal") else { return };
        let narrows = |key: &str| {
            catalog::find(key).is_some_and(|key| matches!(key.source, Source::Gateway | Source::EventSource))
        };
        let narrowed = self.all_conditions().iter().any(|(operator, key, _)| {
            narrows(key)
                && !operator.contains("Not")
                && !operator.contains("IfExists")
                && !operator.contains("Null")
        });
        if is_everyone(principal) && !narrowed {
            let text = "It lets in everyone who can sign a request, of any account: name principals, or add a condition on what the \
                        gateway knows, for example aws:PrincipalOrgID.";
            found.push(("everyone", text.to_owned()));
        }
        let services = member(principal, "Service").is_some();
        let source = self.all_conditions().iter().any(|(_, key, _)| {
            ["aws:sourcearn", "aws:sourceaccount", "lambda:eventsourcetoken"]
                .contains(&key.to_lowercase().as_str())
        });
        if self.kind == Kind::Resource && services && !source {
            let text = "It lets the service call on anybody's behalf: add a condition on aws:SourceArn or aws:SourceAccount.";
            found.push(("confused-deputy", text.to_owned()));
        }
    }

    fn conditions(&self, found: &mut Vec<(&'static str, String)>) {
        let all = self.all_conditions();
        for (operator, key, values) in &all {
            let Some(known) = catalog::find(key) else {
                let text = format!("No request has the key {key}, so the condition sees it as absent.");
                found.push(("unknown-key", text));
                continue;
            };
            let set = operator.starts_with("ForAnyValue:") || operator.starts_with("ForAllValues:");
            if set && !known.many {
                let text =
                    format!("{key} has one value at most: {operator} on it can allow more than is meant.");
                found.push(("set-operator", text));
            }
            if !set && known.many && *operator != "Null" {
                let text = format!(
                    "{key} can have several values: say ForAnyValue:{operator} or ForAllValues:{operator}."
                );
                found.push(("set-operator", text));
            }
            if self.allow && operator.starts_with("ForAllValues:") && !requires(&all, key) {
                let text = format!(
                    "{operator} is true where {key} is absent: add \"Null\": {{\"{key}\": \"false\"}} if it must be there."
                );
                found.push(("for-all-values", text));
            }
            if matches!(values, Node::List(items) if items.is_empty()) {
                found.push((
                    "no-values",
                    format!("{operator} on {key} lists no value, so nothing equals it."),
                ));
            }
        }
        let source = |key: &str| catalog::find(key).map(|key| key.source);
        let claims: Vec<&str> =
            all.iter().map(|(_, key, _)| *key).filter(|key| source(key) == Some(Source::Device)).collect();
        let vouched =
            all.iter().any(|(_, key, _)| matches!(source(key), Some(Source::Gateway | Source::EventSource)));
        if self.allow && !claims.is_empty() && !vouched {
            let text = format!(
                "The Allow rests on what the device says of itself ({}): anybody can say it. Use it to turn old apps away, with Deny, \
                 and let something the gateway knows allow.",
                claims.join(", ")
            );
            found.push(("device-claim", text));
        }
    }

    /// Whether guests, or identities of any pool, can take the role.
    fn trust(&self, found: &mut Vec<(&'static str, String)>) {
        let federated =
            member(self.statement, "Principal").and_then(|principal| member(principal, "Federated"));
        let cognito = federated.is_some_and(|names| texts(names).contains(&"cognito-identity.amazonaws.com"));
        if self.kind != Kind::Trust || !self.allow || !cognito {
            return;
        }
        let all = self.all_conditions();
        let named = |wanted: &'static str| {
            all.iter().filter(move |(operator, key, _)| {
                key.eq_ignore_ascii_case(wanted)
                    && !operator.contains("Not")
                    && !operator.contains("IfExists")
            })
        };
        if named("cognito-identity.amazonaws.com:aud").next().is_none() {
            let text = "Identities of every pool can take the role: add a condition on cognito-identity.amazonaws.com:aud.";
            found.push(("any-pool", text.to_owned()));
        }
        let closed = named("cognito-identity.amazonaws.com:amr").any(|(operator, _, values)| {
            operator.starts_with("ForAnyValue:")
                && texts(values).into_iter().all(|value| !matches(value, "unauthenticated"))
        });
        if !closed {
            let text = "A guest can take the role, and whoever has a guest's id is the guest: see that it allows no more than that.";
            found.push(("guest-role", text.to_owned()));
        }
    }
}

/// Whether a condition demands that the key is there.
fn requires(all: &[(&str, &str, &Node)], key: &str) -> bool {
    all.iter().any(|(operator, other, values)| {
        *operator == "Null"
            && other.eq_ignore_ascii_case(key)
            && (texts(values) == ["false"] || **values == Node::Bool(false))
    })
}

/// Whether `deny` takes away all that `allow` gives.
fn shadows(deny: &Node, allow: &Node) -> bool {
    let effect = |node, wanted| member(node, "Effect").and_then(as_text) == Some(wanted);
    let covered = |element: &str| {
        let (wide, narrow) = (member(deny, element), member(allow, element));
        match (wide, narrow) {
            (Some(wide), Some(narrow)) => {
                let wide = texts(wide);
                texts(narrow).into_iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow)))
            }
            _ => false,
        }
    };
    let whom = match (member(deny, "Principal"), member(allow, "Principal")) {
        (None, None) => member(deny, "NotPrincipal").is_none(),
        (Some(wide), narrow) => is_everyone(wide) || Some(wide) == narrow,
        (None, Some(_)) => false,
    };
    let where_ = covered("Resource")
        || (member(deny, "NotResource").is_none()
            && member(allow, "NotResource").is_none()
            && member(deny, "Resource").is_none()
            && member(allow, "Resource").is_none());
    let always = member(deny, "Condition").is_none_or(|node| members(node).is_empty());
    effect(deny, "Deny") && effect(allow, "Allow") && always && covered("Action") && where_ && whom
}

/// Whether every text that is like `narrow` is like `wide`.
fn covers(wide: &str, narrow: &str) -> bool {
    wide == narrow
        || (!wide.contains('?')
            && !wide.contains("${")
            && matches(&wide.to_lowercase(), &narrow.to_lowercase()))
}

fn matches(pattern: &str, text: &str) -> bool {
    text::parse(pattern, Syntax { wildcards: true, variables: false })
        .is_ok_and(|pieces| Glob::new(&pieces).matches(text))
}

fn is_everyone(principal: &Node) -> bool {
    as_text(principal) == Some("*")
        || member(principal, "AWS").is_some_and(|names| texts(names).contains(&"*"))
}

fn has_variable(node: &Node) -> bool {
    match node {
        Node::Text(text) => text.contains("${"),
        Node::List(items) => items.iter().any(has_variable),
        Node::Map(members) => members.iter().any(|(_, node)| has_variable(node)),
        _ => false,
    }
}

fn without_sid(statement: &Node) -> Vec<&(String, Node)> {
    members(statement).iter().filter(|(name, _)| name != "Sid").collect()
}

fn members(node: &Node) -> &[(String, Node)] {
    match node {
        Node::Map(members) => members,
        _ => &[],
    }
}

fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    members(node).iter().find(|(own, _)| own == name).map(|(_, node)| node)
}

fn as_text(node: &Node) -> Option<&str> {
    match node {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

/// The texts of one or a list of them.
fn texts(node: &Node) -> Vec<&str> {
    match node {
        Node::List(items) => items.iter().filter_map(as_text).collect(),
        one => as_text(one).into_iter().collect(),
    }
}
