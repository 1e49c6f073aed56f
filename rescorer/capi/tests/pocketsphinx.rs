//! A recogniser in C with the second pass behind it, on real speech.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Command;

use common::{compiled, finished, manifest};
use rescorer_perturb::{word_errors, words};

const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox";

/// File names with what was said there.
fn transcripts() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(Path::new(SPEECH).join("transcription")).unwrap();
    let line = |line: &str| {
        let (said, name) = line.rsplit_once(" (").unwrap();
        let said = said.trim_start_matches("<s>").trim_end_matches("</s>").trim();
        (format!("{SPEECH}/{}.wav", name.trim_end_matches(')')), said.to_owned())
    };
    text.lines().map(line).collect()
}

#[test]
#[ignore = "needs PocketSphinx (libpocketsphinx-dev, pocketsphinx-en-us, pocketsphinx-testdata) and RESCORER_TEST_MODEL: run with --ignored"]
fn a_recogniser_in_c_gets_better_texts() {
    let model = std::env::var("RESCORER_TEST_MODEL").unwrap_or_else(|_| panic!("set RESCORER_TEST_MODEL"));
    let flags =
        finished(Command::new("pkg-config").args(["--cflags", "--libs", "pocketsphinx", "sphinxbase"]));
    let flags = String::from_utf8(flags.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let source = manifest().join("../../examples/c/pocketsphinx.c");
    let program = compiled(&source, &flags.split_whitespace().collect::<Vec<_>>(), folder.path());
    let said = transcripts();
    let output = finished(Command::new(program).arg(model).args(said.iter().map(|(file, _)| file)));
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), said.len(), "{output}");
    let mut errors = [0, 0];
    let mut spoken = 0;
    for (line, (file, reference)) in output.lines().zip(&said) {
        let mut fields = line.split('\t');
        assert_eq!(fields.next(), Some(file.as_str()));
        let reference = words(reference);
        spoken += reference.len();
        for errors in &mut errors {
            *errors += word_errors(&reference, &words(fields.next().unwrap()));
        }
    }
    let [before, after] = errors.map(|errors| 100.0 * errors as f64 / spoken as f64);
    println!("{output}WER {before:.1} -> {after:.1} on {spoken} words");
    assert!(after < before, "{output}WER {before:.1} -> {after:.1}");
}
