//! How a request becomes a WebSocket.
//!
//! # Reference
//! RFC 6455, section 4.2.

use axum::extract::Request;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// What a server adds to a client's key to show that it knows the protocol.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Bytes that are read at a time.
const READ: usize = 4096;

/// A connection that speaks in messages.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A request that asks for a WebSocket.
pub struct Handshake {
    connection: OnUpgrade,
    accept: String,
}

impl Handshake {
    /// What a request asks for; `None` if that is no WebSocket.
    pub fn of(request: &mut Request) -> Option<Self> {
        let headers = request.headers();
        let key = headers.get(SEC_WEBSOCKET_KEY)?;
        let asks = request.method() == Method::GET
            && has(headers, CONNECTION, "upgrade")
            && has(headers, UPGRADE, "websocket")
            && has(headers, SEC_WEBSOCKET_VERSION, "13");
        let accept = accept(key.as_bytes());
        // hyper puts it there where a connection can be handed over.
        let connection = request.extensions_mut().remove::<OnUpgrade>().filter(|_| asks)?;
        Some(Self { connection, accept })
    }

    /// Says yes, and hands the connection to `serve`; its messages have at most so many bytes.
    pub fn accept<F>(self, most: usize, serve: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ)
            .max_message_size(Some(most))
            .max_frame_size(Some(most));
        let connection = self.connection;
        tokio::spawn(async move {
            // A client may be gone before it has the answer.
            let Ok(upgraded) = connection.await else { return };
            let io = TokioIo::new(upgraded);
            serve(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await).await;
        });
        let headers = [
            (CONNECTION, "upgrade".to_owned()),
            (UPGRADE, "websocket".to_owned()),
            (SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    }
}

/// Whether a header that may have several values has this one.
fn has(headers: &HeaderMap, name: HeaderName, expected: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(expected))
}

/// The answer to a key.
fn accept(key: &[u8]) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_that_of_the_specification() {
        // RFC 6455, section 1.3.
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn headers_may_have_several_values() {
        let mut headers = HeaderMap::new();
        headers.append(CONNECTION, "keep-alive, Upgrade".parse().unwrap());
        assert!(has(&headers, CONNECTION, "upgrade") && !has(&headers, CONNECTION, "close"));
        assert!(!has(&headers, UPGRADE, "websocket"));
    }
}
