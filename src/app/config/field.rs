//! What a field can hold: how each type is read from the file or from a text, and how it is shown.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use toml::de::DeValue;

/// A value as it was given.
#[derive(Debug)]
pub enum Given<'a> {
    /// By an environment variable or a flag: any type is read from the text.
    Text(&'a str),
    /// By the file.
    Value(&'a DeValue<'a>),
}

impl Given<'_> {
    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Value(value) => value.as_str(),
        }
    }

    /// A whole number.
    fn integer(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Value(DeValue::Integer(number)) => {
                u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
            }
            Self::Value(_) => None,
        }
    }

    /// The value as a message quotes it.
    pub fn quoted(&self) -> String {
        match self {
            Self::Text(text) => format!("{:?}", shorten(text)),
            Self::Value(DeValue::String(text)) => format!("{:?}", shorten(text)),
            Self::Value(DeValue::Integer(number)) => shorten(number.as_str()),
            Self::Value(DeValue::Float(number)) => shorten(number.as_str()),
            Self::Value(DeValue::Boolean(value)) => value.to_string(),
            Self::Value(value) => format!("a value of type {}", value.type_str()),
        }
    }
}

/// A message quotes no more of a value than this many characters.
const QUOTED_CHARS_MAX: usize = 80;

fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A type that a field can have.
pub trait Field: Sized {
    /// What a value must be, for messages and the table: the words after "must be".
    const KIND: &'static str;

    /// Reads it; `None` if it is not of this type.
    fn read(given: &Given<'_>) -> Option<Self>;

    /// What is wrong with a value that was not read, where more can be said than what it must be.
    fn fault(_given: &Given<'_>) -> Option<String> {
        None
    }

    /// The value in TOML's form; `None` if nothing is set.
    fn show(&self) -> Option<String>;

    /// The value as a number, where the field has bounds.
    fn number(&self) -> Option<u64> {
        None
    }
}

/// What a value of this type and within these bounds must be.
pub fn kind<T: Field>(bounds: Option<(u64, u64)>) -> String {
    match bounds {
        Some((min, max)) => format!("{} from {min} to {max}", T::KIND),
        None => T::KIND.to_owned(),
    }
}

impl Field for bool {
    const KIND: &'static str = "true or false";

    fn read(given: &Given<'_>) -> Option<Self> {
        match given {
            Given::Text(text) => text.parse().ok(),
            Given::Value(value) => value.as_bool(),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

macro_rules! whole_number {
    ($($type:ty),+) => {
        $(
            impl Field for $type {
                const KIND: &'static str = "a whole number";

                fn read(given: &Given<'_>) -> Option<Self> {
                    given.integer().and_then(|number| Self::try_from(number).ok())
                }

                fn show(&self) -> Option<String> {
                    Some(self.to_string())
                }

                fn number(&self) -> Option<u64> {
                    u64::try_from(*self).ok()
                }
            }
        )+
    };
}

whole_number!(u32, u64, usize);

impl Field for SocketAddr {
    const KIND: &'static str = "an address and port such as 127.0.0.1:7070 or [::1]:7070";

    fn read(given: &Given<'_>) -> Option<Self> {
        given.text()?.parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

impl Field for PathBuf {
    const KIND: &'static str = "a path";

    fn read(given: &Given<'_>) -> Option<Self> {
        given.text().filter(|text| !text.is_empty() && !text.contains('\0')).map(Self::from)
    }

    fn show(&self) -> Option<String> {
        Some(quote(&Path::display(self).to_string()))
    }
}

/// A field that need not be set. An empty environment variable leaves it unset.
impl<T: Field> Field for Option<T> {
    const KIND: &'static str = T::KIND;

    fn read(given: &Given<'_>) -> Option<Self> {
        match given {
            Given::Text("") => Some(None),
            _ => T::read(given).map(Some),
        }
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }

    fn number(&self) -> Option<u64> {
        self.as_ref().and_then(T::number)
    }
}

/// A type of which a field can hold several.
pub trait Item: Field {
    /// What the list must be: the words after "must be".
    const LIST: &'static str;
}

/// A list: an array in the file, a text with commas in the environment.
impl<T: Item> Field for Vec<T> {
    const KIND: &'static str = T::LIST;

    fn read(given: &Given<'_>) -> Option<Self> {
        match given {
            Given::Text(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| T::read(&Given::Text(item)))
                .collect(),
            Given::Value(value) => {
                value.as_array()?.iter().map(|item| T::read(&Given::Value(item.get_ref()))).collect()
            }
        }
    }

    fn show(&self) -> Option<String> {
        Some(format!("[{}]", self.iter().filter_map(T::show).collect::<Vec<_>>().join(", ")))
    }
}

/// A text in TOML's quotes.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
