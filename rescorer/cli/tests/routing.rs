//! `--adapter auto`.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{Room, fixture, list};
use serde_json::{Value, json};

/// A room with two adapters that have policies of their own, and lists.
fn room() -> Room {
    let room = Room::new();
    room.lists("dev.jsonl", &common::ten_lists("dev"));
    for (name, source) in [("medical", "tiny-lora"), ("legal", "tiny-adalora")] {
        std::fs::create_dir(room.path(name)).unwrap();
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            std::fs::copy(fixture(source).join(file), room.path(name).join(file)).unwrap();
        }
        room.run(&format!("tune dev.jsonl --fusion classic --adapter {name} --output {name}/policy.toml"))
            .ok();
    }
    room.lists("lists.jsonl", &lists());
    room
}

fn lists() -> Vec<Value> {
    let mut lists = common::ten_lists("test");
    lists[3]["adapter"] = json!("legal");
    lists[4]["adapter"] = json!(null);
    lists[5] = list("one", &["the cat"], "the cat");
    lists
}

const BOTH: &str = "--adapter medical --adapter legal";

#[test]
fn lists_are_answered_as_if_they_named_their_adapters() {
    let room = room();
    let ran = room.run(&format!("rescore lists.jsonl {BOTH} --adapter auto --json")).ok();
    ran.says(&[
        "routed: ",
        " nodes; 3 lists name their adapter or have one text",
        "policy: default, version",
    ]);
    let answers = ran.json();
    assert_eq!(answers.len(), 10);
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(answer["utterance"], lists()[at]["id"]);
        let is_routed = ![3, 4, 5].contains(&at);
        assert_eq!(answer["routed"].is_f64(), is_routed, "{answer}");
        assert!(
            !is_routed || (1.0 / 3.0 - 1e-9..=1.0).contains(&answer["routed"].as_f64().unwrap()),
            "{answer}"
        );
    }
    assert_eq!(answers[3]["adapter"], "legal");
    assert!(!common::keys(&answers[4]).contains(&"adapter"));
    // The same adapters by name.
    let mut named = lists();
    for (list, answer) in named.iter_mut().zip(&answers) {
        list["adapter"] = answer["adapter"].clone();
    }
    room.lists("named.jsonl", &named);
    let ran = room.run(&format!("rescore named.jsonl {BOTH} --adapter auto --json")).ok();
    for (named, mut answer) in ran.json().into_iter().zip(answers) {
        answer.as_object_mut().unwrap().remove("routed");
        if answer["adapter"].is_null() {
            answer.as_object_mut().unwrap().remove("adapter");
        }
        assert_eq!(named, answer);
    }
    // What is computed is said, and what the format holds is not changed.
    let nbest =
        room.run(&format!("rescore lists.jsonl {BOTH} --adapter auto --nbest --output-format jsonl")).ok();
    let fields: Vec<bool> = nbest.json().iter().map(|list| list.get("adapter").is_some()).collect();
    assert_eq!(fields.iter().filter(|has| **has).count(), 2);
}

#[test]
fn commands_that_decide_route_and_others_refuse() {
    let room = room();
    let report = room.run(&format!("evaluate lists.jsonl {BOTH} --adapter auto --json")).ok();
    report.says(&["routed: "]);
    let report = &report.json()[0];
    let routed = report["routed"].as_object().unwrap();
    assert_eq!(routed.values().map(|lists| lists.as_u64().unwrap()).sum::<u64>(), 7);
    assert_eq!(report["utterances"], 10);
    // The answers that are judged are those of rescore.
    let answers = room.run(&format!("rescore lists.jsonl {BOTH} --adapter auto --json")).ok().json();
    let changed = answers.iter().filter(|answer| answer["changed"] == true).count();
    assert!((report["changed"].as_f64().unwrap() - changed as f64 / 10.0).abs() < 1e-9, "{report}");
    room.refused(&format!("evaluate dev.jsonl {BOTH} --adapter auto"), &["10 lists"]);
    room.run(&format!("explain lists.jsonl --utterance test2 {BOTH} --adapter auto")).ok();
    for command in ["score lists.jsonl", "tune lists.jsonl --output p.toml"] {
        room.refused(&format!("{command} {BOTH} --adapter auto"), &["takes adapters by name"]);
    }
    room.refused(
        &format!("evaluate lists.jsonl --cross-validate=2 {BOTH} --adapter auto"),
        &["--cross-validate", "leave one of them out"],
    );
}

#[test]
fn contradictions_name_the_remedy() {
    let room = room();
    let refused = |options: &str, parts: &[&str]| {
        room.refused(&format!("rescore lists.jsonl --adapter auto {options}"), parts);
    };
    refused("", &["no adapter to choose", "--adapter NAME=DIR", "./auto"]);
    refused(&format!("{BOTH} --policy medical/policy.toml"), &["is for one adapter", "leave out --policy"]);
    refused(&format!("{BOTH} --policy none"), &["keeps the first pass", "leave out --adapter auto"]);
    refused(&format!("{BOTH} --cascade-model x"), &["leave out --cascade-model"]);
    refused(&format!("{BOTH} --no-eos"), &["--no-eos", "add --policy default"]);
    for options in ["--policy default", "--policy default --no-eos", "--lm-weight 0.3"] {
        let ran = room.run(&format!("rescore lists.jsonl --json {BOTH} --adapter auto {options}")).ok();
        assert!(ran.json()[0]["routed"].is_f64(), "{options}: {ran:?}");
    }
    // A folder of this name.
    std::fs::rename(room.path("medical"), room.path("auto")).unwrap();
    assert!(Path::new(&room.path("auto")).exists());
    let ran = room.run("rescore lists.jsonl --json --adapter ./auto --adapter legal").ok();
    assert_eq!((&ran.json()[0]["adapter"], &ran.json()[0]["routed"]), (&json!("auto"), &Value::Null));
}
