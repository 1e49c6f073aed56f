//! `rescorer explain`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, close, fixture, list};
use serde_json::{Value, json};

fn room() -> Room {
    let room = Room::new();
    let texts = ["the cat sat", "the hat sat on", "the cat sat", "a cat sat"];
    room.lists("lists.jsonl", &[list("u1", &["one"], "one"), list("u2", &texts, "the cat sat")]);
    room
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Everything that a row of tokens gives, both columns.
fn sums(explanation: &Value) -> (f64, f64) {
    let tokens = explanation["tokens"].as_array().unwrap();
    let sum = |key: &str| tokens.iter().map(|token| number(&token[key])).sum();
    (sum("model"), sum("adapter"))
}

#[test]
fn the_parts_add_up_to_the_difference_of_the_totals() {
    let room = room();
    let adapter = format!("--adapter {}", fixture("tiny-lora").display());
    for (weights, adapter) in [
        ("--lm-weight 0.5 --length-bonus 0.25", ""),
        ("--lm-weight 0.5 --length-bonus 0.25", adapter.as_str()),
        ("--lm-weight 2 --score-mean", adapter.as_str()),
    ] {
        let rescored =
            room.run(&format!("rescore lists.jsonl {weights} {adapter} --nbest --json")).ok().json();
        let hypotheses = rescored[1]["hypotheses"].as_array().unwrap();
        let of = |position: usize| hypotheses.iter().find(|h| h["position"] == position).unwrap();
        for (position, against) in [(1, 0), (3, 1), (0, 3)] {
            let words = format!(
                "explain lists.jsonl --utterance u2 --position {position} --against {against} {weights} {adapter} --json"
            );
            let found = &room.run(&words).ok().json()[0];
            let (model, of_adapter) = sums(found);
            assert_eq!(of_adapter != 0.0, !adapter.is_empty());
            let parts = model + of_adapter + number(&found["first_pass"]) + number(&found["length_bonus"]);
            let lead = number(&of(position)["total"]) - number(&of(against)["total"]);
            assert!((parts - number(&found["lead"])).abs() < 1e-12 && close(parts, lead), "{found}, {lead}");
            let pieces = |key: &str| -> String {
                let tokens = found["tokens"].as_array().unwrap().iter();
                tokens
                    .filter_map(|token| token[key].as_str())
                    .map(|piece| piece.replace('\u{120}', " "))
                    .collect()
            };
            for (key, text) in [("piece", &found["text"]), ("against", &found["against_text"])] {
                assert!(pieces(key).trim_start().starts_with(text.as_str().unwrap()), "{key}: {found}");
            }
        }
    }
}

#[test]
fn it_compares_the_answer_with_the_first_pass_best() {
    let room = room();
    let found =
        room.run("explain lists.jsonl --utterance u2 --lm-weight 0 --length-bonus 9 --html why.html").ok();
    assert!(found.stdout.starts_with("u2: position 1 leads position 0 by +8.0000\n"), "{}", found.stdout);
    let page = room.read("why.html");
    for part in ["length bonus", "+9.0000", "first pass", "-1.0000", "lead", "+8.0000"] {
        assert!(found.stdout.contains(part) && page.contains(part), "{part}: {}", found.stdout);
    }
    // Where the first pass is right, the next best.
    let found = &room.run("explain lists.jsonl --utterance u2 --lm-weight 0 --json").ok().json()[0];
    assert_eq!((&found["position"], &found["against"], &found["lead"]), (&json!(0), &json!(1), &json!(1.0)));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let room = room();
    let refused = |words: &str, parts: &[&str]| room.refused(&format!("explain lists.jsonl {words}"), parts);
    refused("--utterance u9 --lm-weight 1", &["--utterance u9: no list has this id"]);
    refused("--utterance u1 --lm-weight 1", &["\"u1\" has one hypothesis"]);
    refused("--utterance u2 --lm-weight 1 --position 4", &["no position 4; it has 4 hypotheses"]);
    refused(
        "--utterance u2 --lm-weight 1 --position 2 --against 0",
        &["positions 2 and 0 have the same text"],
    );
    refused("--utterance u2 --lm-weight 1 --html nowhere/x.html", &["nowhere/x.html"]);
}
