//! Runs the commands of README and the book.
//!
//! A ` ```console ` block holds commands behind `$ `; they are run page by page in a folder of sample files, with a tiny model in place of the
//! named one. A ` ```sh ` block holds commands that need what a test has not (data, a network, a GPU); those of `rescorer` are parsed. A block
//! with `file=NAME` is written to that file first.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
mod markdown;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use common::{Room, fixture};
use markdown::{Block, blocks, joined, pages, root};
use rescorer_perturb::{Audio, SampleFormat};

/// Stands in for `rescorer`: the tiny model for every model, a script for Whisper, and nothing that needs a network.
const WRAPPER: &str = r#"#!/bin/sh
case "$1 $2" in
"models pull") exec RESCORER "$@" --help ;;
esac
case "$1" in
score | rescore | tune | evaluate | explain | train | learn | robustness | transcribe) ;;
*) exec RESCORER "$@" ;;
esac
command=$1 count=$#
while [ "$count" -gt 0 ]; do
    argument=$1 count=$((count - 1))
    shift
    case "$argument" in
    --model | --device | --whisper-model | --python) shift && count=$((count - 1)) ;;
    *) set -- "$@" "$argument" ;;
    esac
done
[ "$command" = train ] || [ "$command" = learn ] || set -- "$@" --device cpu
[ "$command" = transcribe ] && set -- "$@" --python WHISPER --whisper-model good
exec RESCORER "$@" --model MODEL --threads 1
"#;

/// Commands that no test can run, by their first word, and what they need.
const NOT_RUN: [(&str, &str); 30] = [
    ("benches/serve/balanced.py", "nginx"),
    ("benches/serve/sizing.py", "needs the model"),
    ("benches/serve/faults.py", "a server of its own"),
    ("curl", "a server that runs"),
    ("openssl", "a tool of its own"),
    ("docker", "an engine of its own"),
    ("benches/serve/load.py", "a server that runs"),
    ("cargo", "a build of its own"),
    ("bash", "CI's machine"),
    ("./check", "a build of its own"),
    ("benches/peers/run", "other tools"),
    ("rescorer/capi/install", "a build of its own"),
    ("rescorer/recipes/corrections.py", "data that is not part of the repository"),
    ("rescorer/recipes/poison.py", "needs the model"),
    ("rescorer/recipes/routing.py", "data that is not part of the repository"),
    ("rescorer/recipes/vocabulary.py", "needs the model"),
    ("rescorer/recipes/table.py", "data that is not part of the repository"),
    ("cc", "the installed C library"),
    ("./app", "the installed C library"),
    ("export", "the installed C library"),
    ("pip", "a network"),
    ("python", "installed packages"),
    ("python3", "installed packages"),
    ("pytest", "the installed package"),
    ("maturin", "a build of its own"),
    ("jq", "results of Whisper"),
    ("mkdir", "a folder that another page's files stand in"),
    ("lattice-to-nbest", "Kaldi"),
    ("nbest-to-linear", "Kaldi"),
    ("utils/int2sym.pl", "Kaldi"),
];

#[test]
fn commands_of_the_pages_run() {
    let samples = samples();
    let mut run = 0;
    for page in pages() {
        let blocks = blocks(&page);
        if !blocks.iter().any(|block| block.language == "console" || block.language == "sh") {
            continue;
        }
        let room = Room::new();
        copy(&samples, &room);
        for block in blocks {
            write(&room, &block);
            match block.language.as_str() {
                "console" => run += console(&room, &block),
                "sh" => parsed(&room, &block),
                _ => {}
            }
        }
    }
    assert!(run > 50, "{run} commands were found");
}

#[test]
fn python_of_the_pages_compiles() {
    let room = Room::new();
    for block in all("python") {
        fs::write(room.path("page.py"), &block.text).unwrap();
        let output =
            Command::new("python3").args(["-m", "py_compile", "page.py"]).current_dir(room.path("")).output();
        succeeded(&block.place, &output.unwrap());
    }
}

#[test]
fn whole_c_programs_of_the_pages_compile() {
    let room = Room::new();
    let programs: Vec<Block> = all("c").into_iter().filter(|block| block.file.is_some()).collect();
    assert!(!programs.is_empty());
    for block in programs {
        write(&room, &block);
        let mut compiler = Command::new("cc");
        compiler.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]);
        compiler.arg(root().join("rescorer/capi/include")).arg(room.path(block.file.as_ref().unwrap()));
        succeeded(&block.place, &compiler.output().unwrap());
    }
}

fn all(language: &str) -> Vec<Block> {
    pages().iter().flat_map(|page| blocks(page)).filter(|block| block.language == language).collect()
}

