//! A gateway's life: start, ready, serving, draining, end.
//!
//! Everything that can fail fails before the ready signal. Then SIGTERM or SIGINT begins the drain: no connection is accepted,
//! idle ones close, running calls end or are ended within `server.drain_seconds`. A second signal ends the process at once.

mod signals;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub use signals::{Signals, Told};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    admin::{self, Status},
    config::{Config, ConfigError},
    data_dir::{
        DataDir, DataDirError, KeyFile, RootKey, RootKeyOrigin, Rotated, record_public_url, seeded_root_key,
    },
    gateway::{Gateway, Parts},
    listen::{self, ListenError, Listener, tls},
};
use crate::{
    api::Door,
    base::{Clock, KeyRing, Rng, SystemClock, SystemRng},
    edge::{
        server::{Connections, Limits, Server},
        serving::Serving,
    },
};

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The admin socket cannot be made.
    #[error(transparent)]
    Admin(#[from] admin::ServerError),
    /// A thread.
    #[error("a thread that serves could not be started: {0}")]
    Thread(std::io::Error),
    /// The gateway itself.
    #[error("{0}")]
    Gateway(Box<dyn std::error::Error + Send + Sync>),
}

/// A gateway that is ready.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    /// Where it is reached.
    pub status: Status,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Where its root key comes from.
    pub root_key: RootKeyOrigin,
}

/// How often the certificate's files are looked at.
const CERTIFICATE_POLL: Duration = Duration::from_secs(5);
/// How many connections from inside sandboxes may wait to be served.
const FROM_INSIDE_MAX: usize = 256;
/// How long what is left over may take to end after the drain.
const CLOSE: Duration = Duration::from_secs(5);

/// Opens the data directory that the configuration names, or the default one.
pub fn data_dir(config: &Config) -> Result<DataDir, DataDirError> {
    match &config.data.dir {
        Some(path) => DataDir::open_or_make(path),
        None => DataDir::open_or_make(&DataDir::default_path()?),
    }
}

