//! What apps see of functions: what goes in, what comes out, and the types of both. No language's words are in it.

/// Functions and the types that they share.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Model {
    /// The functions, in the order they were named in.
    pub functions: Vec<Function>,
    /// Their types: those with a definition in the file's order, then those that have their name from their place.
    pub types: Vec<Named>,
}

/// A function.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// What apps call.
    pub name: String,
    /// The version or alias that the schemas are of; the latest code without.
    pub qualifier: Option<String>,
    /// What is said about it.
    pub docs: Docs,
    /// What it takes; [`Shape::Null`] if nothing, [`Shape::Any`] if that is not described.
    pub input: Type,
    /// What it answers, likewise.
    pub output: Type,
}

/// A type that has a name of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// Its name: ASCII letters and digits, a capital first, unlike any other name of the model even without regard to case.
    pub name: String,
    /// Where it stands in its file, as a JSON pointer.
    pub pointer: String,
    /// What is said about it.
    pub docs: Docs,
    /// What it is.
    pub kind: Kind,
}

/// What a named type is.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// An object with members of known names.
    Object {
        /// Its members, in the file's order.
        properties: Vec<Property>,
        /// Whether the function refuses members of other names.
        is_closed: bool,
    },
    /// One of these strings, in the file's order; apps take others too, since a newer function may send them.
    Enum(Vec<String>),
}

/// A member of an object.
#[derive(Clone, PartialEq, Debug)]
pub struct Property {
    /// Its name in JSON, whatever characters it has.
    pub json: String,
    /// Whether it is always there.
    pub is_required: bool,
    /// What it holds.
    pub holds: Type,
    /// What is said about it.
    pub docs: Docs,
}

impl Property {
    /// Whether an app may find nothing there, and may leave it out or say null.
    pub fn is_optional(&self) -> bool {
        !self.is_required || self.holds.is_nullable
    }

    /// Whether nothing is written as `null`: the member must be there. Otherwise it is left out.
    pub fn writes_null(&self) -> bool {
        self.is_required && self.holds.is_nullable
    }
}

/// What a value may be.
#[derive(Clone, PartialEq, Debug)]
pub struct Type {
    /// Its shape.
    pub shape: Shape,
    /// Whether it may be `null` instead.
    pub is_nullable: bool,
    /// What else holds for it. Generated code does not check these; its comments say them.
    pub rules: Vec<Rule>,
}

impl Type {
    /// A type of this shape, not nullable, without rules.
    pub fn of(shape: Shape) -> Self {
        Self { shape, is_nullable: false, rules: Vec::new() }
    }

    /// Whether JSON's `null` is a value of it.
    pub fn admits_null(&self) -> bool {
        self.is_nullable || matches!(self.shape, Shape::Any | Shape::Null)
    }
}

/// The shape of a value.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// `null` alone.
    Null,
    /// Any JSON.
    Any,
    /// A boolean.
    Boolean,
    /// A whole number.
    Integer(Width),
    /// A number.
    Number,
    /// A string.
    Text,
    /// An array whose items are all of one type.
    List(Box<Type>),
    /// An object whose members have any names and are all of one type.
    Map(Box<Type>),
    /// A type of the model, by its name.
    Named(String),
}

/// How large whole numbers may be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Width {
    /// 32 bits, with a sign.
    Int32,
    /// 64 bits, with a sign.
    Int64,
}

/// A keyword of JSON Schema that narrows a type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The keyword, for example `maxLength`.
    pub keyword: &'static str,
    /// Its value, as JSON.
    pub value: String,
}

/// What a schema says for people.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Docs {
    /// A few words.
    pub title: Option<String>,
    /// Sentences.
    pub description: Option<String>,
    /// Whether it should no longer be used.
    pub is_deprecated: bool,
    /// What the function takes where nothing is said, as JSON.
    pub default: Option<String>,
    /// Examples, as JSON.
    pub examples: Vec<String>,
}

impl Model {
    /// The type of this name.
    pub fn named(&self, name: &str) -> Option<&Named> {
        self.types.iter().find(|named| named.name == name)
    }

    /// Whether a value of the type `outer` can hold one of the type `inner` in itself, not by way of a list or a map. A struct
    /// that holds itself so needs a box around it in languages that keep structs in place.
    pub fn holds_in_place(&self, outer: &str, inner: &str) -> bool {
        let mut seen = vec![outer];
        let mut next = 0;
        while let Some(name) = seen.get(next).copied() {
            next += 1;
            if name == inner {
                return true;
            }
            let Some(Named { kind: Kind::Object { properties, .. }, .. }) = self.named(name) else {
                continue;
            };
            for property in properties {
                if let Shape::Named(held) = &property.holds.shape
                    && !seen.contains(&held.as_str())
                {
                    seen.push(held);
                }
            }
        }
        false
    }
}
