//! `--unit`: words, characters, or both by script.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, close, list};
use serde_json::{Value, json};

/// Chinese, Japanese and Thai lists whose first-pass bests have one, one and two wrong characters of 9, 11 and 14; the second hypothesis
/// has none.
fn lists() -> Vec<Value> {
    [
        ("他昨天买了三本心书", "他昨天买了三本新书"),
        ("今日は天気がいいてすね", "今日は天気がいいですね"),
        ("ฉันจะไปตะหลาดนัด", "ฉันจะไปตลาดนัด"),
    ]
    .iter()
    .enumerate()
    .map(|(number, (heard, said))| list(&format!("u{number}"), &[heard, said], said))
    .collect()
}

fn room() -> Room {
    let room = Room::new();
    room.lists("lists.jsonl", &lists());
    room
}

fn evaluate(room: &Room, words: &str) -> Value {
    room.run(&format!("evaluate {words} --json")).ok().json().remove(0)
}

#[test]
fn rates_are_of_the_unit() {
    let room = room();
    let report = evaluate(&room, "lists.jsonl --lm-weight 0 --unit character");
    assert_eq!((&report["unit"], &report["reference_words"]), (&json!("character"), &json!(34)));
    assert!(close(report["first_pass_wer"].as_f64().unwrap(), 400.0 / 34.0), "{report}");
    assert_eq!(report["oracle_wer"], 0.0);
    let report = evaluate(&room, "lists.jsonl --lm-weight 0");
    assert_eq!((&report["unit"], &report["first_pass_wer"]), (&json!("word"), &json!(100.0)));
    let plain = room.run("evaluate lists.jsonl --lm-weight 0 --unit character --show 1").ok().stdout;
    for part in ["reference characters       34", "CER first pass     %    11.76", "CER oracle", "CERR "] {
        assert!(plain.contains(part), "{part}: {plain}");
    }
    assert!(!plain.contains("WER"), "{plain}");
    room.lists("both.jsonl", &[list("u", &["打开python文件and跑 it"], "打开Python文件and run it")]);
    let report = evaluate(&room, "both.jsonl --lm-weight 0 --unit mixed");
    assert_eq!(
        (&report["reference_words"], &report["first_pass_wer"]),
        (&json!(8), &json!(25.0)),
        "{report}"
    );
}

#[test]
fn a_policy_keeps_its_unit() {
    let room = room();
    let tuned =
        room.run("tune lists.jsonl --fusion classic --unit character --decision merge --output p.toml").ok();
    assert!(tuned.stdout.contains("CER %") && tuned.stdout.contains("CER 11.76 -> "), "{}", tuned.stdout);
    assert!(room.read("p.toml").contains("unit = \"character\""), "{}", room.read("p.toml"));
    room.lists("test.jsonl", &[list("t", &["请把床户关上", "请把窗户关上"], "请把窗户关上")]);
    let report = evaluate(&room, "test.jsonl --policy p.toml");
    assert_eq!((&report["unit"], &report["reference_words"]), (&json!("character"), &json!(6)));
    assert_eq!(report["decision"], "merge");
    // The words of an answer are characters, and what is voted on has no spaces.
    let answer = room.run("rescore test.jsonl --policy p.toml --json").ok().json().remove(0);
    let words: Vec<&str> =
        answer["words"].as_array().unwrap().iter().map(|w| w["word"].as_str().unwrap()).collect();
    assert_eq!(words.concat(), answer["text"].as_str().unwrap());
    assert_eq!(words.len(), 6);
    for command in ["evaluate", "rescore"] {
        room.run(&format!("{command} test.jsonl --policy p.toml --unit character")).ok();
        let words = format!("{command} test.jsonl --policy p.toml --unit word");
        room.refused(
            &words,
            &[
                "the policy counts by character, and word was asked for",
                "take the policy's unit",
                "(--unit UNIT)",
            ],
        );
    }
    room.refused(
        "tune lists.jsonl --cascade p.toml --output q.toml",
        &["--cascade: the policy counts by character"],
    );
}

#[test]
fn policies_of_before_count_words() {
    let room = common::tuned();
    assert!(!room.read("p.toml").contains("\nunit"), "{}", room.read("p.toml"));
    room.run("rescore test.jsonl --policy p.toml --unit word").ok();
    let other = room.read("p.toml").replacen("normalize", "unit = \"letter\"\nnormalize", 1);
    room.write("other.toml", other);
    room.refused(
        "rescore test.jsonl --policy other.toml",
        &["other.toml", "letter", "`word`, `character`, `mixed`"],
    );
}

#[test]
fn the_length_bonus_counts_the_unit() {
    let room = Room::new();
    room.lists("lists.jsonl", &[list("u", &["a bb", "ccccc"], "a bb")]);
    let total = |words: &str| {
        let ran = room
            .run(&format!("rescore lists.jsonl --lm-weight 0 --length-bonus 10 --nbest --json {words}"))
            .ok();
        ran.json()[0]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!((total("").as_str(), total("--unit character").as_str()), ("a bb", "ccccc"));
    assert_eq!(total("--unit mixed"), "a bb");
}

#[test]
fn compare_and_stats_know_units() {
    let room = room();
    for (name, weight) in [("a", "0"), ("b", "0.01")] {
        let ran = room.run(&format!("rescore lists.jsonl --lm-weight {weight} --json")).ok();
        room.write(&format!("{name}.jsonl"), ran.stdout);
    }
    let report = &room.run_plain("compare a.jsonl b.jsonl --unit character --json").ok().json()[0];
    assert_eq!((&report["unit"], &report["reference_words"]), (&json!("character"), &json!(34)));
    let plain = room.run_plain("compare a.jsonl b.jsonl --unit character").ok().stdout;
    assert!(plain.contains("CER 11.76 %") && plain.contains("points of CER"), "{plain}");
    let report = &room.run_plain("stats lists.jsonl --unit character --json").ok().json()[0];
    assert_eq!((&report["unit"], &report["errors"]["reference_words"]), (&json!("character"), &json!(34)));
    let plain = room.run_plain("stats lists.jsonl --unit character").ok().stdout;
    assert!(
        plain.contains("characters of a hypothesis") && plain.contains("CER 11.76% of 34 characters"),
        "{plain}"
    );
}

#[test]
fn bad_units_and_empty_references() {
    let room = room();
    for command in [
        "evaluate lists.jsonl --lm-weight 0",
        "tune lists.jsonl --output p.toml",
        "compare a b",
        "stats lists.jsonl",
    ] {
        room.refused_plain(
            &format!("{command} --unit letter"),
            &["unknown unit \"letter\"; use word, character or mixed"],
        );
    }
    room.lists("empty.jsonl", &[list("u1", &["好"], ""), list("u2", &[" "], " \u{3000}\t")]);
    room.refused(
        "evaluate empty.jsonl --lm-weight 0 --unit character",
        &["2 lists with no reference characters"],
    );
    room.lists("some.jsonl", &[list("u1", &["好"], ""), list("u2", &[""], "好")]);
    let report = evaluate(&room, "some.jsonl --lm-weight 0 --unit character");
    assert_eq!((&report["reference_words"], &report["first_pass_wer"]), (&json!(1), &json!(200.0)));
}
