//! The three formats, as users have them.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rescorer_nbest::{Error, Format, Hypothesis, NBest, ReadOptions, Reader, Readers, Utterance};
use serde_json::{Value, json};

fn read(name: &str, text: &str) -> (Format, Vec<Utterance>) {
    let input = Cursor::new(text.as_bytes().to_vec());
    let reader = Reader::from_read(name, input, &ReadOptions::default()).unwrap();
    (reader.format(), reader.collect::<Result<_, _>>().unwrap())
}

fn scored(hypotheses: &[(&str, f64)]) -> NBest {
    NBest::new(hypotheses.iter().map(|(text, score)| Hypothesis::scored(*text, *score)).collect()).unwrap()
}

#[test]
fn native_lines() {
    let text = concat!(
        "\u{FEFF}{\"id\": \"u1\", \"hypotheses\": [{\"text\": \"\", \"score\": -1, \"am\": [1]}], ",
        "\"reference\": \"\", \"context\": \"c\", \"speaker\": {\"b\": 1, \"a\": 2}}\r\n",
        "\r\n",
        "{\"hypotheses\": [{\"text\": \"b\", \"score\": null}], \"reference\": null}",
    );
    let (format, read) = read("dir/dev.jsonl", text);
    assert_eq!(format, Format::Jsonl);
    let mut first = Utterance::new("u1", scored(&[("", -1.0)]));
    let mut hypotheses = first.nbest.into_hypotheses();
    hypotheses[0].extra.insert("am".to_owned(), json!([1]));
    first.nbest = NBest::new(hypotheses).unwrap();
    (first.reference, first.context) = (Some(String::new()), Some("c".to_owned()));
    first.extra.insert("speaker".to_owned(), json!({"b": 1, "a": 2}));
    assert_eq!(read[0], first);
    assert_eq!(read[0].extra["speaker"].to_string(), "{\"b\":1,\"a\":2}");
    assert_eq!(read[1], Utterance::new("dev:1", NBest::from_texts(["b"]).unwrap()));
}

#[test]
fn hyporadise() {
    let text = r#"[{"id": "u1", "input": ["a", "b"], "output": "a", "am_score": [-0.5, -1], "score": 7},
        {"output": "c", "input": ["c"], "score": [0]}, {"input": ["d"], "context": "before"}]"#;
    let (format, read) = read("whisper.v1.json", text);
    assert_eq!(format, Format::HyporadiseJson);
    assert_eq!(read[0].nbest, scored(&[("a", -0.5), ("b", -1.0)]));
    assert_eq!((read[0].reference.as_deref(), &read[0].extra["score"]), (Some("a"), &json!(7)));
    assert_eq!((read[1].id.as_str(), &read[1].nbest), ("whisper.v1:1", &scored(&[("c", 0.0)])));
    assert_eq!((read[2].reference.as_deref(), read[2].context.as_deref()), (None, Some("before")));
    assert!(!read[2].nbest.is_scored());
}

#[test]
fn am_json_in_the_order_of_its_numbers() {
    let mut object = json!({"ref": "r", "speaker": "s"});
    for number in [10, 2, 1, 9, 3, 8, 4, 7, 5, 6] {
        object[format!("hyp_{number}")] =
            json!({"score": -number, "text": format!("t{number}"), "tokens": number});
    }
    let (format, read) = read("x.am.json", &json!({"u1": object, "u2": {"hyp_1": {"text": ""}}}).to_string());
    assert_eq!(format, Format::EspnetJson);
    let texts: Vec<_> = read[0].nbest.iter().map(|h| h.text.as_str()).collect();
    assert_eq!(texts, ["t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10"]);
    assert_eq!(read[0].nbest.first_pass()[9], -10.0);
    assert_eq!(read[0].nbest.hypotheses()[9].extra["tokens"], json!(10));
    assert_eq!(read[0].extra.keys().collect::<Vec<_>>(), ["speaker"]);
    assert_eq!((read[1].id.as_str(), read[1].reference.as_deref()), ("u2", None));
}

