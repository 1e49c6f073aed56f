//! `rescorer transcribe`, with a process that stands in for Whisper.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{Ran, Room, close, keys};
use rescorer_perturb::{Audio, SampleFormat};

/// The longer text wins.
const LONGER: &str = "--lm-weight 0 --length-bonus 9";

fn tone(seconds: f32) -> Vec<f32> {
    (0..(16_000.0 * seconds) as usize).map(|n| 0.2 * (0.2 * n as f32).sin()).collect()
}

/// A second of sound, one of silence, 2.5 of sound in two channels of another rate, and what is no sound.
fn room() -> Room {
    let room = Room::new();
    let write = |name: &str, samples: Vec<f32>, channels, rate, format| {
        Audio::new(samples, channels, rate, format).write(&room.path(name)).unwrap();
    };
    write("one.wav", tone(1.0), 1, 16_000, SampleFormat::Int(16));
    write("silent.wav", vec![0.0; 16_000], 1, 16_000, SampleFormat::Int(16));
    write("eight.wav", tone(1.0), 1, 16_000, SampleFormat::Int(8));
    write("stereo.wav", tone(15.0), 2, 48_000, SampleFormat::Float);
    room.write("text.wav", "this is no sound at all");
    room
}

fn words(behaviour: &str, words: &str) -> String {
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("../first_pass/tests/fake_whisper.py");
    format!("transcribe {words} --python {} --whisper-model {behaviour}", fake.display())
}

fn run(room: &Room, behaviour: &str, rest: &str) -> Ran {
    room.run(&words(behaviour, rest))
}

fn refused(room: &Room, behaviour: &str, rest: &str, parts: &[&str]) {
    room.refused(&words(behaviour, rest), parts);
}

#[test]
fn both_passes_are_shown_and_timed() {
    let room = room();
    let ran = run(&room, "good", &format!("one.wav eight.wav {LONGER}")).ok();
    let both = |id: &str| {
        format!("{id}\t0.00\t1.00\tfirst\tthe cat sat\n{id}\t0.00\t1.00\tsecond\tthe cat sat on\n")
    };
    assert_eq!(ran.stdout, both("one:1") + &both("eight:1"));
    ran.says(&["first pass whisper (good)", "2 segments, 2.0 s of audio, 2 changed", "RTF", "second pass: "]);
    let same = run(&room, "good", "one.wav --lm-weight 0 --quiet").ok();
    assert_eq!((same.stdout.as_str(), same.stderr.as_str()), ("one:1\t0.00\t1.00\tboth\tthe cat sat\n", ""));
}

#[test]
fn what_is_long_is_cut_and_keeps_its_times() {
    let room = room();
    let rows = run(&room, "good", &format!("stereo.wav {LONGER} --max-segment 1 --json")).ok().json();
    let mut end = 0.0;
    for (row, number) in rows.iter().zip(1..) {
        assert_eq!(
            keys(row),
            ["utterance", "text", "position", "changed", "first_pass_text", "file", "start", "end"]
        );
        assert_eq!(
            (&row["utterance"], &row["text"]),
            (&format!("stereo:{number}").into(), &"the cat sat on".into())
        );
        assert_eq!((&row["first_pass_text"], &row["changed"]), (&"the cat sat".into(), &true.into()));
        assert!(close(row["start"].as_f64().unwrap(), end));
        end = row["end"].as_f64().unwrap();
    }
    assert!(rows.len() > 2 && close(end, 2.5), "{rows:?}");
}

#[test]
fn lists_and_winners_go_into_files() {
    let room = room();
    let into = "--nbest-output lists.jsonl --output out.ctm";
    run(&room, "good", &format!("stereo.wav one.wav {LONGER} --max-segment 1.5 {into}")).ok();
    let ctm = room.read("out.ctm");
    assert!(ctm.starts_with("stereo:1 1 0.000 0.100 the\nstereo:1 1 0.100 0.100 cat\n"), "{ctm}");
    assert!(ctm.contains("one:1 1 0.300 0.100 on\n"), "{ctm}");
    let again = room.run(&format!("rescore lists.jsonl {LONGER} --output-format trn")).ok();
    assert_eq!(again.stdout.lines().last(), Some("the cat sat on (one:1)"));
    let lists = room.read("lists.jsonl");
    assert!(
        lists.lines().all(|list| list.contains("\"start\":") && list.contains("no_speech_prob")),
        "{lists}"
    );
    run(&room, "good", &format!("one.wav {LONGER} --context cats --nbest-output lists.tsv")).ok();
    let table = room.read("lists.tsv");
    assert_eq!(
        (table.lines().count(), table.matches("cats").count()),
        (3, 2),
        "a context is read and kept: {table}"
    );
}

#[test]
fn where_nothing_is_heard_the_text_is_empty_and_that_is_said() {
    let room = room();
    let ran = run(&room, "good", &format!("silent.wav one.wav {LONGER} --quiet")).ok();
    assert!(ran.stdout.starts_with("silent:1\t0.00\t1.00\tboth\t\none:1"), "{ran:?}");
    ran.says(&["warning: silent:1 (0.00 to 1.00 s): no speech found; the text is empty"]);
}

