//! `--vocabulary` and the field `vocabulary` of lists.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, list};
use serde_json::json;

const NAMES: &str =
    "# composers\nHaydn\tHH AY D AH N\tweight=40\nHaydn\tweight=2\nGwendolyn\tclass=friends\n";

fn room() -> Room {
    let room = Room::new();
    room.write("names.txt", NAMES);
    let mut lists = vec![
        list("u1", &["play hiding now", "play riding now"], "play Haydn now"),
        list("u2", &["the cat sat", "the cat sad"], "the cat sat"),
        list("u3", &["dwindle in called", "windle in called"], "Gwendolyn called"),
    ];
    lists[2]["vocabulary"] = json!(["@friends"]);
    room.lists("lists.jsonl", &lists);
    room
}

#[test]
fn terms_are_put_in_and_marked() {
    let room = room();
    let ran = room.run("rescore lists.jsonl --vocabulary names.txt --json --nbest").ok();
    ran.says(&["warning: names.txt:3: \"Haydn\" is in line 2 already"]);
    let answers = ran.json();
    assert_eq!(answers[0]["text"], "play Haydn now");
    assert_eq!(answers[0]["terms"][0]["replaced"], "hiding");
    assert_eq!(
        (&answers[0]["terms"][0]["start"], &answers[0]["terms"][0]["end"]),
        (&json!(1), &json!(2)),
        "{}",
        answers[0]
    );
    assert!(!common::keys(&answers[1]).contains(&"terms"));
    let of_class = answers[2]["hypotheses"].as_array().unwrap();
    assert!(of_class.iter().any(|one| one["terms"][0]["term"] == "Gwendolyn"), "{}", answers[2]);
    let ran = room.run("rescore lists.jsonl --vocabulary names.txt").ok();
    assert!(ran.stdout.starts_with("u1\tplay Haydn now\nu2\tthe cat"), "{}", ran.stdout);
    // Every format writes what was made.
    for format in ["jsonl", "trn", "csv"] {
        let ran =
            room.run(&format!("rescore lists.jsonl --vocabulary names.txt --output-format {format}")).ok();
        assert!(ran.stdout.contains("play Haydn now"), "{format}: {}", ran.stdout);
    }
    let ran = room.run("explain lists.jsonl --utterance u1 --vocabulary names.txt").ok();
    assert!(ran.stdout.contains("terms"), "{}", ran.stdout);
    let ran = room.run("evaluate lists.jsonl --policy default --vocabulary names.txt --json").ok();
    assert_eq!(ran.json()[0]["changed"].as_f64().map(|share| share > 0.0), Some(true));
}

#[test]
fn possessives_are_put_in_as_such() {
    let room = room();
    let texts = ["play hiding's song", "play riding's song"];
    room.lists(
        "lists.jsonl",
        &[list("u1", &texts, "play Haydn's song"), list("u2", &["ask haydn's son", "ask"], "")],
    );
    let answers = room.run("rescore lists.jsonl --vocabulary names.txt --json").ok().json();
    assert_eq!(answers[0]["text"], "play Haydn's song");
    let term = &answers[0]["terms"][0];
    assert_eq!((&term["term"], &term["replaced"]), (&json!("Haydn"), &json!("hiding's")));
    assert_eq!(answers[1]["text"], "ask Haydn's son", "its own spelling");
}

#[test]
fn what_is_no_vocabulary_is_refused() {
    let room = room();
    room.write("empty.txt", "# nothing\n");
    room.write("url.txt", "Haydn\nhttp://a.b/c\n");
    for (command, parts) in [
        ("rescore lists.jsonl --vocabulary none.txt", &["vocabulary none.txt", "a term a line"][..]),
        ("rescore lists.jsonl --vocabulary empty.txt", &["empty.txt"]),
        ("rescore lists.jsonl --vocabulary url.txt", &["url.txt:2"]),
        ("score lists.jsonl --vocabulary names.txt", &["rescore --vocabulary"]),
        ("rescore lists.jsonl --vocabulary names.txt --lm-weight 0.5", &["classic", "--policy"]),
        ("evaluate lists.jsonl --vocabulary names.txt --fusion classic", &["classic"]),
        ("tune lists.jsonl --vocabulary names.txt --fusion classic --output p.toml", &["classic"]),
    ] {
        room.refused(command, parts);
    }
    room.lists(
        "own.jsonl",
        &[{
            let mut list = list("u1", &["a b", "a c"], "a b");
            list["vocabulary"] = json!("Haydn");
            list
        }],
    );
    room.refused("rescore own.jsonl", &["\"u1\"", "write an array"]);
}

#[test]
fn a_policy_of_before_terms_is_named() {
    let room = room();
    room.lists("dev.jsonl", &common::ten_lists("dev"));
    room.run("tune dev.jsonl --output now.toml").ok();
    let policy = room.read("now.toml");
    let without: Vec<&str> = policy.lines().filter(|line| !line.starts_with("term")).collect();
    assert!(without.len() < policy.lines().count(), "{policy}");
    room.write("before.toml", without.join("\n"));
    let asked = |policy: &str| {
        room.run(&format!("rescore lists.jsonl --vocabulary names.txt --policy {policy}")).ok()
    };
    asked("before.toml").says(&["before.toml gives terms of a vocabulary no weight"]);
    assert!(!asked("now.toml").stderr.contains("no weight"));
}
