//! Commands that are killed at any moment: an older result stands as it was or the new one is whole, and run again they give what they
//! give unbroken.
//!
//! Each command is killed at so many moments as `RESCORER_KILLS` says, 4 if it says nothing:
//! `RESCORER_KILLS=40 cargo test --workspace --test killed`
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Room, fixture, list, ten_lists};
use serde_json::Value;

/// What stood in the place of a result before the command ran.
const OLD: &str = "an older result\n";

fn moments() -> u32 {
    std::env::var("RESCORER_KILLS").map_or(4, |count| count.parse().unwrap())
}

/// A fraction between 0 and 1 for each moment, the same on every machine.
fn spread(moment: u32) -> f64 {
    (f64::from(moment) * 0.618_033_988_75 + 0.05).fract()
}

fn start(room: &Room, words: &str) -> Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("rescorer"));
    command.current_dir(room.path("")).env("RESCORER_HOME", room.path("home"));
    command.args(words.split_whitespace()).args(["--threads", "1", "--model"]).arg(fixture("tiny-llama"));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs a command to its end and returns its results and how long it took.
fn whole(room: &Room, words: &str, results: &[&str]) -> (Vec<Vec<u8>>, Duration) {
    let begin = Instant::now();
    assert!(start(room, words).wait().unwrap().success(), "{words}");
    (results.iter().map(|name| std::fs::read(room.path(name)).unwrap()).collect(), begin.elapsed())
}

/// Kills the command at many moments of its time; `clean` takes its results away, and is not called before every second one, so that a
/// command also meets what an earlier one left.
fn killed(room: &Room, words: &str, results: &[&str], clean: impl Fn()) {
    clean();
    let (expected, time) = whole(room, words, results);
    for moment in 0..moments() {
        if moment % 2 == 0 {
            clean();
        }
        let mut child = start(room, words);
        std::thread::sleep(time.mul_f64(spread(moment)));
        _ = child.kill();
        child.wait().unwrap();
        for (name, expected) in results.iter().zip(&expected) {
            if let Ok(found) = std::fs::read(room.path(name)) {
                let is_whole = found == *expected || found == OLD.as_bytes();
                assert!(is_whole, "{words}, moment {moment}: {name} is half written");
            }
        }
        let (again, _) = whole(room, words, results);
        assert!(again == expected, "{words}, moment {moment}: another result after the break");
    }
}

fn remove(path: &Path) {
    _ = std::fs::remove_dir_all(path);
}

/// Four hundred lists, so that there is time to be killed in.
fn many_lists() -> Room {
    let room = Room::new();
    let lists: Vec<Value> = (0..40).flat_map(|round| ten_lists(&format!("a{round}"))).collect();
    room.lists("lists.jsonl", &lists);
    room
}

#[test]
fn rescore_leaves_the_old_file_or_the_new_one() {
    let room = many_lists();
    let words = "rescore lists.jsonl --policy default --output answers.jsonl --output-format jsonl";
    killed(&room, words, &["answers.jsonl"], || _ = room.write("answers.jsonl", OLD));
}

#[test]
fn tune_leaves_the_old_policy_or_the_new_one() {
    let room = many_lists();
    killed(&room, "tune lists.jsonl --output policy.toml", &["policy.toml"], || {
        _ = room.write("policy.toml", OLD)
    });
}

#[test]
fn training_goes_on_to_the_same_adapter() {
    let room = Room::new();
    room.lists("train.jsonl", &ten_lists("a"));
    room.lists("dev.jsonl", &ten_lists("b"));
    let words =
        "train --train train.jsonl --dev dev.jsonl --rank 2 --epochs 3 --checkpoint-every 1 --output out";
    let results = ["out/adapter_model.safetensors", "out/adapter_config.json", "out/policy.toml"];
    killed(&room, words, &results, || remove(&room.path("out")));
}

#[test]
fn a_benchmark_goes_on_to_the_same_report() {
    let room = Room::new();
    let lists: Vec<Value> = (0..8)
        .map(|i| {
            let right = format!("two knights write to their son {i}");
            let wrong = format!("to nights right to their sun {i}");
            list(&format!("u{i}"), &[&wrong, &right], &right)
        })
        .collect();
    room.lists("lists.jsonl", &lists);
    room.write(
        "plan.toml",
        "title = \"Tiny\"\nlists = [\"lists.jsonl\"]\nhomophones = { max_size = 50 }\nrates = [0.0, 0.5]\nseeds = [1, 2]\n\
         [[rescorer]]\nname = \"plain\"\nfusion = { lm_weight = 0.5 }\n",
    );
    let results = ["out/report.json", "out/rows.csv"];
    killed(&room, "robustness plan.toml --output out", &results, || remove(&room.path("out")));
}

/// A step of learning that is killed is not half there: it can be undone, or it has not begun.
#[test]
fn learning_keeps_a_whole_step_or_none() {
    const FILES: [&str; 3] = ["adapter_model.safetensors", "adapter_config.json", "policy.toml"];
    let room = Room::new();
    room.lists("dev.jsonl", &ten_lists("a"));
    room.lists("corrections.jsonl", &ten_lists("b"));
    let read = || FILES.map(|name| std::fs::read(room.path("adapter").join(name)).unwrap());
    let words = "train --train dev.jsonl --dev dev.jsonl --rank 2 --epochs 1 --output adapter";
    assert!(start(&room, words).wait().unwrap().success());
    let before = read();
    let words = "learn corrections.jsonl --adapter adapter --replay dev.jsonl --held-out dev.jsonl --learning-rate 1e-9";
    let (_, time) = whole(&room, words, &[]);
    let after = read();
    let undo = || room.run_plain("learn --adapter adapter --undo");
    undo().ok();
    assert!(before == read() && before != after);
    for moment in 0..moments() {
        let mut child = start(&room, words);
        std::thread::sleep(time.mul_f64(spread(moment)));
        _ = child.kill();
        child.wait().unwrap();
        if room.path("adapter/learned/0001").exists() {
            undo().ok();
        }
        assert!(before == read(), "moment {moment}: something of a broken step is left");
        room.run("evaluate corrections.jsonl --adapter adapter").ok();
    }
}
