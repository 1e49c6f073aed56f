//! `rescorer transcribe` on real speech: the LibriVox sentences of PocketSphinx's test data.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::Path;

use common::{Room, ran};
use rescorer_perturb::{Normalization, word_errors, words};
use serde_json::Value;

const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox";

/// Names of files with what was said there.
fn transcripts() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(Path::new(SPEECH).join("transcription")).unwrap();
    let line = |line: &str| {
        let (said, name) = line.rsplit_once(" (").unwrap();
        let said = said.trim_start_matches("<s>").trim_end_matches("</s>").trim();
        (name.trim_end_matches(')').to_owned(), said.to_owned())
    };
    text.lines().map(line).collect()
}

/// What was heard in a file: the field `key` of the rows of its pieces.
fn heard(rows: &[Value], key: &str, file: &str) -> String {
    let is_of =
        |row: &&Value| row["utterance"].as_str().is_some_and(|id| id.starts_with(&format!("{file}:")));
    rows.iter().filter(is_of).filter_map(|row| row[key].as_str()).collect::<Vec<_>>().join(" ")
}

/// Transcribes the sentences with the model of RESCORER_TEST_MODEL and prints WER before and after, which it gives.
fn wer(options: &str) -> [f64; 2] {
    let model = std::env::var("RESCORER_TEST_MODEL").unwrap_or_else(|_| panic!("set RESCORER_TEST_MODEL"));
    let said = transcripts();
    let room = Room::new();
    let fixed = "--precision int8 --device cpu --json --model";
    let mut command = room.command(&format!("transcribe {options} {fixed}"));
    command.arg(model).args(said.iter().map(|(name, _)| format!("{SPEECH}/{name}.wav")));
    let ran = ran(command.output().unwrap()).ok();
    let rows = ran.json();
    let mut errors = [0; 2];
    let mut spoken = 0;
    let normal = |text: &str| Normalization::WhisperEnglish.apply(text).into_owned();
    for (file, said) in &said {
        let said = normal(said);
        spoken += words(&said).len();
        let texts = [heard(&rows, "first_pass_text", file), heard(&rows, "text", file)];
        for (errors, text) in errors.iter_mut().zip(texts) {
            let text = normal(&text);
            println!("{text}");
            *errors += word_errors(&words(&said), &words(&text));
        }
    }
    let [before, after] = errors.map(|errors| 100.0 * errors as f64 / spoken as f64);
    println!("{}WER {before:.1} -> {after:.1} on {spoken} words", ran.stderr);
    [before, after]
}

#[cfg(feature = "pocketsphinx")]
#[test]
#[ignore = "needs pocketsphinx-en-us, pocketsphinx-testdata and RESCORER_TEST_MODEL: run with --ignored"]
fn pocketsphinx_gets_better_texts() {
    let [before, after] = wer("--first-pass pocketsphinx --lm-weight 6.5 --nbest-size 50");
    assert!(after < before, "WER {before:.1} -> {after:.1}");
}

#[test]
#[ignore = "needs pocketsphinx-testdata, RESCORER_TEST_MODEL, and RESCORER_TEST_WHISPER=\"PYTHON MODEL\": run with --ignored"]
fn whisper_is_close() {
    let whisper =
        std::env::var("RESCORER_TEST_WHISPER").unwrap_or_else(|_| panic!("set RESCORER_TEST_WHISPER"));
    let (python, model) = whisper.split_once(' ').unwrap();
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/demo/policy.toml");
    let policy = policy.display();
    let [before, after] =
        wer(&format!("--first-pass whisper --python {python} --whisper-model {model} --policy {policy}"));
    // Five sentences, nearly all right: one word decides which pass is better, so this is about the chain alone.
    assert!(before < 10.0 && after < 10.0, "WER {before:.1} -> {after:.1}");
}
