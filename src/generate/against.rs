//! What a change of schemas does to apps that were made of the old ones and are in the field.
//!
//! Old apps send values of the old input, which the new function must take; they read values of the new output with the old types.
//! So one question is asked of both: does the receiver take all that the sender may send? Generated code reads enums with values
//! that it does not know, passes over members that it does not know, and takes null for absence; functions pass over unknown
//! members unless their schema is closed.

mod rules;
mod words;

use std::{collections::BTreeSet, fmt};

use self::words::{of_type, quoted};
use super::{
    fault::below,
    model::{Kind, Model, Named, Property, Shape, Type},
};

/// Which way values go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Direction {
    /// What old apps send.
    Input,
    /// What old apps read.
    Output,
}

/// One difference. Its display form is four lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Which way the values go that it is about.
    pub direction: Direction,
    /// Where: a JSON pointer into the new file, or for what is gone into the old one.
    pub pointer: String,
    /// Whether an app in the field breaks.
    pub breaks: bool,
    /// What was.
    pub was: String,
    /// What is.
    pub is: String,
    /// What to do, where it breaks; otherwise why it does not.
    pub remedy: &'static str,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, was, is, remedy, .. } = self;
        let breaks = if self.breaks { "breaks" } else { "compatible" };
        let direction = match self.direction {
            Direction::Input => "input",
            Direction::Output => "output",
        };
        write!(f, "{breaks}: {direction} {pointer}\n  was: {was}\n  is:  {is}\n  {remedy}")
    }
}

/// All differences between the old and the new schemas of a function that matter to an app, input first.
pub fn against(old: &Model, new: &Model) -> Vec<Change> {
    let mut changes = Vec::new();
    for (was, is) in old.functions.iter().zip(&new.functions) {
        for (direction, was, is, at) in [
            (Direction::Input, &was.input, &is.input, "/input"),
            (Direction::Output, &was.output, &is.output, "/output"),
        ] {
            let mut walk = Walk {
                old,
                new,
                direction,
                seen: BTreeSet::new(),
                pending: Vec::new(),
                changes: &mut changes,
            };
            if was.shape == Shape::Any && is.shape != Shape::Any {
                walk.note(at, false, of_type(old, was), of_type(new, is), "It was not described before.");
            } else {
                walk.types(was, is, at, false);
                while let Some((was, is)) = walk.pending.pop() {
                    walk.objects(was, is);
                }
            }
        }
    }
    changes
}

struct Walk<'a> {
    old: &'a Model,
    new: &'a Model,
    direction: Direction,
    /// Pairs of types that have been met.
    seen: BTreeSet<(&'a str, &'a str)>,
    /// Those of objects that are still to be compared. Not at once: they may lie in each other deeper than a stack is.
    pending: Vec<(&'a Named, &'a Named)>,
    changes: &'a mut Vec<Change>,
}

impl<'a> Walk<'a> {
    fn note(&mut self, at: &str, breaks: bool, was: String, is: String, remedy: &'static str) {
        let pointer = at.to_owned();
        self.changes.push(Change { direction: self.direction, pointer, breaks, was, is, remedy });
    }

    /// Compares two types; `copes` is whether old apps take null there whatever the type says.
    fn types(&mut self, was: &'a Type, is: &'a Type, at: &str, copes: bool) {
        if !self.shapes(was, is, at) {
            return;
        }
        if was.is_nullable != is.is_nullable && was.shape != Shape::Any {
            let breaks = match self.direction {
                Direction::Input => was.is_nullable,
                Direction::Output => is.is_nullable && !copes,
            };
            let remedy = match (self.direction, breaks) {
                (Direction::Input, true) => "Old apps may send null: take it as before.",
                (Direction::Output, true) => {
                    "Old apps expect a value: never answer null, or add a member of another name."
                }
                (_, false) => "Old apps do not notice.",
            };
            self.note(at, breaks, of_type(self.old, was), of_type(self.new, is), remedy);
        }
        rules::compare(self, was, is, at);
    }

    /// Compares two shapes, and says whether they are of one kind.
    fn shapes(&mut self, was: &'a Type, is: &'a Type, at: &str) -> bool {
        match (&was.shape, &is.shape) {
            (Shape::List(was), Shape::List(is)) => self.types(was, is, &below(at, "items"), false),
            (Shape::Map(was), Shape::Map(is)) => {
                self.types(was, is, &below(at, "additionalProperties"), false);
            }
            (Shape::Named(old), Shape::Named(new)) => {
                let (Some(old), Some(new)) = (self.old.named(old), self.new.named(new)) else { return true };
                let is_first = self.seen.insert((&old.name, &new.name));
                match (&old.kind, &new.kind) {
                    (Kind::Object { .. }, Kind::Object { .. }) if is_first => self.pending.push((old, new)),
                    (Kind::Enum(was), Kind::Enum(is)) if is_first => self.enums(was, is, &new.pointer),
                    (Kind::Object { .. }, Kind::Object { .. }) | (Kind::Enum(_), Kind::Enum(_)) => {}
                    _ => return self.retyped(was, is, at),
                }
            }
            (old, new) if old == new => {}
            _ => return self.retyped(was, is, at),
        }
        true
    }

    fn retyped(&mut self, was: &Type, is: &Type, at: &str) -> bool {
        let breaks = match self.direction {
            Direction::Input => !takes(self.direction, self.old, was, self.new, is),
            Direction::Output => !takes(self.direction, self.new, is, self.old, was),
        };
        let remedy = match (self.direction, breaks) {
            (Direction::Input, true) => {
                "Old apps go on sending what was: take both, add an optional member of another name, or make it another function."
            }
            (Direction::Output, true) => {
                "Old apps cannot read it: go on answering what was, and put the new value into a member of another name."
            }
            (Direction::Input, false) => "What old apps send is among what is taken now.",
            (Direction::Output, false) => "Old apps can read all of it.",
        };
        self.note(at, breaks, of_type(self.old, was), of_type(self.new, is), remedy);
        false
    }

