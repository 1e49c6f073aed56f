//! Encrypted connections.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, InconsistentKeys, ServerConfig};

use crate::error::ServerError;
use crate::options::TlsFiles;

/// What begins an encrypted connection.
///
/// # Errors
/// [`ServerError::Tls`]: a file that can't be read or holds something else; a key of another certificate.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServerError> {
    let TlsFiles { certificate, key } = files;
    let certificates = certificates(certificate).map_err(at(certificate))?;
    let private_key = private_key(key).map_err(at(key))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| at(certificate)(error.to_string()))?;
    let mut config =
        builder.with_no_client_auth().with_single_cert(certificates, private_key).map_err(|error| {
            match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => at(key)(format!(
                    "the key belongs to another certificate than the first of {}; give the two that were made together",
                    certificate.display()
                )),
                error => at(certificate)(format!("{error}; make the certificate anew")),
            }
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn at(path: &Path) -> impl Fn(String) -> ServerError {
    move |reason| ServerError::Tls { path: path.to_owned(), reason }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(path)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if found.is_empty() => {
            Err("it holds no certificate; give a file in PEM, with a line -----BEGIN CERTIFICATE-----".into())
        }
        Ok(found) => Ok(found),
        Err(error) => Err(format!("it is damaged ({error:?}); write it anew in PEM")),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let text = read(path)?;
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(match text.windows(9).any(|part| part == b"ENCRYPTED") {
            true => {
                "the key has a password; write it without one: openssl pkey -in KEY -out PLAIN_KEY".into()
            }
            false => {
                "it holds no private key; give a file in PEM, with a line -----BEGIN PRIVATE KEY-----".into()
            }
        }),
        Err(error) => Err(format!("it is damaged ({error:?}); write it anew in PEM")),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{error}; check the path and who may read it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes both files, and says what is wrong with them.
    fn error(certificate: &str, key: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let files =
            TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        acceptor(&files).err().unwrap().to_string()
    }

    #[test]
    fn errors_name_the_file_and_the_remedy() {
        let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (one, other) = (made(), made());
        let (certificate, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        let cases = [
            (error("", &key), "cert.pem: it holds no certificate; give"),
            (error(&key, &key), "cert.pem: it holds no certificate; give"),
            (error(&certificate[..200], &key), "cert.pem: it is damaged"),
            (error(&certificate, ""), "key.pem: it holds no private key; give"),
            (error(&certificate, &certificate), "key.pem: it holds no private key; give"),
            (
                error(&certificate, &key.replace("PRIVATE", "ENCRYPTED PRIVATE")),
                "key.pem: the key has a password",
            ),
            (
                error(&certificate, &other.signing_key.serialize_pem()),
                "key.pem: the key belongs to another certificate",
            ),
        ];
        for (found, expected) in cases {
            assert!(found.contains(expected), "{found}");
        }
        let nowhere = TlsFiles { certificate: "nowhere.pem".into(), key: "nowhere.pem".into() };
        assert!(acceptor(&nowhere).err().unwrap().to_string().contains("nowhere.pem: No such file"));
    }
}
