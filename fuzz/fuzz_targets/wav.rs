//! Any bytes are a recording or an error, and a recording has no more samples than the file has bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rescorer_perturb::Audio;

fuzz_target!(|bytes: &[u8]| {
    match Audio::from_reader(bytes, "a.wav") {
        Ok(audio) => {
            assert!(audio.frames() > 0 && audio.frames() * audio.channels() == audio.samples().len());
            assert!(audio.samples().len() <= bytes.len(), "{} samples of {} bytes", audio.samples().len(), bytes.len());
            assert!(audio.samples().iter().all(|sample| sample.is_finite()));
            assert!((1000..=768_000).contains(&audio.sample_rate()));
        }
        Err(error) => assert!(error.to_string().starts_with("a.wav: ") && error.to_string().len() > 20),
    }
});
