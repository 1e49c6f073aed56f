//! The process behind `whisper`, and whatever it may do wrong.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rescorer_first_pass::{Error, FirstPass, Speech, Whisper, WhisperOptions, transcribe};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Long enough for an interpreter to start on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(10);

fn options(behaviour: &str) -> WhisperOptions {
    let hangs = behaviour.starts_with("hangs") || behaviour == "deaf";
    let timeout = if hangs { TIMEOUT } else { 6 * TIMEOUT };
    WhisperOptions {
        python: script("fake_whisper.py"),
        model: behaviour.into(),
        timeout,
        ..WhisperOptions::default()
    }
}

/// A second of sound.
fn sound() -> Vec<f32> {
    (0..16_000).map(|n| (n as f32 * 0.1).sin() * 0.1).collect()
}

fn refused_start(options: &WhisperOptions, parts: &[&str]) {
    let error = Whisper::start(options).err().unwrap();
    assert!(!error.is_recoverable());
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

fn broken(behaviour: &str, parts: &[&str]) {
    let mut whisper = Whisper::start(&options(behaviour)).unwrap();
    let error = whisper.recognize(&sound()).unwrap_err();
    assert!(!error.is_recoverable() && matches!(error, Error::Broken { .. }), "{error:?}");
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "{behaviour}: {part:?} is not in {message}");
    }
    let again = whisper.recognize(&sound()).unwrap_err().to_string();
    assert!(again.contains("broke down before"), "{again}");
}

#[test]
fn it_is_started_once_and_asked_for_every_piece() {
    let mut whisper = Whisper::start(&options("good")).unwrap();
    assert_eq!(whisper.name(), "whisper (good)");
    let speech = Speech::new("a", sound().repeat(3));
    let pieces: Vec<_> = transcribe(&mut whisper, &speech, 1.0).collect::<Result<_, _>>().unwrap();
    assert!(pieces.len() > 2);
    for piece in &pieces {
        assert_eq!(piece.utterance.nbest.first_pass(), [-1.0, -2.0]);
        assert_eq!(piece.utterance.extra["no_speech_prob"], 0.25);
        let words = piece.utterance.nbest.first().extra["words"].as_array().unwrap();
        assert!((words[1]["start"].as_f64().unwrap() - piece.seconds.start - 0.1).abs() < 6e-4);
    }
    // Half a minute of sound is more than a pipe holds.
    assert_eq!(whisper.recognize(&sound().repeat(30)).unwrap().hypotheses.len(), 2);
    assert!(whisper.recognize(&sound()[..100]).unwrap().hypotheses.is_empty());
}

#[test]
fn what_it_refuses_is_one_stretch() {
    let mut whisper = Whisper::start(&options("refuses")).unwrap();
    assert!(whisper.recognize(&sound()).is_ok());
    let error = whisper.recognize(&sound()).unwrap_err();
    assert!(error.is_recoverable());
    assert_eq!(error.to_string(), "first pass whisper: too loud");
    assert!(whisper.recognize(&sound()).is_ok());
}

#[test]
fn a_start_that_fails_tells_the_remedy() {
    refused_start(
        &WhisperOptions { python: "no-such-python".into(), ..options("good") },
        &["cannot run no-such-python", "name an interpreter"],
    );
    refused_start(
        &options("fatal"),
        &["its model fatal can't be loaded (no such model)", "a model such as tiny.en, which is fetched"],
    );
    refused_start(&options("dies-at-start"), &["ended (exit status: 1)", "it said: it hurts"]);
    refused_start(&options("prints"), &["answered with \"Python 3.14\"", "is it the right program?"]);
    refused_start(&WhisperOptions { python: "false".into(), ..options("good") }, &["ended (exit status: 1)"]);
    let python = script("python_without_packages.sh");
    refused_start(
        &WhisperOptions { python, ..options("tiny.en") },
        &["lacks the package ctranslate2", "-m pip install ctranslate2 faster-whisper"],
    );
}

#[test]
fn a_process_that_breaks_down_is_an_error_with_its_last_words() {
    broken("dies", &["ended (exit status: 7) before it answered", "it said: first words / last words"]);
    broken("closes", &["closed its output before it answered"]);
    broken("half-a-line", &["before it answered"]);
    broken("nonsense", &["answered with \"Segmentation \\0 fault\"", "which is no answer"]);
    broken("endless", &["a line of more than 16777216 bytes"]);
    broken("other-number", &["an answer to request 2 to request 1"]);
    broken("nan", &["which is no answer"]);
    broken("ready-again", &["\"ready\" to request 1"]);
}

#[test]
fn a_start_that_hangs_is_stopped() {
    refused_start(&options("hangs-at-start"), &["no answer for 10 s", "allow it more time"]);
}

fn stopped(behaviour: &str) {
    let mut whisper = Whisper::start(&options(behaviour)).unwrap();
    let started = Instant::now();
    // More than a pipe holds, so that one who does not read would hold up a writer.
    let error = whisper.recognize(&sound().repeat(20)).unwrap_err().to_string();
    assert!(error.contains("gave no answer for 10 s and was stopped; allow it more time"), "{error}");
    drop(whisper);
    // Neither waits for the minute that the process would sleep.
    assert!(started.elapsed() < 4 * TIMEOUT);
}

#[test]
fn a_process_that_hangs_is_stopped() {
    stopped("hangs");
}

#[test]
fn a_process_that_does_not_read_is_stopped() {
    stopped("deaf");
}
