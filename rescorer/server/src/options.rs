use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rescorer::PoolOptions;

use crate::error::ServerError;
use crate::recogniser::RecogniserOptions;

/// What a server serves, to whom, and how much of it.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where it listens. Anything but a loopback address needs a token.
    pub listen: SocketAddr,
    /// The certificate that connections are encrypted with; without one they are not.
    pub tls: Option<TlsFiles>,
    /// Whoever shows one of these tokens is served; without any everybody is.
    pub tokens: Vec<String>,
    /// The folder whose folders are adapters, each under its name.
    pub adapters: Option<PathBuf>,
    /// What recognises recordings; without one they are refused.
    pub recogniser: Option<RecogniserOptions>,
    /// Memory of the adapters.
    pub pool: PoolOptions,
    /// What answers a list whose adapter is not loaded when its deadline comes.
    pub cold: ColdStart,
    /// Whether lists with different adapters go through the model together, as they do unless something else is said. Without it
    /// the server is slower; it is there to measure by how much.
    pub mixes_adapters: bool,
    /// How much is accepted.
    pub limits: Limits,
}

/// Files in PEM for TLS. They are read when the server starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate of the server, then those that lead from it to one that clients know.
    pub certificate: PathBuf,
    /// The private key of the first certificate.
    pub key: PathBuf,
}

/// What answers a list whose adapter is not loaded when its deadline comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColdStart {
    /// The adapter, after the deadline.
    #[default]
    Wait,
    /// What answers lists that name no adapter.
    Base,
    /// The recogniser's choice.
    FirstPass,
}

/// How much is accepted. What is more gets an answer that says so.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body, or of a line of a body of JSON Lines.
    pub body_bytes: usize,
    /// Bytes of a message of a stream.
    pub message_bytes: usize,
    /// Bytes of all bodies that are being read, and of all messages that wait for their answers.
    pub buffer_bytes: usize,
    /// Trie nodes that one list may cost, estimated from its words.
    pub list_nodes: usize,
    /// Trie nodes that may wait for the model.
    pub queue_nodes: usize,
    /// Lists of one request that wait for the model at a time.
    pub request_lists: usize,
    /// Recordings that are transcribed or wait for the recogniser.
    pub recordings: usize,
    /// Connections at a time.
    pub connections: usize,
    /// For the handshake of TLS, for the head of a request, and for each further part of its body.
    pub read_timeout: Duration,
    /// For a client to take what is written to it, and for work to end once the server stops.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 << 20,
            message_bytes: 256 << 10,
            buffer_bytes: 256 << 20,
            list_nodes: 4096,
            queue_nodes: 65_536,
            request_lists: 32,
            recordings: 8,
            connections: 1024,
            read_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(30),
        }
    }
}

impl ServerOptions {
    /// The default options, on an address.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            tokens: Vec::new(),
            adapters: None,
            recogniser: None,
            pool: PoolOptions::default(),
            cold: ColdStart::default(),
            mixes_adapters: true,
            limits: Limits::default(),
        }
    }

    /// Refuses to serve everybody who can reach the machine.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        match self.listen.ip().is_loopback() || !self.tokens.is_empty() {
            true => Ok(()),
            false => Err(ServerError::NoToken { listen: self.listen }),
        }
    }
}
