//! `/v1/stream`: lists over a WebSocket, message by message, as a recogniser sends them while somebody speaks.
//!
//! # Reference
//! alphacep/vosk-server, `websocket/asr_server.py`: partial results, results, and `{"eof": 1}` at the end.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesOrdered, StreamExt};
use rescorer_nbest::Utterance;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tracing::debug;

use crate::app::App;
use crate::buffered::Buffered;
use crate::connection::Held;
use crate::error::ApiError;
use crate::lists::{self, Said};
use crate::ndjson;
use crate::query::Asked;
use crate::rescore;
use crate::websocket::{Handshake, Socket};

/// How long a client may take to end what has ended.
const PARTING: Duration = Duration::from_secs(2);

/// Turns a connection into a stream.
pub async fn get(
    State(app): State<App>,
    Extension(held): Extension<Arc<Held>>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let asked = Asked::of(request.uri())?;
    let Some(handshake) = Handshake::of(&mut request) else {
        let message =
            "this path is a WebSocket; open it with ws:// or wss://, or send lists to POST /v1/rescore";
        let mut response = ApiError::new(StatusCode::UPGRADE_REQUIRED, "request", message).into_response();
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return Ok(response);
    };
    let most = app.limits.message_bytes;
    Ok(handshake.accept(most, move |socket| async move {
        Stream::new(app, asked, socket).run().await;
        // Until here it had a place among the connections.
        drop(held);
    }))
}

struct Stream {
    app: App,
    asked: Asked,
    socket: Socket,
    /// In the order of the messages that they are for.
    answers: FuturesOrdered<BoxFuture<'static, String>>,
    /// Messages so far.
    number: usize,
    /// When the client was heard last, or asked whether it is still there.
    heard: Instant,
    is_asked: bool,
}

impl Stream {
    fn new(app: App, asked: Asked, socket: Socket) -> Self {
        let answers = FuturesOrdered::new();
        Self { app, asked, socket, answers, number: 0, heard: Instant::now(), is_asked: false }
    }

    /// Answers until the client or the server ends it.
    async fn run(mut self) {
        let (app, timeout) = (self.app.clone(), self.app.limits.read_timeout);
        let mut stops = std::pin::pin!(app.stops());
        // Once nothing more is taken: what the client is told after the last answer.
        let mut end = None;
        loop {
            if let (Some((code, reason)), true) = (end, self.answers.is_empty()) {
                return self.close(code, reason).await;
            }
            let takes = end.is_none() && self.answers.len() < app.limits.request_lists;
            let sent = tokio::select! {
                Some(answer) = self.answers.next(), if !self.answers.is_empty() => {
                    self.socket.send(Message::Text(answer.into())).await
                }
                message = self.socket.next(), if takes => match message {
                    Some(Ok(message)) => {
                        (self.heard, self.is_asked) = (Instant::now(), false);
                        if !self.take(message) {
                            end = Some((CloseCode::Normal, ""));
                        }
                        Ok(())
                    }
                    Some(Err(Error::Capacity(_))) => return self.close(CloseCode::Size, &too_large(&app)).await,
                    Some(Err(error)) => return debug!("a stream ended: {error}"),
                    None => return,
                },
                () = sleep_until(self.heard + timeout), if takes => {
                    if std::mem::replace(&mut self.is_asked, true) {
                        return debug!("a stream ended: not even the answer to a ping came");
                    }
                    self.heard = Instant::now();
                    self.socket.send(Message::Ping(Bytes::new())).await
                }
                () = &mut stops, if end.is_none() => {
                    end = Some((CloseCode::Away, "the server stops; ask another one"));
                    Ok(())
                }
            };
            if let Err(error) = sent {
                return debug!("a stream ended: {error}");
            }
        }
    }

    /// Takes a message, and says whether more will come.
    fn take(&mut self, message: Message) -> bool {
        let said = match message {
            Message::Text(text) => lists::read_message(text.into(), self.number),
            Message::Binary(_) => Err(ApiError::bad_request(
                "a binary message; send the recogniser's results as text, not its sound",
            )),
            // The library answers pings, and a client that closes is gone next.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => return true,
        };
        let answer = match said {
            Ok(Said::End) => return false,
            Ok(Said::Unfinished(text)) => ready(text).boxed(),
            Ok(Said::List { list, bytes }) => self.answer(*list, bytes),
            Err(error) => ready(ndjson::at_line(&error, self.number).to_string()).boxed(),
        };
        self.answers.push_back(answer);
        self.number += 1;
        true
    }

    /// What will be the answer to a list; its message had so many bytes.
    fn answer(&self, list: Utterance, bytes: usize) -> BoxFuture<'static, String> {
        let (app, asked, number) = (self.app.clone(), self.asked.clone(), self.number);
        let mut buffered = Buffered::new(&app);
        let room = buffered.resize(bytes);
        let answer = async move {
            let answer = match room {
                Ok(()) => rescore::line(&app, &asked, list).await,
                Err(error) => Err(error),
            };
            drop(buffered);
            answer.unwrap_or_else(|error| ndjson::at_line(&error, number).to_string())
        };
        answer.boxed()
    }

    /// Says why it ends, in at most 123 bytes, and waits for the client to say so too: what is on its way to it would be lost if
    /// the connection ended with something unread.
    async fn close(mut self, code: CloseCode, reason: &str) {
        let frame = CloseFrame { code, reason: reason.into() };
        let closed = async {
            self.socket.send(Message::Close(Some(frame))).await?;
            while self.socket.next().await.transpose()?.is_some() {}
            Ok::<_, Error>(())
        };
        match tokio::time::timeout(PARTING, closed).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!("a stream ended: {error}"),
            Err(_) => debug!("a client did not say that it has heard of the end"),
        }
    }
}

fn too_large(app: &App) -> String {
    format!("a message has more than {} bytes; send a list of fewer hypotheses", app.limits.message_bytes)
}
