//! Folders with NeMo's beams and their manifest.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rescorer_nbest::{Error, Format, ReadOptions, Reader, Readers, Utterance};
use serde_json::json;
use tempfile::TempDir;

const BEAMS: &str = "preds_out_width2_alpha1.0_beta0.5.tsv";
const MANIFEST: &str = "dev_manifest.json";

const LINES: &str = "please right it\t-3.5\nplease write it\t-4.25e0\n\t-0.5\nuh\t-1\n";
const ENTRIES: &str = "{\"audio_filepath\": \"wavs/u1.wav\", \"duration\": 1.5, \"text\": \"please write it\"}\n\
    {\"audio_filepath\": \"wavs/u2.b.wav\", \"duration\": 0.5, \"text\": \"\", \"context\": \"before\"}\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn read(folder: &Path) -> Vec<Result<Utterance, Error>> {
    Readers::new([folder], &ReadOptions::default()).unwrap().collect()
}

fn ids(folder: &Path) -> Vec<String> {
    read(folder).into_iter().map(|utterance| utterance.unwrap().id).collect()
}

/// What is read of these files, ids and errors.
fn with_errors(lines: &str, entries: &str) -> (Vec<String>, Vec<String>) {
    let folder = folder(&[(BEAMS, lines), (MANIFEST, entries)]);
    let (mut ids, mut errors) = (vec![], vec![]);
    for item in read(folder.path()) {
        match item {
            Ok(utterance) => ids.push(utterance.id),
            Err(error) => errors.push(error.to_string().replace(&folder.path().display().to_string(), "DIR")),
        }
    }
    (ids, errors)
}

fn refusal(lines: &str, entries: &str) -> String {
    let (ids, errors) = with_errors(lines, entries);
    assert_eq!((ids.len(), errors.len()), (0, 1), "{errors:?}");
    errors[0].clone()
}

/// The error of the first utterance, which must leave the second readable.
fn bad_first(lines: &str, entries: &str) -> String {
    let (ids, errors) = with_errors(lines, entries);
    assert_eq!((ids, errors.len()), (vec!["u2.b".to_owned()], 1), "{errors:?}");
    errors[0].clone()
}

#[test]
fn beams_are_shared_out_to_the_manifest() {
    let folder = folder(&[(BEAMS, LINES), (MANIFEST, ENTRIES), ("notes.txt", "x")]);
    assert_eq!(Reader::open(folder.path(), &ReadOptions::default()).unwrap().format(), Format::Nemo);
    let found: Vec<Utterance> = read(folder.path()).into_iter().map(Result::unwrap).collect();
    assert_eq!((found.len(), found[0].id.as_str(), found[1].id.as_str()), (2, "u1", "u2.b"));
    let texts = |at: usize| -> Vec<&str> {
        found[at].nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect()
    };
    assert_eq!(
        (texts(0), found[0].nbest.first_pass()),
        (vec!["please right it", "please write it"], vec![-3.5, -4.25])
    );
    assert_eq!((texts(1), found[1].nbest.first_pass()), (vec!["", "uh"], vec![-0.5, -1.0]));
    assert_eq!(
        (found[0].reference.as_deref(), found[1].reference.as_deref()),
        (Some("please write it"), Some(""))
    );
    assert_eq!(found[1].context.as_deref(), Some("before"));
    assert_eq!(
        found[0].extra,
        *json!({"audio_filepath": "wavs/u1.wav", "duration": 1.5}).as_object().unwrap()
    );
}

#[test]
fn gzip_is_unpacked() {
    let pack = |text: &str| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("beams.tsv.gz"), pack(&format!("\u{FEFF}{}", LINES.replace('\n', "\r\n"))))
        .unwrap();
    fs::write(folder.path().join("manifest.jsonl.gz"), pack(ENTRIES)).unwrap();
    assert_eq!(ids(folder.path()), ["u1", "u2.b"]);
}

#[test]
fn stems_that_repeat_give_way_to_numbers() {
    let parts =
        "{\"audio_filepath\": \"a.wav\", \"offset\": 0}\n{\"audio_filepath\": \"a.wav\", \"offset\": 2}\n";
    let numbered = ["preds_out_width2_alpha1.0_beta0.5:0", "preds_out_width2_alpha1.0_beta0.5:1"];
    assert_eq!(with_errors(LINES, parts).0, numbered);
    assert_eq!(with_errors(LINES, "{\"audio_filepath\": \"a.wav\"}\n\n{\"text\": \"b\"}").0, numbered);
    let named = parts.replace("\"offset\": 2", "\"id\": \"second\"");
    assert_eq!(with_errors(LINES, &named).0, [numbered[0], "second"]);
}

