//! A slow evaluator, written from AWS's documentation sentence by sentence, that shares no code with the fast one. It
//! takes well-formed policies only. Quotations are from the IAM User Guide.

use base64::Engine;
use serde_json::Value;

use super::{Asking, Context, Held};

/// What a list of policies says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Verdict {
    Allow,
    Deny,
    Neither,
}

/// A request.
pub(super) struct Question<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) asking: Option<&'a Asking>,
    pub(super) context: &'a Context,
}

/// "By default, all requests are implicitly denied … An explicit allow overrides this default … An explicit deny in any
/// policy overrides any allows."
pub(super) fn judge(question: &Question<'_>, policies: &[Value]) -> Verdict {
    let matching: Vec<&str> = policies
        .iter()
        .flat_map(|policy| list(&policy["Statement"]).into_iter().map(move |statement| (policy, statement)))
        .filter(|(policy, statement)| matches(question, policy["Version"] == "2012-10-17", statement))
        .map(|(_, statement)| statement["Effect"].as_str().unwrap())
        .collect();
    if matching.contains(&"Deny") {
        Verdict::Deny
    } else if matching.contains(&"Allow") {
        Verdict::Allow
    } else {
        Verdict::Neither
    }
}

/// One or a list of them.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn matches(question: &Question<'_>, variables: bool, statement: &Value) -> bool {
    let action = |name: &Value| {
        // "The prefix and the action name are case insensitive."
        let tokens = tokens(&name.as_str().unwrap().to_lowercase(), true, None).unwrap();
        like(&tokens, &characters(&question.action.to_lowercase()))
    };
    let context = variables.then_some(question.context);
    let resource = |name: &Value| {
        tokens(name.as_str().unwrap(), true, context)
            .is_some_and(|pattern| resource_like(&pattern, &characters(question.resource)))
    };
    let either = |positive: &str, negative: &str, test: &dyn Fn(&Value) -> bool| match &statement[negative] {
        Value::Null => statement[positive].is_null() || list(&statement[positive]).into_iter().any(test),
        names => !list(names).into_iter().any(test),
    };
    either("Action", "NotAction", &action)
        && either("Resource", "NotResource", &resource)
        && whom(question.asking, statement).is_some()
        && conditions(question.context, variables, &statement["Condition"])
}

/// How a statement of a resource's policy names the one who asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Named {
    /// "Both delegate permissions to the account."
    Account,
    /// "When you specify a role principal in a resource-based policy, the effective permissions for the principal are limited
    /// by any policy types that limit permissions for the role. This includes session policies and permissions boundaries."
    Role,
    /// The user, the session, the service, the provider, or everyone.
    Itself,
}

fn whom(asking: Option<&Asking>, statement: &Value) -> Option<Named> {
    match (&statement["Principal"], &statement["NotPrincipal"]) {
        (Value::Null, Value::Null) => Some(Named::Itself),
        (Value::Null, element) => {
            // "When you use NotPrincipal, you must also specify the account ARN of the not-denied principal. … If an
            // assumed-role user is being evaluated, AWS might first check the account, then the role, and finally the
            // assumed-role user."
            let names: Vec<Named> = namings(asking?, element);
            let needed: &[Named] = match asking? {
                Asking::Aws { role: Some(_), .. } => &[Named::Account, Named::Role, Named::Itself],
                Asking::Aws { arn, .. } if arn.ends_with(":root") => &[Named::Itself],
                Asking::Aws { .. } => &[Named::Account, Named::Itself],
                Asking::Federated(_) | Asking::Service(_) => &[Named::Itself],
            };
            let everyone = element == "*" || list(&element["AWS"]).into_iter().any(|name| name == "*");
            (!everyone && !needed.iter().all(|need| names.contains(need))).then_some(Named::Itself)
        }
        (element, _) => namings(asking?, element).into_iter().max(),
    }
}

