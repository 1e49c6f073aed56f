//! `whisper-english` against what openai-whisper itself makes of the same texts
//! (`fixtures/whisper_english.py`).
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use rescorer_perturb::Normalization;

#[test]
fn equals_openai_whisper() {
    let packed = include_bytes!("fixtures/whisper_english.jsonl.gz");
    let mut lines = 0;
    let mut wrong = Vec::new();
    for line in BufReader::new(GzDecoder::new(&packed[..])).lines() {
        let (text, expected): (String, String) = serde_json::from_str(&line.unwrap()).unwrap();
        let found = Normalization::WhisperEnglish.apply(&text).into_owned();
        if found != expected {
            wrong.push((text, found, expected));
        }
        lines += 1;
    }
    assert!(lines >= 3000);
    assert!(wrong.is_empty(), "{} of {lines} differ: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
}
