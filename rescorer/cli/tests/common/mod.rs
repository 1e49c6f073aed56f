//! What the tests of the command line share: a folder, the tiny models, and runs without a network.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder for the files of one test, which is also the cache of models.
pub struct Room {
    folder: TempDir,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Room {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Lists as native JSON Lines.
    pub fn lists(&self, name: &str, lists: &[Value]) -> PathBuf {
        self.write(name, lists.iter().map(|list| format!("{list}\n")).collect::<String>())
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of the files here, hidden ones too.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The command in this folder; `words` are split at white space.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::cargo_bin("rescorer").unwrap();
        command.current_dir(self.folder.path()).env("RESCORER_HOME", self.path("home"));
        command.args(words.split_whitespace());
        command
    }

    /// The command with the tiny model on the CPU.
    pub fn scoring(&self, words: &str) -> Command {
        let mut command = self.command(words);
        command.args(["--device", "cpu", "--threads", "1", "--model"]).arg(fixture("tiny-llama"));
        command
    }

    pub fn run(&self, words: &str) -> Ran {
        ran(self.scoring(words).output().unwrap())
    }

    /// A command that loads no model.
    pub fn run_plain(&self, words: &str) -> Ran {
        ran(self.command(words).output().unwrap())
    }

    /// As [`refused`](Self::refused), for a command that loads no model.
    pub fn refused_plain(&self, words: &str, parts: &[&str]) {
        self.run_plain(words).refused(words, parts);
    }

    pub fn run_with_stdin(&self, words: &str, stdin: &str) -> Ran {
        ran(self.scoring(words).write_stdin(stdin).output().unwrap())
    }

    /// Runs what has to fail as a whole: exit code 2, nothing on stdout, one message with these parts.
    pub fn refused(&self, words: &str, parts: &[&str]) {
        self.run(words).refused(words, parts);
    }
}

impl Ran {
    fn refused(&self, words: &str, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (2, ""), "{words}: {self:?}");
        self.says(parts);
    }

    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    pub fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {}", self.stderr);
        }
    }

    pub fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A run that did not panic.
pub fn ran(output: Output) -> Ran {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran =
        Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    ran
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

/// A list with scores -1, -2, ...
pub fn list(id: &str, texts: &[&str], reference: &str) -> Value {
    let hypotheses: Vec<Value> =
        texts.iter().zip(1..).map(|(text, rank)| json!({"text": text, "score": -rank})).collect();
    json!({"id": id, "hypotheses": hypotheses, "reference": reference})
}

/// Ten lists, each with another reference.
pub fn ten_lists(prefix: &str) -> Vec<Value> {
    (0..10)
        .map(|i| {
            let texts = [format!("turn {prefix} {i} write"), format!("turn {prefix} {i} right"), "x".into()];
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            list(&format!("{prefix}{i}"), &texts, texts[i % 2])
        })
        .collect()
}

/// A room with development lists, test lists and a policy, `dev.jsonl`, `test.jsonl` and `p.toml`.
/// A room with a policy of three numbers, which tests can set.
pub fn tuned() -> Room {
    let room = Room::new();
    room.lists("dev.jsonl", &ten_lists("dev"));
    room.lists("test.jsonl", &ten_lists("test"));
    room.run("tune dev.jsonl --fusion classic --output p.toml").ok();
    room
}

pub fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

pub fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-4
}
