//! A server with a tiny model, and a client that writes what it is told to.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

pub mod socket;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use rescorer::{Rescorer, RescorerBuilder};
use rescorer_server::{Server, ServerOptions};
use serde_json::Value;
use tempfile::TempDir;

/// How long a test waits for what should come at once.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

pub fn builder() -> RescorerBuilder {
    Rescorer::builder(fixture("tiny-llama").to_str().unwrap())
}

/// A server on a port of its own, which stops with the value.
pub struct Running {
    pub address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

pub fn options() -> ServerOptions {
    ServerOptions::new("127.0.0.1:0".parse().unwrap())
}

pub fn start(rescorer: Rescorer, options: ServerOptions) -> Running {
    let (told, address) = mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::bind(rescorer, options).await.unwrap();
            told.send(server.address().unwrap()).unwrap();
            server.run(async { _ = stopped.await }).await.unwrap();
        });
    });
    let address = address.recv_timeout(PATIENCE).unwrap();
    Running { address, stop: Some(stop), thread: Some(thread) }
}

/// A folder with adapters: `medical`, with a policy of its own, `bare` without one, and `damaged`.
pub fn adapters() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, name: &str, files: &[&str]| {
        let to = folder.path().join(name);
        std::fs::create_dir(&to).unwrap();
        files.iter().for_each(|file| _ = std::fs::copy(fixture(from).join(file), to.join(file)).unwrap());
        to
    };
    let files = ["adapter_config.json", "adapter_model.safetensors"];
    copy("door/medical", "medical", &[files[0], files[1], "policy.toml"]);
    copy("tiny-lora", "bare", &files);
    let damaged = copy("tiny-lora", "damaged", &files);
    std::fs::write(damaged.join(files[1]), b"{}").unwrap();
    folder
}

impl Running {
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a request with these headers, and reads the answer.
    pub fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
        headers.iter().for_each(|header| head.push_str(&format!("{header}\r\n")));
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes()).unwrap();
        // The server may answer and hang up before it has read all.
        let _ = stream.write_all(body);
        Answer::read(stream)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn rescore(&self, query: &str, body: &str) -> Answer {
        let headers = ["Content-Type: application/json"];
        self.send("POST", &format!("/v1/rescore{query}"), &headers, body.as_bytes())
    }

    pub fn lines(&self, query: &str, body: &str) -> Answer {
        let headers = ["Content-Type: application/x-ndjson"];
        self.send("POST", &format!("/v1/rescore{query}"), &headers, body.as_bytes())
    }

    /// Tells it to stop, without waiting.
    pub fn tell_to_stop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
    }

    /// Waits for its end.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tell_to_stop();
        if !std::thread::panicking() {
            self.join();
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn read(mut stream: impl Read) -> Self {
        let mut bytes = Vec::new();
        // A connection that is reset has said what it had to say.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
        let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
        let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if is_chunked { unchunked(body) } else { body.to_owned() };
        Self { status, head: head.to_owned(), body }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error's kind and message.
    pub fn error(&self) -> (String, String) {
        let error = &self.json()["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned();
        (text("kind"), text("message"))
    }
}

/// The bytes of a body in chunks; those before the end where it is cut off.
fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        body.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    body
}