#[test]
fn lines_that_cannot_be_shared_out_are_refused() {
    let short = "a\t-1\nb\t-2\nc\t-1\n";
    assert_eq!(
        refusal(short, ENTRIES),
        "DIR/preds_out_width2_alpha1.0_beta0.5.tsv: its 3 lines cannot be shared out evenly to the 2 entries of \
         DIR/dev_manifest.json: some beams hold fewer candidates, or the manifest is another one's; decode again with a \
         width that all beams fill, or with one utterance a folder, or bring the right manifest"
    );
    assert_eq!(
        refusal("a\t-1\nb\t-2\n", ENTRIES),
        "DIR/preds_out_width2_alpha1.0_beta0.5.tsv: its 2 lines are 1 for each of the 2 entries of DIR/dev_manifest.json, \
         but its name says width 2: some beams hold fewer candidates, or the manifest is another one's; decode again with a \
         width that all beams fill, bring the right manifest, or rename the file if every utterance has 1"
    );
    let folder = folder(&[("beams.tsv", "a\t-1\nb\t-2\n"), (MANIFEST, ENTRIES)]);
    assert_eq!(ids(folder.path()), ["u1", "u2.b"]);
}

#[test]
fn files_that_are_missing_or_too_many() {
    let as_nemo = |files: &[(&str, &str)]| {
        let folder = folder(files);
        let options = ReadOptions::default().with_format(Format::Nemo);
        let error = Reader::open(folder.path(), &options).unwrap_err().to_string();
        error.replace(&folder.path().display().to_string(), "DIR")
    };
    assert_eq!(
        as_nemo(&[(BEAMS, LINES)]),
        "DIR: holds no manifest (*manifest*.json or .jsonl); copy it there"
    );
    assert_eq!(as_nemo(&[(MANIFEST, ENTRIES)]), "DIR: holds no beams (*.tsv); copy it there");
    assert_eq!(
        as_nemo(&[("b.tsv", LINES), ("a.tsv", LINES), (MANIFEST, ENTRIES)]),
        "DIR: holds 2 beams (*.tsv): a.tsv, b.tsv; leave the one to read"
    );
    assert!(as_nemo(&[(BEAMS, ""), (MANIFEST, ENTRIES)]).ends_with(".tsv is empty: it holds no utterance"));
    assert!(
        as_nemo(&[(BEAMS, LINES), (MANIFEST, "\n")])
            .ends_with("manifest.json is empty: it holds no utterance")
    );
    let folder = folder(&[(BEAMS, LINES)]);
    let options = ReadOptions::default().with_format(Format::Nemo);
    let error = Reader::open(folder.path().join(BEAMS), &options).unwrap_err().to_string();
    assert!(error.ends_with("as nemo, which is a folder of files; name the folder"));
}

#[test]
fn broken_lines_are_named() {
    let lines = |second: &str| LINES.replace("please write it\t-4.25e0", second);
    assert_eq!(
        bad_first(&lines("please write it"), ENTRIES),
        "DIR/preds_out_width2_alpha1.0_beta0.5.tsv:2: utterance \"u1\": its line has no tab with a score behind it; decode \
         again, or add the score"
    );
    assert!(
        bad_first(&lines("a\tb"), ENTRIES)
            .contains(":2: utterance \"u1\": \"b\" is no score; expected a number behind the tab")
    );
    assert!(
        bad_first(&lines("a\t-inf"), ENTRIES)
            .contains(":2: utterance \"u1\" holds -inf, which is not a finite number")
    );
    let entries = |text: &str| ENTRIES.replace("\"please write it\"", text);
    assert_eq!(
        bad_first(LINES, &entries("7")),
        "DIR/dev_manifest.json:1: utterance \"u1\": `text` is a number, expected a string; mend it"
    );
    assert_eq!(
        refusal(LINES, &entries("\"a\", \"text\": \"b\"")),
        "DIR/dev_manifest.json:1: broken nemo document: expected an object in each line of the manifest, found one with the \
         key `text` twice; everything from here on is unread"
    );
    assert!(refusal(LINES, &entries("NaN")).contains("found one with NaN, which is no number of JSON"));
    assert!(refusal(LINES, &entries("")).contains("found an error in column 60 (expected value)"));
    assert!(refusal(LINES, "[\n{}\n]").contains("DIR/dev_manifest.json:1: broken nemo document"));
    assert!(refusal(LINES, "7\n{}").contains("found another value"));
    let (ids, errors) = with_errors(LINES, &ENTRIES.replace("\"duration\"", "\"id\": \"u\", \"duration\""));
    assert_eq!(ids, ["u"]);
    assert!(errors[0].contains(":3: utterance \"u\" has an id that an earlier utterance has"));
}
