//! `rescorer learn` and `adapter merge --average` on the tiny model.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, fixture, list, ran, ten_lists};
use serde_json::{Value, json};

fn room() -> Room {
    let room = Room::new();
    room.lists("corrections.jsonl", &ten_lists("a"));
    room.lists("dev.jsonl", &ten_lists("b"));
    room.lists("train.jsonl", &ten_lists("c"));
    room
}

fn run(room: &Room, words: &str) -> Ran {
    let mut command = room.command(words);
    ran(command.arg("--model").arg(fixture("tiny-llama")).args(["--threads", "1"]).output().unwrap())
}

fn learn(room: &Room, words: &str) -> Ran {
    run(room, &format!("learn --adapter adapter {words}"))
}

fn weights(room: &Room, folder: &str) -> Vec<u8> {
    std::fs::read(room.path(folder).join("adapter_model.safetensors")).unwrap()
}

#[test]
fn steps_are_kept_checked_and_undone() {
    let room = room();
    run(&room, "train --train train.jsonl --dev dev.jsonl --rank 2 --output adapter").ok();
    let (before, policy) = (weights(&room, "adapter"), room.read("adapter/policy.toml"));
    let ran = learn(&room, "corrections.jsonl --held-out dev.jsonl --learning-rate 1e-5 --json").ok();
    let lesson: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((lesson["step"].as_u64(), lesson["corrections"].as_u64()), (Some(1), Some(10)));
    assert!(lesson["after"].as_f64() <= lesson["before"].as_f64());
    assert_ne!(weights(&room, "adapter"), before);
    // The policy belongs to the adapter as it is now.
    room.lists("test.jsonl", &ten_lists("d"));
    let ask = "evaluate test.jsonl --adapter adapter --policy adapter/policy.toml --device cpu";
    ran_with_model(&room, ask);
    let again = learn(&room, "train.jsonl --held-out dev.jsonl --learning-rate 1e-5 --json").ok();
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!((again["step"].as_u64(), again["replayed"].as_u64()), (Some(2), Some(10)), "those of step 1");
    learn_undo(&room, "step 2 is undone");
    learn_undo(&room, "step 1 is undone");
    assert_eq!((weights(&room, "adapter"), room.read("adapter/policy.toml")), (before, policy));
    let none = learn_undo_ran(&room);
    assert_eq!(none.code, 2);
    none.says(&["no step is left to undo"]);
}

fn ran_with_model(room: &Room, words: &str) {
    let mut command = room.command(words);
    ran(command.arg("--model").arg(fixture("tiny-llama")).output().unwrap()).ok();
}

fn learn_undo_ran(room: &Room) -> Ran {
    ran(room.command("learn --adapter adapter --undo").output().unwrap())
}

fn learn_undo(room: &Room, said: &str) {
    let undone = learn_undo_ran(room).ok();
    assert_eq!(undone.stdout.trim(), said);
}

#[test]
fn a_folder_without_an_adapter_begins_one_and_undo_takes_it_away() {
    let room = room();
    learn(&room, "corrections.jsonl --held-out dev.jsonl --learning-rate 1e-6").ok();
    assert!(room.path("adapter/adapter_config.json").exists());
    learn_undo(&room, "step 1 is undone");
    assert!(!room.path("adapter/adapter_config.json").exists());
}

/// Held-out lists want the opposite of the corrections, so that whatever is learned makes them worse.
#[test]
fn what_makes_held_out_lists_worse_is_not_kept() {
    let room = room();
    let lists = |prefix: &str, right: usize| -> Vec<Value> {
        let texts = |i: usize| [format!("turn {i} left"), format!("turn {i} right")];
        let one = |i: usize| {
            let texts = texts(i);
            let hypotheses: Vec<Value> =
                texts.iter().map(|text| json!({"text": text, "score": -1.0})).collect();
            json!({"id": format!("{prefix}{i}"), "hypotheses": hypotheses, "reference": texts[right]})
        };
        (0..12).map(one).collect()
    };
    room.lists("wrong.jsonl", &lists("w", 0));
    room.lists("check.jsonl", &lists("c", 1));
    let ran = learn(&room, "wrong.jsonl --held-out check.jsonl --learning-rate 5e-2 --epochs 20");
    assert_eq!(ran.code, 1, "{ran:?}");
    ran.says(&["nothing was changed", "more errors"]);
    assert!(ran.stdout.contains("not kept"), "{}", ran.stdout);
    assert!(!room.path("adapter/adapter_config.json").exists() && !room.path("adapter/learned").exists());
}

