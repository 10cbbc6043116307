//! UpdateFunctionCode

use http::{Method, StatusCode};

use super::{
    PACKAGE_BODY_BYTES_MAX, PACKAGE_REQUEST_BYTES_MAX,
    body::{Body, EncodedPackage},
    errors::{parameter, too_large},
    instead, naming,
    shapes::FunctionConfiguration,
    spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{
            Members,
            Support::{Implemented, Refused, Stored},
        },
    },
    functions::{
        Functions, Named, change::CodeUpdate, config::check_architectures, name::Form, validation::Violations,
    },
};

/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: "UpdateFunctionCode",
    members: &[
        ("FunctionName", Implemented),
        ("ZipFile", Implemented),
        ("S3Bucket", Refused(instead::S3)),
        ("S3Key", Refused(instead::S3)),
        ("S3ObjectVersion", Refused(instead::S3)),
        ("S3ObjectStorageMode", Refused(instead::S3)),
        ("ImageUri", Refused(instead::IMAGES)),
        ("Architectures", Stored),
        ("Publish", Implemented),
        ("PublishTo", Refused(instead::VERSIONS)),
        ("DryRun", Implemented),
        ("RevisionId", Implemented),
        ("SourceKMSKeyArn", Refused(instead::KMS)),
    ],
};

/// Gives a function new code.
#[derive(Debug)]
pub struct UpdateFunctionCode {
    named: Named,
    package: EncodedPackage,
    architectures: Option<Vec<String>>,
    revision: Option<String>,
    dry_run: bool,
    publish: bool,
}

impl Operation for UpdateFunctionCode {
    type State = Functions;

    fn spec() -> Spec {
        spec(
            "UpdateFunctionCode",
            Method::PUT,
            "/2015-03-31/functions/{FunctionName}/code",
            "lambda:UpdateFunctionCode",
            PACKAGE_BODY_BYTES_MAX,
        )
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let body = Body::read(raw.body, &MEMBERS)?;
        let package = body.package()?;
        if raw.body.len() > PACKAGE_REQUEST_BYTES_MAX {
            return Err(too_large(format!(
                "Request must be smaller than {PACKAGE_REQUEST_BYTES_MAX} bytes for the UpdateFunctionCode operation"
            )));
        }
        let architectures = body.texts("Architectures")?;
        let mut violations = Violations::default();
        Named::check(raw.path("FunctionName"), None, Form::Plain, &mut violations);
        if let Some(architectures) = &architectures {
            check_architectures(architectures, &mut violations);
        }
        violations.into_result()?;
        let named = naming::read(raw, Form::Plain)?;
        naming::check_unqualified(&named)?;
        Ok(Self {
            named,
            package: package.ok_or_else(|| parameter("Please provide a source for function code."))?,
            architectures,
            revision: body.text("RevisionId")?,
            dry_run: body.flag("DryRun")?,
            publish: body.flag("Publish")?,
        })
    }

    fn resources(&self, state: &Functions, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![naming::resource(&self.named, state, context)?])
    }

    async fn run(self, state: &Functions, context: &Context<'_>) -> Result<Reply, ApiError> {
        let reference = naming::locate(&self.named, context)?;
        let publish = self.publish && !self.dry_run;
        let update = CodeUpdate {
            zip: self.package.decode().await?,
            architectures: self.architectures,
            revision: self.revision,
            dry_run: self.dry_run,
        };
        let updated = state.update_code(&reference, update).await?;
        if publish {
            let version = state.publish_made(&updated).await?;
            let qualifier = Some(&*version.version);
            let answer = FunctionConfiguration::published(&version, &updated, qualifier, context.region);
            return Reply::json(StatusCode::OK, &answer);
        }
        Reply::json(StatusCode::OK, &FunctionConfiguration::of(&updated, None, context.region))
    }
}
