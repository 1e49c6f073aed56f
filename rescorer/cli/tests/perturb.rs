//! `rescorer homophones` and `rescorer perturb`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, list};
use serde_json::Value;

fn run(room: &Room, words: &str) -> Ran {
    room.run_plain(words)
}

fn refused(room: &Room, words: &str, parts: &[&str]) {
    room.refused_plain(words, parts);
}

/// Two lists with words that have homophones, one without.
fn room() -> Room {
    let room = Room::new();
    let lists = [
        list(
            "u1",
            &["Write to their son!", "right to there sun", "Write to their son!"],
            "write to their son",
        ),
        list("u2", &["two knights", "to nights"], "two knights"),
        list("u3", &["orange purple"], "orange"),
    ];
    room.lists("lists.jsonl", &lists);
    room
}

fn texts(list: &Value) -> Vec<&str> {
    list["hypotheses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hypothesis| hypothesis["text"].as_str().unwrap())
        .collect()
}

#[test]
fn homophones_of_words() {
    let room = Room::new();
    let found = run(&room, "homophones their night --max-size 50").ok();
    assert_eq!(found.stdout, "their\tDH EH R\tthere, they're\nnight\tN AY T\tknight\n");
    let found = run(&room, "homophones ship --near 0.9 --max-size 35 --json").ok().json();
    assert_eq!(found[0]["pronunciations"][0], "SH IH P");
    assert!(found[0]["homophones"].as_array().unwrap().iter().any(|found| found["text"] == "sip"));
    let unknown = run(&room, "homophones there rescorer");
    assert_eq!(unknown.code, 1);
    unknown.says(&["not in the dictionary: rescorer", "--lexicon FILE"]);
    room.write("mine.dict", "rescorer R IY S K AO R ER\nreescorer R IY S K AO R ER\n");
    let mine = run(&room, "homophones rescorer --lexicon mine.dict").ok();
    assert_eq!(mine.stdout, "rescorer\tR IY S K AO R ER\treescorer\n");
    room.write("bad.dict", "rescorer R IY S\nred R QX D\n");
    refused(&room, "homophones red --lexicon bad.dict", &["bad.dict:2", "\"QX\" is no phone", "AA AE"]);
    refused(&room, "homophones red --lexicon none.dict", &["--lexicon none.dict"]);
}

#[test]
fn lists_are_perturbed_alike_whatever_their_order() {
    let room = room();
    let perturb = "--kind n-best --rate 0.5 --seed 4 --max-size 50";
    let there = run(&room, &format!("perturb lists.jsonl {perturb}")).ok();
    there.says(&["3 lists, 14 words: ", "1 of 3 lists have no word with a homophone and are unchanged"]);
    let mut lines: Vec<&str> = there.stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    let first: Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(texts(&first)[0], texts(&first)[2]);
    assert!(texts(&first)[0].ends_with('!'));
    assert_eq!(
        (&first["reference"], &first["hypotheses"][1]["score"]),
        (&"write to their son".into(), &(-2.0).into())
    );
    let turned: String = room.read("lists.jsonl").lines().rev().map(|line| format!("{line}\n")).collect();
    room.write("turned.jsonl", turned);
    let back = run(&room, &format!("perturb turned.jsonl {perturb}")).ok();
    lines.reverse();
    assert_eq!(back.stdout.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn replacements_can_be_listed() {
    let room = room();
    let shown = run(&room, "perturb lists.jsonl --kind one-best --rate 1 --max-size 20 --show --json").ok();
    let rows = shown.json();
    assert_eq!((&rows[0]["utterance"], &rows[0]["original"]), (&"u1".into(), &"Write".into()));
    assert!(rows.iter().all(|row| row["position"] == 0 && row["original"] != row["replacement"]));
    let both =
        run(&room, "perturb lists.jsonl --kind distractors --rate 1 --show --output out.jsonl --copies 1")
            .ok();
    assert!(both.stdout.lines().next().unwrap().starts_with("u1\t0.0\t0\tWrite\t"));
    let first: Value = serde_json::from_str(room.read("out.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!((texts(&first).len(), texts(&first)[0]), (5, "Write to their son!"));
    assert_eq!(first["hypotheses"][1]["score"], -1.0);
}

#[test]
fn rate_0_gives_back_what_came_in_and_other_formats_hold_it() {
    let room = room();
    let same = run(&room, "perturb lists.jsonl --kind n-best --rate 0").ok();
    let reread: Vec<Value> =
        room.read("lists.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(same.json().iter().zip(&reread).all(|(new, old)| texts(new) == texts(old)));
    let trn = run(&room, "perturb lists.jsonl --kind n-best --rate 0 --output-format trn --quiet").ok();
    assert_eq!(trn.stdout.lines().next().unwrap(), "Write to their son! (u1)");
    let text = run(&room, "perturb lists.jsonl --kind n-best --rate 0 --output-format text --limit 1").ok();
    assert_eq!(text.stdout.lines().nth(1).unwrap(), "u1\t1\tright to there sun");
}

#[test]
fn what_can_not_be_perturbed_is_refused() {
    let room = room();
    refused(&room, "perturb lists.jsonl --kind two-best --rate 1", &["one-best, n-best or distractors"]);
    for rate in ["1.5", "-1", "NaN"] {
        refused(&room, &format!("perturb lists.jsonl --kind n-best --rate={rate}"), &["from 0 to 1"]);
    }
    refused(&room, "perturb lists.jsonl --kind distractors --rate 1 --copies 0", &["--copies", "at least 1"]);
    room.lists("russian.jsonl", &[list("u1", &["привет мир"], "привет")]);
    refused(
        &room,
        "perturb russian.jsonl --kind n-best --rate 1 --output out.jsonl",
        &["no word of 1 lists has a homophone", "0 of 2 words are in the dictionary, which is English"],
    );
    assert!(!room.files().contains(&"out.jsonl".to_owned()));
}
