//! Pipes, full disks and closed readers.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use common::{Room, fixture, list, ran, ten_lists};

/// The command, all of its streams pipes; with the tiny model where it scores.
fn command(room: &Room, words: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("rescorer"));
    command.args(words.split_whitespace()).current_dir(room.path("")).env("RESCORER_HOME", room.path("home"));
    if ["score", "rescore", "tune", "evaluate"].contains(&words.split(' ').next().unwrap()) {
        command.args(["--device", "cpu", "--threads", "1", "--model"]).arg(fixture("tiny-llama"));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Writes every line after the answer to the one before it was read.
fn converse(words: &str, lines: &[(String, &str)]) {
    let room = Room::new();
    let mut child = command(&room, words).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for (line, expected) in lines {
        writeln!(stdin, "{line}").unwrap();
        stdin.flush().unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert!(answer.contains(expected), "{answer:?}, expected {expected:?}");
    }
    drop(stdin);
    ran(child.wait_with_output().unwrap()).ok();
}

#[test]
fn stdin_is_answered_line_by_line() {
    let line = |id| list(id, &["a b", "c d"], "a").to_string();
    let lines = [(line("u1"), "u1"), (line("u2"), "u2"), (line("u3"), "u3")];
    converse("rescore - --lm-weight 0.1", &lines);
    converse("rescore - --lm-weight 0.1 --json", &lines);
    converse("rescore - --lm-weight 0.1 --output-format jsonl", &lines);
    converse("rescore - --lm-weight 0.1 --output-format trn", &lines);
    converse("rescore - --lm-weight 0.1 --output-format kaldi", &lines);
    let sentences =
        [("turn left".to_owned(), "turn left"), (String::new(), "\t\n"), ("right".into(), "right")];
    converse("score --text -", &sentences);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let room = Room::new();
    let mut child = command(&room, "rescore - --lm-weight 0 --json").spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    for i in 0..3 {
        // The command may have gone by now.
        let _ = writeln!(stdin, "{}", list(&format!("u{i}"), &["a"], "a"));
    }
    drop(stdin);
    let ran = ran(child.wait_with_output().unwrap()).ok();
    assert!(!ran.stderr.contains("error"), "{ran:?}");
    for words in ["models list", "completions bash", "--help"] {
        let mut child = command(&room, words).spawn().unwrap();
        drop(child.stdout.take());
        self::ran(child.wait_with_output().unwrap()).ok();
    }
}

#[cfg(target_os = "linux")]
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_output() {
    let room = Room::new();
    room.lists("a.jsonl", &ten_lists("k"));
    let answers = room.run("rescore a.jsonl --lm-weight 0 --json").ok().stdout;
    room.write("a.out", answers);
    for words in [
        "rescore a.jsonl --lm-weight 0",
        "rescore a.jsonl --lm-weight 0 --json",
        "rescore a.jsonl --lm-weight 0 --output-format jsonl",
        "score a.jsonl --tokens --json",
        "tune a.jsonl --output p.toml",
        "evaluate a.jsonl --lm-weight 0",
        "models list",
        "compare a.out a.out",
        "completions zsh",
    ] {
        let ran = ran(command(&room, words).stdout(full()).output().unwrap());
        assert_eq!(ran.code, 2, "{words}: {ran:?}");
        ran.says(&["error: cannot write stdout: No space left"]);
    }
    for format in ["text", "jsonl", "trn", "csv", "kaldi"] {
        let ran =
            room.run(&format!("rescore a.jsonl --lm-weight 0 --output-format {format} --output /dev/full"));
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.says(&["cannot write /dev/full: No space left"]);
        assert_eq!(ran.stderr.matches("No space").count(), 1, "{ran:?}");
    }
    let ran = room.run("tune a.jsonl --output /dev/full");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn messages_that_cannot_be_written_do_not_stop_the_work() {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["a"], "a")]);
    let output = command(&room, "rescore a.jsonl --lm-weight 0").stderr(full()).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"u1\ta\n".as_slice()));
    let output = command(&room, "rescore nowhere --lm-weight 0").stderr(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