/// All ways in which an element names the one who asks.
fn namings(asking: &Asking, element: &Value) -> Vec<Named> {
    let named = |kind: &str, name: &str| list(&element[kind]).into_iter().any(|one| one == name);
    let mut names = Vec::new();
    if element == "*" || named("AWS", "*") {
        names.push(Named::Itself);
    }
    match asking {
        Asking::Federated(provider) if named("Federated", provider) => names.push(Named::Itself),
        Asking::Service(service) if named("Service", service) => names.push(Named::Itself),
        Asking::Aws { account, arn, role } => {
            let root = format!("arn:aws:iam::{account}:root");
            if named("AWS", account) || named("AWS", &root) {
                names.push(if *arn == root { Named::Itself } else { Named::Account });
            }
            if named("AWS", arn) {
                names.push(Named::Itself);
            }
            if role.as_ref().is_some_and(|role| named("AWS", role)) {
                names.push(Named::Role);
            }
        }
        Asking::Federated(_) | Asking::Service(_) => {}
    }
    names
}

/// All policies that have a say in a call.
pub(super) struct Access<'a> {
    /// The account of the one who asks; `None` for a service, which has none.
    pub(super) account: Option<&'a str>,
    /// Whether the one who asks is the account's root.
    pub(super) root: bool,
    pub(super) identity: &'a [Value],
    pub(super) session: Option<&'a [Value]>,
    pub(super) resource: Option<&'a Value>,
}

/// "Policy evaluation logic", its flow chart from top to bottom.
pub(super) fn judge_access(question: &Question<'_>, access: &Access<'_>) -> Verdict {
    let identity = judge(question, access.identity);
    let session = access.session.map(|policies| judge(question, policies));
    let resource: Vec<Value> = access.resource.cloned().into_iter().collect();
    // "Deny evaluation … If the code finds even one explicit deny that applies, the code returns a final decision of Deny."
    let denied = [
        if access.root { Verdict::Neither } else { identity },
        session.unwrap_or(Verdict::Neither),
        judge(question, &resource),
    ];
    if denied.contains(&Verdict::Deny) {
        return Verdict::Deny;
    }
    // The strongest Allow of the resource's policy, found by asking each of its statements alone.
    let named = resource
        .iter()
        .flat_map(|policy| list(&policy["Statement"]).into_iter().map(move |statement| (policy, statement)))
        .filter(|(_, statement)| statement["Effect"] == "Allow")
        .filter(|(policy, statement)| matches(question, policy["Version"] == "2012-10-17", statement))
        .filter_map(|(_, statement)| whom(question.asking, statement))
        .max();
    let by_identity = access.root || identity == Verdict::Allow;
    let by_session = session.is_none_or(|session| session == Verdict::Allow);
    let owner = question.resource.split(':').nth(4).filter(|owner| !owner.is_empty());
    let allowed = match access.account {
        None => named.is_some(),
        // "Cross-account … the request is allowed only if both evaluations return a decision of Allow."
        Some(account) if owner.is_some_and(|owner| owner != account) => {
            named.is_some() && by_identity && by_session
        }
        Some(_) => match named {
            Some(Named::Itself) => true,
            Some(Named::Role) => by_session,
            Some(Named::Account) | None => by_identity && by_session,
        },
    };
    if allowed { Verdict::Allow } else { Verdict::Neither }
}

/// "If your policy has multiple condition operators or multiple keys attached to a single condition operator, the
/// conditions are evaluated using a logical AND."
fn conditions(context: &Context, variables: bool, element: &Value) -> bool {
    let Some(operators) = element.as_object() else { return true };
    operators.iter().all(|(operator, keys)| {
        keys.as_object()
            .unwrap()
            .iter()
            .all(|(key, values)| condition(context, variables, operator, key, &list(values)))
    })
}

