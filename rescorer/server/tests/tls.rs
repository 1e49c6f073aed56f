//! Encrypted connections.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Answer, Running, builder, options, start};
use rescorer_server::{Limits, ServerOptions, TlsFiles};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const LIST: &str = r#"{"id": "u", "hypotheses": ["write it down", "right it down"]}"#;

/// For a handshake.
const TIMEOUT: Duration = Duration::from_millis(500);

struct Encrypted {
    server: Running,
    certificate: CertificateDer<'static>,
    _files: TempDir,
}

/// A server that waits so long for a handshake.
fn encrypted(read_timeout: Duration) -> Encrypted {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let limits = Limits { read_timeout, ..Limits::default() };
    let server = start(builder().build().unwrap(), ServerOptions { tls: Some(files), limits, ..options() });
    Encrypted { server, certificate: made.cert.der().clone(), _files: folder }
}

impl Encrypted {
    /// Connects as a client that trusts this certificate.
    fn connect(&self, trusted: &CertificateDer<'static>) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), self.server.connect())
    }

    fn rescore(&self) -> Answer {
        let mut stream = self.connect(&self.certificate);
        let head = "POST /v1/rescore HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{LIST}", LIST.len()).unwrap();
        Answer::read(stream)
    }
}

#[test]
fn answers_are_those_of_a_plain_connection() {
    let encrypted = encrypted(TIMEOUT);
    let plain = start(builder().build().unwrap(), options()).rescore("", LIST);
    let answer = encrypted.rescore();
    assert_eq!((answer.status, answer.body), (200, plain.body));
}

#[test]
fn who_does_not_speak_tls_gets_nothing_and_harms_nobody() {
    let encrypted = encrypted(TIMEOUT);
    // Silent, in plain text, and with a certificate that it does not know.
    let mut silent = encrypted.server.connect();
    let begun = Instant::now();
    assert_eq!(silent.read(&mut [0; 10]).unwrap_or(0), 0);
    assert!((TIMEOUT..Duration::from_secs(10)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let mut plain = encrypted.server.connect();
    write!(plain, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    assert!(encrypted.connect(other.cert.der()).write_all(b"GET / HTTP/1.1\r\n\r\n").is_err());
    assert_eq!(encrypted.rescore().status, 200);
}

#[test]
fn a_handshake_does_not_keep_the_server_from_ending() {
    let mut encrypted = encrypted(Duration::from_secs(60));
    let _silent = encrypted.server.connect();
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    encrypted.server.tell_to_stop();
    encrypted.server.join();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
