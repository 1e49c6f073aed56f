//! Results of sherpa-onnx.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rescorer_nbest::{Error, Format, ReadOptions, Reader, Utterance};
use serde_json::{Value, json};

/// As a streaming recogniser and one that is not print their results.
const STREAM: &str = r#"{ "text": "TWO", "tokens": [" T", "WO"], "timestamps": [0.32, 0.48], "ys_probs": [-0.250000, -0.500000], "lm_probs": [-1.500000, -2.000000], "context_scores": [1.500000, 0.000000], "segment": 0, "words": [], "start_time": 0.00, "is_final": false, "is_eof": false}
{"lang": "", "emotion": "", "event": "", "text": " to", "timestamps": [0.00], "durations": [], "tokens":["to"], "ys_log_probs": [-0.125000], "words": []}
"#;

fn open(format: Option<Format>, text: impl AsRef<[u8]>) -> Reader {
    let options = ReadOptions::default().with_format(format);
    Reader::from_read("call.json", Cursor::new(text.as_ref().to_vec()), &options).unwrap()
}

fn read(text: impl AsRef<[u8]>) -> Vec<Utterance> {
    let reader = open(None, text);
    assert_eq!(reader.format(), Format::SherpaOnnx);
    reader.map(Result::unwrap).collect()
}

fn list(nbest: &[Value]) -> String {
    json!({"id": "u1", "nbest": nbest, "reference": "r", "speaker": 7}).to_string()
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    open(None, text).find_map(Result::err).unwrap().to_string()
}

#[test]
fn a_result_is_a_list_of_one() {
    let found = read(STREAM);
    assert_eq!((found[0].id.as_str(), found[1].id.as_str()), ("call:0", "call:1"));
    assert_eq!((found[0].nbest.first().text.as_str(), found[0].nbest.first_pass()), ("TWO", vec![-4.25]));
    assert_eq!((found[1].nbest.first().text.as_str(), found[1].nbest.first_pass()), (" to", vec![-0.125]));
    let extra = &found[0].nbest.first().extra;
    assert_eq!(
        (&extra["ys_probs"], &extra["is_final"], extra.len()),
        (&json!([-0.25, -0.5]), &json!(false), 10)
    );
    assert!(found[0].extra.is_empty() && found[0].reference.is_none());
}

#[test]
fn results_as_a_list() {
    let found = read(list(&[
        json!({"text": "a b", "tokens": ["a", "b"], "ys_probs": [-1, -2]}),
        json!({"text": "a", "score": -9, "ys_probs": [-1, -2]}),
        json!({"text": "", "tokens": [], "ys_probs": []}),
        json!({"text": "c", "ys_log_probs": [-4], "lm_probs": null}),
    ]));
    assert_eq!(found[0].nbest.first_pass(), [-3.0, -9.0, 0.0, -4.0]);
    assert_eq!(
        (found[0].id.as_str(), found[0].reference.as_deref(), &found[0].extra["speaker"]),
        ("u1", Some("r"), &json!(7))
    );
    let silent = json!({"text": "", "tokens": [], "ys_probs": []});
    let found = read(list(&[silent.clone(), json!({"text": "a", "tokens": ["a"], "ys_probs": []})]));
    assert!(!found[0].nbest.is_scored());
    assert!(!read(list(&[silent]))[0].nbest.is_scored());
}

#[test]
fn gzip_is_unpacked() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(STREAM.as_bytes()).unwrap();
    assert_eq!(read(packed.finish().unwrap()), read(STREAM));
}

#[test]
fn results_of_before_are_read_by_name() {
    let text = "{\"text\": \"a\", \"timestamps\": \"[0.1]\", \"tokens\": [\"a\"], \"words\": []}";
    let mut reader = open(Some(Format::SherpaOnnx), text);
    assert!(!reader.next().unwrap().unwrap().nbest.is_scored());
    let error = Reader::from_read("call.json", text.as_bytes(), &ReadOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("with the keys `text`, `timestamps`, `tokens`, `words`; no known shape")
    );
}

#[test]
fn broken_results_are_named() {
    assert_eq!(
        refusal(list(&[json!({"text": "a b", "tokens": ["a", "b"], "ys_probs": [-1]})])),
        "call.json:1: utterance \"u1\": `nbest[0]` has 2 `tokens` but 1 `ys_probs`, which go together; mend it"
    );
    assert!(
        refusal(list(&[json!({"text": "a", "ys_log_probs": [-1], "lm_probs": [-1, -2]})]))
            .contains("`nbest[0]` has 1 `ys_log_probs` but 2 `lm_probs`, which go together")
    );
    let with = json!({"text": "a", "ys_probs": [-1], "lm_probs": [-1]});
    let without = json!({"text": "b", "ys_probs": [-1]});
    assert_eq!(
        refusal(list(&[without.clone(), with])),
        "call.json:1: utterance \"u1\": `nbest[1]` has `lm_probs`, but `nbest[0]` none, so their scores cannot be compared; \
         decode both with the language model"
    );
    assert_eq!(
        refusal(list(&[without.clone(), json!({"text": "c", "tokens": ["c"], "ys_probs": []})])),
        "call.json:1: utterance \"u1\" mixes hypotheses with a score (position 0) and without (position 1); \
         score all or none"
    );
    assert!(refusal(list(&[])).contains("\"u1\" has no hypotheses"));
    assert!(refusal(list(&[json!(7)])).contains("`nbest[0]` is a number, expected an object"));
    assert!(refusal(list(&[json!({"ys_probs": []})])).contains("has no field `nbest[0].text`"));
    assert!(refusal(list(&[json!({"text": 1})])).contains("`nbest[0].text` is a number, expected a string"));
    assert!(
        refusal(list(&[json!({"text": "a", "ys_probs": "-1"})]))
            .contains("`nbest[0].ys_probs` is a string, expected a list of numbers")
    );
    assert!(
        refusal("{\"text\": \"a\", \"ys_probs\": [-1, null]}")
            .contains("\"call:0\": `utterance.ys_probs[1]` is null, expected a number")
    );
    assert!(
        refusal("{\"text\": \"a\", \"ys_probs\": [-inf]}")
            .contains("`utterance.ys_probs[0]` is infinite, expected a number")
    );
    assert!(refusal("{\"nbest\": {}}").contains("`nbest` is an object, expected a list of results"));
    assert_eq!(
        refusal(format!("{STREAM}{{\"partial\": 1}}")),
        "call.json:3: utterance \"call:2\" has no field `nbest`; add it"
    );
    assert!(
        refusal(format!("{STREAM}{{\"segments\": []}}"))
            .contains("looks like whisper, but the file is read as sherpa-onnx")
    );
    assert!(
        refusal(&STREAM[..STREAM.len() - 20])
            .contains("broken sherpa-onnx document: expected the end of the utterance")
    );
    let twice = list(&[without]);
    assert!(
        refusal(format!("{twice}{twice}"))
            .contains("utterance \"u1\" has an id that an earlier utterance has")
    );
    let empty = open(Some(Format::SherpaOnnx), "\n").find_map(Result::err);
    assert!(matches!(empty, Some(Error::Empty { .. })));
}