fn condition(context: &Context, variables: bool, operator: &str, key: &str, wanted: &[&Value]) -> bool {
    let (set, operator) = match operator.split_once(':') {
        Some((set, rest)) => (Some(set), rest),
        None => (None, operator),
    };
    let (if_exists, operator) = match operator.strip_suffix("IfExists") {
        Some(rest) => (true, rest),
        None => (false, operator),
    };
    let held: Vec<&String> = match context.held(key) {
        None => Vec::new(),
        Some(Held::One(value)) => vec![value],
        Some(Held::Many(values)) => values.iter().collect(),
    };
    let wanted: Vec<String> =
        wanted.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
    if operator == "Null" {
        // "Use either true (the key doesn't exist. It is null) or false (the key exists and its value is not null)."
        return wanted.contains(&held.is_empty().to_string());
    }
    let negated = operator.contains("Not");
    let operator = operator.replace("Not", "");
    let context = variables.then_some(context);
    let fits = |value: &String| wanted.iter().any(|wanted| compare(context, &operator, value, wanted));
    // "If the key values in the request resolve to an empty data set (for example, an empty string), a condition operator
    // modified by ForAllValues returns true, and a condition operator modified by ForAnyValue returns false."
    let empty = held.iter().all(|value| value.is_empty());
    match set {
        // "If the key is not present, evaluate the condition element as true."
        Some(_) if held.is_empty() && if_exists => return true,
        Some("ForAllValues") => return empty || held.into_iter().all(|value| fits(value) != negated),
        Some(_) => return !empty && held.into_iter().any(|value| fits(value) != negated),
        None => {}
    }
    if held.is_empty() {
        // "If the key that you specify in a policy condition is not present in the request context, the values do not
        // match and the condition is false. If the policy condition requires that the key is not matched … the
        // condition is true." "If the condition key is present … process the key as specified in the policy. If the
        // key is not present, evaluate the condition element as true."
        return if_exists || negated;
    }
    // "… a negated matching condition operator … evaluates with a logical NOR."
    held.into_iter().any(fits) != negated
}

/// Whether a value of the request stands to one of the policy as the positive operator says.
fn compare(context: Option<&Context>, operator: &str, value: &str, wanted: &str) -> bool {
    let text = |wildcards| tokens(wanted, wildcards, context);
    let value_characters = characters(value);
    match operator {
        "StringEquals" => text(false).is_some_and(|text| like(&text, &value_characters)),
        "StringEqualsIgnoreCase" => text(false).is_some_and(|text| {
            let lower = |tokens: Vec<Token>| -> String {
                tokens.into_iter().filter_map(|token| token.literal()).flat_map(char::to_lowercase).collect()
            };
            lower(text) == value.to_lowercase()
        }),
        "StringLike" => text(true).is_some_and(|text| like(&text, &value_characters)),
        "ArnEquals" | "ArnLike" => text(true).is_some_and(|text| arn_like(&text, value)),
        "Bool" => value.to_lowercase() == wanted.to_lowercase(),
        "IpAddress" => in_range(value, wanted),
        "BinaryEquals" => base64::engine::general_purpose::STANDARD.encode(value) == wanted,
        _ if operator.starts_with("Date") => {
            let (Some(value), Some(wanted)) = (nanoseconds(value), nanoseconds(wanted)) else { return false };
            relation(operator.trim_start_matches("Date"), value, wanted)
        }
        _ => {
            let (value, wanted) = (millionths(value), millionths(wanted));
            let (Some(value), Some(wanted)) = (value, wanted) else { return false };
            relation(operator.trim_start_matches("Numeric"), value, wanted)
        }
    }
}

fn relation(name: &str, value: i128, wanted: i128) -> bool {
    match name {
        "Equals" => value == wanted,
        "LessThan" => value < wanted,
        "LessThanEquals" => value <= wanted,
        "GreaterThan" => value > wanted,
        "GreaterThanEquals" => value >= wanted,
        other => panic!("the reference does not know {other}"),
    }
}

/// Nanoseconds since 1970, from a date of the W3C's forms or from seconds.
fn nanoseconds(text: &str) -> Option<i128> {
    let number = text.strip_prefix('-').unwrap_or(text);
    if number.len() != 4 && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Some(millionths(text)? * 1000);
    }
    let full = match text.len() {
        4 => format!("{text}-01-01T00:00:00Z"),
        7 => format!("{text}-01T00:00:00Z"),
        10 => format!("{text}T00:00:00Z"),
        17 | 22 if text.get(16..17) != Some(":") => format!("{}:00{}", text.get(..16)?, text.get(16..)?),
        _ => text.to_owned(),
    };
    full.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_nanosecond)
}

/// Whether the first bits of two addresses of one family are the same.
fn in_range(address: &str, range: &str) -> bool {
    let bits = |text: &str| -> Option<Vec<bool>> {
        let bytes = match text.parse::<std::net::IpAddr>().ok()?.to_canonical() {
            std::net::IpAddr::V4(address) => address.octets().to_vec(),
            std::net::IpAddr::V6(address) => address.octets().to_vec(),
        };
        Some(bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect())
    };
    let (network, length) = range.split_once('/').unwrap_or((range, "128"));
    let (Some(address), Some(network)) = (bits(address), bits(network)) else { return false };
    let length = length.parse::<usize>().unwrap().min(network.len());
    address.len() == network.len() && address[..length] == network[..length]
}

