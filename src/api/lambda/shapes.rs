//! What Lambda answers of a function.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::{
    api::members::says_nothing,
    base::Region,
    functions::{Function, environment::Variables},
    store::{
        artifacts::PackageHash,
        functions::{Logging, Stage},
    },
};

/// `FunctionConfiguration`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FunctionConfiguration<'a> {
    function_name: &'a str,
    function_arn: String,
    runtime: &'a str,
    role: &'a str,
    handler: &'a str,
    code_size: u64,
    description: &'a str,
    timeout: u32,
    memory_size: u32,
    last_modified: String,
    code_sha256: String,
    version: &'a str,
    /// Absent unless one was ever sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment<'a>>,
    tracing_config: TracingConfig<'a>,
    revision_id: &'a str,
    #[serde(flatten)]
    status: Option<Status>,
    package_type: &'static str,
    architectures: [&'a str; 1],
    ephemeral_storage: EphemeralStorage,
    snap_start: SnapStart,
    logging_config: LoggingConfig<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Environment<'a> {
    variables: &'a Variables,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TracingConfig<'a> {
    mode: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EphemeralStorage {
    size: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SnapStart {
    apply_on: &'static str,
    optimization_status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoggingConfig<'a> {
    log_format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_log_level: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_log_level: Option<&'a str>,
    log_group: &'a str,
}

/// What lists leave out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status_reason_code: Option<&'static str>,
    runtime_version_config: RuntimeVersionConfig,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuntimeVersionConfig {
    runtime_version_arn: String,
}

/// AWS gives the same reason for both.
const REASON: Option<&str> = Some("The function is being created.");
const REASON_CODE: Option<&str> = Some("Creating");

impl<'a> FunctionConfiguration<'a> {
    /// As most operations answer it. With a `qualifier` the ARN ends in it.
    pub fn of(function: &'a Function, qualifier: Option<&str>, region: &Region) -> Self {
        Self { status: Some(Status::of(function, region)), ..Self::listed(function, qualifier) }
    }

    /// A version that an operation made beside its own work: being created, as AWS answers it, and with the revision of the
    /// function that it was made of, which neither the function nor the version has any more when this is answered.
    pub fn published(
        version: &'a Function,
        latest: &'a Function,
        qualifier: Option<&str>,
        region: &Region,
    ) -> Self {
        Self {
            status: Some(Status::at(Stage::Creating, &version.runtime, region)),
            revision_id: &latest.record.revision,
            ..Self::listed(version, qualifier)
        }
    }

    /// As lists have it: without states.
    pub fn listed(function: &'a Function, qualifier: Option<&str>) -> Self {
        let record = &function.record;
        let configuration = &record.configuration;
        Self {
            function_name: &function.name,
            function_arn: match qualifier {
                Some(qualifier) => format!("{}:{qualifier}", function.arn),
                None => function.arn.to_string(),
            },
            runtime: &configuration.runtime,
            role: &configuration.role_arn,
            handler: &configuration.handler,
            code_size: record.code_bytes,
            description: &configuration.description,
            timeout: configuration.timeout_seconds,
            memory_size: configuration.memory_mb,
            last_modified: record.modified.iso8601_offset(),
            code_sha256: record.code.base64(),
            version: &function.version,
            environment: function
                .has_environment()
                .then(|| Environment { variables: function.environment.as_ref() }),
            tracing_config: TracingConfig { mode: &configuration.tracing },
            revision_id: &record.revision,
            status: None,
            package_type: "Zip",
            architectures: [&configuration.architecture],
            ephemeral_storage: EphemeralStorage { size: configuration.tmp_mb },
            snap_start: SnapStart { apply_on: "None", optimization_status: "Off" },
            logging_config: LoggingConfig::of(&configuration.logging),
        }
    }
}

impl<'a> LoggingConfig<'a> {
    fn of(logging: &'a Logging) -> Self {
        Self {
            log_format: &logging.format,
            application_log_level: logging.application_level.as_deref(),
            system_log_level: logging.system_level.as_deref(),
            log_group: &logging.group,
        }
    }
}

impl Status {
    fn of(function: &Function, region: &Region) -> Self {
        Self::at(function.ready, &function.runtime, region)
    }

    fn at(stage: Stage, runtime: &str, region: &Region) -> Self {
        let settled = Self {
            state: "Active",
            state_reason: None,
            state_reason_code: None,
            last_update_status: Some("Successful"),
            last_update_status_reason: None,
            last_update_status_reason_code: None,
            runtime_version_config: RuntimeVersionConfig::of(runtime, region),
        };
        match stage {
            Stage::Settled => settled,
            Stage::Creating => Self {
                state: "Pending",
                state_reason: REASON,
                state_reason_code: REASON_CODE,
                last_update_status: None,
                ..settled
            },
            Stage::Updating => Self {
                last_update_status: Some("InProgress"),
                last_update_status_reason: REASON,
                last_update_status_reason_code: REASON_CODE,
                ..settled
            },
        }
    }
}

impl RuntimeVersionConfig {
    /// An ARN of the form of AWS's; all runtimes are the Node.js that is installed.
    fn of(runtime: &str, region: &Region) -> Self {
        let version = PackageHash::of(runtime.as_bytes()).hex();
        Self { runtime_version_arn: format!("arn:aws:lambda:{region}::runtime:{version}") }
    }
}

/// GetFunction's answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FunctionAndCode<'a> {
    /// The function.
    pub configuration: FunctionConfiguration<'a>,
    /// Where its package can be had.
    pub code: CodeLocation,
    /// Its tags; absent if it has none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: &'a BTreeMap<String, String>,
    /// What is reserved for it; absent if nothing is.
    #[serde(skip_serializing_if = "says_nothing")]
    pub concurrency: Value,
}

/// Where a package can be had.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CodeLocation {
    /// Always `S3`, which is what clients know.
    pub repository_type: &'static str,
    /// A link that works for ten minutes.
    pub location: String,
}
