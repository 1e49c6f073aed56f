//! Recordings to text, with a recogniser that is played.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::Path;

use common::{Answer, Running, adapters, builder, options, start};
use rescorer_first_pass::{FirstPassKind, FirstPassOptions, WhisperOptions};
use rescorer_server::{Limits, RecogniserOptions, ServerOptions};
use serde_json::json;

/// How the recogniser behaves is the name of its model.
fn recogniser(model: &str) -> RecogniserOptions {
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("../first_pass/tests/fake_whisper.py");
    let whisper = WhisperOptions {
        python: fake,
        model: model.into(),
        language: Some("en".into()),
        ..WhisperOptions::default()
    };
    let options = FirstPassOptions { whisper, ..FirstPassOptions::default() };
    RecogniserOptions { kind: FirstPassKind::Whisper, options, max_segment: 1.0 }
}

fn server(model: &str) -> Running {
    let options = ServerOptions { recogniser: Some(recogniser(model)), ..options() };
    start(builder().build().unwrap(), options)
}

/// A tone of so many seconds, 8 kHz and 16 bits.
fn wav(seconds: f64) -> Vec<u8> {
    let samples: Vec<i16> =
        (0..(8000.0 * seconds) as u32).map(|n| (6000.0 * (0.2 * f64::from(n)).sin()) as i16).collect();
    let size = 2 * samples.len() as u32;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + size).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8000u32.to_le_bytes());
    bytes.extend(16_000u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend(size.to_le_bytes());
    samples.iter().for_each(|sample| bytes.extend(sample.to_le_bytes()));
    bytes
}

/// Sends a form with a recording and further fields.
fn send(server: &Running, query: &str, file: &[u8], fields: &[(&str, &str)]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--XY\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    body.extend(b"--XY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"talk.wav\"\r\n");
    body.extend(b"Content-Type: audio/wav\r\n\r\n");
    body.extend(file);
    body.extend(b"\r\n--XY--\r\n");
    let headers = ["Content-Type: multipart/form-data; boundary=XY"];
    server.send("POST", &format!("/v1/audio/transcriptions{query}"), &headers, &body)
}