#[test]
fn a_line_on_a_pipe_is_answered_before_the_next_is_written() {
    let (input, mut output) = std::io::pipe().unwrap();
    let line =
        |id: &str| format!("{{\"id\": \"{id}\", \"hypotheses\": [{{\"text\": \"a\"}}]}}\n").into_bytes();
    output.write_all(&line("u1")).unwrap();
    let mut reader = Reader::from_read("stdin", input, &ReadOptions::default()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().id, "u1");
    output.write_all(&line("u2")).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().id, "u2");
    drop(output);
    assert!(reader.next().is_none());
}

#[test]
fn files_are_chained_and_share_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.jsonl", "b.json", "c.jsonl"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], "{\"id\": \"u1\", \"hypotheses\": [{\"text\": \"a\"}]}").unwrap();
    std::fs::write(&paths[1], "[{\"input\": [\"a\"]}, {\"id\": \"u1\", \"input\": [\"b\"]}]").unwrap();
    std::fs::write(&paths[2], "{\"hypotheses\": [{\"text\": \"a\"}]}").unwrap();
    let items: Vec<_> = Readers::new(&paths, &ReadOptions::default()).unwrap().collect();
    let ids: Vec<_> = items.iter().map(|item| item.as_ref().map_or("error", |u| u.id.as_str())).collect();
    assert_eq!(ids, ["u1", "b:0", "error", "c:0"]);
    let message = items[2].as_ref().unwrap_err().to_string();
    assert!(message.starts_with(&format!("{}:1: utterance \"u1\" has an id", paths[1].display())));

    std::fs::write(&paths[1], "[{\"input\": [\"a\"]}").unwrap();
    let mut readers = Readers::new(&paths, &ReadOptions::default()).unwrap();
    assert!(matches!(readers.nth(2), Some(Err(Error::Document { .. }))));
    assert!(readers.next().is_none());
}

#[test]
fn long_lists_and_long_hypotheses() {
    let words = "word ".repeat(10_000);
    let listed: Vec<Value> = (0..10_000).map(|k| json!({"text": format!("t{k}"), "score": -k})).collect();
    let numbered: serde_json::Map<_, _> =
        (0..10_000).map(|k| (format!("hyp_{}", k + 1), listed[k].clone())).collect();
    let native = json!({"hypotheses": listed.clone()}).to_string();
    for text in [native, json!({"u1": numbered}).to_string()] {
        let (_, read) = read("x", &text);
        assert_eq!(read[0].nbest.len(), 10_000);
        assert_eq!(read[0].nbest.first_pass()[9_999], -9_999.0);
    }
    let (_, read) = read("x", &json!({"id": words, "hypotheses": [{"text": words}]}).to_string());
    assert_eq!(read[0].nbest.first().text, words);
}

#[test]
fn a_document_is_not_read_ahead() {
    /// An array that never exists as a whole; it counts how often it was read.
    struct Array(Arc<AtomicUsize>);
    impl Read for Array {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            let piece = match self.0.fetch_add(1, Ordering::Relaxed) {
                0 => format!("[{{\"input\": [\"{}\"]}}", "a ".repeat(20_000)),
                1..100 => format!(",{{\"input\": [\"{}\"]}}", "a ".repeat(20_000)),
                100 => "]".to_owned(),
                _ => String::new(),
            };
            to[..piece.len()].copy_from_slice(piece.as_bytes());
            Ok(piece.len())
        }
    }
    let reads = Arc::new(AtomicUsize::new(0));
    let reader = Reader::from_read("x", Array(reads.clone()), &ReadOptions::default()).unwrap();
    let mut utterances = 0;
    for utterance in reader {
        assert_eq!(utterance.unwrap().id, format!("x:{utterances}"));
        utterances += 1;
        assert_eq!(reads.load(Ordering::Relaxed), utterances);
    }
    assert_eq!(utterances, 100);
}
