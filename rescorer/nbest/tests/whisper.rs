//! Results of Whisper, faster-whisper and WhisperX.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rescorer_nbest::{Error, Format, JsonlWriter, ReadOptions, Reader, Utterance};
use serde_json::{Value, json};

/// As `whisper --output_format json` writes it.
const RESULT: &str = r#"{"text": " Please right it down. Now.", "segments": [
  {"id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": " Please right it down.", "tokens": [50364, 2555, 558],
   "temperature": 0.0, "avg_logprob": -0.25, "compression_ratio": 0.8, "no_speech_prob": 0.01},
  {"id": 1, "seek": 0, "start": 1.5, "end": 2.0, "text": " Now.", "tokens": [1, 2, 3, 4, 5, 6, 7],
   "temperature": 0.0, "avg_logprob": -0.5, "compression_ratio": 0.5, "no_speech_prob": 0.01}
], "language": "en"}
"#;

fn open(format: Option<Format>, text: impl AsRef<[u8]>) -> Reader {
    let options = ReadOptions::default().with_format(format);
    Reader::from_read("call.json", Cursor::new(text.as_ref().to_vec()), &options).unwrap()
}

fn read(format: Format, text: impl AsRef<[u8]>) -> Vec<Utterance> {
    let reader = open(None, text);
    assert_eq!(reader.format(), format);
    reader.map(Result::unwrap).collect()
}

fn texts(utterance: &Utterance) -> Vec<&str> {
    utterance.nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect()
}

/// A list of results as a line of the native format, without their line breaks.
fn line(results: &[Value]) -> String {
    json!({"id": "u1", "hypotheses": results, "reference": "r"}).to_string()
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    open(None, text).find_map(Result::err).unwrap().to_string()
}

#[test]
fn a_result_is_a_list_of_one() {
    let found = read(
        Format::Whisper,
        format!("{RESULT}{}", RESULT.replace("\"text\": \" Please right it down. Now.\", ", "")),
    );
    let ids: Vec<&str> = found.iter().map(|utterance| utterance.id.as_str()).collect();
    assert_eq!(ids, ["call:0", "call:1"]);
    for utterance in &found {
        assert_eq!(texts(utterance), ["Please right it down. Now."]);
        // (−0.25 · 4 − 0.5 · 8) / 12
        assert_eq!(utterance.nbest.first_pass(), [-5.0 / 12.0]);
        let extra = &utterance.nbest.first().extra;
        assert_eq!((&extra["language"], &extra["segments"][1]["end"]), (&json!("en"), &json!(2.0)));
        assert_eq!((extra.len(), utterance.extra.len()), (2, 0));
    }
    let mut result: Value = serde_json::from_str(RESULT).unwrap();
    (result["id"], result["reference"], result["context"]) = (json!("u9"), json!("please"), json!("before"));
    let found = read(Format::Whisper, result.to_string()).remove(0);
    let expected = ("u9", Some("please"), Some("before"));
    assert_eq!((found.id.as_str(), found.reference.as_deref(), found.context.as_deref()), expected);
}

#[test]
fn results_as_hypotheses() {
    let result: Value = serde_json::from_str(RESULT).unwrap();
    // faster-whisper: no `text`; WhisperX: no `tokens`, so that words are counted.
    let faster =
        json!({"segments": [{"text": " Please write", "tokens": [1], "avg_logprob": -0.5, "words": null}]});
    let aligned = json!({"language": "en", "segments": [
        {"text": "Please do.", "avg_logprob": -1.0, "words": [{"word": "Please", "score": 0.9}]},
        {"text": "Now.", "avg_logprob": -3.0}
    ]});
    let scored = json!({"segments": [], "score": -7, "text": ""});
    let results = [result, faster, aligned, scored];
    let native = read(Format::Jsonl, line(&results)).remove(0);
    let expected = ["Please right it down. Now.", "Please write", "Please do. Now.", ""];
    assert_eq!(texts(&native), expected);
    // (−1 · 3 − 3 · 2) / 5
    assert_eq!(native.nbest.first_pass(), [-5.0 / 12.0, -0.5, -1.8, -7.0]);
    assert_eq!((native.id.as_str(), native.reference.as_deref()), ("u1", Some("r")));
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(&line(&results)).unwrap()).unwrap();
    assert_eq!(
        open(Some(Format::Whisper), pretty).map(Result::unwrap).collect::<Vec<_>>(),
        std::slice::from_ref(&native)
    );
    let mut writer = JsonlWriter::new("x", Vec::new());
    writer.write(&native).unwrap();
    assert_eq!(read(Format::Jsonl, writer.finish().unwrap()), [native]);
}

#[test]
fn results_without_log_probabilities_have_no_scores() {
    let aligned =
        |text: &str| json!({"segments": [{"text": text, "avg_logprob": null}], "word_segments": []});
    let found = read(Format::Jsonl, line(&[aligned("a"), aligned("b")])).remove(0);
    assert!(!found.nbest.is_scored());
    let mut scored = aligned("c");
    scored["segments"][0]["avg_logprob"] = json!(-1);
    assert_eq!(
        refusal(line(&[aligned("a"), scored.clone()])),
        "call.json:1: utterance \"u1\" mixes hypotheses with a score (position 1) and without (position 0); \
         score all or none"
    );
    scored["segments"].as_array_mut().unwrap().push(json!({"text": "d"}));
    // Nothing is compared in a list of one.
    let one = read(Format::Jsonl, line(std::slice::from_ref(&scored))).remove(0);
    assert_eq!((texts(&one), one.nbest.is_scored()), (vec!["c d"], false));
    let silent = read(
        Format::Whisper,
        "{\"text\": \" a cat\", \"segments\": []}{\"text\": \"b\", \"segments\": null}",
    );
    assert_eq!((texts(&silent[0]), texts(&silent[1])), (vec!["a cat"], vec!["b"]));
    assert_eq!(
        refusal(line(&[scored, aligned("d")])),
        "call.json:1: utterance \"u1\": `hypotheses[0].segments[1]` has no `avg_logprob`, but `hypotheses[0].segments[0]` \
         has; score all or none"
    );
}

