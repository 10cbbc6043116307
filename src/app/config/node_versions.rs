//! Node.js executables by runtime.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::field::{Field, Given, quote};
use crate::functions::config::RUNTIMES;

/// Executables by the id of the runtime that they are for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeVersions(pub BTreeMap<String, PathBuf>);

impl NodeVersions {
    fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let mut versions = BTreeMap::new();
        for (runtime, path) in pairs {
            let fits = RUNTIMES.contains(&runtime) && Path::new(path).is_absolute() && !path.contains('\0');
            // The same runtime twice says two things.
            if !fits || versions.insert(runtime.to_owned(), PathBuf::from(path)).is_some() {
                return None;
            }
        }
        Some(Self(versions))
    }
}

/// A table in the file; in the environment a text `nodejs20.x=/path,nodejs22.x=/path`.
impl Field for NodeVersions {
    const KIND: &'static str = "a table of absolute paths by runtime (nodejs, nodejs16.x … nodejs26.x)";

    fn read(given: &Given<'_>) -> Option<Self> {
        match given {
            Given::Text(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                let pairs: Option<Vec<_>> = items.map(|item| item.split_once('=')).collect();
                Self::of(pairs?.into_iter().map(|(runtime, path)| (runtime.trim(), path.trim())))
            }
            Given::Value(value) => {
                let table = value.as_table()?;
                let pairs: Option<Vec<_>> = table
                    .iter()
                    .map(|(runtime, path)| Some((runtime.get_ref().as_ref(), path.get_ref().as_str()?)))
                    .collect();
                Self::of(pairs?)
            }
        }
    }

    fn show(&self) -> Option<String> {
        let pairs = self.0.iter();
        let shown: Vec<String> = pairs
            .map(|(runtime, path)| format!("{} = {}", quote(runtime), quote(&path.display().to_string())))
            .collect();
        Some(if shown.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", shown.join(", ")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_runtimes_and_paths() {
        let read = |text| NodeVersions::read(&Given::Text(text));
        let two = read("nodejs20.x=/opt/20/node, nodejs=/opt/22/node").unwrap();
        assert_eq!(two.show().unwrap(), r#"{ "nodejs" = "/opt/22/node", "nodejs20.x" = "/opt/20/node" }"#);
        assert_eq!(read(""), Some(NodeVersions::default()));
        for bad in
            ["nodejs20.x", "nodejs20.x=node", "python3.12=/usr/bin/node", "nodejs20.x=/a,nodejs20.x=/b"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
