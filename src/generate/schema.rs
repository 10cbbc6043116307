//! From the file of schemas to the model. What no type can be made of is refused by keyword and place; nothing is passed over.

use std::collections::BTreeMap;

use super::{
    FILE_BYTES_MAX,
    fault::{Fault, below},
    head::{Head, required, short, values_of},
    keywords,
    model::{Docs, Function, Kind, Model, Named, Property, Shape, Type},
    names,
};
use crate::base::json::{self, Node};

/// The deepest nesting of the file's JSON, and of one type in another by way of lists, maps and definitions that are no objects.
const DEPTH_MAX: u8 = 48;
/// Named types of one file.
const TYPES_MAX: usize = 400;
/// Members of one object: more do not fit a constructor of the JVM.
const PROPERTIES_MAX: usize = 100;
/// What a type is called whose name has no letters.
const TYPE: &str = "Type";

const ROOT: [&str; 7] = ["input", "output", "$defs", "title", "description", "deprecated", "$comment"];
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Reads the file of a function's schemas. The function's name becomes that of the types that have no other.
///
/// # Errors
/// The first [`Fault`].
pub fn parse(file: &[u8], function: &str) -> Result<Model, Fault> {
    let whole = |what: String| Fault::at("", what);
    if file.len() > FILE_BYTES_MAX {
        return Err(whole(format!(
            "it has more than {FILE_BYTES_MAX} bytes: leave out what apps do not need"
        )));
    }
    let text = std::str::from_utf8(file).map_err(|_| whole("it is not UTF-8: save it as such".to_owned()))?;
    let root =
        json::read(text, DEPTH_MAX, "a schema").map_err(|why| whole(format!("it cannot be read: {why}")))?;
    let Node::Map(members) = &root else {
        return Err(whole(format!(
            "it is {}: write an object with the members input and output",
            root.kind()
        )));
    };
    for (name, value) in members {
        let is_dialect =
            name == "$schema" && value.text().is_some_and(|uri| uri.trim_end_matches('#') == DIALECT);
        if !ROOT.contains(&name.as_str()) && !is_dialect {
            let what = format!(
                "{name:.100} is not taken here: the file has the members input, output, $defs, title and \
                description, and $schema if it is {DIALECT}"
            );
            return Err(Fault::at(&below("", name), what));
        }
    }
    let definitions = match root.member("$defs") {
        None => &[],
        Some(Node::Map(definitions)) => definitions.as_slice(),
        Some(other) => {
            return Err(Fault::at("/$defs", format!("$defs is {}: write an object", other.kind())));
        }
    };
    let mut reader = Reader::new(definitions)?;
    for (name, node) in definitions {
        reader.definition(name, node)?;
    }
    let mut side = |member: &str, ending: &str| match root.member(member) {
        None => Ok(Type::of(Shape::Any)),
        Some(node) => {
            let name = names::pascal(function, TYPE) + ending;
            let place = Place { pointer: below("", member), name, depth: 0 };
            reader.schema(node, &place).map(|(holds, _)| holds)
        }
    };
    let (input, output) = (side("input", "Input")?, side("output", "Output")?);
    let docs = keywords::docs(members, "")?;
    let function = Function { name: function.to_owned(), qualifier: None, docs, input, output };
    let model = Model { functions: vec![function], types: reader.types };
    ends(&model)?;
    Ok(model)
}

/// Where a schema stands.
struct Place {
    pointer: String,
    /// The name of the type if it has none of its own.
    name: String,
    /// How many types it lies in that have no name.
    depth: u8,
}

impl Place {
    fn below(&self, members: &[&str], name: &str) -> Self {
        let pointer = members.iter().fold(self.pointer.clone(), |pointer, member| below(&pointer, member));
        Self { pointer, name: format!("{}{name}", self.name), depth: self.depth + 1 }
    }
}

/// A definition that is no object or enum stands for what it says wherever it is named.
enum Alias {
    /// It is being read.
    Open,
    Read(Type, Docs),
}