/// Opens the key ring, and says what became of it.
pub fn key_ring(
    config: &Config,
    dir: &DataDir,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<KeyRing, DataDirError> {
    let path = config.keys.file.clone().unwrap_or_else(|| dir.key_file());
    let rotate_after = Duration::from_secs(u64::from(config.keys.rotate_days) * 86_400);
    let (file, rotated) = KeyFile::open(&path, rotate_after, clock, rng)?;
    match rotated {
        Rotated::Made => {
            tracing::info!(file = %path.display(), "made a key ring: a backup without it is useless")
        }
        Rotated::Added(id) => tracing::info!(file = %path.display(), id, "added a key to the key ring"),
        Rotated::Unchanged => {}
    }
    file.ring(&path)
}

/// The root key: the environment's, or the one in the data directory, which is made if it is not there.
pub fn root_key(dir: &DataDir, rng: &dyn Rng) -> Result<RootKey, DataDirError> {
    match seeded_root_key(|name| std::env::var_os(name))? {
        Some(seeded) => Ok(seeded),
        None => dir.keep_root_key(rng),
    }
}

/// Runs a gateway until `signals` tell it to end; `announce` is called once, when calls can be served. `reload` reads the
/// configuration anew when the signals say so.
pub async fn serve<G: Gateway>(
    config: Config,
    reload: impl Fn() -> Result<Config, ConfigError>,
    mut signals: Signals,
    announce: impl FnOnce(&Started),
) -> Result<(), StartError> {
    raise_open_files();
    let dir = data_dir(&config)?;
    // Held to the very end: whoever gets it next finds the store closed.
    let _lock = dir.lock()?;
    let clock = Arc::new(SystemClock::new());
    let rng = Arc::new(SystemRng);
    let ring = Arc::new(key_ring(&config, &dir, clock.as_ref(), rng.as_ref())?);
    let root_key = root_key(&dir, rng.as_ref())?;
    let origin = root_key.origin.clone();
    let acceptor = match (&config.server.tls_certificate, &config.server.tls_key) {
        (Some(certificate), Some(key)) => Some(Arc::new(tls::Acceptor::load(certificate, key)?)),
        _ => None,
    };
    let listeners = listen::bind(&config.server)?;
    let status = status(&config, &listeners);
    watch_public_url(&config, &dir)?;
    let public_url = status.public_url.clone();
    let connections = Arc::new(Connections::default());
    let serving = Arc::new(Serving::start(config.server.serving_threads()).map_err(StartError::Thread)?);
    let drain_for = Duration::from_secs(config.server.drain_seconds);
    let limits = Limits {
        connections_max: u64::from(config.server.connections_max),
        header_read: Duration::from_secs(config.server.header_read_seconds),
        handshake: Duration::from_secs(config.server.header_read_seconds),
    };
    let admin = admin::Server::bind(&dir)?;
    let (inside, from_inside) = mpsc::channel(FROM_INSIDE_MAX);
    let parts = Parts {
        config,
        dir: dir.clone(),
        ring,
        root_key,
        public_url,
        connections: connections.clone(),
        inside,
        clock,
        rng,
    };
    let gateway = G::open(parts).await.map_err(|cause| StartError::Gateway(Box::new(cause)))?;

    let (drain, draining) = watch::channel(false);
    let mut accepting = JoinSet::new();
    let server = |secure, doors| Server {
        answer: gateway.clone(),
        secure,
        doors,
        limits: limits.clone(),
        serving: serving.clone(),
        connections: connections.clone(),
        metrics: gateway.metrics(),
        drain: draining.clone(),
    };
    for listener in listeners {
        let secure = acceptor.clone().filter(|_| listener.tls);
        accepting.spawn(server(secure, listener.doors).run(listener.socket));
    }
    accepting.spawn(server(None, &[Door::Data]).run(listen::Sandboxes(from_inside)));
    let commands = tokio::spawn(admin.serve(status.clone(), gateway.clone()));
    announce(&Started { status, data_dir: dir.path().to_owned(), root_key: origin });

    let reload = || match reload() {
        Ok(config) => {
            gateway.reload(&config);
            tracing::info!("the limits were read again; other settings change with a restart");
        }
        Err(cause) => tracing::error!(%cause, "the new configuration cannot be used; the limits before stay"),
    };
    serve_until_told(&mut signals, acceptor.as_deref(), reload).await;

    tracing::info!(
        seconds = drain_for.as_secs(),
        open = connections.open(),
        "draining: running calls may end"
    );
    gateway.begin_drain();
    drain.send_replace(true);
    while accepting.join_next().await.is_some() {}
    let close = tokio::select! {
        () = connections.none() => CLOSE,
        () = tokio::time::sleep(drain_for) => {
            tracing::warn!(open = connections.open(), "calls that did not end in time are cut off");
            CLOSE
        }
        () = signals.end() => {
            tracing::warn!("told twice to end: running calls are cut off");
            Duration::ZERO
        }
    };
    gateway.close(close).await;
    commands.abort();
    // Waited for, so that the socket is gone when the lock is.
    let _ = commands.await;
    Ok(())
}

/// Returns at the first signal to end; meanwhile keeps the certificate fresh, and reloads what else is told to be.
async fn serve_until_told(signals: &mut Signals, acceptor: Option<&tls::Acceptor>, reload: impl Fn()) {
    let mut poll = tokio::time::interval(CERTIFICATE_POLL);
    loop {
        let reloaded = tokio::select! {
            told = signals.next() => match told {
                Told::End => return,
                Told::Reload => {
                    reload();
                    acceptor.map(tls::Acceptor::reload)
                }
            },
            _ = poll.tick(), if acceptor.is_some() => acceptor.and_then(tls::Acceptor::reload_if_changed),
        };
        match reloaded {
            Some(Ok(())) => tracing::info!("the certificate was read again"),
            Some(Err(cause)) => {
                tracing::error!(%cause, "the new certificate cannot be used; the one before stays");
            }
            None => {}
        }
    }
}

/// Each connection and each sandbox takes descriptors; the soft limit is there for programs that use select(2).
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(cause) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%cause, "the limit on open files could not be raised");
    }
}

fn status(config: &Config, listeners: &[Listener]) -> Status {
    let url = |listener: Option<&Listener>| {
        listener.map_or_else(String::new, |listener| {
            let scheme = if listener.tls { "https" } else { "http" };
            format!("{scheme}://{}", listener.address)
        })
    };
    let listen = url(listeners.first());
    Status {
        public_url: config.server.public_url.as_ref().map_or(&*listen, |url| url.as_str()).to_owned(),
        listen,
        management: url(listeners.last()),
        region: config.server.region.as_str().to_owned(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Warns when issuer names and links have changed. Only a configured URL counts: a port that was free today says nothing.
fn watch_public_url(config: &Config, dir: &DataDir) -> Result<(), DataDirError> {
    if let Some(url) = &config.server.public_url
        && let Some(warning) = record_public_url(dir, url.as_str())?.warning(url.as_str())
    {
        tracing::warn!("{warning}");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
