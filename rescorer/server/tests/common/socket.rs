//! The other end of a stream.

use std::io::{Read, Write};
use std::net::TcpStream;

use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocket};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::{Answer, Running};

pub struct Client(WebSocket<TcpStream>);

impl Client {
    /// Opens `/v1/stream` with a query and headers, or gives the answer that says why not.
    pub fn open(server: &Running, query: &str, headers: &[&str]) -> Result<Self, Answer> {
        Self::connect(server.connect(), &format!("/v1/stream{query}"), headers)
    }

    /// Opens a stream of another server and path.
    pub fn connect(mut stream: TcpStream, path: &str, headers: &[&str]) -> Result<Self, Answer> {
        let mut head = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        headers.iter().for_each(|header| head.push_str(&format!("{header}\r\n")));
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        if answer.starts_with(b"HTTP/1.1 101 ") {
            return Ok(Self(WebSocket::from_raw_socket(stream, Role::Client, None)));
        }
        // The rest of it is no longer than its head says.
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.read_to_end(&mut answer).unwrap();
        Err(Answer::read(&answer[..]))
    }

    pub fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).unwrap();
    }

    /// The next text, or what the server said at the end.
    pub fn next(&mut self) -> Result<Utf8Bytes, Option<CloseFrame>> {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return Ok(text),
                Message::Close(frame) => return Err(frame),
                _ => {}
            }
        }
    }

    /// The next text.
    pub fn text(&mut self) -> String {
        self.next().unwrap().to_string()
    }

    /// The code at the end, which has to come now.
    pub fn end(&mut self) -> (u16, String) {
        let frame = self.next().unwrap_err().unwrap();
        (frame.code.into(), frame.reason.to_string())
    }
}