struct Reader<'a> {
    definitions: BTreeMap<&'a str, &'a Node>,
    /// The type names of the definitions.
    names: BTreeMap<&'a str, String>,
    aliases: BTreeMap<&'a str, Alias>,
    /// Names that are taken, in small letters: some file systems do not tell capitals.
    taken: names::Scope,
    types: Vec<Named>,
}

impl<'a> Reader<'a> {
    fn new(definitions: &'a [(String, Node)]) -> Result<Self, Fault> {
        if definitions.len() > TYPES_MAX {
            return Err(Fault::at(
                "/$defs",
                format!("there are more than {TYPES_MAX} definitions: leave out what is not used"),
            ));
        }
        let mut reader = Self {
            definitions: definitions.iter().map(|(name, node)| (name.as_str(), node)).collect(),
            names: BTreeMap::new(),
            aliases: BTreeMap::new(),
            taken: names::Scope::new(&[], ""),
            types: Vec::new(),
        };
        // Before any name is made of a place, so that definitions keep theirs.
        for (name, _) in definitions {
            short(name, "/$defs")?;
            let taken = reader.free(&names::pascal(name, TYPE));
            reader.names.insert(name, taken);
        }
        Ok(reader)
    }

    fn free(&mut self, wanted: &str) -> String {
        let taken = self.taken.take(&wanted.to_ascii_lowercase());
        format!("{wanted}{}", taken.get(wanted.len()..).unwrap_or_default())
    }

    fn definition(&mut self, name: &'a str, node: &'a Node) -> Result<(), Fault> {
        if !is_named(node) {
            return self.reference(name, "", 0).map(|_| ());
        }
        let place = Place { pointer: below("/$defs", name), name: String::new(), depth: 0 };
        let type_name = self.names.get(name).cloned().unwrap_or_default();
        self.schema_called(node, &place, Some(type_name)).map(|_| ())
    }

    /// What a definition stands for. Objects and enums are not read here, so that they may name each other in circles.
    fn reference(&mut self, name: &str, from: &str, depth: u8) -> Result<(Type, Docs), Fault> {
        let Some((name, node)) = self.definitions.get_key_value(name).map(|(name, node)| (*name, *node))
        else {
            let what = format!(
                "there is no definition {name:?} in $defs: put one there, or name one of those that are"
            );
            return Err(Fault::at(from, what));
        };
        let pointer = below("/$defs", name);
        let type_name = self.names.get(name).cloned().unwrap_or_default();
        if is_named(node)
            && let Node::Map(members) = node
        {
            let head = Head::of(members, &pointer)?;
            let shape = Shape::Named(type_name);
            return Ok((Type { shape, is_nullable: head.is_nullable, rules: head.rules }, Docs::default()));
        }
        match self.aliases.get(name) {
            Some(Alias::Read(holds, docs)) => return Ok((holds.clone(), docs.clone())),
            Some(Alias::Open) => {
                let what = "it is made of itself, with no object between: make it an object with properties";
                return Err(Fault::at(&pointer, what));
            }
            None => {}
        }
        self.aliases.insert(name, Alias::Open);
        let (holds, docs) = self.schema(node, &Place { pointer, name: type_name, depth })?;
        self.aliases.insert(name, Alias::Read(holds.clone(), docs.clone()));
        Ok((holds, docs))
    }

    fn schema(&mut self, node: &'a Node, place: &Place) -> Result<(Type, Docs), Fault> {
        self.schema_called(node, place, None)
    }

    /// A schema inside another one.
    fn within(&mut self, node: &'a Node, place: &Place) -> Result<(Type, Docs), Fault> {
        let (holds, docs) = self.schema(node, place)?;
        if holds.shape == Shape::Null {
            let what = "null alone says nothing here: leave it out, or write a list of a type and null";
            return Err(Fault::at(&place.pointer, what));
        }
        Ok((holds, docs))
    }

