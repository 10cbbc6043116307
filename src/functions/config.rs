//! What callers may set: the limits and their texts, and how a change is laid over what was.

use super::{FunctionError, environment::GivenVariables, name::is_word, validation::Violations};
use crate::store::functions::{Configuration, Logging};

/// Runtimes that functions run on. `nodejs` is the model of 2014–15.
pub const RUNTIMES: [&str; 7] =
    ["nodejs", "nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x", "nodejs26.x"];
/// Node.js runtimes that AWS once had, and says so.
const RETIRED: [&str; 7] =
    ["nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x"];
/// How runtimes of AWS begin that are not for Node.js.
const FOREIGN: [&str; 7] = ["python", "java", "dotnet", "go1.", "ruby", "provided", "custom"];
const ARCHITECTURES: [&str; 2] = ["x86_64", "arm64"];
const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const SYSTEM_LEVELS: [&str; 3] = ["DEBUG", "INFO", "WARN"];

/// What a request sets; what it leaves out stays, or gets its default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// `Description`
    pub description: Option<String>,
    /// `Runtime`
    pub runtime: Option<String>,
    /// `Handler`
    pub handler: Option<String>,
    /// `Role`
    pub role_arn: Option<String>,
    /// `Timeout`, in seconds.
    pub timeout_seconds: Option<i64>,
    /// `MemorySize`, in MiB.
    pub memory_mb: Option<i64>,
    /// `EphemeralStorage.Size`, in MiB.
    pub tmp_mb: Option<i64>,
    /// `Architectures`
    pub architectures: Option<Vec<String>>,
    /// `TracingConfig.Mode`
    pub tracing: Option<String>,
    /// `LoggingConfig`
    pub logging: Option<LoggingSettings>,
    /// `Environment.Variables`
    pub environment: Option<GivenVariables>,
}

/// `LoggingConfig` of a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoggingSettings {
    /// `LogFormat`
    pub format: Option<String>,
    /// `ApplicationLogLevel`
    pub application_level: Option<String>,
    /// `SystemLogLevel`
    pub system_level: Option<String>,
    /// `LogGroup`
    pub group: Option<String>,
}

impl Settings {
    /// Notes every member that does not satisfy the model.
    pub fn check(&self, violations: &mut Violations) {
        if let Some(role) = &self.role_arn {
            violations.pattern(
                role,
                "role",
                is_role_arn(role),
                r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
            );
        }
        if let Some(handler) = &self.handler {
            violations.length(handler, "handler", 0, 128);
            let matches = !handler.is_empty() && !handler.contains(char::is_whitespace);
            violations.pattern(handler, "handler", matches, r"[^\s]+");
        }
        if let Some(description) = &self.description {
            violations.length(description, "description", 0, 256);
        }
        if let Some(seconds) = self.timeout_seconds {
            violations.range(seconds, "timeout", 1, 900);
        }
        if let Some(mb) = self.memory_mb {
            violations.range(mb, "memorySize", 128, 10_240);
        }
        if let Some(mb) = self.tmp_mb {
            violations.range(mb, "ephemeralStorage.size", 512, 10_240);
        }
        if let Some(architectures) = &self.architectures {
            check_architectures(architectures, violations);
        }
        if let Some(mode) = &self.tracing {
            violations.one_of(mode, "tracingConfig.mode", &["Active", "PassThrough"]);
        }
        if let Some(logging) = &self.logging {
            logging.check(violations);
        }
        if let Some(environment) = &self.environment {
            environment.check_names(violations);
        }
    }

    /// Refuses a runtime that functions cannot run on, in the words for its case.
    pub fn check_runtime(&self) -> Result<(), FunctionError> {
        let Some(runtime) = self.runtime.as_deref() else { return Ok(()) };
        if RUNTIMES.contains(&runtime) {
            return Ok(());
        }
        Err(FunctionError::Parameter(if RETIRED.contains(&runtime) {
            format!(
                "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We \
                 recommend you use a supported runtime while creating or updating functions."
            )
        } else if FOREIGN.iter().any(|foreign| runtime.starts_with(foreign)) {
            format!(
                "Runtime {runtime} is not supported by Callgate: functions run on Node.js, use one of [{}]",
                RUNTIMES.join(", ")
            )
        } else {
            format!(
                "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a \
                 valid ARN",
                RUNTIMES.join(", ")
            )
        }))
    }

