//! The environment a function sees: what AWS sets, and its own variables.

use std::collections::BTreeMap;

use crate::{base::Region, functions::Function};

/// Variables that Node.js or the loader reads before any code of ours runs, so that they cannot come with BIND.
fn is_boot(name: &str) -> bool {
    name.starts_with("NODE_") || name.starts_with("LD_") || name.starts_with("UV_")
}

/// All variables but those of [`boot`], as BIND carries them.
pub fn of(function: &Function, version: &str, region: &Region, log_stream: &str) -> BTreeMap<String, String> {
    let region = region.as_str();
    let memory = function.memory_mb.to_string();
    let execution = format!("AWS_Lambda_{}", function.runtime);
    let fixed = [
        ("AWS_DEFAULT_REGION", region),
        ("AWS_EXECUTION_ENV", &execution),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", version),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &function.log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
        ("AWS_REGION", region),
        // There is no tracing here: its SDK must say so in the log, and not fail the function.
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        ("HOME", "/tmp"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        ("PWD", "/var/task"),
        ("TZ", ":UTC"),
        ("_HANDLER", &function.handler),
    ];
    let mut variables: BTreeMap<String, String> =
        fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    variables.extend(
        function
            .environment
            .iter()
            .filter(|(name, _)| !is_boot(name))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    variables
}

/// The variables that must be there before Node.js boots: the search paths, and those of the function's own.
pub fn boot(function: &Function) -> Vec<(String, String)> {
    let mut variables = BTreeMap::from([
        ("LD_LIBRARY_PATH".to_owned(), "/var/task:/var/task/lib:/opt/lib".to_owned()),
        ("NODE_PATH".to_owned(), node_path(&function.runtime)),
    ]);
    variables.extend(
        function
            .environment
            .iter()
            .filter(|(name, _)| is_boot(name))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    variables.into_iter().collect()
}

/// Where modules are looked for: a layer's for this version of Node.js (`nodejs20.x`) come first.
fn node_path(runtime: &str) -> String {
    let any = "/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task";
    match runtime.strip_prefix("nodejs").and_then(|version| version.strip_suffix(".x")) {
        Some(version) => format!("/opt/nodejs/node{version}/node_modules:{any}"),
        None => any.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_node_has_modules_of_its_own() {
        assert_eq!(
            node_path("nodejs20.x"),
            "/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
        );
        assert_eq!(
            node_path("nodejs"),
            "/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
        );
    }
}