/// A folder with the files that pages speak of: lists, policies, recordings, examples and recipes.
fn samples() -> Room {
    let room = Room::new();
    let tool = WRAPPER
        .replace("RESCORER", env!("CARGO_BIN_EXE_rescorer"))
        .replace("MODEL", fixture("tiny-llama").to_str().unwrap())
        .replace("WHISPER", root().join("rescorer/first_pass/tests/fake_whisper.py").to_str().unwrap());
    fs::create_dir_all(room.path("bin")).unwrap();
    room.write("bin/rescorer", tool);
    fs::set_permissions(room.path("bin/rescorer"), fs::Permissions::from_mode(0o755)).unwrap();

    for name in ["dev", "test"] {
        let lists = fs::read_to_string(root().join(format!("examples/demo/{name}.jsonl"))).unwrap();
        room.write(&format!("{name}.jsonl"), first(&lists, if name == "dev" { 40 } else { 15 }));
    }
    room.write("lists.jsonl", first(&fs::read_to_string(room.path("test.jsonl")).unwrap(), 3));
    room.write("sentences.txt", "turn left at the next light\nplease write it down\n");
    let sound = (0..16_000).map(|n| 0.2 * (0.2 * n as f32).sin()).collect();
    Audio::new(sound, 1, 16_000, SampleFormat::Int(16)).write(&room.path("talk.wav")).unwrap();
    succeeded(
        "samples",
        &shell(&room, "rescorer tune dev.jsonl --normalize whisper-basic --output policy.toml"),
    );

    for folder in fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path()) {
        let place = room.path("examples").join(folder.file_name().unwrap());
        fs::create_dir_all(&place).unwrap();
        for file in
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|file| file.is_file())
        {
            example(&room, &file, &place.join(file.file_name().unwrap()));
        }
    }
    fs::create_dir_all(room.path("rescorer")).unwrap();
    symlink(root().join("rescorer/recipes"), room.path("rescorer/recipes")).unwrap();
    room
}

/// A file of the examples: lists are cut short, and policies are those of the tiny model.
fn example(room: &Room, file: &Path, copy: &Path) {
    let text = fs::read_to_string(file).unwrap_or_default();
    if file.extension().is_some_and(|extension| extension == "jsonl") {
        fs::write(copy, first(&text, 12)).unwrap();
    } else if file.to_str().unwrap().ends_with(".jsonl.gz") {
        let cut = format!(
            "gzip -dc '{}' | awk 'length($0) < 4500' | head -n 30 | gzip > '{}'",
            file.display(),
            copy.display()
        );
        succeeded("samples", &Command::new("sh").args(["-c", &cut]).output().unwrap());
    } else if text.contains("[fusion]") {
        fs::copy(room.path("policy.toml"), copy).unwrap();
    } else {
        symlink(file, copy).unwrap();
    }
}

fn first(text: &str, lines: usize) -> String {
    text.lines().take(lines).map(|line| format!("{line}\n")).collect()
}

fn copy(samples: &Room, room: &Room) {
    let from = samples.path(".");
    succeeded("samples", &Command::new("cp").arg("-a").arg(from).arg(room.path("")).output().unwrap());
}

/// Writes the file that a block shows.
fn write(room: &Room, block: &Block) {
    if let Some(name) = &block.file {
        let path = room.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &block.text).unwrap();
    }
}

/// Runs the commands of a block, and says how many it had.
fn console(room: &Room, block: &Block) -> usize {
    let lines = joined(&block.text);
    let commands: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(!commands.is_empty(), "{}: a console block without a command", block.place);
    for command in &commands {
        let known = ["rescorer ", "head ", "cat ", "echo "].iter().any(|start| command.starts_with(start));
        assert!(known, "{}: {command:?} is not run by a test; make it a block of sh", block.place);
        let output = shell(room, command);
        succeeded(&format!("{}: {command}", block.place), &output);
    }
    commands.len()
}

/// Parses the commands of `rescorer` in a block of sh; others are known by name.
fn parsed(room: &Room, block: &Block) {
    for line in joined(&block.text) {
        let command = line.split(" #").next().unwrap().trim();
        for part in command.split(" && ").flat_map(|part| part.split(" | ")) {
            let part = part.trim().trim_end_matches('|').trim();
            match part.split_whitespace().next() {
                None => {}
                Some("rescorer") => {
                    let words = part.split(" > ").next().unwrap();
                    let words = words.replace("pocketsphinx", "whisper");
                    let output = shell(room, &format!("exec {words} --help"));
                    succeeded(&format!("{}: {part}", block.place), &output);
                }
                Some("cd") => {}
                Some(word) if word.contains('=') => {}
                Some(word) => {
                    assert!(
                        NOT_RUN.iter().any(|(name, _)| *name == word),
                        "{}: {part:?} is not known",
                        block.place
                    );
                }
            }
        }
    }
}

/// A command line in the folder, with the stand-in in front of the path.
fn shell(room: &Room, command: &str) -> Output {
    let path = format!("{}:{}", room.path("bin").display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(room.path("")).env("PATH", path);
    shell.env("RESCORER_HOME", room.path("home")).output().unwrap()
}

fn succeeded(what: &str, output: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(!text(&output.stderr).contains("panicked"), "{what}\n{}", text(&output.stderr));
}
