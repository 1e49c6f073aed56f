//! Bodies of JSON Lines, answered line by line while they come.

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::app::App;
use crate::buffered::Buffered;
use crate::error::ApiError;
use crate::query::Asked;
use crate::{lists, rescore};

/// The media types of JSON Lines.
const TYPES: [&str; 4] =
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];

/// Whether a body of this media type is JSON Lines.
pub fn is_it(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    TYPES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Answers each line in its place. A list that can't be answered gets `{"error": ..., "line": N}`, counted from 1.
pub fn respond(app: App, asked: Asked, body: Body) -> Response {
    let most = app.limits.request_lists;
    let lines = Lines {
        parts: body.into_data_stream(),
        buffered: Buffered::new(&app),
        left: Vec::new(),
        number: 0,
        is_over: false,
    };
    let own = app.clone();
    let lines = stream::unfold(lines, move |mut lines| {
        let app = own.clone();
        async move { lines.next(&app).await.map(|line| (line, lines)) }
    });
    let answers = lines.map(move |(number, line)| {
        let (app, asked) = (app.clone(), asked.clone());
        async move {
            let answer = match line {
                Ok(line) => match lists::read_line(line, number) {
                    Ok(list) => rescore::line(&app, &asked, list).await,
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            let mut text = answer.unwrap_or_else(|error| at_line(&error, number).to_string());
            text.push('\n');
            Ok::<_, std::convert::Infallible>(Bytes::from(text))
        }
    });
    let body = Body::from_stream(answers.buffered(most));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

/// An error with the line that it is of.
pub fn at_line(error: &ApiError, number: usize) -> Value {
    let mut value = error.body();
    if let Some(value) = value.as_object_mut() {
        value.insert("line".into(), json!(number + 1));
    }
    value
}

/// The lines of a body.
struct Lines {
    parts: BodyDataStream,
    buffered: Buffered,
    /// What came and was not given out.
    left: Vec<u8>,
    number: usize,
    is_over: bool,
}

impl Lines {
    /// The next line that is not blank, with its number from 0. After an error there is none.
    async fn next(&mut self, app: &App) -> Option<(usize, Result<Bytes, ApiError>)> {
        loop {
            let line = match self.line(app).await {
                Ok(line) => Ok(line?),
                Err(error) => {
                    self.is_over = true;
                    self.left.clear();
                    Err(error)
                }
            };
            let number = self.number;
            self.number += 1;
            if !line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty()) {
                return Some((number, line));
            }
        }
    }

    async fn line(&mut self, app: &App) -> Result<Option<Bytes>, ApiError> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.left[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.left.split_off(searched + end + 1);
                return Ok(Some(std::mem::replace(&mut self.left, rest).into()));
            }
            searched = self.left.len();
            let limit = app.limits.body_bytes;
            if searched > limit {
                let message =
                    format!("the line has more than {limit} bytes; send a list of fewer hypotheses");
                return Err(ApiError::too_large(message));
            }
            if self.is_over {
                let last = std::mem::take(&mut self.left);
                return Ok((!last.is_empty()).then(|| last.into()));
            }
            match rescore::next(&mut self.parts, app.limits.read_timeout).await? {
                Some(part) => {
                    self.buffered.resize(self.left.len() + part.len())?;
                    self.left.extend_from_slice(&part);
                }
                None => self.is_over = true,
            }
        }
    }
}