    fn schema_called(
        &mut self,
        node: &'a Node,
        place: &Place,
        called: Option<String>,
    ) -> Result<(Type, Docs), Fault> {
        let pointer = place.pointer.as_str();
        if place.depth > DEPTH_MAX {
            return Err(Fault::at(
                pointer,
                "it lies too deep in lists, maps and definitions: make objects of some of them",
            ));
        }
        let members = match node {
            Node::Map(members) => members.as_slice(),
            Node::Bool(true) => return Ok((Type::of(Shape::Any), Docs::default())),
            Node::Bool(false) => return Err(Fault::at(pointer, "false admits no value: leave it out")),
            other => {
                return Err(Fault::at(
                    pointer,
                    format!("it is {}: write a schema, which is an object", other.kind()),
                ));
            }
        };
        let docs = keywords::docs(members, pointer)?;
        if let Some(reference) = node.member("$ref") {
            keywords::check(members, None, "$ref", pointer)?;
            let from = below(pointer, "$ref");
            let named = reference
                .text()
                .and_then(|text| text.strip_prefix("#/$defs/"))
                .filter(|name| !name.contains('/'));
            let Some(name) = named.map(|name| name.replace("~1", "/").replace("~0", "~")) else {
                return Err(Fault::at(
                    &from,
                    format!("{reference:.100} is no definition of this file: write #/$defs/ and its name"),
                ));
            };
            let (holds, theirs) = self.reference(&name, &from, place.depth + 1)?;
            return Ok((holds, if docs == Docs::default() { theirs } else { docs }));
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(alternatives) = node.member(keyword) {
                keywords::check(members, None, keyword, pointer)?;
                return self.or_null(alternatives, keyword, place).map(|holds| (holds, docs));
            }
        }
        if members.iter().all(|(name, _)| keywords::ANNOTATIONS.contains(&name.as_str())) {
            return Ok((Type::of(Shape::Any), docs));
        }
        let head = Head::of(members, pointer)?;
        let shape = match head.type_name {
            "null" => Shape::Null,
            "boolean" => Shape::Boolean,
            "integer" => Shape::Integer(head.width),
            "number" => Shape::Number,
            "array" => Shape::List(Box::new(self.items(node, place)?)),
            "string" => match node.member("enum") {
                None => Shape::Text,
                Some(values) => {
                    let kind = Kind::Enum(values_of(values, &below(pointer, "enum"))?);
                    self.named(kind, place, called, &docs)?
                }
            },
            _ => match node.member("properties") {
                None => self.map(node, place)?,
                Some(properties) => {
                    // The name is taken before those of what lies in it.
                    let name = called.unwrap_or_else(|| self.free(&place.name));
                    let kind =
                        self.object(node, properties, &Place { name: name.clone(), ..place.below(&[], "") })?;
                    self.named(kind, place, Some(name), &docs)?
                }
            },
        };
        Ok((Type { shape, is_nullable: head.is_nullable, rules: head.rules }, docs))
    }

    /// Adds a type with a name.
    fn named(
        &mut self,
        kind: Kind,
        place: &Place,
        called: Option<String>,
        docs: &Docs,
    ) -> Result<Shape, Fault> {
        if self.types.len() >= TYPES_MAX {
            let what = format!(
                "there are more than {TYPES_MAX} objects and enums: give less away, or name those that are alike in $defs"
            );
            return Err(Fault::at(&place.pointer, what));
        }
        let name = called.unwrap_or_else(|| self.free(&place.name));
        self.types.push(Named {
            name: name.clone(),
            pointer: place.pointer.clone(),
            docs: docs.clone(),
            kind,
        });
        Ok(Shape::Named(name))
    }

    fn or_null(&mut self, alternatives: &'a Node, keyword: &str, place: &Place) -> Result<Type, Fault> {
        let is_null = |node: &Node| node.member("type").and_then(Node::text) == Some("null");
        let found = match alternatives {
            Node::List(two) => match two.as_slice() {
                [one, null] if is_null(null) => Some(("0", one)),
                [null, one] if is_null(null) => Some(("1", one)),
                _ => None,
            },
            _ => None,
        };
        let Some((index, one)) = found else {
            let what = format!(
                "no type can be made of {keyword} but of a schema or null: make one object with optional members, \
                and say in the description which are there when"
            );
            return Err(Fault::at(&below(&place.pointer, keyword), what));
        };
        let (holds, _) = self.within(one, &place.below(&[keyword, index], ""))?;
        Ok(Type { is_nullable: true, ..holds })
    }

