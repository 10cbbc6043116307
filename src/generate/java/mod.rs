//! Java 8 source for the SDK for Java: one class a type, one interface for the functions.
//!
//! Each class brings its own Gson adapter. Reflection would do with less code, but it makes objects whose required members are null,
//! cannot write the null that some schemas want, and needs rules wherever a shrinker renames fields.

mod choice;
mod interface;
mod object;
mod text;

use super::{
    Options, Source,
    file::File,
    header,
    model::{Kind, Model, Shape, Type, Width},
    names::Scope,
};

/// Names that Java, its library or the generated code itself means something else by; they are no types' names.
pub(super) const TYPES: [&str; 44] = [
    "Adapter",
    "ArrayList",
    "Arrays",
    "Boolean",
    "Builder",
    "CallgateFunction",
    "CallgateFuture",
    "Class",
    "Collections",
    "Deprecated",
    "Double",
    "Enum",
    "Exception",
    "Gson",
    "GsonAdapters",
    "IOException",
    "IllegalStateException",
    "Integer",
    "Iterable",
    "Json",
    "JsonAdapter",
    "JsonElement",
    "JsonParseException",
    "JsonReader",
    "JsonToken",
    "JsonWriter",
    "LinkedHashMap",
    "List",
    "Long",
    "Map",
    "Math",
    "Number",
    "Object",
    "Objects",
    "Override",
    "Record",
    "String",
    "StringBuilder",
    "SuppressWarnings",
    "System",
    "Thread",
    "TypeAdapter",
    "TypeAdapterFactory",
    "TypeToken",
];
/// `Void` and `Type` are beside them, and what goes behind a reserved name.
const MORE_TYPES: [&str; 2] = ["Type", "Void"];
/// Words that are no names of members. `class` would give `getClass`, `wait` the final method of objects.
pub(super) const WORDS: [&str; 56] = [
    "abstract",
    "assert",
    "boolean",
    "break",
    "byte",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extends",
    "false",
    "final",
    "finally",
    "float",
    "for",
    "goto",
    "if",
    "implements",
    "import",
    "instanceof",
    "int",
    "interface",
    "long",
    "native",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "short",
    "static",
    "strictfp",
    "super",
    "switch",
    "synchronized",
    "this",
    "throw",
    "throws",
    "transient",
    "true",
    "try",
    "void",
    "volatile",
    "wait",
    "while",
    "var",
    "yield",
];

/// Writes the classes of all types and the interface of all functions.
pub fn java(model: &Model, options: &Options) -> Vec<Source> {
    let java = Java::new(model, options);
    let folder = match options.package.as_str() {
        "" => String::new(),
        package => package.replace('.', "/") + "/",
    };
    let mut sources: Vec<Source> = model
        .types
        .iter()
        .map(|named| {
            let name = java.class(&named.name);
            let mut file = File::default();
            match &named.kind {
                Kind::Object { properties, .. } => object::write(&java, named, &name, properties, &mut file),
                Kind::Enum(values) => choice::write(named, &name, values, &mut file),
            }
            Source { path: format!("{folder}{name}.java"), text: java.finish(&file) }
        })
        .collect();
    let mut file = File::default();
    interface::write(&java, model, &mut file);
    sources.push(Source { path: format!("{folder}{}.java", options.interface), text: java.finish(&file) });
    sources
}

/// What all files have in common.
struct Java<'a> {
    options: &'a Options,
    /// Name in the model, name of the class.
    classes: Vec<(&'a str, String)>,
}

impl<'a> Java<'a> {
    fn new(model: &'a Model, options: &'a Options) -> Self {
        let mut scope = Scope::new(&TYPES, "Type");
        for name in MORE_TYPES.into_iter().chain([options.interface.as_str()]) {
            scope.take(name);
        }
        let classes =
            model.types.iter().map(|named| (named.name.as_str(), scope.take(&named.name))).collect();
        Self { options, classes }
    }

    fn class(&self, name: &str) -> String {
        self.classes.iter().find(|(named, _)| *named == name).map_or(name, |(_, class)| class).to_owned()
    }

    /// A type as it stands between the angles of a generic one, and everywhere it may be null.
    fn boxed(&self, holds: &Type, file: &mut File) -> String {
        match &holds.shape {
            Shape::Null => "Void".to_owned(),
            Shape::Any => {
                file.imports.insert("com.google.gson.JsonElement");
                "JsonElement".to_owned()
            }
            Shape::Boolean => "Boolean".to_owned(),
            Shape::Integer(Width::Int32) => "Integer".to_owned(),
            Shape::Integer(Width::Int64) => "Long".to_owned(),
            Shape::Number => "Double".to_owned(),
            Shape::Text => "String".to_owned(),
            Shape::List(items) => {
                file.imports.insert("java.util.List");
                format!("List<{}>", self.boxed(items, file))
            }
            Shape::Map(values) => {
                file.imports.insert("java.util.Map");
                format!("Map<String, {}>", self.boxed(values, file))
            }
            Shape::Named(name) => self.class(name),
        }
    }

    /// A type where it is never null: a primitive one if it can be.
    fn plain(&self, holds: &Type, file: &mut File) -> String {
        match &holds.shape {
            Shape::Null => "void".to_owned(),
            Shape::Boolean => "boolean".to_owned(),
            Shape::Integer(Width::Int32) => "int".to_owned(),
            Shape::Integer(Width::Int64) => "long".to_owned(),
            Shape::Number => "double".to_owned(),
            _ => self.boxed(holds, file),
        }
    }

    /// A type as it comes in or out, or lies in a field.
    fn holding(&self, holds: &Type, is_optional: bool, file: &mut File) -> String {
        if is_optional { self.boxed(holds, file) } else { self.plain(holds, file) }
    }

    fn finish(&self, file: &File) -> String {
        let mut text = format!("// {}\n", header(self.options));
        if !self.options.package.is_empty() {
            text.push_str(&format!("package {};\n", self.options.package));
        }
        text.push('\n');
        for import in &file.imports {
            text.push_str(&format!("import {import};\n"));
        }
        if !file.imports.is_empty() {
            text.push('\n');
        }
        text + &file.body
    }
}
