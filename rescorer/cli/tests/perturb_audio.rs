//! `rescorer perturb-audio`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room};
use rescorer_perturb::{Audio, SampleFormat};

fn run(room: &Room, words: &str) -> Ran {
    room.run_plain(&format!("perturb-audio {words}"))
}

fn refused(room: &Room, words: &str, parts: &[&str]) {
    room.refused_plain(&format!("perturb-audio {words}"), parts);
}

/// Half a second of a tone in files of several kinds, and what is no sound.
fn room() -> Room {
    let room = Room::new();
    let tone = |level: f32| -> Vec<f32> { (0..8000).map(|n| level * (0.2 * n as f32).sin()).collect() };
    for (name, level, channels, format) in [
        ("a.wav", 0.9, 1, SampleFormat::Int(16)),
        ("b.wav", 0.2, 2, SampleFormat::Int(24)),
        ("voice.wav", 0.5, 1, SampleFormat::Float),
        ("silent.wav", 0.0, 1, SampleFormat::Int(8)),
    ] {
        Audio::new(tone(level), channels, 16_000, format).write(&room.path(name)).unwrap();
    }
    room.write("text.wav", "this is no sound at all");
    room
}

#[test]
fn files_keep_their_names_and_formats() {
    let room = room();
    let ran =
        run(&room, "a.wav b.wav --noise babble --noise-from voice.wav --snr 0 --output out --json").ok();
    ran.says(&["a.wav: turned down by", "2 files"]);
    let rows = ran.json();
    assert_eq!((&rows[0]["file"], &rows[1]["output"]), (&"a.wav".into(), &"out/b.wav".into()));
    assert!(rows.iter().all(|row| common::close(row["snr_db"].as_f64().unwrap(), 0.0)), "{rows:?}");
    assert_eq!(Audio::read(&room.path("out/b.wav")).unwrap().frames(), 4000);
    let again = run(&room, "b.wav a.wav --noise babble --noise-from voice.wav --snr 0 --output again").ok();
    assert_eq!(again.stdout, "again/b.wav\nagain/a.wav\n");
    let bytes = |name: &str| std::fs::read(room.path(name)).unwrap();
    assert_eq!(bytes("out/a.wav"), bytes("again/a.wav"));
    let fast = run(&room, "a.wav --speed 2 --clip 0.5 --output fast --json").ok().json();
    assert_eq!((fast[0]["seconds"].as_f64(), fast[0]["gain_db"].as_f64()), (Some(0.25), Some(0.0)));
}

/// A file as a pipe leaves it: neither size is known.
fn piped(tag: u16, bits: u16, sound: &[u8]) -> Vec<u8> {
    let block = bits.div_ceil(8);
    let rate = 8000 * u32::from(block);
    let fmt = [&tag.to_le_bytes()[..], &[1, 0, 0x40, 0x1f, 0, 0], &rate.to_le_bytes(), &block.to_le_bytes()];
    let head = [b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0", &fmt.concat()[..], &bits.to_le_bytes()].concat();
    [&head[..], b"data\xff\xff\xff\xff", sound].concat()
}

#[test]
fn what_is_written_in_another_format_is_said() {
    let room = Room::new();
    let call: Vec<u8> = (0..8000).map(|n| n as u8).collect();
    std::fs::write(room.path("call.wav"), piped(7, 8, &call)).unwrap();
    std::fs::write(room.path("odd.wav"), piped(1, 16, &call[..7999])).unwrap();
    let ran = run(&room, "call.wav odd.wav --noise white --snr 100 --output out --json").ok();
    ran.says(&[
        "call.wav: 8-bit µ-law is written as 16-bit PCM",
        "odd.wav: 1 of the 2 bytes of its last frame are there; they were left out",
    ]);
    let rows = ran.json();
    assert_eq!((&rows[0]["seconds"], &rows[1]["seconds"]), (&1.0.into(), &0.499875.into()));
    let written = Audio::read(&room.path("out/call.wav")).unwrap();
    assert_eq!((written.format(), written.stored_as()), (SampleFormat::Int(16), None));
    let read = Audio::read(&room.path("call.wav")).unwrap();
    let apart = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
    let square = read.samples().iter().zip(written.samples()).map(apart).sum::<f64>() / 8000.0;
    assert!(square.sqrt() < 1e-4, "{}", square.sqrt());
}

#[test]
fn what_is_no_sound_is_named_and_may_be_skipped() {
    let room = room();
    refused(
        &room,
        "text.wav --speed 1.1 --output out",
        &["text.wav: is no WAV file but text: it begins with \"this is no sound\"", "give the recording"],
    );
    refused(&room, "silent.wav --noise white --snr 5 --output out", &["silent.wav: the recording is silent"]);
    refused(&room, "a.wav --speed 7 --output out", &["speed 7", "0.5"]);
    refused(&room, "a.wav --output out", &["nothing to do"]);
    refused(&room, "a.wav --noise white --output out", &["--snr"]);
    refused(&room, "a.wav --noise babble --snr 5 --output out", &["--noise-from"]);
    refused(&room, "a.wav --clip 0.5 --output .", &["a.wav: would be overwritten"]);
    refused(&room, "a.wav sub/a.wav --clip 0.5 --output out", &["another file has the same name"]);
    let skipped = run(&room, "text.wav a.wav --clip 0.5 --output out --skip-invalid");
    assert_eq!((skipped.code, skipped.stdout.as_str()), (1, "out/a.wav\n"));
    refused(&room, "text.wav --clip 0.5 --output out --skip-invalid", &["1 of 1 files were skipped"]);
}