#[test]
fn a_recogniser_that_fails_is_an_error_and_leaves_no_file() {
    let room = room();
    let before = room.files();
    let outputs = format!("one.wav {LONGER} --output o.txt --nbest-output l.jsonl");
    for (behaviour, part) in [
        ("dies", "it said: first words / last words"),
        ("nonsense", "which is no answer"),
        ("fatal", "--whisper-model"),
        ("nan", "which is no answer"),
    ] {
        refused(&room, behaviour, &outputs, &["first pass whisper: ", part]);
        refused(&room, behaviour, &format!("{outputs} --skip-invalid"), &[part]);
    }
    refused(&room, "hangs", &format!("{outputs} --first-pass-timeout 10"), &["gave no answer for 10 s"]);
    assert_eq!(room.files(), before);
    let no_policy = format!("{} --policy none.toml", words("dies", "one.wav"));
    room.refused(&no_policy, &["none.toml", "give a file that `tune` wrote"]);
    let no_python = format!("transcribe one.wav {LONGER} --python no-python");
    room.refused(&no_python, &["cannot run no-python", "--python PATH"]);
}

#[test]
fn pieces_and_files_that_cannot_be_used_may_be_skipped() {
    let room = room();
    let one = std::fs::read(room.path("one.wav")).unwrap();
    room.write("cut.wav", &one[..one.len() - 7]);
    for (name, at, bytes) in [
        ("size.wav", 40, [0, 0, 0, 1]),
        ("channels.wav", 20, [1, 0, 0, 0]),
        ("rate.wav", 24, [0; 4]),
        ("pipe.wav", 40, [0xff; 4]),
        ("stopped.wav", 40, [0; 4]),
    ] {
        let mut lying = one.clone();
        lying[at..at + 4].copy_from_slice(&bytes);
        room.write(name, lying);
    }
    room.write("empty.wav", [&one[..40], &[0; 4]].concat());
    for (file, part) in [
        ("text.wav", "is no WAV file but text"),
        ("cut.wav", "it is cut off"),
        ("size.wav", "ends after 16000 of 8388608 samples: it is cut off"),
        ("channels.wav", "says 0 channels"),
        ("rate.wav", "says 0 samples a second"),
        ("empty.wav", "has no frames"),
    ] {
        refused(&room, "good", &format!("{file} {LONGER}"), &[&format!("error: {file}: "), part]);
        let skipped = run(&room, "good", &format!("{file} one.wav {LONGER} --skip-invalid"));
        assert_eq!((skipped.code, skipped.stdout.lines().count()), (1, 2), "{skipped:?}");
        skipped.says(&[&format!("warning: skipped: {file}: ")]);
    }
    let unknown =
        run(&room, "good", &format!("one.wav pipe.wav stopped.wav {LONGER} --output-format trn")).ok().stdout;
    assert_eq!(unknown, "the cat sat on (one:1)\nthe cat sat on (pipe:1)\nthe cat sat on (stopped:1)\n");
    refused(&room, "good", &format!("text.wav {LONGER} --skip-invalid"), &["nothing usable"]);
    let loud = format!("stereo.wav {LONGER} --max-segment 1");
    let ran = run(&room, "refuses", &loud);
    assert_eq!(ran.code, 2, "{ran:?}");
    ran.says(&["stereo:2 (", "too loud; cut it out, or pass --skip-invalid"]);
    let skipped = run(&room, "refuses", &format!("{loud} --skip-invalid"));
    assert!(skipped.code == 1 && skipped.stdout.contains("stereo:3"), "{skipped:?}");
}

#[test]
fn what_cannot_be_asked_for_is_refused_before_anything_is_recognised() {
    let room = room();
    refused(&room, "good", &format!("none.wav {LONGER}"), &["none.wav: no such file"]);
    refused(&room, "good", &format!("one.wav sub/one.wav {LONGER}"), &["another file has the same name"]);
    refused(
        &room,
        "good",
        &format!("one.wav {LONGER} --nbest-output l.ctm"),
        &["--nbest-output l.ctm", "jsonl"],
    );
    refused(&room, "good", &format!("one.wav {LONGER} --nbest-output no/l.jsonl"), &["no/l.jsonl"]);
    refused(
        &room,
        "good",
        &format!("one.wav {LONGER} --nbest-output o.txt --output o.txt"),
        &["the same file"],
    );
    refused(&room, "good", &format!("one.wav {LONGER} --max-segment 0"), &["1 to 3600 seconds"]);
    refused(&room, "good", &format!("one.wav {LONGER} --first-pass kaldi"), &["whisper or pocketsphinx"]);
    if cfg!(not(feature = "pocketsphinx")) {
        let parts = [
            "this build does not have it",
            "--features pocketsphinx",
            "the first pass whisper",
            "--first-pass NAME",
        ];
        refused(&room, "good", &format!("one.wav {LONGER} --first-pass pocketsphinx"), &parts);
    }
}
