//! The table of all fields: as a document, and with the values in force.

use std::fmt::Write;

use super::{Config, reader::variable};

/// The reference of all sections and fields in Markdown: `docs/configuration.md`.
pub fn reference() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         <!-- Made from the sections under src/app/config by its tests: UPDATE_DOCS=1 cargo test --lib app::config -->\n\n\
         Every field can be set in the file that `--config` names (TOML) and by an environment variable, which wins over the\n\
         file; lists are written with commas there. An unknown key, section or variable is an error. `callgate config` prints\n\
         what is in force.\n\n\
         `CALLGATE_ROOT_ACCESS_KEY_ID` and `CALLGATE_ROOT_SECRET_ACCESS_KEY` are no fields: they seed the root key of account\n\
         `000000000000`.\n",
    );
    for section in Config::default().sections() {
        let _ = write!(
            out,
            "\n## [{}]\n\n{}\n\n| Field | Value | Default | What it does | Variable |\n|---|---|---|---|---|\n",
            section.name, section.about
        );
        for field in section.fields {
            let default = field.default.map_or_else(|| "unset".to_owned(), |default| format!("`{default}`"));
            let _ = writeln!(
                out,
                "| `{}` | {} | {default} | {} | `{}` |",
                field.name,
                field.kind,
                field.about.replace('|', "\\|"),
                variable(section.name, field.name)
            );
        }
    }
    out
}

/// The values in force as a TOML file that would set them; what is unset stands in a comment. No field is a secret:
/// keys are files of their own.
pub fn effective(config: &Config) -> String {
    let mut out = String::new();
    for section in config.sections() {
        let _ = writeln!(out, "{}[{}]", if out.is_empty() { "" } else { "\n" }, section.name);
        for field in section.fields {
            let _ = match &field.value {
                Some(value) if field.value == field.default => {
                    writeln!(out, "{} = {value}  # default", field.name)
                }
                Some(value) => writeln!(out, "{} = {value}", field.name),
                None => writeln!(out, "# {} is unset", field.name),
            };
        }
    }
    out
}