/// What the server says of the list that the recogniser gives for every piece.
fn expected(server: &Running, query: &str) -> String {
    let list = json!({ "hypotheses": [{ "text": "the cat sat", "score": -1.0 }, { "text": "the cat sat on", "score": -2.0 }] });
    server.rescore(query, &list.to_string()).json()["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_recording_is_recognised_and_rescored() {
    let server = server("good");
    let (file, one) = (wav(2.5), expected(&server, ""));
    let answer = send(&server, "", &file, &[("model", "whisper-1")]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let whole = answer.json()["text"].as_str().unwrap().to_owned();
    let pieces = whole.len().div_ceil(one.len() + 1);
    assert!(pieces >= 3);
    assert_eq!(whole, vec![one.as_str(); pieces].join(" "));
    let text = send(&server, "", &file, &[("response_format", "text")]);
    assert_eq!(text.body, format!("{whole}\n"));
    assert!(text.head.contains("text/plain"));
    let verbose = send(
        &server,
        "",
        &file,
        &[("response_format", "verbose_json"), ("language", "en"), ("prompt", "a mat")],
    )
    .json();
    assert_eq!((&verbose["duration"], &verbose["task"]), (&json!(2.5), &json!("transcribe")));
    let segments = verbose["segments"].as_array().unwrap();
    assert_eq!(segments.len(), pieces);
    let mut end = 0.0;
    for (number, segment) in segments.iter().enumerate() {
        assert_eq!((&segment["id"], &segment["start"]), (&json!(number), &json!(end)));
        assert_eq!(segment["first_pass_text"], "the cat sat");
        end = segment["end"].as_f64().unwrap();
    }
    assert_eq!(end, 2.5);
    // Silence is not asked about.
    let mut silence = wav(0.5);
    silence[44..].fill(0);
    assert_eq!(send(&server, "", &silence, &[]).json(), json!({ "text": "" }));
}

#[test]
fn adapters_and_deadlines_are_those_of_lists() {
    let folder = adapters();
    let options = ServerOptions {
        adapters: Some(folder.path().into()),
        recogniser: Some(recogniser("good")),
        ..options()
    };
    let server = start(builder().build().unwrap(), options);
    let verbose = [("response_format", "verbose_json")];
    let answer = send(&server, "?adapter=medical", &wav(0.9), &verbose).json();
    assert_eq!(answer["text"].as_str().unwrap(), expected(&server, "?adapter=medical"));
    let answer = send(&server, "?deadline_ms=0", &wav(0.9), &verbose).json();
    assert_eq!(
        (&answer["segments"][0]["served"], &answer["text"]),
        (&json!("first-pass"), &json!("the cat sat"))
    );
    let answer = send(&server, "?adapter=nobody", &wav(0.9), &[]);
    assert_eq!((answer.status, answer.error().0.as_str()), (404, "adapter"));
}

#[test]
fn what_can_not_be_transcribed_is_said() {
    let limits = Limits { body_bytes: 100_000, ..Limits::default() };
    let options = ServerOptions { recogniser: Some(recogniser("good")), limits, ..options() };
    let server = start(builder().build().unwrap(), options);
    let good = wav(0.5);
    type Case<'a> = (&'a [u8], (&'a str, &'a str), u16, &'a str, &'a str);
    let cases: [Case; 7] = [
        (&wav(0.0), ("model", "x"), 422, "recording", "no frames"),
        (b"ID3 no sound", ("model", "x"), 422, "recording", "talk.wav"),
        (&good[..30], ("model", "x"), 422, "recording", "talk.wav"),
        (&good, ("response_format", "srt"), 400, "request", "verbose_json"),
        (&good, ("language", "de"), 400, "request", "--language"),
        (&good, ("speed", "2"), 400, "request", "speed"),
        (&wav(6.24), ("model", "x"), 413, "request", ""),
    ];
    for (file, field, status, kind, part) in cases {
        let answer = send(&server, "", file, &[field]);
        assert_eq!((answer.status, answer.error().0.as_str()), (status, kind), "{field:?}: {answer:?}");
        assert!(answer.error().1.contains(part), "{answer:?}");
    }
    // One that is small and long.
    let mut slow = wav(3.0);
    slow[24..28].copy_from_slice(&1000u32.to_le_bytes());
    slow[28..32].copy_from_slice(&2000u32.to_le_bytes());
    let answer = send(&server, "", &slow, &[]);
    assert_eq!((answer.status, answer.error().1.contains("24 s")), (413, true), "{answer:?}");
    let answer = server.send("POST", "/v1/audio/transcriptions", &["Content-Type: audio/wav"], &good);
    assert_eq!((answer.status, answer.error().1.contains("curl -F")), (415, true), "{answer:?}");
    assert_eq!(send(&server, "?nbest=true", &good, &[]).status, 400);
    assert_eq!(send(&server, "", &good, &[]).status, 200);
}

#[test]
fn without_a_recogniser_it_says_how_to_get_one() {
    let server = start(builder().build().unwrap(), options());
    let answer = send(&server, "", &wav(0.5), &[]);
    assert_eq!((answer.status, answer.error().1.contains("--transcribe")), (501, true), "{answer:?}");
}

#[test]
fn a_recogniser_that_is_not_there_is_said_at_the_start() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = ServerOptions { recogniser: Some(recogniser("fatal")), ..options() };
    let bound = runtime.block_on(rescorer_server::Server::bind(builder().build().unwrap(), options));
    let error = bound.err().unwrap().to_string();
    assert!(error.contains("no such model"), "{error}");
}

#[test]
fn a_recogniser_that_dies_is_started_again() {
    let server = server("dies");
    for _ in 0..2 {
        let answer = send(&server, "", &wav(0.5), &[]);
        assert_eq!((answer.status, answer.error().0.as_str()), (503, "recogniser"), "{answer:?}");
        // It had heard of this one too, so it was started again.
        assert!(answer.error().1.contains("last words"), "{answer:?}");
    }
    let list = r#"{"hypotheses": ["write it", "right it"]}"#;
    assert_eq!(server.rescore("", list).status, 200);
}

#[test]
fn too_many_recordings_are_refused() {
    let limits = Limits { recordings: 1, ..Limits::default() };
    let options = ServerOptions { recogniser: Some(recogniser("good")), limits, ..options() };
    let server = start(builder().build().unwrap(), options);
    let mut held = server.connect();
    let head = "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=XY\r\nContent-Length: 100\r\n\r\n-";
    std::io::Write::write_all(&mut held, head.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let answer = send(&server, "", &wav(0.5), &[]);
    assert_eq!((answer.status, answer.error().0.as_str()), (429, "busy"));
    assert!(answer.json()["error"]["retry_after"].is_u64());
    drop(held);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(send(&server, "", &wav(0.5), &[]).json()["text"].as_str().unwrap(), expected(&server, ""));
}
