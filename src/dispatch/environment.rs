//! The environment a function sees: what AWS sets, and its own variables.

use std::collections::BTreeMap;

use super::credentials::{RoleCredentials, brings_own};
use crate::{
    base::Region,
    functions::{Function, environment::is_of_credentials},
    sandbox::network::API_URL,
};

/// Variables that Node.js or the loader reads before any code of ours runs, so that they cannot come with BIND. `NODE_ENV` is
/// read by libraries alone, and the bootstrap has `NODE_PATH` read again.
fn is_boot(name: &str) -> bool {
    (name.starts_with("NODE_") && !["NODE_ENV", "NODE_PATH"].contains(&name))
        || name.starts_with("LD_")
        || name.starts_with("UV_")
}

/// Where the SDKs find what this gateway serves of AWS. There is no variable for all services: calls to others go to AWS.
const ENDPOINTS: [&str; 3] =
    ["AWS_ENDPOINT_URL_COGNITO_IDENTITY", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_STS"];

/// All variables but those of [`boot`], as BIND carries them.
pub fn of(
    function: &Function,
    version: &str,
    region: &Region,
    log_stream: &str,
    credentials: Option<&RoleCredentials>,
) -> BTreeMap<String, String> {
    let region = region.as_str();
    let memory = function.memory_mb.to_string();
    let node_path = node_path(&function.runtime);
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
        ("NODE_PATH", &node_path),
        ("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        ("PWD", "/var/task"),
        ("SHLVL", "0"),
        ("TZ", ":UTC"),
        ("_HANDLER", &function.handler),
    ];
    let mut variables: BTreeMap<String, String> =
        fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let own = brings_own(function);
    if !own {
        // With credentials of its own it has its own idea of where to go, too.
        variables.extend(ENDPOINTS.map(|name| (name.to_owned(), API_URL.to_owned())));
    }
    variables.extend(credentials.into_iter().flat_map(role_variables));
    variables.extend(
        function
            .environment
            .iter()
            // The tag may have been taken away since they were set.
            .filter(|(name, _)| !is_boot(name) && (own || !is_of_credentials(name)))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    variables
}

/// The variables of the role's credentials.
fn role_variables(credentials: &RoleCredentials) -> impl Iterator<Item = (String, String)> {
    let text = |secret: &crate::base::Secret| secret.expose_str().unwrap_or_default().to_owned();
    [
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", text(&credentials.secret_access_key)),
        ("AWS_SESSION_TOKEN", text(&credentials.session_token)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
}

/// Where libraries are looked for: the system's own first, as on AWS.
const LIBRARY_PATH: &str =
    "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib";

/// What every sandbox boots with, also one that is nobody's yet.
pub fn generic() -> BTreeMap<String, String> {
    BTreeMap::from([("LD_LIBRARY_PATH".to_owned(), LIBRARY_PATH.to_owned())])
}

/// The function's own variables that must be there before Node.js boots: with any of them it cannot have a sandbox that has
/// booted already.
pub fn boot(function: &Function) -> BTreeMap<String, String> {
    let own = function.environment.iter().filter(|(name, _)| is_boot(name));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
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
    fn few_variables_cost_a_boot() {
        for name in ["NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "LD_PRELOAD", "UV_THREADPOOL_SIZE"] {
            assert!(is_boot(name), "{name}");
        }
        for name in ["NODE_ENV", "NODE_PATH", "MINE", "PATH"] {
            assert!(!is_boot(name), "{name}");
        }
    }

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
