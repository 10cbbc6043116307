//! Swift: a struct that calls the functions, and in it structs and enums that are `Codable`.
//!
//! Everything is in the one struct's namespace, so that a schema's `Text` or `Task` never hides what an app means by that.

mod strings;
mod structs;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

pub(super) use self::text::KEYWORDS;
use self::text::{comment, indented, list, literal, ticked};
use super::{
    Options, Source, header,
    model::{Function, Kind, Model, Named, Shape, Type, Width},
    names::{self, Scope},
};

/// Writes the model as one file, in a folder that is named as the module if there is one.
pub fn swift(model: &Model, options: &Options) -> Vec<Source> {
    let folder = if options.package.is_empty() { String::new() } else { format!("{}/", options.package) };
    vec![Source {
        path: format!("{folder}{}.swift", options.interface),
        text: format!("// {}\n\n{}", header(options), Emitter::new(model, &options.interface).file()),
    }]
}

/// Types that are named in what is written, and would be hidden by one of that name beside them; and what no nested type may
/// be called.
const TYPES: &[&str] = &[
    "Any",
    "Bool",
    "CallOptions",
    "Callgate",
    "CallgateCalling",
    "CallgateFunction",
    "Codable",
    "CodingKey",
    "CodingKeys",
    "Decoder",
    "Double",
    "Encoder",
    "Function",
    "Hashable",
    "Int",
    "Int32",
    "JSONValue",
    "Nothing",
    "Protocol",
    "RawRepresentable",
    "Self",
    "Sendable",
    "String",
    "Type",
];
/// What a method may not be called.
const METHODS: &[&str] = &["callgate", "init", "self"];

struct Emitter<'a> {
    model: &'a Model,
    interface: &'a str,
    /// What each type of the model is called here.
    types: BTreeMap<&'a str, String>,
}

impl<'a> Emitter<'a> {
    fn new(model: &'a Model, interface: &'a str) -> Self {
        let mut scope = Scope::new(TYPES, "Type");
        scope.take(interface);
        // Those that may keep their names come first, so that no other gets them.
        let (free, reserved): (Vec<&Named>, Vec<&Named>) =
            model.types.iter().partition(|named| !TYPES.contains(&named.name.as_str()));
        let types = free
            .into_iter()
            .chain(reserved)
            .map(|named| (named.name.as_str(), scope.take(&named.name)))
            .collect();
        Self { model, interface, types }
    }

    fn file(&self) -> String {
        let mut lines = vec!["import Callgate".to_owned(), String::new()];
        lines.extend(self.invoker());
        let mut has_boxes = false;
        if !self.model.types.is_empty() {
            lines.extend([String::new(), format!("extension {} {{", self.interface)]);
        }
        for (index, named) in self.model.types.iter().enumerate() {
            if index > 0 {
                lines.push(String::new());
            }
            match &named.kind {
                Kind::Object { properties, .. } => {
                    let members = self.members(named, properties);
                    has_boxes |= members.iter().any(structs::Member::is_boxed);
                    lines.extend(indented(self.object(named, &members)));
                }
                Kind::Enum(values) => lines.extend(indented(self.strings(named, values))),
            }
        }
        if !self.model.types.is_empty() {
            lines.push("}".to_owned());
        }
        let mut text = lines.join("\n");
        text.push('\n');
        if has_boxes {
            text.push_str(structs::BOX);
        }
        text
    }

    fn invoker(&self) -> Vec<String> {
        let mut scope = Scope::new(METHODS, "Function");
        let names: Vec<String> = self
            .model
            .functions
            .iter()
            .map(|function| scope.take(&names::camel(&function.name, "function")))
            .collect();
        let mut lines = vec![
            "/// Calls these functions of a gateway, and has their types.".to_owned(),
            format!("public struct {}: Sendable {{", self.interface),
            "    private let callgate: any CallgateCalling".to_owned(),
            String::new(),
            "    /// A `CallgateClient`, or in tests a double's.".to_owned(),
            "    public init(_ callgate: some CallgateCalling) {".to_owned(),
            "        self.callgate = callgate".to_owned(),
            "    }".to_owned(),
        ];
        for (function, name) in self.model.functions.iter().zip(&names) {
            lines.push(String::new());
            lines.extend(indented(self.method(function, name)));
        }
        lines.push(String::new());
        lines.push("    /// The functions by themselves: for an outbox, or a double.".to_owned());
        lines.push("    public enum Function {".to_owned());
        for (function, name) in self.model.functions.iter().zip(&names) {
            let mut arguments = vec![literal(&function.name)];
            arguments.extend(
                function.qualifier.as_ref().map(|qualifier| format!("qualifier: {}", literal(qualifier))),
            );
            lines.push(format!(
                "        public static let {} = CallgateFunction<{}, {}>({})",
                ticked(name),
                self.type_name(&function.input),
                self.type_name(&function.output),
                arguments.join(", "),
            ));
        }
        lines.extend(["    }".to_owned(), "}".to_owned()]);
        lines
    }

    fn method(&self, function: &Function, name: &str) -> Vec<String> {
        let mut parameters = Vec::new();
        let mut arguments = vec![format!("Function.{}", ticked(name))];
        if function.input.shape != Shape::Null {
            let default = if function.input.is_nullable { " = nil" } else { "" };
            parameters.push(format!("_ input: {}{default}", self.type_name(&function.input)));
            arguments.push("input".to_owned());
        }
        parameters.push("options: CallOptions = CallOptions()".to_owned());
        arguments.push("options: options".to_owned());
        let (answer, passed_over) = match function.output.shape {
            Shape::Null => (String::new(), "_ = "),
            _ => (format!(" -> {}", self.type_name(&function.output)), ""),
        };
        let mut lines = comment(&function.docs, &[("Input", &function.input), ("Answer", &function.output)]);
        if function.docs.is_deprecated {
            lines.push("@available(*, deprecated)".to_owned());
        }
        lines.extend(list(
            &format!("public func {}(", ticked(name)),
            &parameters,
            &format!(") async throws{answer} {{"),
        ));
        lines.push(format!("    {passed_over}try await callgate.call({})", arguments.join(", ")));
        lines.push("}".to_owned());
        lines
    }

    fn type_name(&self, of: &Type) -> String {
        let name = match &of.shape {
            Shape::Null => "Nothing".to_owned(),
            Shape::Any => "JSONValue".to_owned(),
            Shape::Boolean => "Bool".to_owned(),
            Shape::Integer(Width::Int32) => "Int32".to_owned(),
            // 64 bits on every system that the SDK is for.
            Shape::Integer(Width::Int64) => "Int".to_owned(),
            Shape::Number => "Double".to_owned(),
            Shape::Text => "String".to_owned(),
            Shape::List(items) => format!("[{}]", self.type_name(items)),
            Shape::Map(members) => format!("[String: {}]", self.type_name(members)),
            Shape::Named(name) => self.types[name.as_str()].clone(),
        };
        if of.is_nullable { format!("{name}?") } else { name }
    }
}
