//! UpdateFunctionConfiguration

use http::{Method, StatusCode};

use super::{
    BODY_BYTES_MAX, body::Body, create_function::check_snap_start, instead, naming,
    shapes::FunctionConfiguration, spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused, Stored},
        },
    },
    functions::{Functions, Named, config::Settings, name::Form, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "UpdateFunctionConfiguration",
    members: &[
        ("FunctionName", Implemented),
        ("Role", Implemented),
        ("Handler", Implemented),
        ("Description", Implemented),
        ("Timeout", Implemented),
        ("MemorySize", Implemented),
        ("VpcConfig", Refused(instead::VPC)),
        ("Environment.Variables", Implemented),
        ("Runtime", Implemented),
        ("DeadLetterConfig", Refused(instead::DEAD_LETTERS)),
        ("KMSKeyArn", Refused(instead::KMS)),
        ("TracingConfig.Mode", Stored),
        ("RevisionId", Implemented),
        ("Layers", Refused(instead::LAYERS)),
        ("FileSystemConfigs", Refused(instead::FILE_SYSTEMS)),
        ("ImageConfig", Refused(instead::IMAGES)),
        ("EphemeralStorage.Size", Implemented),
        ("SnapStart.ApplyOn", Implemented),
        ("SnapStart.ApplyOn PublishedVersions", Refused(instead::SNAPSHOTS)),
        ("LoggingConfig.LogFormat", Stored),
        ("LoggingConfig.ApplicationLogLevel", Stored),
        ("LoggingConfig.SystemLogLevel", Stored),
        ("LoggingConfig.LogGroup", Implemented),
        ("CapacityProviderConfig", Refused(instead::LEAVE_OUT)),
        ("DurableConfig", Refused(instead::LEAVE_OUT)),
        ("RuntimeConfig", Refused(instead::LEAVE_OUT)),
        ("AcceleratorConfig", Refused(instead::LEAVE_OUT)),
    ],
};

/// Changes a function's settings; what is not named stays as it is.
#[derive(Debug)]
pub struct UpdateFunctionConfiguration {
    named: Named,
    settings: Settings,
    revision: Option<String>,
}

/// The settings that creating and updating have in common, unchecked.
pub(super) fn read_settings(body: &Body<'_>) -> Result<Settings, ApiError> {
    check_snap_start(body)?;
    let tmp = body.structure("EphemeralStorage.")?;
    let tracing = body.structure("TracingConfig.")?;
    Ok(Settings {
        description: body.text("Description")?,
        runtime: body.text("Runtime")?,
        handler: body.text("Handler")?,
        role_arn: body.text("Role")?,
        timeout_seconds: body.number("Timeout")?,
        memory_mb: body.number("MemorySize")?,
        tmp_mb: tmp.map(|tmp| tmp.number("Size")).transpose()?.flatten(),
        architectures: None,
        tracing: tracing.map(|tracing| tracing.text("Mode")).transpose()?.flatten(),
        logging: body.logging()?,
        environment: body.environment()?,
    })
}

impl Operation for UpdateFunctionConfiguration {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "UpdateFunctionConfiguration",
            Method::PUT,
            "/2015-03-31/functions/{FunctionName}/configuration",
            "lambda:UpdateFunctionConfiguration",
            BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let body = Body::read(raw.body, &MEMBERS)?;
        let settings = read_settings(&body)?;
        let mut violations = Violations::default();
        Named::check(raw.path("FunctionName"), None, Form::Plain, &mut violations);
        settings.check(&mut violations);
        violations.into_result()?;
        let named = naming::read(raw, Form::Plain)?;
        naming::check_unqualified(&named)?;
        settings.check_runtime()?;
        Ok(Self { named, settings, revision: body.text("RevisionId")? })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let mut resources = vec![naming::resource(&self.named, state, context)?];
        resources.extend(self.settings.role_arn.as_deref().map(naming::pass_role));
        Ok(resources)
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let updated =
            state.update_configuration(&reference, &self.settings, self.revision.as_deref()).await?;
        Reply::json(StatusCode::OK, &FunctionConfiguration::of(&updated, None, context.region))
    }
}
