//! How a section is declared: once, with its documentation, from which the struct, its reading and its table all follow.

use super::reader::Reader;

/// What the documentation says of one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldInfo {
    /// The key in the file.
    pub name: &'static str,
    /// What its value must be, as the words after "must be".
    pub kind: String,
    /// The default in TOML's form; `None` where nothing is set.
    pub default: Option<String>,
    /// The value in force in TOML's form; `None` where nothing is set.
    pub value: Option<String>,
    /// Its documentation, as one line of prose.
    pub about: String,
}

/// One section of the configuration.
pub trait Section: Default {
    /// The table's name in the file.
    const NAME: &'static str;
    /// Its documentation, as one line of prose.
    fn about() -> String;
    /// Reads every field; what is wrong is noted with the reader and the default stands in its place.
    fn read(reader: &mut Reader<'_>) -> Self;
    /// What the documentation says of the fields, with the values of `self`.
    fn fields(&self) -> Vec<FieldInfo>;
}

/// Joins the lines of a documentation comment.
pub fn prose(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Declares a section: documentation, name, struct, and for each field documentation, type, default and, for numbers,
/// the bounds within which it may be set.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:literal $section:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:expr $(, $min:literal to $max:literal)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, PartialEq, Debug)]
        pub struct $section {
            $(
                $(#[doc = $doc])+
                pub $field: $type,
            )+
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::app::config::section::Section for $section {
            const NAME: &'static str = $name;

            fn about() -> String {
                $crate::app::config::section::prose(&[$($about),+])
            }

            fn read(reader: &mut $crate::app::config::reader::Reader<'_>) -> Self {
                let default = Self::default();
                Self {
                    $(
                        $field: reader.field(
                            $name,
                            stringify!($field),
                            default.$field,
                            $crate::app::config::section::bounds!($($min, $max)?),
                        ),
                    )+
                }
            }

            fn fields(&self) -> Vec<$crate::app::config::section::FieldInfo> {
                use $crate::app::config::field::{Field, kind};
                let default = Self::default();
                vec![
                    $(
                        $crate::app::config::section::FieldInfo {
                            name: stringify!($field),
                            kind: kind::<$type>($crate::app::config::section::bounds!($($min, $max)?)),
                            default: default.$field.show(),
                            value: self.$field.show(),
                            about: $crate::app::config::section::prose(&[$($doc),+]),
                        },
                    )+
                ]
            }
        }
    };
}

/// The bounds of a number, if the declaration has any.
macro_rules! bounds {
    () => {
        None
    };
    ($min:literal, $max:literal) => {
        Some(($min, $max))
    };
}

pub(crate) use {bounds, section};
