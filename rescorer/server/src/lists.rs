//! Bodies as lists.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use rescorer_nbest::{Notice, ReadOptions, Reader, Utterance};
use serde_json::Value;

use crate::error::ApiError;

/// Stands for a body in messages, and begins the ids of lists that have none.
const NAME: &str = "request";

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The lists of a body in any JSON that is read from files too, and whether it holds several.
pub fn read(body: Bytes) -> Result<(Vec<Utterance>, bool), ApiError> {
    read_with(body, &ReadOptions::default())
}

fn read_with(body: Bytes, options: &ReadOptions) -> Result<(Vec<Utterance>, bool), ApiError> {
    let is_array = check(&body)? == b'[';
    let reader = Reader::from_read(NAME, Cursor::new(body), options).map_err(rescorer::Error::from)?;
    let lists = reader.collect::<Result<Vec<Utterance>, _>>().map_err(rescorer::Error::from)?;
    let is_several = is_array || lists.len() != 1;
    Ok((lists, is_several))
}

/// The list of a line of JSON Lines, numbered from 0.
pub fn read_line(line: Bytes, number: usize) -> Result<Utterance, ApiError> {
    one(read(line)?.0, number)
}

fn one(mut lists: Vec<Utterance>, number: usize) -> Result<Utterance, ApiError> {
    match (lists.pop(), lists.is_empty()) {
        (Some(mut list), true) => {
            if list.id == format!("{NAME}:0") {
                list.id = format!("{NAME}:{number}");
            }
            Ok(list)
        }
        _ => Err(ApiError::bad_request(
            "a line of JSON Lines, or a message, holds one list; send several as lines of their own",
        )),
    }
}

/// What a message of a stream says.
pub enum Said {
    /// A list, which took so many bytes.
    List { list: Box<Utterance>, bytes: usize },
    /// A partial result or a message about something else: this text, to be passed on.
    Unfinished(String),
    /// Nothing more comes.
    End,
}

/// What a message says, numbered from 0.
pub fn read_message(text: Bytes, number: usize) -> Result<Said, ApiError> {
    if is_end(&text) {
        return Ok(Said::End);
    }
    let is_unfinished = Arc::new(AtomicBool::new(false));
    let seen = is_unfinished.clone();
    let options = ReadOptions::default().with_notices(Arc::new(move |notice| {
        let leaves_out = matches!(notice, Notice::PartialResults { .. } | Notice::WithoutLists { .. });
        seen.fetch_or(leaves_out, Ordering::Relaxed);
    }));
    match read_with(text.clone(), &options) {
        // Without a list the reader says that the input is empty.
        Err(_) if is_unfinished.load(Ordering::Relaxed) => {
            Ok(Said::Unfinished(String::from_utf8_lossy(&text).into_owned()))
        }
        Err(error) => Err(error),
        Ok((lists, _)) => Ok(Said::List { list: Box::new(one(lists, number)?), bytes: text.len() }),
    }
}

/// Whether a message is `{"eof": 1}`.
fn is_end(text: &[u8]) -> bool {
    const LONGEST: usize = 64;
    text.len() <= LONGEST
        && serde_json::from_slice::<Value>(text).is_ok_and(|value| {
            value.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key("eof"))
        })
}

/// Refuses what is no JSON before it is looked at; gives its first character.
fn check(body: &[u8]) -> Result<u8, ApiError> {
    if body.starts_with(&GZIP) {
        return Err(ApiError::bad_request("the body is compressed; send it as it is"));
    }
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(first @ (b'{' | b'[')) => Ok(*first),
        Some(_) => Err(ApiError::bad_request(
            "the body is no JSON; send a list such as {\"hypotheses\": [\"a cat\", \"a hat\"]}",
        )),
        None => Err(ApiError::bad_request(
            "the body is empty; send a list such as {\"hypotheses\": [\"a cat\", \"a hat\"]}",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_one_list_or_several() {
        let count = |body: &'static str| {
            read(Bytes::from(body)).map(|(lists, several)| (lists.len(), several)).unwrap()
        };
        assert_eq!(count(r#"{"hypotheses": ["a", "b"]}"#), (1, false));
        assert_eq!(count(r#"[{"hypotheses": ["a", "b"]}]"#), (1, true));
        assert_eq!(count("{\"hypotheses\": [\"a\"]}\n{\"hypotheses\": [\"b\"]}\n"), (2, true));
        // Vosk.
        assert_eq!(
            count(
                r#"{"alternatives": [{"text": "a", "confidence": 1.5}, {"text": "b", "confidence": 1.0}]}"#
            ),
            (1, false)
        );
    }

    #[test]
    fn lines_without_an_id_are_numbered() {
        let line = Bytes::from(r#"{"hypotheses": ["a", "b"]}"#);
        assert_eq!(read_line(line.clone(), 7).unwrap().id, "request:7");
        assert!(read_line(Bytes::from(r#"[{"hypotheses": ["a"]}, {"hypotheses": ["b"]}]"#), 0).is_err());
    }

    #[test]
    fn messages_are_lists_partial_results_or_the_end() {
        let said = |text: &'static str| read_message(Bytes::from(text), 3);
        let vosk =
            r#"{"alternatives": [{"text": "a", "confidence": 1.5}, {"text": "b", "confidence": 1.0}]}"#;
        let Ok(Said::List { list, bytes }) = said(vosk) else { panic!("no list") };
        assert_eq!((list.id.as_str(), list.nbest.len(), bytes), ("request:3", 2, vosk.len()));
        for partial in [r#"{"partial": "wri"}"#, r#"{"partial" : ""}"#] {
            assert!(matches!(said(partial), Ok(Said::Unfinished(text)) if text == partial));
        }
        assert!(matches!(said(r#"{"eof" : 1}"#), Ok(Said::End)));
        for wrong in ["", "{", "eof", r#"{"config": {"sample_rate": 8000}}"#, r#"{"hypotheses": []}"#] {
            assert!(said(wrong).is_err(), "{wrong:?}");
        }
        let two = r#"[{"hypotheses": ["a"]}, {"hypotheses": ["b"]}]"#;
        assert!(said(two).is_err_and(|error| error.message.contains("one list")));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for body in
            [&b"\x1f\x8b\x08"[..], b"", b"  \n", b"a cat", b"{", b"[1", b"{\"hypotheses\": []}", b"\xff\xfe{"]
        {
            assert!(read(Bytes::copy_from_slice(body)).is_err(), "{body:?}");
        }
    }
}
