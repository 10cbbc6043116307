//! What a command calls a function by: a folder, a file, or the name of a deployed one.

use std::path::Path;

use crate::{
    app::{
        cli::{Common, Failure},
        client::Remote,
        commands::{deploy, remote},
        schemas,
    },
    functions::{
        Named,
        name::{Form, LATEST},
    },
    generate::Model,
};

/// Finds schemas. The gateway is asked for only if one of them is there.
pub struct Sources<'a> {
    common: &'a Common,
    endpoint: &'a remote::Endpoint,
    remote: Option<Remote>,
}

impl<'a> Sources<'a> {
    pub fn new(common: &'a Common, endpoint: &'a remote::Endpoint) -> Self {
        Self { common, endpoint, remote: None }
    }

    /// The schemas of what the text names; `None` if it has none. What is there on disk comes before what is deployed.
    pub async fn find(&mut self, source: &str) -> Result<Option<Model>, Failure> {
        let path = Path::new(source);
        if path.is_dir() {
            return schemas::of_folder(path, &deploy::name_of(path)?);
        }
        if path.is_file() {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("function");
            return schemas::of_file(path, name);
        }
        let named = Named::read(source, None, Form::Namespaced).map_err(|error| {
            format!("{source} is no folder or file that is there, and no name of a function: {error}")
        })?;
        let remote = match &mut self.remote {
            Some(remote) => remote,
            none => none.insert(self.endpoint.signed(self.common).await?),
        };
        let package = remote.function_package(source).await.map_err(|cause| {
            format!("{source} is no folder or file that is there, and as a function's name: {cause}")
        })?;
        let found = schemas::of_package(&package, &named.name, source)?;
        Ok(found.map(|mut model| {
            for function in &mut model.functions {
                // What a name means by itself needs no word.
                function.qualifier = named.qualifier.clone().filter(|qualifier| qualifier != LATEST);
            }
            model
        }))
    }
}