    fn enums(&mut self, was: &[String], is: &[String], at: &str) {
        let gone: Vec<&String> = was.iter().filter(|value| !is.contains(value)).collect();
        let come: Vec<&String> = is.iter().filter(|value| !was.contains(value)).collect();
        let at = below(at, "enum");
        if !gone.is_empty() {
            let breaks = self.direction == Direction::Input;
            let remedy = if breaks {
                "Old apps go on sending it: go on taking it."
            } else {
                "Old apps no longer meet it."
            };
            self.note(&at, breaks, quoted(&gone), "not among the values".to_owned(), remedy);
        }
        if !come.is_empty() {
            let remedy = match self.direction {
                Direction::Input => "Old apps do not send it.",
                Direction::Output => "Old apps keep it as a value that they do not know.",
            };
            self.note(&at, false, "not among the values".to_owned(), quoted(&come), remedy);
        }
    }

    fn objects(&mut self, was: &'a Named, is: &'a Named) {
        let (was_at, is_at) = (was.pointer.as_str(), is.pointer.as_str());
        let (Kind::Object { properties: was, .. }, Kind::Object { properties: is, is_closed }) =
            (&was.kind, &is.kind)
        else {
            return;
        };
        let find =
            |properties: &'a [Property], name: &str| properties.iter().find(|property| property.json == name);
        let place = |at: &str, name: &str| below(&below(at, "properties"), name);
        for old in was {
            match find(is, &old.json) {
                Some(new) => self.properties(old, new, &place(is_at, &old.json)),
                None => self.gone(old, &place(was_at, &old.json), *is_closed),
            }
        }
        for new in is.iter().filter(|new| find(was, &new.json).is_none()) {
            let breaks = self.direction == Direction::Input && new.is_required;
            let remedy = match (self.direction, breaks) {
                (Direction::Input, true) => {
                    "Old apps do not send it: make it optional, and let the function do without."
                }
                (Direction::Input, false) => "Old apps do not send it, and need not.",
                (Direction::Output, _) => "Old apps pass over it.",
            };
            let is = self.member(self.new, new);
            self.note(&place(is_at, &new.json), breaks, "not there".to_owned(), is, remedy);
        }
    }

    fn member(&self, model: &Model, property: &Property) -> String {
        let presence = if property.is_required { "required" } else { "optional" };
        format!("{}, {presence}", of_type(model, &property.holds))
    }

    fn gone(&mut self, old: &Property, at: &str, is_closed: bool) {
        let (breaks, is, remedy) = match self.direction {
            Direction::Input if is_closed => (
                true,
                "refused, as there are no additionalProperties",
                "Old apps go on sending it: keep it, or take members of other names.",
            ),
            Direction::Input => (false, "passed over", "What old apps send there is no longer looked at."),
            Direction::Output if old.is_optional() => (false, "not there", "Old apps do without it."),
            Direction::Output => (
                true,
                "not there",
                "Old apps cannot read the answer without it: go on answering it, beside whatever takes its place.",
            ),
        };
        let was = self.member(self.old, old);
        self.note(at, breaks, was, is.to_owned(), remedy);
    }

    fn properties(&mut self, old: &'a Property, new: &'a Property, at: &str) {
        if old.is_required != new.is_required {
            let breaks = match self.direction {
                Direction::Input => new.is_required,
                Direction::Output => old.is_required && !old.is_optional(),
            };
            let remedy = match (self.direction, breaks) {
                (Direction::Input, true) => {
                    "Old apps may leave it out: keep it optional, and let the function do without."
                }
                (Direction::Output, true) => "Old apps cannot read the answer without it: always answer it.",
                (_, false) => "Old apps do not notice.",
            };
            let (was, is) = (self.member(self.old, old), self.member(self.new, new));
            self.note(at, breaks, was, is, remedy);
        }
        self.types(&old.holds, &new.holds, at, old.is_optional());
    }
}

/// Whether whoever receives `received` can do with all that is `sent`, going by shape and null.
fn takes(direction: Direction, sender: &Model, sent: &Type, receiver: &Model, received: &Type) -> bool {
    let is_enum = |model: &Model, shape: &Shape| match shape {
        Shape::Named(name) => model.named(name).is_some_and(|named| matches!(named.kind, Kind::Enum(_))),
        _ => false,
    };
    let of_app = direction == Direction::Output;
    // Null sent where null is taken.
    if sent.shape == Shape::Null {
        return received.is_nullable || matches!(received.shape, Shape::Any | Shape::Null);
    }
    // An app that expects nothing looks at nothing.
    if received.shape == Shape::Null && of_app {
        return true;
    }
    if sent.is_nullable && !received.is_nullable && received.shape != Shape::Any {
        return false;
    }
    match (&sent.shape, &received.shape) {
        (_, Shape::Any) | (Shape::Integer(_), Shape::Number) => true,
        (Shape::Integer(sent), Shape::Integer(received)) => sent <= received,
        (sent, Shape::Text) => is_enum(sender, sent),
        // Enums of apps are open.
        (Shape::Text, received) => of_app && is_enum(receiver, received),
        (Shape::Named(_), Shape::Map(values)) => !is_enum(sender, &sent.shape) && values.shape == Shape::Any,
        _ => false,
    }
}