/// A decimal number in millionths; the tests have no finer ones.
fn millionths(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.chars().all(|digit| digit.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let number: i128 = format!("{whole}{fraction:0<6}").parse().unwrap();
    Some(if text.starts_with('-') { -number } else { number })
}

/// A character of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Character(char),
    Star,
    Mark,
}

impl Token {
    fn literal(self) -> Option<char> {
        match self {
            Self::Character(character) => Some(character),
            Self::Star | Self::Mark => None,
        }
    }
}

fn characters(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// Reads a text, with the variables' values in their places if there is a context to take them from. `None` if one has
/// no value: "the value is effectively null. There is no equal or like value."
fn tokens(text: &str, wildcards: bool, context: Option<&Context>) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(context) = context
            && let Some(inside) = rest.strip_prefix("${")
        {
            let (inside, after) = inside.split_once('}').unwrap();
            let (key, default) = match inside.split_once(',') {
                Some((key, default)) => (key, Some(default.trim().trim_matches('\'').to_owned())),
                None => (inside, None),
            };
            let value = match (key, context.held(key.trim())) {
                ("*" | "?" | "$", _) => key.to_owned(),
                (_, Some(Held::One(value))) => value.clone(),
                // "… only single-valued condition keys as variables."
                _ => default?,
            };
            tokens.extend(value.chars().map(Token::Character));
            rest = after;
            continue;
        }
        tokens.push(match first {
            '*' if wildcards => Token::Star,
            '?' if wildcards => Token::Mark,
            other => Token::Character(other),
        });
        rest = &rest[first.len_utf8()..];
    }
    Some(tokens)
}

/// "… an asterisk (*) to represent any combination of characters, and a question mark (?) to represent any single
/// character."
fn like(pattern: &[Token], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Token::Star, rest)) => (0..=text.len()).any(|taken| like(rest, &text[taken..])),
        Some((Token::Mark, rest)) => !text.is_empty() && like(rest, &text[1..]),
        Some((Token::Character(one), rest)) => text.first() == Some(one) && like(rest, &text[1..]),
    }
}

const COLON: Token = Token::Character(':');

/// "When you specify an incomplete ARN (an ARN with fewer than the standard six fields) …, AWS automatically completes
/// the ARN by adding wildcard characters (*) to all missing fields."
fn resource_like(pattern: &[Token], resource: &[char]) -> bool {
    if pattern == [Token::Star] {
        return true;
    }
    let mut pattern = pattern.to_vec();
    for _ in pattern.iter().filter(|token| **token == COLON).count()..5 {
        pattern.extend([COLON, Token::Star]);
    }
    segments_like(&pattern, resource)
}

/// "You can use wildcard characters … within the individual segments of an ARN (the parts separated by colons) … If the *
/// wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries."
fn segments_like(pattern: &[Token], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Token::Star, rest)) => {
            let last = rest.iter().find(|token| **token != Token::Star).is_none_or(|next| *next == COLON);
            (0..=text.len())
                .take_while(|taken| last || !text[..*taken].contains(&':'))
                .any(|taken| segments_like(rest, &text[taken..]))
        }
        Some((Token::Mark, rest)) => {
            text.first().is_some_and(|first| *first != ':') && segments_like(rest, &text[1..])
        }
        Some((Token::Character(one), rest)) => text.first() == Some(one) && segments_like(rest, &text[1..]),
    }
}

/// "Each of the six colon-delimited components of the ARN is checked separately and each can include … wildcards."
fn arn_like(pattern: &[Token], arn: &str) -> bool {
    let wanted: Vec<&[Token]> = pattern.splitn(6, |token| *token == COLON).collect();
    let components: Vec<Vec<char>> = arn.splitn(6, ':').map(characters).collect();
    wanted.len() == 6
        && components.len() == 6
        && wanted.iter().zip(&components).all(|(pattern, component)| like(pattern, component))
}