#[test]
fn terms_that_recur_are_offered() {
    let room = room();
    let mut lists = ten_lists("a");
    lists.push(list("n1", &["call dwindle in", "call when do lin"], "Call Gwendolyn."));
    lists.push(list("n2", &["write to dwindle in", "right to dwindle in"], "Write to Gwendolyn."));
    room.lists("names.jsonl", &lists);
    let ran = learn(&room, "names.jsonl --held-out dev.jsonl --learning-rate 1e-6").ok();
    assert!(ran.stdout.contains("for --vocabulary  Gwendolyn (2)"), "{}", ran.stdout);
}

#[test]
fn corrections_that_teach_nothing_are_refused() {
    let room = room();
    let refused = |words: &str, parts: &[&str]| {
        let ran = learn(&room, words);
        assert_eq!(ran.code, 2, "{words}: {ran:?}");
        ran.says(parts);
    };
    room.lists("few.jsonl", &ten_lists("a")[..4]);
    refused("few.jsonl", &["lists are held out", "give 10 or more"]);
    let contradicting = [list("u1", &["a", "b"], "a"), list("u2", &["a", "b"], "b")];
    room.lists("both.jsonl", &contradicting);
    refused("both.jsonl --held-out dev.jsonl", &["\"u1\" and \"u2\"", "remove one of them"]);
    let mut bare = ten_lists("a");
    bare[3].as_object_mut().unwrap().remove("reference");
    room.lists("bare.jsonl", &bare);
    refused("bare.jsonl --held-out dev.jsonl", &["\"a3\" has no reference"]);
    refused("corrections.jsonl --held-out corrections.jsonl", &["all corrections are held out"]);
    room.lists("unheard.jsonl", &[json!({"id": "u9", "reference": "never seen"})]);
    refused("unheard.jsonl --held-out dev.jsonl", &["unheard.jsonl", "`hypotheses`"]);
    assert!(!room.path("adapter").join("adapter_config.json").exists());
}

#[test]
fn adapters_are_averaged() {
    let room = room();
    run(&room, "train --train train.jsonl --rank 2 --output one").ok();
    run(&room, "train --train corrections.jsonl --rank 3 --output other").ok();
    let merge = |words: &str| ran(room.command(&format!("adapter merge {words}")).output().unwrap());
    merge("one other --average --output mean").ok();
    merge("one one --average --rank 2 --output same").ok();
    let inspect = |folder: &str| -> Value {
        let ran = ran(room.command(&format!("adapter inspect {folder} --json")).output().unwrap()).ok();
        serde_json::from_str(&ran.stdout).unwrap()
    };
    assert_eq!(inspect("mean")["rank"], 3, "the most that one of them has");
    let norms = |folder: &str| -> Vec<f64> {
        let report = inspect(folder);
        report["modules"].as_array().unwrap().iter().map(|row| row["norm"].as_f64().unwrap()).collect()
    };
    for (found, expected) in norms("same").into_iter().zip(norms("one")) {
        assert!((found - expected).abs() < 1e-4 * expected.max(1.0), "{found} {expected}");
    }
    ran_with_model(&room, "rescore dev.jsonl --adapter mean --policy default --device cpu");
    for (words, part) in [
        ("one --average --output x", "give two adapters or more"),
        ("one other --output x", "average them with --average"),
        ("one other --rank 2 --output x", "--average"),
        ("one other --average --output mean", "choose another folder"),
    ] {
        let refused = merge(words);
        assert_eq!(refused.code, 2, "{words}");
        refused.says(&[part]);
    }
}

#[test]
fn numbers_of_16_bits_are_nearly_the_same() {
    let room = room();
    run(&room, "train --train train.jsonl --rank 2 --output one").ok();
    ran(room.command("adapter convert one --half --output half").output().unwrap()).ok();
    let (whole, half) = (weights(&room, "one").len(), weights(&room, "half").len());
    assert!(half < whole * 3 / 4, "{half} {whole}");
    ran_with_model(&room, "rescore dev.jsonl --adapter half --policy default --device cpu");
    let refused = ran(room.command("adapter convert one --half --output half").output().unwrap());
    assert_eq!(refused.code, 2);
    refused.says(&["choose another folder"]);
}

#[test]
fn the_built_in_adapter_is_for_its_model() {
    let room = room();
    let mut command = room.command("rescore dev.jsonl --adapter speech --device cpu");
    let refused = ran(command.arg("--model").arg(fixture("tiny-llama")).output().unwrap());
    assert_eq!(refused.code, 2);
    refused.says(&["speech", "model"]);
    assert!(!refused.stderr.contains("No such file"), "{}", refused.stderr);
}
