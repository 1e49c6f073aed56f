//! Parquet and Arrow files: pyarrow's, our own, and broken ones.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use rescorer_nbest::{
    Answer, Error, Format, Hypothesis, NBest, OutputContent, OutputFormat, ReadOptions, Reader, Utterance,
};
use serde_json::{Value, json};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/columns").join(name)
}

fn read(path: &Path) -> Vec<Result<Utterance, Error>> {
    Reader::open(path, &ReadOptions::default()).map_or_else(|error| vec![Err(error)], Iterator::collect)
}

fn all(name: &str) -> Vec<Utterance> {
    read(&fixture(name)).into_iter().map(Result::unwrap).collect()
}

/// The only error, which ends the reading, without the folder of the file.
fn refusal(path: &Path) -> String {
    let mut found = read(path);
    let error = found.pop().unwrap().unwrap_err();
    assert!(!error.is_recoverable() && found.iter().all(Result::is_ok), "{error}");
    error.to_string().replace(&format!("{}/", path.parent().unwrap().display()), "")
}

#[test]
fn the_native_fields_and_others_beside_them() {
    for name in ["native.parquet", "native-gzip.parquet", "native.feather"] {
        let found = all(name);
        let stem = name.split('.').next().unwrap();
        let ids: Vec<&str> = found.iter().map(|utterance| utterance.id.as_str()).collect();
        assert_eq!(ids, ["u1", "u2", &format!("{stem}:2")], "{name}");
        let mut first = vec![Hypothesis::scored("a cat", -1.25), Hypothesis::scored("", -2.0)];
        first[0].extra.insert("ctc".into(), json!(0.5));
        assert_eq!(found[0].nbest.hypotheses(), first);
        let references: Vec<_> = found.iter().map(|utterance| utterance.reference.as_deref()).collect();
        assert_eq!(references, [Some("a cat"), Some(""), None]);
        assert_eq!((found[1].context.as_deref(), found[0].context.as_deref()), (Some("so"), None));
        let extra = json!({
            "speaker": "s1", "channel": 1, "big": 9_223_372_036_854_775_808_u64, "day": "2024-02-29",
            "time": "2024-02-29T12:00:00.000500Z", "clean": true, "tags": ["x", null], "counts": {"k": 1},
        });
        assert_eq!(Value::Object(found[0].extra.clone()), extra);
        assert_eq!(Value::Object(found[2].extra.clone()), json!({"speaker": "s1"}));
    }
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_is_unpacked() {
    assert_eq!(all("native-zstd.parquet")[..2], all("native.parquet")[..2]);
}

#[cfg(not(feature = "zstd"))]
#[test]
fn what_cannot_be_unpacked_is_named() {
    assert!(refusal(&fixture("native-zstd.parquet")).contains("zstd"));
}

#[test]
fn other_shapes_of_json() {
    let found = all("hyporadise.arrow");
    assert_eq!(
        (found[0].nbest.first_pass(), found[0].reference.as_deref()),
        (vec![-0.5, -0.75], Some("a cat"))
    );
    assert_eq!((found[1].id.as_str(), found[1].reference.as_deref()), ("hyporadise:1", None));
    let found = all("vosk.feather");
    assert_eq!(found[0].nbest.first_pass(), [270.5, 268.0]);
    assert_eq!(found[0].nbest.first().extra["result"][0], json!({"word": "two", "start": 0.84, "end": 1.02}));
    let found = all("numbered.parquet");
    let sizes: Vec<_> =
        found.iter().map(|utterance| (utterance.id.as_str(), utterance.nbest.len())).collect();
    assert_eq!(sizes, [("u1", 2), ("u2", 1)]);
    assert_eq!((found[1].reference.as_deref(), found[1].extra.is_empty()), (Some("b"), true));
}

#[test]
fn a_bad_row_is_named_and_the_next_one_follows() {
    let path = fixture("flawed.parquet");
    let place = |row: u64| format!("{}:{row}: utterance \"u{row}\" ", path.display());
    let expected = [
        None,
        Some(": `hypotheses[0].score` is NaN, expected a number"),
        Some("has no hypotheses"),
        Some("has no field `hypotheses`"),
        Some("has no field `hypotheses[1].text`"),
        Some("mixes hypotheses with a score (position 0) and without (position 1)"),
        Some(": `hypotheses[0].score` is infinite, expected a number"),
        None,
    ];
    let found = read(&path);
    assert_eq!(found.len(), expected.len());
    for (row, (found, expected)) in (1..).zip(found.into_iter().zip(expected)) {
        match (found, expected) {
            (Ok(utterance), None) => assert_eq!(utterance.id, format!("u{row}")),
            (Err(error), Some(expected)) => {
                assert!(error.is_recoverable());
                let message = error.to_string();
                let start = format!("{}{expected}", place(row)).replace("\" :", "\":");
                assert!(message.starts_with(&start), "{message}");
            }
            (found, _) => assert!(found.is_err() && found.is_ok(), "row {row}: {found:?}"),
        }
    }
}

#[test]
fn columns_that_are_of_no_use_are_refused() {
    assert_eq!(
        refusal(&fixture("other.parquet")).split(" as ").nth(1).unwrap(),
        "parquet: none of its columns (`text`, `score`) tells what a row is; name one `hypotheses` (lists of structs \
         with `text` and `score`) or `input` (lists of strings), or two `id` and `text`, where a row is one hypothesis"
    );
    assert!(refusal(&fixture("audio.parquet")).contains(
        "its column `audio.bytes` is of the type Binary, which cannot be carried along; leave it out, or"
    ));
    assert!(refusal(&fixture("empty.parquet")).contains("is empty: it holds no utterance"));
    let wrong = |name: &str| read(&fixture(name)).remove(0).unwrap_err().to_string();
    assert_eq!(read(&fixture("strings.parquet")).remove(0).unwrap().nbest.len(), 2);
    assert!(
        wrong("texts.parquet")
            .contains(":1: utterance \"texts:0\": `hypotheses` is a string, expected a list")
    );
}

#[test]
fn a_stream_is_refused_with_the_way_out() {
    for (name, format) in
        [("native.parquet", "parquet"), ("native.feather", "arrow"), ("hyporadise.arrow", "arrow")]
    {
        let bytes = std::io::Cursor::new(fs::read(fixture(name)).unwrap());
        let error = Reader::from_read("stdin", bytes, &ReadOptions::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot read stdin as {format}: it is read from a file alone, neither from a stream nor packed: \
                 write it to a file, and name that"
            )
        );
    }
}

