//! `rescorer train` on plain text, on lists made up from it, and behind contexts.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, close, fixture, list, ran, ten_lists};
use serde_json::{Value, json};

const TEXT: &str = "Turn left, and write it down.\n\nPlease turn right at the light.\nThey're over there. Their son writes.\n";

fn room() -> Room {
    let room = Room::new();
    room.write("text.txt", TEXT);
    room.lists("train.jsonl", &ten_lists("a"));
    room.lists("dev.jsonl", &ten_lists("b"));
    room
}

fn train(room: &Room, words: &str) -> Ran {
    let mut command = room.command(&format!("train --rank 2 --learning-rate 1e-2 {words}"));
    ran(command.arg("--model").arg(fixture("tiny-llama")).args(["--threads", "1"]).output().unwrap())
}

fn numbers(room: &Room, folder: &str, key: &str) -> Vec<f64> {
    let log = room.read(&format!("{folder}/log.jsonl"));
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter_map(|event| event[key].as_f64()).collect()
}

fn weights(room: &Room, folder: &str) -> Vec<u8> {
    std::fs::read(room.path(folder).join("adapter_model.safetensors")).unwrap()
}

#[test]
fn text_alone_gives_an_adapter() {
    let room = room();
    let words = "--text text.txt --epochs 40 --set training.text_batch=64 --output";
    train(&room, &format!("{words} out")).ok().says(&[
        "text: 18 words in 3 lines, as it is written",
        "adapter: out",
        "default policy",
    ]);
    let losses = numbers(&room, "out", "text_nll");
    assert!(losses.len() > 20 && losses.last().unwrap() < &(0.9 * losses[0]), "{losses:?}");
    assert!(numbers(&room, "out", "nll").is_empty());
    assert!(!room.path("out/policy.toml").exists(), "no lists, no policy of its own");
    train(&room, &format!("{words} again")).ok();
    assert_eq!(weights(&room, "out"), weights(&room, "again"), "the same seed, the same adapter");
}

#[test]
fn lists_decide_how_text_is_written_and_how_long_training_is() {
    let room = room();
    let ran =
        train(&room, "--text text.txt --train train.jsonl --dev dev.jsonl --mwer 1 --batch 5 --output out")
            .ok();
    ran.says(&[
        "18 words in 3 lines, in lower case without punctuation",
        "stage 1: 2 steps over",
        "policy: out",
    ]);
    assert_eq!((numbers(&room, "out", "text_nll").len(), numbers(&room, "out", "mwer").len()), (2, 2));
    assert!(numbers(&room, "out", "nll").is_empty(), "mwer was asked for");
    let kept = "--text text.txt --train train.jsonl --text-casing keep --output kept";
    train(&room, kept).ok().says(&["as it is written"]);
    room.write("russian.txt", "Это совсем другой язык.\n");
    train(&room, "--text russian.txt --train train.jsonl --output other")
        .ok()
        .says(&["0% of the words of the lists occur in the text"]);
}

#[test]
fn made_up_lists_teach_by_their_errors() {
    let room = room();
    room.write("confusions.tsv", "left\tlift\t3\t10\nwrite\tright\t5\t10\n");
    let words = "--text text.txt --hallucinate 4 --epochs 4 --set training.text_batch=32 --set data.confusions=confusions.tsv";
    train(&room, &format!("{words} --output out")).ok();
    let losses = numbers(&room, "out", "text_mwer");
    assert!(losses.len() > 2 && losses.iter().any(|loss| *loss != 0.0), "{losses:?}");
    assert_eq!(losses.len(), numbers(&room, "out", "text_nll").len());
    train(&room, &format!("{words} --output again")).ok();
    assert_eq!(weights(&room, "out"), weights(&room, "again"));
}

#[test]
fn a_broken_off_training_on_text_goes_on_to_the_same_adapter() {
    let room = room();
    let words = "--text text.txt --hallucinate 3 --epochs 12 --set training.text_batch=16 --checkpoint-every 1 --output";
    train(&room, &format!("{words} whole")).ok();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("rescorer"));
    child.args(format!("train --rank 2 --learning-rate 1e-2 {words} broken").split(' '));
    child.arg("--model").arg(fixture("tiny-llama")).args(["--threads", "1"]);
    let mut child = child.current_dir(room.path("")).env("RESCORER_HOME", room.path("home")).spawn().unwrap();
    while !room.path("broken/checkpoint.safetensors").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    _ = child.kill();
    child.wait().unwrap();
    train(&room, &format!("{words} broken")).ok().says(&["resuming"]);
    assert_eq!(weights(&room, "whole"), weights(&room, "broken"));
}

