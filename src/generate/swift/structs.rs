//! Structs: their properties, how they are made, and what Swift does not find out by itself about their JSON.

use super::{
    Emitter,
    text::{comment, indented, list, literal, ticked},
};
use crate::generate::{
    model::{Named, Property, Shape, Type},
    names::{self, Scope},
};

/// What a property may not be called: what Swift has under the name.
const PROPERTIES: &[&str] = &["hashValue", "init", "self"];

/// Stands in a struct for what structs cannot hold: a value that holds one of their own type.
pub(super) const BOX: &str = "
/// Where a struct holds another of its own type.
private indirect enum _Box<Value: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    case of(Value)

    init(_ value: Value) {
        self = .of(value)
    }

    init(from decoder: any Decoder) throws {
        self = .of(try Value(from: decoder))
    }

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }

    var value: Value {
        switch self {
        case .of(let value): return value
        }
    }
}
";

/// A member of a struct.
pub(super) struct Member<'a> {
    property: &'a Property,
    /// What apps call it.
    name: String,
    /// Its type, without a question mark.
    type_name: String,
    /// Whether it may be nothing.
    is_optional: bool,
    is_boxed: bool,
}

impl Member<'_> {
    /// Whether it can hold its own struct in place, which structs cannot.
    pub(super) fn is_boxed(&self) -> bool {
        self.is_boxed
    }

    /// Whether what is kept is another property than what apps see: in a box, or with a name that the struct itself may use without
    /// the warning that is meant for apps.
    fn is_behind(&self) -> bool {
        self.is_boxed || self.property.docs.is_deprecated
    }

    fn question(&self) -> &'static str {
        if self.is_optional { "?" } else { "" }
    }

    /// The name of what is kept. No name of an app's begins so.
    fn stored(&self) -> String {
        if self.is_behind() { format!("_{}", self.name) } else { ticked(&self.name) }
    }

    /// The value that is kept for one of an app's.
    fn kept(&self, value: &str) -> String {
        match (self.is_boxed, self.is_optional) {
            (false, _) => value.to_owned(),
            (true, true) => format!("{value}.map(_Box.init)"),
            (true, false) => format!("_Box({value})"),
        }
    }

    /// As an argument of init: nothing need not be said, unless it is written; nor what is always the same.
    fn parameter(&self) -> String {
        let constant = self.property.holds.rules.iter().find(|rule| rule.keyword == "const").map(|rule| {
            let text = serde_json::from_str::<String>(&rule.value);
            text.map_or_else(|_| rule.value.clone(), |text| literal(&text))
        });
        let default = match constant {
            _ if self.is_optional && !self.property.writes_null() => " = nil".to_owned(),
            Some(constant) if !self.is_optional => format!(" = {constant}"),
            _ => String::new(),
        };
        format!("{}: {}{}{default}", ticked(&self.name), self.type_name, self.question())
    }

    /// What apps see.
    fn public(&self) -> Vec<String> {
        let mut lines = comment(&self.property.docs, &[("", &self.property.holds)]);
        if self.property.docs.is_deprecated {
            lines.push("@available(*, deprecated)".to_owned());
        }
        let declared = format!("public var {}: {}{}", ticked(&self.name), self.type_name, self.question());
        if !self.is_behind() {
            lines.push(declared);
            return lines;
        }
        let stored = self.stored();
        let seen = if self.is_boxed { format!("{stored}{}.value", self.question()) } else { stored.clone() };
        lines.push(format!("{declared} {{"));
        lines.push(format!("    get {{ {seen} }}"));
        lines.push(format!("    set {{ {stored} = {} }}", self.kept("newValue")));
        lines.push("}".to_owned());
        lines
    }

    /// What is kept behind it, if that is another.
    fn private(&self) -> Option<String> {
        let type_name =
            if self.is_boxed { format!("_Box<{}>", self.type_name) } else { self.type_name.clone() };
        self.is_behind().then(|| format!("private var {}: {type_name}{}", self.stored(), self.question()))
    }
}

impl<'a> Emitter<'a> {
    pub(super) fn members(&self, named: &Named, properties: &'a [Property]) -> Vec<Member<'a>> {
        let mut scope = Scope::new(PROPERTIES, "Value");
        properties
            .iter()
            .map(|property| {
                let is_boxed = matches!(&property.holds.shape,
                    Shape::Named(held) if self.model.holds_in_place(held, &named.name));
                let name = scope.take(&names::camel(&property.json, "value"));
                let type_name = self.type_name(&Type { is_nullable: false, ..property.holds.clone() });
                Member { property, name, type_name, is_optional: property.is_optional(), is_boxed }
            })
            .collect()
    }

    pub(super) fn object(&self, named: &Named, members: &[Member<'_>]) -> Vec<String> {
        let mut body = Vec::new();
        let mut is_apart = false;
        for (index, member) in members.iter().enumerate() {
            let lines = member.public();
            // Those of one line stand together.
            if index > 0 && (is_apart || lines.len() > 1) {
                body.push(String::new());
            }
            is_apart = lines.len() > 1;
            body.extend(lines);
        }
        let stored: Vec<String> = members.iter().filter_map(Member::private).collect();
        if !stored.is_empty() {
            body.push(String::new());
            body.extend(stored);
        }
        if !members.is_empty() {
            body.push(String::new());
        }
        let parameters: Vec<String> = members.iter().map(Member::parameter).collect();
        body.extend(list("public init(", &parameters, if members.is_empty() { ") {}" } else { ") {" }));
        for member in members {
            body.push(format!("    self.{} = {}", member.stored(), member.kept(&ticked(&member.name))));
        }
        if !members.is_empty() {
            body.push("}".to_owned());
        }
        body.extend(coding(members));

        let mut lines = comment(&named.docs, &[]);
        lines.push(format!(
            "public struct {}: Codable, Hashable, Sendable {{",
            self.types[named.name.as_str()]
        ));
        lines.extend(indented(body));
        lines.push("}".to_owned());
        lines
    }
}

fn coding(members: &[Member<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    if members.is_empty() {
        lines.extend(
            ["", "private enum CodingKeys: CodingKey {}", "", "// Swift's own would take anything for it."]
                .map(str::to_owned),
        );
        lines.push("public init(from decoder: any Decoder) throws {".to_owned());
        lines.push("    _ = try decoder.container(keyedBy: CodingKeys.self)".to_owned());
        lines.push("}".to_owned());
        return lines;
    }
    let writes_null = members.iter().any(|member| member.property.writes_null());
    if writes_null || members.iter().any(|member| member.name != member.property.json || member.is_behind()) {
        lines.extend([String::new(), "private enum CodingKeys: String, CodingKey {".to_owned()]);
        for member in members {
            let is_same = !member.is_behind() && member.name == member.property.json;
            let value =
                if is_same { String::new() } else { format!(" = {}", literal(&member.property.json)) };
            lines.push(format!("    case {}{value}", member.stored()));
        }
        lines.push("}".to_owned());
    }
    if writes_null {
        lines.extend(
            ["", "// Swift's own would leave out what must be there, be it null."].map(str::to_owned),
        );
        lines.push("public func encode(to encoder: any Encoder) throws {".to_owned());
        lines.push("    var container = encoder.container(keyedBy: CodingKeys.self)".to_owned());
        for member in members {
            let stored = member.stored();
            let is_left_out = member.is_optional && !member.property.writes_null();
            let encode = if is_left_out { "encodeIfPresent" } else { "encode" };
            lines.push(format!("    try container.{encode}(self.{stored}, forKey: .{stored})"));
        }
        lines.push("}".to_owned());
    }
    lines
}
