//! WAV files of every kind, with the samples that independent decoders read from them (`fixtures/wav.py`).
#![cfg(feature = "audio")]
#![allow(clippy::unwrap_used)]

use rescorer_perturb::Audio;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    /// The file in hexadecimal digits.
    wav: String,
    #[serde(default)]
    channels: usize,
    #[serde(default)]
    rate: u32,
    samples: Option<Vec<f32>>,
    /// A word of the message.
    refused: Option<String>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let digits = self.wav.as_bytes().chunks_exact(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }
}

fn cases() -> Vec<Case> {
    let lines = include_str!("fixtures/wav.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn files_give_the_samples_that_others_read() {
    let mut read = 0;
    for case in cases() {
        let Some(samples) = &case.samples else { continue };
        let audio = Audio::from_reader(&case.bytes()[..], &case.name).unwrap();
        assert_eq!(audio.samples(), samples, "{}", case.name);
        assert_eq!((audio.channels(), audio.sample_rate()), (case.channels, case.rate), "{}", case.name);
        read += 1;
    }
    assert_eq!(read, 57);
}

#[test]
fn what_is_not_read_is_named() {
    let mut refused = 0;
    for case in cases() {
        let Some(word) = &case.refused else { continue };
        let error = Audio::from_reader(&case.bytes()[..], &case.name).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", case.name)) && error.contains(word), "{error}");
        refused += 1;
    }
    assert_eq!(refused, 21);
}

#[test]
fn any_cut_is_an_error_or_fewer_samples() {
    for case in cases() {
        let bytes = case.bytes();
        for length in 0..bytes.len() {
            let Ok(audio) = Audio::from_reader(&bytes[..length], &case.name) else { continue };
            let samples = case.samples.as_ref().unwrap();
            assert!(samples.starts_with(audio.samples()), "{} cut at {length}", case.name);
            // Only without a size, or behind the sound.
            let whole = audio.samples().len() == samples.len();
            assert!(whole || case.name.starts_with("pipe_"), "{} cut at {length}", case.name);
        }
    }
}