#[test]
fn what_is_no_text_is_refused_with_its_place() {
    let room = room();
    let refused = |words: &str, parts: &[&str]| {
        let ran = train(&room, &format!("{words} --output out"));
        assert_eq!(ran.code, 2, "{words}: {ran:?}");
        ran.says(parts);
    };
    room.write("latin.txt", b"one\ncaf\xe9\n");
    refused("--text latin.txt", &["latin.txt:2", "not valid UTF-8", "iconv"]);
    room.write("binary.txt", b"\x7fELF\0\0");
    refused("--text binary.txt", &["binary.txt:1", "not text"]);
    room.write("empty.txt", "\n\n");
    refused("--text text.txt,empty.txt", &["empty.txt", "holds no text"]);
    room.write("long.txt", "a ".repeat(5 << 20));
    refused("--text long.txt", &["long.txt:1", "longer than 1 MB"]);
    room.write("marks.txt", "... !\n---\n");
    refused("--text marks.txt --text-casing plain", &["no words"]);
    refused("--text nowhere.txt", &["nowhere.txt"]);
    refused("--hallucinate 5 --train train.jsonl", &["hallucinate", "there is no text"]);
    refused("--text text.txt --hallucinate 1", &["hallucinate", "2 or more"]);
    refused("--text text.txt --set training.text_mwer=1", &["text_mwer", "made-up lists"]);
    refused("--text text.txt --set training.text_nll=0 --train train.jsonl", &["no stage uses it"]);
    room.write("bad.tsv", "left\tlift\n");
    let table = "--text text.txt --hallucinate 3 --set data.confusions=bad.tsv";
    refused(table, &["bad.tsv:1", "four fields"]);
    refused("", &["nothing to train on", "--text"]);
}

/// The loss of the first step is that of the model: it agrees with what `score` says of the references.
#[test]
fn contexts_are_read_as_they_are_scored() {
    let room = room();
    let lists = [("u1", "turn left"), ("u2", "write it down"), ("u3", "turn right")];
    let lists = lists.map(|(id, text)| list(id, &[text, "x"], text));
    room.lists("lists.jsonl", &lists);
    let scored = |options: &str| -> f64 {
        let mut command = room.command(&format!("score lists.jsonl --tokens --json {options}"));
        let ran = ran(command.arg("--model").arg(fixture("tiny-llama")).output().unwrap()).ok();
        let rows = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let (sum, tokens) = rows.filter(|row| row["text"] != "x").fold((0.0, 0), |(sum, tokens), row| {
            (sum + row["lm_score"].as_f64().unwrap(), tokens + row["tokens"].as_array().unwrap().len())
        });
        -sum / tokens as f64
    };
    for precision in ["int8", "f32"] {
        for options in ["", " --history 1", " --history 2"] {
            let options = format!("--precision {precision}{options}");
            let set = options.replace("--history ", "--set data.history=");
            train(&room, &format!("--train lists.jsonl --restart {set} --output out")).ok();
            let (loss, expected) = (numbers(&room, "out", "nll")[0], scored(&options));
            assert!(close(loss, expected), "{options}: {loss} {expected}");
        }
    }
    assert!((scored("") - scored("--history 1")).abs() > 1e-3);
}

#[test]
fn a_context_of_a_list_stays() {
    let room = room();
    let mut own = list("u1", &["turn left", "x"], "turn left");
    own["context"] = json!("where now");
    room.lists("lists.jsonl", &[own]);
    let preference = train(&room, "--train lists.jsonl --preference 1 --output out");
    assert_eq!(preference.code, 2);
    preference.says(&["preference", "no contexts"]);
    train(&room, "--train lists.jsonl --output out").ok();
    assert!(!room.read("out/log.jsonl").is_empty());
}
