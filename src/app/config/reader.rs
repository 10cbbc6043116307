//! Reading fields from the flags, the environment and the file, and finding what is in none of the sections.

use std::{collections::BTreeMap, ffi::OsString, fmt, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::field::{Field, Given, kind};

/// Environment variables that begin with `CALLGATE_` and are no fields.
pub const RESERVED_VARIABLES: &[&str] = &[
    "CALLGATE_ROOT_ACCESS_KEY_ID",
    "CALLGATE_ROOT_SECRET_ACCESS_KEY",
    "CALLGATE_CONFIG",
    "CALLGATE_ENDPOINT",
    "CALLGATE_MANAGEMENT_ENDPOINT",
];
const PREFIX: &str = "CALLGATE_";

/// Something wrong with the configuration, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where: a line of the file, a variable, a flag, or a section and field.
    pub place: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A field that a flag of the command line sets.
#[derive(Clone, Debug)]
pub struct Override {
    /// The flag, for messages.
    pub flag: &'static str,
    /// The section.
    pub section: &'static str,
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub text: String,
}

/// Where the fields' values come from; flags win over the environment, which wins over the file.
#[derive(Debug)]
pub struct Reader<'a> {
    overrides: &'a [Override],
    environment: BTreeMap<String, String>,
    file: Option<File<'a>>,
    problems: Vec<Problem>,
}

#[derive(Debug)]
struct File<'a> {
    name: String,
    text: &'a str,
    table: DeTable<'a>,
}

impl File<'_> {
    fn place(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or(self.text);
        format!("{} line {}", self.name, before.matches('\n').count() + 1)
    }
}

/// The variable that sets a field.
pub fn variable(section: &str, field: &str) -> String {
    format!("{PREFIX}{}__{}", section.to_uppercase(), field.to_uppercase())
}

