//! Bodies as lists.

use std::io::Cursor;

use axum::body::Bytes;
use rescorer_nbest::{ReadOptions, Reader, Utterance};

use crate::error::ApiError;

/// Stands for a body in messages, and begins the ids of lists that have none.
const NAME: &str = "request";

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The lists of a body in any JSON that is read from files too, and whether it holds several.
pub fn read(body: Bytes) -> Result<(Vec<Utterance>, bool), ApiError> {
    let is_array = check(&body)? == b'[';
    let reader =
        Reader::from_read(NAME, Cursor::new(body), &ReadOptions::default()).map_err(rescorer::Error::from)?;
    let lists = reader.collect::<Result<Vec<Utterance>, _>>().map_err(rescorer::Error::from)?;
    let is_several = is_array || lists.len() != 1;
    Ok((lists, is_several))
}

/// The list of a line of JSON Lines, numbered from 0.
pub fn read_line(line: Bytes, number: usize) -> Result<Utterance, ApiError> {
    let (mut lists, _) = read(line)?;
    match (lists.pop(), lists.is_empty()) {
        (Some(mut list), true) => {
            if list.id == format!("{NAME}:0") {
                list.id = format!("{NAME}:{number}");
            }
            Ok(list)
        }
        _ => Err(ApiError::bad_request(
            "a line of JSON Lines holds one list; send several as lines of their own",
        )),
    }
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
    fn what_is_no_json_is_refused() {
        for body in
            [&b"\x1f\x8b\x08"[..], b"", b"  \n", b"a cat", b"{", b"[1", b"{\"hypotheses\": []}", b"\xff\xfe{"]
        {
            assert!(read(Bytes::copy_from_slice(body)).is_err(), "{body:?}");
        }
    }
}