    fn items(&mut self, node: &'a Node, place: &Place) -> Result<Type, Fault> {
        match node.member("items") {
            None => Ok(Type::of(Shape::Any)),
            Some(items) => self.within(items, &place.below(&["items"], "Item")).map(|(holds, _)| holds),
        }
    }

    fn map(&mut self, node: &'a Node, place: &Place) -> Result<Shape, Fault> {
        if node.member("required").is_some() {
            let what =
                "required names members that no properties are given for: give them, with their schemas";
            return Err(Fault::at(&below(&place.pointer, "required"), what));
        }
        let place = place.below(&["additionalProperties"], "Value");
        let holds = match node.member("additionalProperties") {
            None => Type::of(Shape::Any),
            Some(Node::Bool(false)) => {
                let what = "an object without properties and without others is always empty: give it properties, if only {}";
                return Err(Fault::at(&place.pointer, what));
            }
            Some(values) => self.within(values, &place)?.0,
        };
        Ok(Shape::Map(Box::new(holds)))
    }

    fn object(&mut self, node: &'a Node, properties: &'a Node, place: &Place) -> Result<Kind, Fault> {
        let pointer = below(&place.pointer, "properties");
        let Node::Map(members) = properties else {
            return Err(Fault::at(&pointer, format!("properties is {}: write an object", properties.kind())));
        };
        if members.len() > PROPERTIES_MAX {
            let what = format!(
                "there are more than {PROPERTIES_MAX} members: put some that belong together into an object of their own"
            );
            return Err(Fault::at(&pointer, what));
        }
        let is_closed = match node.member("additionalProperties") {
            None | Some(Node::Bool(true)) => false,
            Some(Node::Bool(false)) => true,
            Some(_) => {
                let what = "members of other names have no place in a type with properties: give them an object of their own";
                return Err(Fault::at(&below(&place.pointer, "additionalProperties"), what));
            }
        };
        let required = required(node, members, &place.pointer)?;
        let properties = members
            .iter()
            .map(|(name, node)| {
                short(name, &pointer)?;
                let capital = names::pascal(name, "Member");
                let (holds, docs) = self.within(node, &place.below(&["properties", name], &capital))?;
                let is_required = required.contains(&name.as_str());
                Ok(Property { json: name.clone(), is_required, holds, docs })
            })
            .collect::<Result<_, Fault>>()?;
        Ok(Kind::Object { properties, is_closed })
    }
}

/// Whether a definition gets a type of its own.
fn is_named(node: &Node) -> bool {
    node.member("$ref").or(node.member("anyOf")).or(node.member("oneOf")).is_none()
        && node.member("properties").or(node.member("enum")).is_some()
}

/// Sees that every object can be written down: none needs another of its own kind in itself without end.
fn ends(model: &Model) -> Result<(), Fault> {
    let needs = |named: &Named| -> Vec<String> {
        let Kind::Object { properties, .. } = &named.kind else { return Vec::new() };
        let needed = properties.iter().filter(|property| !property.is_optional());
        needed
            .filter_map(|property| match &property.holds.shape {
                Shape::Named(name) => Some(name.clone()),
                _ => None,
            })
            .collect()
    };
    let mut open: BTreeMap<&str, Vec<String>> =
        model.types.iter().map(|named| (named.name.as_str(), needs(named))).collect();
    loop {
        let closed: Vec<&str> = open
            .iter()
            .filter(|(_, needed)| !needed.iter().any(|name| open.contains_key(name.as_str())))
            .map(|(name, _)| *name)
            .collect();
        if closed.is_empty() {
            break;
        }
        open.retain(|name, _| !closed.contains(name));
    }
    match model.types.iter().find(|named| open.contains_key(named.name.as_str())) {
        None => Ok(()),
        Some(named) => Err(Fault::at(
            &named.pointer,
            "every value of it needs another in itself, without end: make a member optional or nullable, or a list",
        )),
    }
}