#[test]
fn broken_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for name in ["native.parquet", "native.feather", "hyporadise.arrow"] {
        let bytes = fs::read(fixture(name)).unwrap();
        for length in (8..bytes.len()).step_by(97) {
            fs::write(&path, &bytes[..length]).unwrap();
            let found = read(&path);
            // A stream may end behind any of its batches.
            let whole = name == "hyporadise.arrow" && found.iter().all(Result::is_ok);
            let last = found.last().unwrap();
            assert!(whole || last.as_ref().is_err_and(|error| !error.is_recoverable()), "{name} {length}");
        }
    }
    fs::write(&path, b"PAR1 and nothing else").unwrap();
    let message = refusal(&path);
    assert!(message.starts_with("cannot read cut as parquet: it is cut short or broken ("), "{message}");
    assert!(message.ends_with("); write it again"), "{message}");
    let options = ReadOptions::default().with_format(Format::Parquet);
    fs::write(&path, b"{\"hypotheses\": []}").unwrap();
    let error = Reader::open(&path, &options).unwrap_err().to_string();
    assert!(error.contains("as parquet: it is cut short or broken"), "{error}");
}

#[test]
fn flipped_bytes_are_errors_or_other_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped");
    for name in ["native-gzip.parquet", "numbered.parquet", "vosk.feather", "hyporadise.arrow"] {
        let bytes = fs::read(fixture(name)).unwrap();
        for at in (4..bytes.len()).step_by(13) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, &flipped).unwrap();
            // No panic, no loop without end.
            assert!(read(&path).len() < 100, "{name} {at}");
        }
    }
}

fn lists() -> Vec<Utterance> {
    let mut list = vec![Hypothesis::scored("a, \"b\"\n", -1.0e-300), Hypothesis::scored("", 2.5)];
    list[0].extra.insert("ctc".into(), json!({"x": [1, null, 0.1]}));
    list[0].extra.insert("null".into(), Value::Null);
    list[1].extra.insert("extra".into(), json!("{\"a\": 1}"));
    let mut first = Utterance::new("u1", NBest::new(list).unwrap());
    first.reference = Some(String::new());
    first.extra.insert("speaker".into(), json!(18_446_744_073_709_551_615_u64));
    first.extra.insert("extra".into(), json!({"extra": {}}));
    let mut second = Utterance::new("ü 2", NBest::from_texts(["x", "x"]).unwrap());
    second.context = Some("before".into());
    vec![first, second]
}

fn write(path: &Path, utterances: &[Utterance]) {
    let mut encoder = OutputFormat::Parquet.encoder(OutputContent { lists: true, second_pass: false });
    let mut bytes = Vec::new();
    for utterance in utterances {
        bytes.extend(encoder.encode(&Answer::first_pass(utterance)).unwrap());
    }
    bytes.extend(encoder.finish().unwrap());
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lists.parquet");
    write(&path, &lists());
    let found: Vec<_> = read(&path).into_iter().map(Result::unwrap).collect();
    assert_eq!(found, lists());
    // More than one batch, and more than one of those that are written in one step.
    let list = NBest::from_texts(["a", "b"]).unwrap();
    let many: Vec<_> = (0..1000).map(|at| Utterance::new(format!("u{at}"), list.clone())).collect();
    write(&path, &many);
    assert!(read(&path).into_iter().map(Result::unwrap).eq(many));
    write(&path, &[]);
    assert!(refusal(&path).contains("is empty"));
}

#[test]
fn what_would_be_taken_for_another_field_is_refused() {
    let mut utterance = lists().remove(1);
    utterance.extra.insert("reference".into(), json!("x"));
    let mut encoder = OutputFormat::Parquet.encoder(OutputContent::default());
    let error = encoder.encode(&Answer::first_pass(&utterance)).unwrap_err().to_string();
    assert!(error.contains("as parquet: its unread field `reference`"), "{error}");
}
