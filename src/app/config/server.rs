//! `[server]`: where and how the gateway listens.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use super::{
    Problem,
    section::section,
    words::{BaseUrl, Origin},
};
use crate::base::{Network, Region};

section! {
    /// Where and how the gateway listens.
    "server" Server {
        /// The address that apps call. While it is loopback it serves management too.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 7070));
        /// The address for management (IAM, functions, pools, `/metrics`), used while `listen` is beyond loopback.
        /// On loopback itself it is plain HTTP, even with TLS on `listen`.
        management_listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 7071));
        /// The URL under which clients reach `listen`; issuer names and links begin with it. Required beyond loopback. The
        /// first value is recorded in the data directory, and a later change ends what was issued under the old one.
        public_url: Option<BaseUrl> = None;
        /// PEM file of the certificate chain; read again on SIGHUP and when it changes.
        tls_certificate: Option<PathBuf> = None;
        /// PEM file of the certificate's private key; read again with it.
        tls_key: Option<PathBuf> = None;
        /// A proxy in front ends TLS, so that `listen` may be plain beyond loopback.
        behind_tls_proxy: bool = false;
        /// Proxies whose `Forwarded`, `X-Forwarded-For` and `X-Forwarded-Proto` headers count; nobody else's do.
        trusted_proxies: Vec<Network> = Vec::new();
        /// Web origins that browsers may call from.
        cors_allowed_origins: Vec<Origin> = Vec::new();
        /// Serve plain HTTP beyond loopback though nothing protects it.
        allow_plaintext: bool = false;
        /// The AWS region that this gateway says it is; it is part of every ARN and signature.
        region: Region = Region::new("us-east-1");
        /// How many threads serve requests, each with its own connections and sandboxes; as many as there are processors
        /// unless set.
        threads: Option<u32> = None, 1 to 1_024;
        /// How long running calls may take to end after SIGTERM, in seconds.
        drain_seconds: u64 = 30, 0 to 3600;
        /// How long a client may take to send a request's headers, in seconds.
        header_read_seconds: u64 = 10, 1 to 300;
        /// How long a client may take to send a request's body, in seconds.
        body_read_seconds: u64 = 30, 1 to 3600;
        /// Take payloads of Invoke that are compressed with gzip.
        compressed_requests: bool = true;
        /// How many bytes of requests and answers may be in memory at once, of them at most half, or 18 MiB, from one source address;
        /// over it new requests get 503.
        bytes_in_flight_max: u64 = 268_435_456, 16_777_216 to 1_099_511_627_776;
        /// How many connections may be open at once; over it new ones wait to be accepted.
        connections_max: u32 = 10_000, 1 to 1_000_000;
    }
}

impl Server {
    /// Whether `listen` can be reached from other machines, which is when the doors part.
    pub fn beyond_loopback(&self) -> bool {
        !self.listen.ip().to_canonical().is_loopback()
    }

    /// Whether TLS is configured.
    pub fn tls(&self) -> bool {
        self.tls_certificate.is_some() && self.tls_key.is_some()
    }

    /// How many threads serve requests.
    pub fn serving_threads(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(processors, |threads| usize::try_from(threads).unwrap_or(1))
    }

    /// The rules of safety that hold between fields.
    pub(super) fn validate(&self, problems: &mut Vec<Problem>) {
        let mut problem = |field: &str, what: String| {
            problems.push(Problem { place: format!("[server] {field}"), what });
        };
        match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => problem("tls_key", "required, since tls_certificate is set".to_owned()),
            (None, Some(_)) => problem("tls_certificate", "required, since tls_key is set".to_owned()),
            _ => {}
        }
        let protected = self.tls() || self.behind_tls_proxy || self.allow_plaintext;
        if self.beyond_loopback() {
            if self.public_url.is_none() {
                problem(
                    "public_url",
                    format!(
                        "required, since listen = {} is beyond loopback: the URL under which clients reach it",
                        self.listen
                    ),
                );
            }
            if !protected {
                problem("listen", unprotected(self.listen));
            }
            if self.listen == self.management_listen && self.listen.port() != 0 {
                problem("management_listen", "must differ from listen".to_owned());
            }
            if !self.management_listen.ip().to_canonical().is_loopback() && !protected {
                problem("management_listen", unprotected(self.management_listen));
            }
        }
    }
}

fn unprotected(address: SocketAddr) -> String {
    format!(
        "{address} is beyond loopback and nothing protects it: set tls_certificate and tls_key, or behind_tls_proxy = true if \
         a proxy ends TLS, or allow_plaintext = true to go without"
    )
}
