//! Enums of strings: open, since a newer function may send others than an app knows.

use super::{
    Emitter,
    text::{comment, indented, list, literal, ticked},
};
use crate::generate::{
    model::Named,
    names::{self, Scope},
};

/// What a case may not be called: what Swift or the enum itself has under the name, and what an optional has.
const CASES: &[&str] = &["hashValue", "init", "known", "none", "rawValue", "self", "some", "unknown"];

impl Emitter<'_> {
    pub(super) fn strings(&self, named: &Named, values: &[String]) -> Vec<String> {
        let name = &self.types[named.name.as_str()];
        let mut scope = Scope::new(CASES, "Value");
        let cases: Vec<String> =
            values.iter().map(|value| ticked(&scope.take(&names::camel(value, "value")))).collect();
        let known: Vec<String> = cases.iter().map(|case| format!(".{case}")).collect();

        let mut body: Vec<String> = cases.iter().map(|case| format!("case {case}")).collect();
        body.push("/// A string that was not known when this was written.".to_owned());
        body.push("case unknown(String)".to_owned());
        body.extend([String::new(), "/// All but the unknown.".to_owned()]);
        body.extend(list(&format!("public static let known: [{name}] = ["), &known, "]"));
        body.extend([
            String::new(),
            "public init(rawValue: String) {".to_owned(),
            "    switch rawValue {".to_owned(),
        ]);
        for (value, case) in values.iter().zip(&known) {
            body.push(format!("    case {}: self = {case}", literal(value)));
        }
        body.extend(["    default: self = .unknown(rawValue)", "    }", "}", ""].map(str::to_owned));
        body.extend(["public var rawValue: String {", "    switch self {"].map(str::to_owned));
        for (value, case) in values.iter().zip(&known) {
            body.push(format!("    case {case}: return {}", literal(value)));
        }
        body.extend(["    case .unknown(let value): return value", "    }", "}"].map(str::to_owned));

        let mut lines = comment(&named.docs, &[]);
        lines.push(format!("public enum {name}: RawRepresentable, Codable, Hashable, Sendable {{"));
        lines.extend(indented(body));
        lines.push("}".to_owned());
        lines
    }
}