#[test]
fn native_lines_with_whispers_score() {
    let text = "{\"hypotheses\": [{\"text\": \"a\", \"avg_logprob\": -0.3, \"seed\": 1}, {\"text\": \"b\", \"avg_logprob\": -2, \"score\": -1}]}";
    let found = read(Format::Jsonl, text).remove(0);
    assert_eq!(found.nbest.first_pass(), [-0.3, -1.0]);
    assert_eq!(found.nbest.first().extra["avg_logprob"], json!(-0.3));
    assert_eq!(open(Some(Format::Whisper), text).next().unwrap().unwrap(), found);
    // Fields of that name in a list that has scores, or that are no segments of speech, are carried along as ever.
    let segments =
        json!({"hypotheses": [{"text": "a b", "score": -1, "segments": [{"text": "c"}]}]}).to_string();
    assert_eq!(texts(&read(Format::Jsonl, segments)[0]), ["a b"]);
    let segments = json!({"hypotheses": [{"text": " a", "segments": [1, 2]}]}).to_string();
    assert_eq!(texts(&read(Format::Jsonl, segments)[0]), [" a"]);
    assert_eq!(
        refusal("{\"hypotheses\": [{\"text\": \"a\", \"avg_logprob\": \"low\"}]}"),
        "call.json:1: utterance \"call:0\": `hypotheses[0].avg_logprob` is a string, expected a number; mend it"
    );
}

#[test]
fn the_mark_of_another_format_goes_before() {
    read(Format::Jsonl, "{\"segments\": [], \"hypotheses\": [{\"text\": \"a\"}]}");
    read(Format::Vosk, "{\"segments\": [], \"alternatives\": [{\"text\": \"a\"}]}");
    read(Format::EspnetJson, "{\"segments\": {\"hyp_1\": {\"text\": \"a\"}}}");
    let long = format!("{{\"segments\": [{{\"text\": \"{}\"}}]}}", "a ".repeat(100_000));
    assert_eq!(read(Format::Whisper, long)[0].nbest.first().text.len(), 199_999);
}

#[test]
fn gzip_is_unpacked() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(RESULT.as_bytes()).unwrap();
    assert_eq!(read(Format::Whisper, packed.finish().unwrap()), read(Format::Whisper, RESULT));
}

#[test]
fn broken_results_are_named() {
    let segment = |segment: Value| refusal(json!({"segments": [segment]}).to_string());
    assert_eq!(
        segment(json!({"start": 0})),
        "call.json:1: utterance \"call:0\" has no field `segments[0].text`; add it"
    );
    assert!(segment(json!("a")).contains("`segments[0]` is a string, expected an object with `text`"));
    assert!(segment(json!({"text": 7})).contains("`segments[0].text` is a number, expected a string"));
    assert!(
        segment(json!({"text": "a", "avg_logprob": "x"}))
            .contains("`segments[0].avg_logprob` is a string, expected a number")
    );
    assert!(
        segment(json!({"text": "a", "tokens": 3}))
            .contains("`segments[0].tokens` is a number, expected a list")
    );
    assert!(
        refusal("{\"segments\": {}}")
            .contains("`segments` is an object, expected a list of objects with `text`")
    );
    assert!(
        refusal("{\"segments\": [], \"score\": \"x\"}")
            .contains("`utterance.score` is a string, expected a number")
    );
    assert!(refusal("{\"segments\": [], \"text\": 7}").contains("`text` is a number, expected a string"));
    assert_eq!(
        refusal("{\"segments\": [{\"text\": \" a cat\"}], \"text\": \"a hat\"}"),
        "call.json:1: utterance \"call:0\": `text` says something else than `segments`; mend one of them"
    );
    assert!(
        refusal("{\"segments\": [{\"text\": \"a\", \"avg_logprob\": NaN}]}")
            .contains("`segments[0].avg_logprob` is NaN, expected a number")
    );
    assert!(line(&[]).contains("[]") && refusal(line(&[])).contains("\"u1\" has no hypotheses"));
    assert!(refusal(line(&[json!({"segments": 1})])).contains("has no field `hypotheses[0].text`"));
    assert!(
        refusal(line(&[json!({"segments": [{}]})])).contains("has no field `hypotheses[0].segments[0].text`")
    );
    assert_eq!(
        refusal(format!("{RESULT}{{\"text\": \"a\"}}")),
        "call.json:7: utterance \"call:1\" has no field `segments`; add it"
    );
    assert!(
        refusal(format!("{RESULT}{{\"alternatives\": []}}"))
            .contains("looks like vosk, but the file is read as whisper")
    );
    assert!(
        refusal(&RESULT[..RESULT.len() - 20])
            .contains("broken whisper document: expected the end of the utterance")
    );
    assert!(
        refusal(format!("{RESULT}{RESULT}").replace("\"segments\"", "\"id\": \"u1\", \"segments\""))
            .contains("call.json:7: utterance \"u1\" has an id that an earlier")
    );
    let empty = open(Some(Format::Whisper), " ").find_map(Result::err);
    assert!(matches!(empty, Some(Error::Empty { .. })));
}
