//! Parquet files with one hypothesis a row, as pandas writes them.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use rescorer_nbest::{Error, Format, ReadOptions, Reader, Utterance};
use serde_json::json;

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    );
    let batch = batch.unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn texts(texts: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn numbers(numbers: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(numbers.to_vec()))
}

fn read(path: &Path, names: &str) -> Vec<Result<Utterance, Error>> {
    let names = if names.is_empty() { Default::default() } else { names.parse().unwrap() };
    let reader = Reader::open(path, &ReadOptions::default().with_names(names));
    reader.map_or_else(|error| vec![Err(error)], Iterator::collect)
}

#[test]
fn a_row_is_a_hypothesis() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.parquet");
    let columns = vec![
        ("id", Arc::new(Int64Array::from(vec![1663, 1663, 1664])) as ArrayRef),
        ("text", texts(&[Some("a cat"), Some("a hat"), None])),
        ("cost", numbers(&[1.25, 2.0, 0.5])),
        ("reference", texts(&[Some("a hat"), None, Some("")])),
        ("__index_level_0__", Arc::new(Int64Array::from(vec![0, 1, 2]))),
    ];
    write(&path, columns);
    assert_eq!(Reader::open(&path, &ReadOptions::default()).unwrap().format(), Format::Parquet);
    let found: Vec<Utterance> = read(&path, "").into_iter().map(Result::unwrap).collect();
    assert_eq!(
        (found.len(), found[0].id.as_str(), found[0].nbest.first_pass()),
        (2, "1663", vec![-1.25, -2.0])
    );
    assert_eq!((found[1].nbest.first().text.as_str(), found[1].nbest.first_pass()), ("", vec![-0.5]));
    let references: Vec<_> = found.iter().map(|utterance| utterance.reference.as_deref()).collect();
    assert_eq!(references, [Some("a hat"), Some("")]);
    let extra = json!({"cost": "1.25", "__index_level_0__": "0"});
    assert_eq!(found[0].nbest.first().extra, *extra.as_object().unwrap());
}

#[test]
fn names_and_what_is_wrong_with_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.parquet");
    let names = ["u1", "u2", "u1"].map(Some);
    let columns = vec![
        ("utt", texts(&names)),
        ("hyp", texts(&["a", "b", "c"].map(Some))),
        ("am", numbers(&[-1.0, f64::NAN, -2.0])),
    ];
    write(&path, columns);
    let found = read(&path, "id=utt,text=hyp,score=am");
    assert_eq!(found[0].as_ref().unwrap().nbest.first_pass(), [-1.0]);
    assert!(!found[1].as_ref().unwrap().nbest.is_scored());
    let scattered = found[2].as_ref().unwrap_err().to_string();
    assert!(
        scattered.contains("l.parquet:3: utterance \"u1\": its rows do not stand together"),
        "{scattered}"
    );
    let missing = read(&path, "id=utt,text=hyp,score=x").remove(0).unwrap_err().to_string();
    let expected = "as parquet: no column is `x`, which was named for `score`: the columns are `utt`, `hyp`, `am`; name one of them";
    assert!(missing.ends_with(expected), "{missing}");
    let unnamed = read(&path, "").remove(0).unwrap_err().to_string();
    assert!(unnamed.contains("(`utt`, `hyp`, `am`) tells what a row is; name one `hypotheses`"), "{unnamed}");
    write(
        &path,
        vec![
            ("id", texts(&[Some("u1")])),
            ("text", texts(&[Some("a")])),
            ("score", numbers(&[f64::INFINITY])),
        ],
    );
    let infinite = read(&path, "").remove(0).unwrap_err().to_string();
    assert!(infinite.contains("utterance \"u1\" holds inf, which is not a finite number"), "{infinite}");
}
