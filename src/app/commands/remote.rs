//! How commands that use the API find the gateway and the keys to sign with.

use std::{ffi::OsString, path::PathBuf, sync::Arc};

use clap::Args;

use crate::{
    app::{
        admin::Client,
        cli::{Common, Failure},
        client::{Remote, sign::Credentials},
        data_dir::{DataDir, RootKey, seeded_root_key},
        lifecycle,
    },
    base::{Secret, SystemClock},
};

/// What commands that use the API take.
#[derive(Debug, Args)]
pub struct Endpoint {
    /// The gateway's URL; unless given, the gateway that runs on the data directory.
    #[arg(long, env = "CALLGATE_ENDPOINT", value_name = "URL")]
    endpoint: Option<String>,
    /// The URL of its management, if that is another one.
    #[arg(long, env = "CALLGATE_MANAGEMENT_ENDPOINT", value_name = "URL", requires = "endpoint")]
    management_endpoint: Option<String>,
    /// A PEM file with the only certificates to trust, for a gateway whose own is not a public one.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Endpoint {
    /// Whether another gateway is named than the one on the data directory.
    pub fn is_given(&self) -> bool {
        self.endpoint.is_some()
    }

    /// The gateway, with requests unsigned.
    pub async fn unsigned(&self, common: &Common) -> Result<Remote, Failure> {
        let config = common.load(None)?;
        let clock = Arc::new(SystemClock::new());
        let ca = self.ca.as_deref();
        if let Some(endpoint) = &self.endpoint {
            let management = self.management_endpoint.as_ref().unwrap_or(endpoint);
            return Ok(Remote::new(endpoint, management, config.server.region.as_str(), ca, clock)?);
        }
        let dir = lifecycle::data_dir(&config)?;
        let status = Client::new(&dir.admin_socket()).status().await.map_err(|cause| {
            format!("{cause}\nStart one with `callgate serve`, or name another gateway with --endpoint.")
        })?;
        // Over TLS the name counts that the certificate is made out to.
        let data = if status.listen.starts_with("https:") { &status.public_url } else { &status.listen };
        Ok(Remote::new(data, &status.management, &status.region, ca, clock)?)
    }

    /// The gateway, with requests signed by the root key: the environment's `CALLGATE_ROOT_…`, with `--endpoint` its
    /// `AWS_…` too, or the one in the data directory.
    pub async fn signed(&self, common: &Common) -> Result<Remote, Failure> {
        let credentials = self.credentials(common, |name| std::env::var_os(name))?;
        Ok(self.unsigned(common).await?.signed_by(credentials))
    }

    fn credentials(
        &self,
        common: &Common,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Credentials, Failure> {
        if let Some(seeded) = seeded_root_key(&variable)? {
            return Ok(root(seeded));
        }
        let text = |name: &str| variable(name).and_then(|text| text.into_string().ok());
        if self.endpoint.is_some()
            && let (Some(access_key_id), Some(secret)) =
                (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"))
        {
            let session_token = text("AWS_SESSION_TOKEN").map(Secret::from);
            return Ok(Credentials { access_key_id, secret: secret.into(), session_token });
        }
        kept(&lifecycle::data_dir(&common.load(None)?)?)
    }
}

/// The root key of the gateway that this process runs over a data directory.
pub(super) fn root_credentials(dir: &DataDir) -> Result<Credentials, Failure> {
    match seeded_root_key(|name| std::env::var_os(name))? {
        Some(seeded) => Ok(root(seeded)),
        None => kept(dir),
    }
}

fn root(key: RootKey) -> Credentials {
    Credentials { access_key_id: key.access_key_id, secret: key.secret, session_token: None }
}

fn kept(dir: &DataDir) -> Result<Credentials, Failure> {
    dir.kept_root_key()?.map(root).ok_or_else(|| {
        format!(
            "there is no root key in {}: set CALLGATE_ROOT_ACCESS_KEY_ID and CALLGATE_ROOT_SECRET_ACCESS_KEY as the gateway \
             has them",
            dir.path().display()
        )
        .into()
    })
}
