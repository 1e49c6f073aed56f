//! `rescorer stats`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, list, ran};

#[test]
fn lists_are_described() {
    let room = Room::new();
    let lists = [
        list("u1", &["i no the way", "i know the way", "i no the way"], "i know the way"),
        list("u2", &["yes"], "yes"),
    ];
    room.lists("lists.jsonl", &lists);
    let report = &ran(room.command("stats lists.jsonl --json").output().unwrap()).ok().json()[0];
    assert_eq!((&report["utterances"], &report["single"]), (&2.into(), &0.5.into()));
    assert_eq!(report["errors"]["oracle"][1], serde_json::json!({"n": 2, "wer": 0.0}));
    assert_eq!(
        report["errors"]["substitutions"][0],
        serde_json::json!({"reference": "know", "hypothesis": "no", "count": 1})
    );
    let text = ran(room.command("stats lists.jsonl").output().unwrap()).ok().stdout;
    for part in [
        "lists                    2",
        "WER 20.00% of 5 words",
        "know -> no (1)",
        "errors that another hypothesis avoids  100.0%",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    room.write("empty.jsonl", "");
    let none = ran(room.command("stats empty.jsonl").output().unwrap());
    assert_eq!((none.code, none.stdout.as_str()), (2, ""), "{none:?}");
}
