//! The one client for requests that are made on somebody's word: discovery, keys, later webhooks.
//!
//! Whoever may name an issuer could otherwise have the gateway ask its own network. So: public addresses only unless
//! configuration lists others, checked where the connection is made; `https` only, but for issuers on loopback where
//! configuration says so; no redirects, no proxy from the environment, and bounds on size, time and number.

mod address;
mod resolver;

use std::{error::Error as _, net::IpAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use tokio::sync::Semaphore;
use url::Host;

pub use address::{Allowed, InvalidAllowed, is_public};
use resolver::{Filter, Forbidden, Rule};

/// How many requests run at a time; the others wait within their own time.
const IN_FLIGHT_MAX: usize = 512;
/// Connections that idle longer are closed.
const IDLE: Duration = Duration::from_secs(30);

/// What the client may do.
#[derive(Clone, Debug)]
pub struct OutboundConfig {
    /// Addresses and hosts that may be reached although they are not public.
    pub allowed: Vec<Allowed>,
    /// Whether `http` to this machine itself is let through.
    pub allow_loopback_http: bool,
    /// Certificates of further authorities, in PEM.
    pub extra_roots_pem: Vec<u8>,
    /// The largest answer, in bytes.
    pub body_bytes_max: usize,
    /// The longest time from the request to the last byte of the answer.
    pub time_max: Duration,
}

impl Default for OutboundConfig {
    fn default() -> Self {
        Self {
            allowed: Vec::new(),
            allow_loopback_http: false,
            extra_roots_pem: Vec::new(),
            body_bytes_max: 1 << 20,
            time_max: Duration::from_secs(5),
        }
    }
}

/// Why a request failed, or was not made.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The client could not be made.
    #[error("the client for outgoing requests could not be made: {0}")]
    Client(String),
    /// The URL's form is not one that is asked.
    #[error("{url:?} is not asked: {why}")]
    Url {
        /// The URL, cut.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The host is at no address that may be reached.
    #[error("{0} is at no public address, and outbound.allowed does not list it")]
    Address(String),
    /// The answer was not 200.
    #[error("the answer's status is {0}, not 200")]
    Status(u16),
    /// The answer is larger than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It took too long.
    #[error("the answer took longer than {0:?}")]
    TimedOut(Duration),
    /// The connection or the protocol failed.
    #[error("{0}")]
    Failed(String),
}

/// The client.
#[derive(Clone, Debug)]
pub struct Outbound {
    public: (Client, Rule),
    loopback: Option<(Client, Rule)>,
    in_flight: Arc<Semaphore>,
    body_bytes_max: usize,
    time_max: Duration,
}

impl Outbound {
    /// A client under these rules.
    pub fn new(config: &OutboundConfig) -> Result<Self, OutboundError> {
        let failed = |error: reqwest::Error| OutboundError::Client(detail(&error));
        let public = Rule::Public(config.allowed.clone().into());
        let roots = reqwest::Certificate::from_pem_bundle(&config.extra_roots_pem).map_err(failed)?;
        let builder = builder(&public, config.time_max).https_only(true);
        let builder = if roots.is_empty() { builder } else { builder.tls_certs_merge(roots) };
        let loopback = if config.allow_loopback_http {
            Some((builder_for_loopback(config.time_max).map_err(failed)?, Rule::Loopback))
        } else {
            None
        };
        Ok(Self {
            public: (builder.build().map_err(failed)?, public),
            loopback,
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
            body_bytes_max: config.body_bytes_max,
            time_max: config.time_max,
        })
    }

    /// The URL of an issuer or host whose name came without its scheme: `http` for loopback where that is let through, else
    /// `https`.
    pub fn issuer_url(&self, name: &str) -> String {
        let plain = format!("http://{name}");
        let is_loopback = Url::parse(&plain).is_ok_and(|url| is_named_loopback(&url));
        if is_loopback && self.loopback.is_some() { plain } else { format!("https://{name}") }
    }

    /// GETs a JSON document. Anything but 200 is an error.
    pub async fn get(&self, url: &str) -> Result<Bytes, OutboundError> {
        self.get_as(url, None).await
    }

    /// The same with `Authorization: Bearer <token>`. The token is in no error.
    pub async fn get_as(&self, url: &str, bearer: Option<&str>) -> Result<Bytes, OutboundError> {
        let url = parse(url)?;
        let client = self.client_for(&url)?;
        let asked = tokio::time::timeout(self.time_max, async {
            // The semaphore is never closed.
            let _running = self.in_flight.acquire().await;
            let mut request = client.get(url.clone()).header(reqwest::header::ACCEPT, "application/json");
            if let Some(token) = bearer {
                request = request.bearer_auth(token);
            }
            let response = request.send().await.map_err(|error| self.explain(&error, &url))?;
            if response.status() != StatusCode::OK {
                return Err(OutboundError::Status(response.status().as_u16()));
            }
            self.read(response, &url).await
        });
        asked.await.unwrap_or(Err(OutboundError::TimedOut(self.time_max)))
    }

    /// Whether the URL would be asked, as far as can be told without a resolver.
    pub fn check(&self, url: &str) -> Result<(), OutboundError> {
        self.client_for(&parse(url)?).map(drop)
    }

    fn client_for(&self, url: &Url) -> Result<&Client, OutboundError> {
        let refused = |why| OutboundError::Url { url: cut(url.as_str()), why };
        let (client, rule) = match url.scheme() {
            "https" => &self.public,
            "http" if is_named_loopback(url) => {
                self.loopback.as_ref().ok_or_else(|| refused("http is off (oidc.allow_loopback_http)"))?
            }
            "http" => return Err(refused("http is for loopback alone")),
            _ => return Err(refused("only https is asked")),
        };
        // The resolver is not asked about addresses, so they are looked at here.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(refused("it names no host")),
        };
        match literal {
            Some(address) if !rule.admits(url.host_str().unwrap_or_default(), address) => {
                Err(OutboundError::Address(address.to_string()))
            }
            _ => Ok(client),
        }
    }

    async fn read(&self, mut response: Response, url: &Url) -> Result<Bytes, OutboundError> {
        let too_large = || OutboundError::TooLarge(self.body_bytes_max);
        if response.content_length().is_some_and(|length| length > self.body_bytes_max as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(&error, url))? {
            if body.len() + chunk.len() > self.body_bytes_max {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    fn explain(&self, error: &reqwest::Error, url: &Url) -> OutboundError {
        let mut source = error.source();
        while let Some(cause) = source {
            if cause.is::<Forbidden>() {
                return OutboundError::Address(cut(url.host_str().unwrap_or_default()));
            }
            source = cause.source();
        }
        if error.is_timeout() {
            return OutboundError::TimedOut(self.time_max);
        }
        OutboundError::Failed(detail(error))
    }
}

fn builder(rule: &Rule, time_max: Duration) -> reqwest::ClientBuilder {
    Client::builder()
        .dns_resolver(Filter(rule.clone()))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(1)
        .user_agent(concat!("callgate/", env!("CARGO_PKG_VERSION")))
        .timeout(time_max)
}

fn builder_for_loopback(time_max: Duration) -> reqwest::Result<Client> {
    builder(&Rule::Loopback, time_max).build()
}

fn parse(url: &str) -> Result<Url, OutboundError> {
    let refused = |why| OutboundError::Url { url: cut(url), why };
    let parsed = Url::parse(url).map_err(|_| refused("it is no URL"))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(refused("it holds a user's name or password"));
    }
    Ok(parsed)
}

fn is_named_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(256).collect()
}

/// An error with its causes; without its URL, which the caller names.
fn detail(error: &reqwest::Error) -> String {
    let mut text = String::from("the request failed");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    cut(&text)
}

#[cfg(test)]
mod tests;
