//! CreateFunction

use std::collections::BTreeMap;

use http::{Method, StatusCode};

use super::{
    PACKAGE_BODY_BYTES_MAX, PACKAGE_REQUEST_BYTES_MAX,
    body::{Body, EncodedPackage},
    errors::{parameter, too_large},
    instead,
    naming::{check_unqualified, locate, pass_role, resource},
    shapes::FunctionConfiguration,
    spec, tags,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused, Stored},
        },
    },
    functions::{FunctionError, Functions, Named, config::Settings, name::Form, validation::Violations},
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "CreateFunction",
    members: &[
        ("FunctionName", Implemented),
        ("Runtime", Implemented),
        ("Role", Implemented),
        ("Handler", Implemented),
        ("Code.ZipFile", Implemented),
        ("Code.S3Bucket", Refused(instead::S3)),
        ("Code.S3Key", Refused(instead::S3)),
        ("Code.S3ObjectVersion", Refused(instead::S3)),
        ("Code.S3ObjectStorageMode", Refused(instead::S3)),
        ("Code.ImageUri", Refused(instead::IMAGES)),
        ("Code.SourceKMSKeyArn", Refused(instead::KMS)),
        ("Description", Implemented),
        ("Timeout", Implemented),
        ("MemorySize", Implemented),
        ("Publish", Implemented),
        ("PublishTo", Refused(instead::VERSIONS)),
        ("VpcConfig", Refused(instead::VPC)),
        ("PackageType", Implemented),
        ("PackageType Image", Refused(instead::IMAGES)),
        ("DeadLetterConfig", Refused(instead::DEAD_LETTERS)),
        ("Environment.Variables", Implemented),
        ("KMSKeyArn", Refused(instead::KMS)),
        ("TracingConfig.Mode", Stored),
        ("Tags", Implemented),
        ("Layers", Refused(instead::LAYERS)),
        ("FileSystemConfigs", Refused(instead::FILE_SYSTEMS)),
        ("CodeSigningConfigArn", Refused(instead::SIGNING)),
        ("ImageConfig", Refused(instead::IMAGES)),
        ("Architectures", Stored),
        ("EphemeralStorage.Size", Implemented),
        ("SnapStart.ApplyOn", Implemented),
        ("SnapStart.ApplyOn PublishedVersions", Refused(instead::SNAPSHOTS)),
        ("LoggingConfig.LogFormat", Stored),
        ("LoggingConfig.ApplicationLogLevel", Stored),
        ("LoggingConfig.SystemLogLevel", Stored),
        ("LoggingConfig.LogGroup", Implemented),
        ("TenancyConfig", Refused(instead::LEAVE_OUT)),
        ("CapacityProviderConfig", Refused(instead::LEAVE_OUT)),
        ("DurableConfig", Refused(instead::LEAVE_OUT)),
        ("RuntimeConfig", Refused(instead::LEAVE_OUT)),
        ("AcceleratorConfig", Refused(instead::LEAVE_OUT)),
    ],
};

/// Makes a function. Its answer is 201 with the function as it is then, `Pending`.
#[derive(Debug)]
pub struct CreateFunction {
    named: Named,
    settings: Settings,
    tags: BTreeMap<String, String>,
    package: EncodedPackage,
    publish: bool,
}

impl Operation for CreateFunction {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "CreateFunction",
            Method::POST,
            "/2015-03-31/functions",
            "lambda:CreateFunction",
            PACKAGE_BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let body = Body::read(raw.body, &MEMBERS)?;
        let code = body.structure("Code.")?;
        let package = code.as_ref().map(Body::package).transpose()?.flatten();
        if raw.body.len() > PACKAGE_REQUEST_BYTES_MAX {
            return Err(too_large(format!(
                "Request must be smaller than {PACKAGE_REQUEST_BYTES_MAX} bytes for the CreateFunction operation"
            )));
        }
        let settings = super::update_function_configuration::read_settings(&body)?;
        let settings = Settings { architectures: body.texts("Architectures")?, ..settings };

        let mut violations = Violations::default();
        let name = body.text("FunctionName")?;
        match &name {
            Some(name) => drop(Named::check(name, None, Form::Plain, &mut violations)),
            None => violations.missing("functionName"),
        }
        if settings.role_arn.is_none() {
            violations.missing("role");
        }
        if code.is_none() {
            violations.missing("code");
        }
        settings.check(&mut violations);
        if let Some(package_type) = body.text("PackageType")? {
            if package_type == "Image" {
                return Err(ApiError::unsupported("PackageType Image", instead::IMAGES));
            }
            violations.one_of(&package_type, "packageType", &["Image", "Zip"]);
        }
        let tags = tags::read(body.map("Tags")?.unwrap_or_default(), &mut violations)?;
        violations.into_result()?;

        let named = Named::read(&name.unwrap_or_default(), None, Form::Plain)?;
        check_unqualified(&named)?;
        settings.check_runtime()?;
        let package = package.ok_or_else(|| parameter("Please provide a source for function code."))?;
        Ok(Self { named, settings, tags, package, publish: body.flag("Publish")? })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        let mut function = resource(&self.named, state, context)?;
        let account = context.account()?;
        if self.named.account.is_some_and(|named| named != account) {
            return Err(FunctionError::OtherAccount.into());
        }
        function.request_tags = Some(self.tags.clone());
        let mut resources = vec![function.clone()];
        // Tags decide who may invoke: whoever makes a function with some must be permitted to tag it.
        if !self.tags.is_empty() {
            resources.push(Resource { action: Some("lambda:TagResource"), ..function });
        }
        resources.extend(self.settings.role_arn.as_deref().map(pass_role));
        Ok(resources)
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = locate(&self.named, context)?;
        let zip = self.package.decode().await?;
        let made = state.create(reference.account, &reference.name, &self.settings, self.tags, zip).await?;
        if self.publish {
            let version = state.publish_made(&made).await?;
            let answer = FunctionConfiguration::published(&version, &made, None, context.region);
            return Reply::json(StatusCode::CREATED, &answer);
        }
        Reply::json(StatusCode::CREATED, &FunctionConfiguration::of(&made, None, context.region))
    }
}

/// `SnapStart`: nothing else than `None` is there.
pub(super) fn check_snap_start(body: &Body<'_>) -> Result<(), ApiError> {
    let Some(snap_start) = body.structure("SnapStart.")? else { return Ok(()) };
    match snap_start.text("ApplyOn")?.as_deref() {
        None | Some("None") => Ok(()),
        Some("PublishedVersions") => {
            Err(ApiError::unsupported("SnapStart.ApplyOn PublishedVersions", instead::SNAPSHOTS))
        }
        Some(other) => {
            let mut violations = Violations::default();
            violations.one_of(other, "snapStart.applyOn", &["PublishedVersions", "None"]);
            Err(violations.into())
        }
    }
}
