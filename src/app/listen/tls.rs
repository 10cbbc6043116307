//! TLS: the certificate pair, read again when it changes. A broken pair never replaces one that works.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs},
    server::TlsStream,
};

use crate::edge::server::Secure;

/// Why a pair cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or is no PEM.
    #[error("[server] {field}: {} cannot be used: {cause}", path.display())]
    File {
        /// The field that names it.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: pem::Error,
    },
    /// There is no certificate in the file.
    #[error("[server] tls_certificate: {} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// The certificate and the key are not a pair, or of a kind that TLS does not have.
    #[error("[server] tls_certificate and tls_key are not a pair that can be used: {0}")]
    Pair(tokio_rustls::rustls::Error),
}

/// Accepts TLS connections with the newest pair that works.
#[derive(Debug)]
pub struct Acceptor {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<ServerConfig>,
    tried: Mutex<Stamps>,
}

/// What tells whether a file is another than before: inode, size, and seconds and nanoseconds of its last change.
type Stamp = Option<(u64, u64, i64, i64)>;
type Stamps = [Stamp; 2];

impl Acceptor {
    /// Reads the pair.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let tried = Mutex::new(stamps(certificate, key));
        let current = ArcSwap::new(read(certificate, key)?);
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), current, tried })
    }

    /// Reads the pair again and serves new connections with it. If it is broken the old one stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        *self.tried.lock().unwrap_or_else(PoisonError::into_inner) = stamps(&self.certificate, &self.key);
        self.current.store(read(&self.certificate, &self.key)?);
        Ok(())
    }

    /// Reloads if a file has changed since it was last tried; `None` if none has. A broken pair is thus told of once, and
    /// tried again as soon as it changes.
    pub fn reload_if_changed(&self) -> Option<Result<(), TlsError>> {
        let now = stamps(&self.certificate, &self.key);
        let changed = *self.tried.lock().unwrap_or_else(PoisonError::into_inner) != now;
        changed.then(|| self.reload())
    }
}

impl Secure for Acceptor {
    type Stream = TlsStream<TcpStream>;

    async fn secure(&self, stream: TcpStream) -> io::Result<Self::Stream> {
        TlsAcceptor::from(self.current.load_full()).accept(stream).await
    }
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec()))
    })
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let broken = |field, path: &Path| {
        let path = path.to_owned();
        move |cause| TlsError::File { field, path, cause }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(broken("tls_certificate", certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(broken("tls_key", key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio_rustls::{
        TlsConnector,
        rustls::{ClientConfig, RootCertStore},
    };

    use super::*;

    struct Pair {
        folder: tempfile::TempDir,
    }

    impl Pair {
        fn new() -> Self {
            let pair = Self { folder: tempfile::tempdir().unwrap() };
            pair.renew();
            pair
        }

        fn files(&self) -> (PathBuf, PathBuf) {
            (self.folder.path().join("certificate.pem"), self.folder.path().join("key.pem"))
        }

        /// Writes a new pair and returns its certificate.
        fn renew(&self) -> CertificateDer<'static> {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let (certificate, key) = self.files();
            fs::write(certificate, made.cert.pem()).unwrap();
            fs::write(key, made.signing_key.serialize_pem()).unwrap();
            made.cert.der().clone()
        }

        fn load(&self) -> Result<Acceptor, TlsError> {
            let (certificate, key) = self.files();
            Acceptor::load(&certificate, &key)
        }
    }

    /// Whether a client that trusts this certificate alone gets a connection, and with which protocol.
    async fn connects(acceptor: &Acceptor, trusted: &CertificateDer<'static>) -> Option<Vec<u8>> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let name = "localhost".try_into().unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let (client, _) = tokio::join!(connector.connect(name, client), acceptor.secure(server));
        client.ok().map(|client| client.get_ref().1.alpn_protocol().unwrap_or_default().to_vec())
    }

    #[tokio::test]
    async fn a_new_pair_is_served_once_it_is_read_and_a_broken_one_never() {
        let pair = Pair::new();
        let first = pair.renew();
        let acceptor = pair.load().unwrap();
        assert_eq!(connects(&acceptor, &first).await.as_deref(), Some(b"http/1.1".as_slice()));
        assert!(acceptor.reload_if_changed().is_none());

        let second = pair.renew();
        assert_eq!(connects(&acceptor, &second).await, None);
        assert!(matches!(acceptor.reload_if_changed(), Some(Ok(()))));
        assert!(connects(&acceptor, &second).await.is_some());
        assert_eq!(connects(&acceptor, &first).await, None);

        fs::write(pair.files().1, "no key").unwrap();
        let error = acceptor.reload_if_changed().unwrap().unwrap_err().to_string();
        assert!(error.starts_with("[server] tls_key: ") && error.contains("key.pem"), "{error}");
        assert!(acceptor.reload_if_changed().is_none(), "told twice");
        assert!(connects(&acceptor, &second).await.is_some());
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        let pair = Pair::new();
        let (certificate, _) = pair.files();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&certificate, other.cert.pem()).unwrap();
        assert!(matches!(pair.load(), Err(TlsError::Pair(_))));
        fs::write(&certificate, "").unwrap();
        assert!(matches!(pair.load(), Err(TlsError::NoCertificate(_))));
        fs::remove_file(&certificate).unwrap();
        assert!(matches!(pair.load(), Err(TlsError::File { field: "tls_certificate", .. })));
    }
}
