//! TLS with the site's own certificate. A renewed certificate is taken without a restart.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{error, info};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How often the files are looked at, while there are connections.
const LOOKED_AT: Duration = Duration::from_secs(60);

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A file cannot be read.
    #[error("{path} cannot be read: {error}", path = .0.display(), error = .1)]
    File(PathBuf, io::Error),
    /// There is no certificate in the file.
    #[error("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    /// There is no private key in the file.
    #[error("{} holds no private key in PEM form without a password", .0.display())]
    NoKey(PathBuf),
    /// They do not belong together, or are of a kind that is not supported.
    #[error("{certificate} and {key} cannot be used together: {error}", certificate = .0.display(), key = .1.display(), error = .2)]
    Pair(PathBuf, PathBuf, rustls::Error),
}

/// The files of a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Files {
    /// The certificate and those between it and the root, in PEM form.
    pub certificate: PathBuf,
    /// Its private key, in PEM form.
    pub key: PathBuf,
}

impl Files {
    /// What answers with this certificate.
    ///
    /// # Errors
    /// [`Unusable`], with the file and the cause. The content of the key is in no error.
    pub fn load(&self) -> Result<Arc<ServerConfig>, Unusable> {
        let Self { certificate, key } = self;
        let read = |path: &Path| std::fs::read(path).map_err(|e| Unusable::File(path.into(), e));
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(certificate)?).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| Unusable::NoCertificate(certificate.clone()))?;
        let secret = zeroize::Zeroizing::new(read(key)?);
        let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|_| Unusable::NoKey(key.clone()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|versions| versions.with_no_client_auth().with_single_cert(chain, secret));
        let mut config = config.map_err(|e| Unusable::Pair(certificate.clone(), key.clone(), e))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// When each was changed last, as far as is known.
    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key]
            .map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

/// A certificate in use.
pub(super) struct Tls {
    files: Files,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    /// When the files were changed that were read last.
    of: [Option<SystemTime>; 2],
    looked: Instant,
}

impl Tls {
    pub(super) fn open(files: Files) -> Result<Self, Unusable> {
        let of = files.changed();
        let current = Current { config: files.load()?, of, looked: Instant::now() };
        Ok(Self { files, current: Mutex::new(current) })
    }

    /// Begins TLS on a connection, within a few seconds.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.config());
        timeout(HANDSHAKE, acceptor.accept(stream)).await?
    }

    /// What answers now. Files that changed are read again; if they cannot be used, the certificate before stays.
    fn config(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= LOOKED_AT {
            current.looked = Instant::now();
            let changed = self.files.changed();
            if changed != current.of {
                current.of = changed;
                match self.files.load() {
                    Ok(config) => {
                        current.config = config;
                        info!(event = "web.certificate", "the console has a new certificate");
                    }
                    Err(error) => {
                        error!(event = "web.certificate_unusable", %error, "the console goes on with the certificate before");
                    }
                }
            }
        }
        current.config.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn files(folder: &Path) -> Files {
        Files { certificate: folder.join("a.pem"), key: folder.join("a.key") }
    }

    fn renew(files: &Files) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        fs::write(&files.certificate, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    }

    /// As if the files had been looked at long ago.
    fn later(tls: &Tls) -> Arc<ServerConfig> {
        tls.current.lock().unwrap().looked = Instant::now().checked_sub(LOOKED_AT).unwrap();
        tls.config()
    }

    #[test]
    fn files_that_cannot_be_used_are_named_with_the_cause() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let why = || files.load().unwrap_err().to_string();
        assert!(why().contains("a.pem cannot be read"), "{}", why());
        renew(&files);
        assert!(files.load().is_ok());
        let (certificate, key) = (fs::read(&files.certificate).unwrap(), fs::read(&files.key).unwrap());
        fs::write(&files.certificate, &key).unwrap();
        assert!(why().contains("a.pem holds no certificate"), "{}", why());
        fs::write(&files.certificate, &certificate).unwrap();
        fs::write(&files.key, &certificate).unwrap();
        assert!(why().contains("a.key holds no private key"), "{}", why());
        renew(&files);
        fs::write(&files.key, &key).unwrap();
        assert!(why().contains("cannot be used together"), "{}", why());
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_an_unusable_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        renew(&files);
        let tls = Tls::open(files.clone()).unwrap();
        let first = tls.config();
        assert!(Arc::ptr_eq(&first, &later(&tls)), "nothing changed");
        let touch = |seconds| {
            let file = fs::File::options().append(true).open(&files.certificate).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(seconds)).unwrap();
        };
        renew(&files);
        touch(1);
        let second = later(&tls);
        assert!(!Arc::ptr_eq(&first, &second));
        fs::write(&files.certificate, "x").unwrap();
        touch(2);
        assert!(Arc::ptr_eq(&second, &later(&tls)), "the one before stays");
    }
}
