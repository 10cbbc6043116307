//! Kotlin source for the SDK for Android: one file with an interface of suspend functions and the data classes that it needs.
//!
//! As in [Java](super::java()), each class brings its own Gson adapter: reflection knows nothing of Kotlin's defaults, and puts null
//! where none may be.

mod choice;
mod object;
mod text;

use super::{
    Options, Source,
    file::File,
    header,
    model::{Docs, Function, Kind, Model, Shape, Type, Width},
    names::{Scope, camel},
};

/// Names that Kotlin, its library or the generated code itself means something else by; they are no types' names.
pub(super) const TYPES: [&str; 41] = [
    "Adapter",
    "Any",
    "Array",
    "Boolean",
    "Byte",
    "CallgateFunction",
    "Char",
    "Collection",
    "Comparable",
    "Deprecated",
    "Double",
    "Enum",
    "Error",
    "Exception",
    "Float",
    "Function",
    "Gson",
    "GsonAdapters",
    "Int",
    "Iterable",
    "Json",
    "JsonAdapter",
    "JsonElement",
    "JsonParseException",
    "JsonReader",
    "JsonToken",
    "JsonWriter",
    "JvmField",
    "List",
    "Long",
    "Map",
    "Nothing",
    "Number",
    "Set",
    "Short",
    "String",
    "Suppress",
    "TypeAdapter",
    "TypeAdapterFactory",
    "TypeToken",
    "Unit",
];
/// Words that are no names of members. `class` would also give `getClass`.
pub(super) const WORDS: [&str; 28] = [
    "as",
    "break",
    "class",
    "continue",
    "do",
    "else",
    "false",
    "for",
    "fun",
    "if",
    "in",
    "interface",
    "is",
    "null",
    "object",
    "package",
    "return",
    "super",
    "this",
    "throw",
    "true",
    "try",
    "typealias",
    "typeof",
    "val",
    "var",
    "when",
    "while",
];
/// Methods of every object.
const OBJECT: [&str; 7] = ["clone", "equals", "finalize", "hashCode", "notify", "notifyAll", "toString"];

/// Writes the interface of all functions and the classes of all types.
pub fn kotlin(model: &Model, options: &Options) -> Vec<Source> {
    let kotlin = Kotlin::new(model, options);
    let mut file = File::default();
    kotlin.interface(model, &mut file);
    for named in &model.types {
        let name = kotlin.class(&named.name);
        file.line(0, "");
        match &named.kind {
            Kind::Object { properties, .. } => object::write(&kotlin, named, &name, properties, &mut file),
            Kind::Enum(values) => choice::write(named, &name, values, &mut file),
        }
    }
    let folder = match options.package.as_str() {
        "" => String::new(),
        package => package.replace('.', "/") + "/",
    };
    vec![Source { path: format!("{folder}{}.kt", options.interface), text: kotlin.finish(&file) }]
}

/// What all parts have in common.
struct Kotlin<'a> {
    options: &'a Options,
    /// Name in the model, name of the class.
    classes: Vec<(&'a str, String)>,
}

impl<'a> Kotlin<'a> {
    fn new(model: &'a Model, options: &'a Options) -> Self {
        let mut scope = Scope::new(&TYPES, "Type");
        scope.take(&options.interface);
        let classes =
            model.types.iter().map(|named| (named.name.as_str(), scope.take(&named.name))).collect();
        Self { options, classes }
    }

    fn class(&self, name: &str) -> String {
        self.classes.iter().find(|(named, _)| *named == name).map_or(name, |(_, class)| class).to_owned()
    }

    /// A type without its question mark.
    fn plain(&self, holds: &Type, file: &mut File) -> String {
        match &holds.shape {
            Shape::Null => "Unit".to_owned(),
            Shape::Any => {
                file.imports.insert("com.google.gson.JsonElement");
                "JsonElement".to_owned()
            }
            Shape::Boolean => "Boolean".to_owned(),
            Shape::Integer(Width::Int32) => "Int".to_owned(),
            Shape::Integer(Width::Int64) => "Long".to_owned(),
            Shape::Number => "Double".to_owned(),
            Shape::Text => "String".to_owned(),
            Shape::List(items) => format!("List<{}>", self.holding(items, items.is_nullable, file)),
            Shape::Map(values) => format!("Map<String, {}>", self.holding(values, values.is_nullable, file)),
            Shape::Named(name) => self.class(name),
        }
    }

    /// A type as it comes in or out, or lies in a property.
    fn holding(&self, holds: &Type, is_optional: bool, file: &mut File) -> String {
        let mark = if is_optional { "?" } else { "" };
        format!("{}{mark}", self.plain(holds, file))
    }

    fn interface(&self, model: &Model, file: &mut File) {
        file.imports.insert("dev.callgate.CallgateFunction");
        let interface = &self.options.interface;
        let paragraphs = [
            format!("Functions of the gateway: `val backend = callgate.suspending<{interface}>()`."),
            "Extend this interface for other forms of an answer, with `Answer`, `CallOptions` or `OutboxReceipt`.".to_owned(),
        ];
        file.comment(0, &paragraphs, "");
        file.line(0, &format!("interface {interface} {{"));
        let mut scope = Scope::new(&WORDS, "Function");
        for method in OBJECT {
            scope.take(method);
        }
        for (index, function) in model.functions.iter().enumerate() {
            if index > 0 {
                file.line(0, "");
            }
            self.method(function, &scope.take(&camel(&function.name, "function")), file);
        }
        file.line(0, "}");
    }

    fn method(&self, function: &Function, name: &str, file: &mut File) {
        let mut more = Vec::new();
        if function.docs == Docs::default() {
            more.push(format!("The function `{}`.", function.name));
        }
        text::comment(
            file,
            1,
            &function.docs,
            &[("Input", &function.input), ("Answer", &function.output)],
            &more,
        );
        let qualifier = function.qualifier.as_ref();
        let qualifier = qualifier.map(|qualifier| format!(", qualifier = {}", text::string(qualifier)));
        let function_name = text::string(&function.name);
        file.line(1, &format!("@CallgateFunction(name = {function_name}{})", qualifier.unwrap_or_default()));
        let argument = match function.input.shape {
            Shape::Null => String::new(),
            _ => format!("input: {}", self.holding(&function.input, function.input.is_nullable, file)),
        };
        let answer = match function.output.shape {
            Shape::Null => String::new(),
            _ => format!(": {}", self.holding(&function.output, function.output.is_nullable, file)),
        };
        file.line(1, &format!("suspend fun {name}({argument}){answer}"));
    }

    fn finish(&self, file: &File) -> String {
        let mut text =
            format!("// {}\n@file:Suppress(\"DEPRECATION\", \"UNCHECKED_CAST\")\n\n", header(self.options));
        if !self.options.package.is_empty() {
            text.push_str(&format!("package {}\n\n", self.options.package));
        }
        for import in &file.imports {
            text.push_str(&format!("import {import}\n"));
        }
        text + "\n" + &file.body
    }
}