    /// What a new function of this name has, this laid over the defaults.
    ///
    /// # Errors
    /// [`FunctionError::Parameter`] where runtime or handler are missing or the log levels do not fit.
    pub fn create(&self, name: &str) -> Result<Configuration, FunctionError> {
        if self.runtime.is_none() || self.handler.is_none() {
            return Err(FunctionError::Parameter(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
                    .to_owned(),
            ));
        }
        self.lay_over(Configuration {
            description: String::new(),
            runtime: String::new(),
            handler: String::new(),
            role_arn: String::new(),
            timeout_seconds: 3,
            memory_mb: 128,
            tmp_mb: 512,
            architecture: "x86_64".to_owned(),
            tracing: "PassThrough".to_owned(),
            logging: Logging {
                format: "Text".to_owned(),
                application_level: None,
                system_level: None,
                group: format!("/aws/lambda/{name}"),
            },
        })
    }

    /// This laid over what was.
    ///
    /// # Errors
    /// [`FunctionError::Parameter`] where the log levels do not fit the format.
    pub fn lay_over(&self, mut was: Configuration) -> Result<Configuration, FunctionError> {
        let set = |field: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                field.clone_from(value);
            }
        };
        // Checked before; what could not be a number of this size was refused.
        let set_number = |field: &mut u32, value: Option<i64>| {
            if let Some(value) = value.and_then(|value| u32::try_from(value).ok()) {
                *field = value;
            }
        };
        set(&mut was.description, &self.description);
        set(&mut was.runtime, &self.runtime);
        set(&mut was.handler, &self.handler);
        set(&mut was.role_arn, &self.role_arn);
        set(&mut was.tracing, &self.tracing);
        set_number(&mut was.timeout_seconds, self.timeout_seconds);
        set_number(&mut was.memory_mb, self.memory_mb);
        set_number(&mut was.tmp_mb, self.tmp_mb);
        if let Some(architecture) = self.architectures.as_ref().and_then(|list| list.first()) {
            was.architecture.clone_from(architecture);
        }
        if let Some(logging) = &self.logging {
            was.logging = logging.lay_over(was.logging)?;
        }
        Ok(was)
    }
}

impl LoggingSettings {
    fn check(&self, violations: &mut Violations) {
        if let Some(format) = &self.format {
            violations.one_of(format, "loggingConfig.logFormat", &["JSON", "Text"]);
        }
        if let Some(level) = &self.application_level {
            violations.one_of(level, "loggingConfig.applicationLogLevel", &LEVELS);
        }
        if let Some(level) = &self.system_level {
            violations.one_of(level, "loggingConfig.systemLogLevel", &SYSTEM_LEVELS);
        }
        if let Some(group) = &self.group {
            violations.length(group, "loggingConfig.logGroup", 1, 512);
            let matches = group.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'/' | b'#'));
            violations.pattern(group, "loggingConfig.logGroup", matches, r"[\.\-_/#A-Za-z0-9]+");
        }
    }

    /// Levels exist with format JSON alone, where `INFO` is their default.
    fn lay_over(&self, was: Logging) -> Result<Logging, FunctionError> {
        let format = self.format.clone().unwrap_or(was.format);
        let group = self.group.clone().unwrap_or(was.group);
        if format != "JSON" {
            if self.application_level.is_some() || self.system_level.is_some() {
                return Err(FunctionError::Parameter(
                    "ApplicationLogLevel and SystemLogLevel can be set with LogFormat JSON only.".to_owned(),
                ));
            }
            return Ok(Logging { format, application_level: None, system_level: None, group });
        }
        let level = |given: &Option<String>, was: Option<String>| {
            given.clone().or(was).or_else(|| Some("INFO".to_owned()))
        };
        Ok(Logging {
            format,
            application_level: level(&self.application_level, was.application_level),
            system_level: level(&self.system_level, was.system_level),
            group,
        })
    }
}

/// Notes the faults of `Architectures`.
pub fn check_architectures(architectures: &[String], violations: &mut Violations) {
    let shown = format!("[{}]", architectures.join(", "));
    match architectures {
        [] => violations.add(
            shown,
            "architectures",
            "Member must have length greater than or equal to 1",
        ),
        [one] if ARCHITECTURES.contains(&one.as_str()) => {}
        [_] => violations.add(
            shown,
            "architectures",
            "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        ),
        _ => violations.add(shown, "architectures", "Member must have length less than or equal to 1"),
    }
}

/// `arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`
fn is_role_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (arn, partition, service, region) = (part(), part(), part(), part());
    let (account, resource) = (part(), part());
    let partition_fits = partition.is_empty()
        || partition
            .strip_prefix("aws")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-'));
    let name_fits = resource.strip_prefix("role").is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| is_word(byte) || matches!(byte, b'+' | b'=' | b',' | b'.' | b'@' | b'/'))
    });
    arn == "arn"
        && partition_fits
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && name_fits
}

#[cfg(test)]
mod tests;
