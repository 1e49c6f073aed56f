//! `--adapter` and `rescorer adapter`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, close, fixture, list, ran};
use serde_json::json;

fn adapter(name: &str) -> String {
    fixture(name).display().to_string()
}

#[test]
fn scores_change_with_an_adapter_and_by_list() {
    let room = Room::new();
    let mut lists = vec![list("a", &["the cat sat", "the hat"], "the cat sat"); 3];
    lists[1]["adapter"] = json!("second");
    lists[2]["adapter"] = json!(null);
    (0..3).for_each(|i| lists[i]["id"] = json!(format!("u{i}")));
    room.lists("lists.jsonl", &lists);
    room.lists(
        "plain.jsonl",
        &[0, 1, 2].map(|i| list(&format!("u{i}"), &["the cat sat", "the hat"], "the cat sat")),
    );
    let score = |lists: &str, options: &str| -> Vec<f64> {
        let ran = room.run(&format!("score {lists}.jsonl --json {options}")).ok();
        ran.json().iter().map(|row| row["lm_score"].as_f64().unwrap()).collect()
    };
    let (lora, adalora) = (adapter("tiny-lora"), adapter("tiny-adalora"));
    let base = score("plain", "");
    let one = score("plain", &format!("--adapter {lora}"));
    let other = score("plain", &format!("--adapter {adalora}"));
    let both = score("lists", &format!("--adapter first={lora} --adapter second={adalora}"));
    assert_eq!(score("lists", ""), base, "without adapters the field is anyone's");
    assert!(!close(base[0], one[0]) && !close(one[0], other[0]));
    for (found, expected) in both.iter().zip([&one[0..2], &other[0..2], &base[0..2]].concat()) {
        assert!(close(*found, expected), "{found} {expected}");
    }
    let unknown = room.run(&format!("score lists.jsonl --adapter first={lora} --adapter third={adalora}"));
    assert_eq!(unknown.code, 2);
    unknown.says(&["\"u1\" asks for adapter \"second\"", "first, third"]);
    room.refused(
        &format!("score lists.jsonl --adapter {lora} --adapter {lora}"),
        &["two adapters are called"],
    );
    room.refused(
        "score lists.jsonl --adapter nowhere",
        &["nowhere/adapter_config.json", "adapter_config.json"],
    );
}

#[test]
fn an_adapter_without_a_base_is_a_warning_and_policies_know_theirs() {
    let room = Room::new();
    room.lists("lists.jsonl", &common::ten_lists("a"));
    let lora = adapter("tiny-lora");
    let ran = room.run(&format!("tune lists.jsonl --output p.toml --adapter {lora}")).ok();
    ran.says(&["warning: adapter tiny-lora does not say which model"]);
    assert!(room.read("p.toml").contains("[adapter]"));
    room.lists("other.jsonl", &common::ten_lists("b"));
    let report =
        room.run(&format!("evaluate other.jsonl --policy p.toml --json --adapter {lora}")).ok().json();
    assert_eq!(report[0]["adapter_name"], "tiny-lora");
    room.refused(
        "evaluate other.jsonl --policy p.toml",
        &["tuned with adapter tiny-lora", "this is no adapter"],
    );
}

#[test]
fn inspect_shows_every_layer() {
    let room = Room::new();
    let shown =
        ran(room.command(&format!("adapter inspect {}", adapter("tiny-adalora-pruned"))).output().unwrap())
            .ok();
    for part in ["rank-allocated", "base model   (not stated)", "q_proj", "down_proj", "ranks 12 in total"] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let words = format!("adapter inspect {} --json", adapter("tiny-lora"));
    let report = ran(room.command(&words).output().unwrap()).ok().json();
    assert_eq!((&report[0]["kind"], &report[0]["rank"]), (&json!("lora"), &json!(3)));
    assert_eq!(report[0]["modules"].as_array().unwrap().len(), 4);
}

#[test]
fn converted_truncated_and_merged_adapters_score() {
    let room = Room::new();
    room.write("text", "the cat sat on the mat\nthe hat\n");
    let run = |words: String| ran(room.command(&words).output().unwrap());
    let score = |options: &str| -> Vec<f64> {
        let ran = room.run(&format!("score --text text --json --precision f32 {options}")).ok();
        ran.json().iter().map(|row| row["lm_score"].as_f64().unwrap()).collect()
    };
    let adalora = adapter("tiny-adalora-pruned");
    let expected = score(&format!("--adapter {adalora}"));
    run(format!("adapter convert {adalora} --output-format lora --output vanilla")).ok();
    let found = score("--adapter vanilla");
    assert!(found.iter().zip(&expected).all(|(a, b)| close(*a, *b)), "{found:?} {expected:?}");
    run(format!("adapter convert {adalora} --output vanilla")).says(&["choose another folder"]);

    let model = fixture("tiny-llama").display().to_string();
    run(format!("adapter merge {adalora} --model {model} --output merged")).ok();
    let words = "score --text text --json --device cpu --precision f32 --model ./merged";
    let merged = run(words.into()).ok().json();
    for (row, expected) in merged.iter().zip(&expected) {
        assert!((row["lm_score"].as_f64().unwrap() - expected).abs() < 1e-3, "{row} {expected}");
    }

    let lora = adapter("tiny-lora");
    run(format!("adapter truncate {lora} --rank 2 --output shorter")).ok();
    let inspected = run("adapter inspect shorter --json".into()).ok().json();
    assert_eq!(inspected[0]["ranks"], 8);
    run(format!("adapter truncate {lora} --rank 9 --output x")).says(&["give 1 to 3"]);
    run(format!("adapter truncate {adalora} --rank 1 --output x")).says(&["--svd"]);
    run(format!("adapter truncate {adalora} --rank 1 --svd --output nearest")).ok();
    score("--adapter nearest");
}