impl<'a> Reader<'a> {
    /// Takes the sources. A file that is no TOML and a variable that is no text are noted as problems.
    pub fn new(
        overrides: &'a [Override],
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        file: Option<(&Path, &'a str)>,
    ) -> Self {
        let mut problems = Vec::new();
        let environment = environment
            .into_iter()
            .filter(|(name, _)| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
            .filter_map(|(name, value)| match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => Some((name, value)),
                (name, _) => {
                    problems.push(Problem {
                        place: name.unwrap_or_else(|raw| raw.to_string_lossy().into_owned()),
                        what: "the environment variable is not UTF-8".to_owned(),
                    });
                    None
                }
            })
            .collect();
        let file = file.and_then(|(path, text)| {
            let name = path.display().to_string();
            match DeTable::parse(text) {
                Ok(table) => Some(File { name, text, table: table.into_inner() }),
                Err(error) => {
                    let line = error
                        .span()
                        .map_or(1, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
                    problems.push(Problem {
                        place: format!("{name} line {line}"),
                        what: format!("this is not TOML: {}", error.message()),
                    });
                    None
                }
            }
        });
        Self { overrides, environment, file, problems }
    }

    /// Reads one field. What is wrong is noted, and `default` stands in its place.
    pub fn field<T: Field>(
        &mut self,
        section: &'static str,
        name: &'static str,
        default: T,
        bounds: Option<(u64, u64)>,
    ) -> T {
        let variable = variable(section, name);
        let read = if let Some(flag) =
            self.overrides.iter().find(|flag| flag.section == section && flag.field == name)
        {
            check::<T>(&Given::Text(&flag.text), bounds).map_err(|what| (flag.flag.to_owned(), what))
        } else if let Some(text) = self.environment.get(&variable) {
            check::<T>(&Given::Text(text), bounds).map_err(|what| (variable, what))
        } else if let Some((file, value)) = self.in_file(section, name) {
            check::<T>(&Given::Value(value.get_ref()), bounds)
                .map_err(|what| (format!("{}, [{section}] {name}", file.place(value.span().start)), what))
        } else {
            return default;
        };
        read.unwrap_or_else(|(place, what)| {
            self.problems.push(Problem { place, what });
            default
        })
    }

    fn in_file(&self, section: &str, name: &str) -> Option<(&File<'a>, &Spanned<DeValue<'a>>)> {
        let file = self.file.as_ref()?;
        Some((file, file.table.get(section)?.get_ref().as_table()?.get(name)?))
    }

    /// Notes everything in the file and the environment that is in none of these sections (name and fields), and returns
    /// all problems.
    pub fn finish(mut self, sections: &[(&'static str, Vec<&'static str>)]) -> Vec<Problem> {
        let mut found = Vec::new();
        if let Some(file) = &self.file {
            for (key, value) in &file.table {
                let section = key.get_ref().as_ref();
                let place = file.place(key.span().start);
                let Some(table) = value.get_ref().as_table() else {
                    found.push(Problem {
                        place: format!("{place}, {section}"),
                        what: key_outside(section, sections),
                    });
                    continue;
                };
                let Some((_, fields)) = sections.iter().find(|(name, _)| *name == section) else {
                    let hint = nearest(section, sections.iter().map(|(name, _)| *name));
                    let hint = hint.map(|name| format!("[{name}]"));
                    found.push(Problem {
                        place: format!("{place}, [{section}]"),
                        what: format!("there is no such section{}", did_you_mean(hint.as_deref())),
                    });
                    continue;
                };
                for (key, _) in table {
                    let name = key.get_ref().as_ref();
                    if !fields.contains(&name) {
                        found.push(Problem {
                            place: format!("{}, [{section}] {name}", file.place(key.span().start)),
                            what: unknown_key(name, section, fields, sections),
                        });
                    }
                }
            }
        }
        let variables: Vec<String> = sections
            .iter()
            .flat_map(|(section, fields)| fields.iter().map(|field| variable(section, field)))
            .chain(RESERVED_VARIABLES.iter().map(|name| (*name).to_owned()))
            .collect();
        for name in self.environment.keys() {
            if !variables.contains(name) {
                let hint = nearest(name, variables.iter().map(String::as_str));
                found.push(Problem {
                    place: name.clone(),
                    what: format!("no setting has this environment variable{}", did_you_mean(hint)),
                });
            }
        }
        self.problems.append(&mut found);
        self.problems
    }
}

fn check<T: Field>(given: &Given<'_>, bounds: Option<(u64, u64)>) -> Result<T, String> {
    let fault = || format!("must be {}, not {}", kind::<T>(bounds), given.quoted());
    let value = T::read(given).ok_or_else(|| T::fault(given).unwrap_or_else(fault))?;
    match (bounds, value.number()) {
        (Some((min, max)), Some(number)) if !(min..=max).contains(&number) => Err(fault()),
        _ => Ok(value),
    }
}

fn key_outside(name: &str, sections: &[(&'static str, Vec<&'static str>)]) -> String {
    match sections.iter().find(|(section, fields)| *section == name || fields.contains(&name)) {
        Some((section, _)) if *section == name => format!("this is a section: write [{name}]"),
        Some((section, _)) => format!("this key stands outside of every section; it belongs in [{section}]"),
        None => "this key stands outside of every section, and no section has it".to_owned(),
    }
}

fn unknown_key(
    name: &str,
    section: &str,
    fields: &[&'static str],
    sections: &[(&'static str, Vec<&'static str>)],
) -> String {
    if let Some((owner, _)) = sections.iter().find(|(_, fields)| fields.contains(&name)) {
        return format!("there is no such key in [{section}]; it belongs in [{owner}]");
    }
    format!("there is no such key{}", did_you_mean(nearest(name, fields.iter().copied())))
}

fn did_you_mean(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; did you mean {hint}?"))
}

/// The name that is most like `given`, unless none is like it.
fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let close_enough = (given.chars().count() / 3).max(2);
    names
        .map(|name| (strsim::damerau_levenshtein(&given.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= close_enough)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
