//! `callgate generate`: source code for apps from the schemas of functions, and what a change of them breaks.

mod source;
mod write;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use self::source::Sources;
use super::remote;
use crate::{
    app::{
        cli::{Common, Failure},
        output,
    },
    generate::{self, Change, Model, Options},
};

/// What `generate` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    language: Option<Language>,
    /// Say instead what apps made of OLD would notice of SOURCE: a folder, a file (schemas, or a package that ends in .zip), or a
    /// deployed function with :version or :alias. Ends with status 1 if something breaks.
    #[arg(long, value_name = "OLD", required = true)]
    against: Option<String>,
    /// What is new, likewise.
    #[arg(required = true)]
    source: Option<String>,
    #[command(flatten)]
    remote: remote::Endpoint,
}

#[derive(Debug, Subcommand)]
enum Language {
    /// Write classes and an interface for the SDK for Java.
    Java(OnJvm),
    /// Write data classes and an interface for the SDK for Android.
    Kotlin(OnJvm),
    /// Write structs and their calls for the SDK for Swift.
    Swift(InSwift),
}

#[derive(Debug, Args)]
struct OnJvm {
    /// The package.
    #[arg(long, value_name = "NAME", default_value = "backend", value_parser = package)]
    package: String,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, Args)]
struct InSwift {
    /// The module, which is a folder's name.
    #[arg(long, value_name = "NAME", value_parser = identifier)]
    module: Option<String>,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, Args)]
struct Written {
    /// The functions: folders, or names of deployed ones, with :version or :alias if that is what the app calls.
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,
    /// What the interface with all functions is called.
    #[arg(long, value_name = "NAME", default_value = "Backend", value_parser = identifier)]
    name: String,
    /// The folder that the code is written to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    remote: remote::Endpoint,
}

/// Writes, or compares.
pub async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.language {
        Some(Language::Java(OnJvm { package, written })) => {
            write_all(common, written, package, generate::java).await
        }
        Some(Language::Kotlin(OnJvm { package, written })) => {
            write_all(common, written, package, generate::kotlin).await
        }
        Some(Language::Swift(InSwift { module, written })) => {
            write_all(common, written, module.as_deref().unwrap_or_default(), generate::swift).await
        }
        None => {
            let mut sources = Sources::new(common, &arguments.remote);
            let (old, new) = (arguments.against.as_deref(), arguments.source.as_deref());
            let (Some(old), Some(new)) = (old, new) else {
                return Err("--against OLD and SOURCE are missing".into());
            };
            let (was, is) = (sources.find(old).await?, sources.find(new).await?);
            let Some(was) = was else {
                output::line(&format!(
                    "{old} has no {}: apps were promised nothing, so nothing breaks.",
                    generate::FILE
                ));
                return Ok(ExitCode::SUCCESS);
            };
            // Without schemas nothing is promised any more, which is a change like others.
            let is = is.map_or_else(|| generate::parse(b"{}", "function"), Ok)?;
            Ok(report(&generate::against(&was, &is)))
        }
    }
}

async fn write_all(
    common: &Common,
    written: &Written,
    package: &str,
    emit: fn(&Model, &Options) -> Vec<generate::Source>,
) -> Result<ExitCode, Failure> {
    let mut sources = Sources::new(common, &written.remote);
    let mut models = Vec::new();
    for source in &written.sources {
        let Some(model) = sources.find(source).await? else {
            let file = generate::FILE;
            return Err(format!(
                "{source} has no {file}: put one beside its code (docs/generate.md shows one)"
            )
            .into());
        };
        models.push(model);
    }
    let options = Options { interface: written.name.clone(), package: package.to_owned() };
    let model = Model::merge(models)?;
    for path in write::write(&written.out, &emit(&model, &options), &generate::header(&options))? {
        output::line(&path.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints all changes, those that break first.
fn report(changes: &[Change]) -> ExitCode {
    let (breaking, others): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|change| change.breaks);
    for change in breaking.iter().chain(&others) {
        output::line(&change.to_string());
    }
    match (breaking.len(), others.len()) {
        (0, 0) => output::line("Nothing changes for apps."),
        (0, _) => output::line("No app in the field breaks."),
        (1, _) => output::line("1 change breaks apps in the field."),
        (many, _) => output::line(&format!("{many} changes break apps in the field.")),
    }
    if breaking.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn identifier(text: &str) -> Result<String, String> {
    plain(text, generate::is_taken)
}

fn package(text: &str) -> Result<String, String> {
    let parts: Result<Vec<String>, String> =
        text.split('.').map(|part| plain(part, generate::is_word_on_jvm)).collect();
    parts.map(|parts| parts.join(".")).map_err(|why| format!("of each part between dots: {why}"))
}

fn plain(text: &str, is_taken: fn(&str) -> bool) -> Result<String, String> {
    let plain = text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if !plain || !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("write letters, digits and underscores, a letter first".to_owned());
    }
    match is_taken(text) {
        true => Err(format!("{text} means something else in generated code: take another name")),
        false => Ok(text.to_owned()),
    }
}
