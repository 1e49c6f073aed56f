//! Vosk's alternatives.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use rescorer_nbest::{Error, Format, ReadOptions, Reader, Utterance};
use serde_json::json;

fn read(text: &str) -> Vec<Result<Utterance, Error>> {
    let reader =
        Reader::from_read("call.json", Cursor::new(text.as_bytes().to_vec()), &ReadOptions::default());
    let reader = reader.unwrap();
    assert_eq!(reader.format(), Format::Vosk);
    reader.collect()
}

/// As `vosk-transcriber` and the examples print it: with line breaks, one answer behind the other.
const STREAM: &str = r#"{
  "alternatives" : [{
      "confidence" : 270.375122,
      "result" : [{"end" : 1.02, "start" : 0.84, "word" : "two"}],
      "text" : "two"
    }, {"confidence" : 268.1, "text" : "to"}]
}
{"alternatives" : [{"confidence" : 1.0, "text" : ""}], "reference": "so"}{"alternatives": [{"text": "a"}]}
"#;

#[test]
fn a_stream_of_answers() {
    let found: Vec<Utterance> = read(STREAM).into_iter().map(Result::unwrap).collect();
    let ids: Vec<&str> = found.iter().map(|utterance| utterance.id.as_str()).collect();
    assert_eq!(ids, ["call:0", "call:1", "call:2"]);
    assert_eq!(found[0].nbest.first_pass(), [270.375122, 268.1]);
    assert_eq!(found[0].nbest.hypotheses()[0].extra["result"][0]["word"], json!("two"));
    assert_eq!((found[1].nbest.first().text.as_str(), found[1].reference.as_deref()), ("", Some("so")));
    assert!(!found[2].nbest.is_scored());
}

#[test]
fn broken_answers_are_named() {
    let refusal = |text: &str| read(text).into_iter().find_map(Result::err).unwrap().to_string();
    assert!(
        refusal(r#"{"alternatives": []}"#).contains("call.json:1: utterance \"call:0\" has no hypotheses")
    );
    assert!(refusal(r#"{"alternatives": [{"confidence": 1}]}"#).contains("no field `alternatives[0].text`"));
    assert!(
        refusal(r#"{"alternatives": ["a"]}"#).contains("`alternatives[0]` is a string, expected an object")
    );
    assert!(
        refusal(r#"{"alternatives": [{"text": "a", "confidence": "x"}]}"#)
            .contains("confidence` is a string")
    );
    assert!(
        refusal("{\"alternatives\": [{\"text\": \"a\"}]}\n{\"result\": \"a\"}")
            .contains("call.json:2: utterance \"call:1\" has no field `alternatives`")
    );
    assert!(refusal("{\"alternatives\": [{\"text\": \"a\"}]}\n{\"alternatives\": [").contains("cut short"));
    assert!(
        refusal("{\"alternatives\": [{\"text\": \"a\"}]} what").contains("expected an utterance, found `w`")
    );
}
