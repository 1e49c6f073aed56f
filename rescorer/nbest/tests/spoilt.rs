//! Samples of every shape with bytes changed, cut out and doubled: each is read, or refused, and the reader ends.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rescorer_nbest::{JsonlWriter, ReadOptions, Reader};

#[allow(dead_code)]
#[path = "shapes/samples.rs"]
mod samples;

use samples::SAMPLES;

/// Reads a text to its end. What comes out can be written, as valid JSON.
fn read(text: &[u8]) {
    let input = std::io::Cursor::new(text.to_vec());
    let Ok(reader) = Reader::from_read("x.json", input, &ReadOptions::default()) else { return };
    let mut writer = JsonlWriter::new("x", Vec::new());
    // A list is at least a byte of the text.
    for list in reader.take(text.len() + 1) {
        match list {
            Ok(list) => {
                assert!(list.nbest.iter().all(|one| one.score.is_none_or(f64::is_finite)));
                writer.write(&list).ok();
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let written = String::from_utf8(writer.finish().unwrap()).unwrap();
    for line in written.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

/// Pieces of JSON that mean something to a reader.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "NaN",
    "1e999",
    "-1",
    "\n",
    "\\",
    "\"id\": ",
    "\"text\": ",
    "\"score\": {}",
    "\u{FEFF}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spoilt_samples_are_read_or_refused(
        sample in 0..SAMPLES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>(), 0..PIECES.len()), 1..6),
    ) {
        let mut text = SAMPLES[sample].text.as_bytes().to_vec();
        for (at, change, byte, piece) in changes {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match change {
                0 => text[at] = byte,
                1 => drop(text.splice(at..at, PIECES[piece].bytes())),
                2 => drop(text.drain(at..(at + usize::from(byte) % 40).min(text.len()))),
                _ => {
                    let copy = text[at..(at + usize::from(byte)).min(text.len())].to_vec();
                    drop(text.splice(at..at, copy));
                }
            }
        }
        read(&text);
    }
}

#[test]
fn depth_is_no_danger() {
    for open in ["[", "{\"a\":", "[{\"hypotheses\":", "{\"results\":[", "[[\"a\","] {
        read(open.repeat(100_000).as_bytes());
    }
}
