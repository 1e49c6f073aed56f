//! `rescorer compare`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, ran};
use serde_json::{Value, json};

fn answer(id: &str, text: &str, reference: &str) -> Value {
    json!({"utterance": id, "text": text, "position": 0, "changed": false, "reference": reference})
}

fn compare(room: &Room, words: &str) -> Ran {
    room.run_plain(&format!("compare {words}"))
}

fn refused(room: &Room, words: &str, parts: &[&str]) {
    room.refused_plain(&format!("compare {words}"), parts);
}

/// Two systems over three utterances: the second mends one, spoils another by two words.
fn room() -> Room {
    let room = Room::new();
    let (one, two, three) = ("a b c d", "e f g h", "i j");
    room.lists(
        "a.jsonl",
        &[answer("u1", "a x c d", one), answer("u2", two, two), answer("u3", three, three)],
    );
    room.lists(
        "b.jsonl",
        &[answer("u3", three, three), answer("u1", one, one), answer("u2", "e f x x", two)],
    );
    room
}

#[test]
fn better_worse_and_p_values() {
    let report = &compare(&room(), "a.jsonl b.jsonl --json").ok().json()[0];
    assert_eq!((&report["utterances"], &report["reference_words"]), (&json!(3), &json!(10)));
    assert_eq!((&report["better"], &report["worse"]), (&json!(1), &json!(1)));
    assert_eq!((&report["first"]["wer"], &report["second"]["wer"]), (&json!(10.0), &json!(20.0)));
    assert_eq!(report["paired_bootstrap"]["difference"], 10.0);
    for test in ["paired_bootstrap", "mapsswe"] {
        let p = report[test]["p"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&p), "{test}: {p}");
    }
    let plain = compare(&room(), "a.jsonl b.jsonl").ok().stdout;
    assert!(plain.contains("difference +10.00 points") && plain.contains("MAPSSWE"), "{plain}");
    assert!(plain.contains("better in 1 utterances, worse in 1"), "{plain}");
}

#[test]
fn the_same_twice_differs_by_nothing() {
    let report = &compare(&room(), "a.jsonl a.jsonl --json").ok().json()[0];
    assert_eq!(report["paired_bootstrap"]["difference"], 0.0);
    assert_eq!((&report["mapsswe"]["z"], &report["mapsswe"]["p"]), (&json!(0.0), &json!(1.0)));
    assert_eq!((&report["better"], &report["worse"]), (&json!(0), &json!(0)));
}

#[test]
fn the_differences_can_be_looked_at() {
    let room = room();
    let shown = compare(&room, "a.jsonl b.jsonl --show 1 --html page.html").ok().stdout;
    let grid = "\
u1: a.jsonl 1 error, b.jsonl 0 errors
  reference  a b c d
  a.jsonl    a x c d
               S
  b.jsonl    a b c d

";
    assert!(shown.starts_with(grid) && !shown.contains("u2"), "{shown}");
    let page = room.read("page.html");
    for part in [
        "MAPSSWE over",
        "worse: 1",
        "better: 1",
        "as many errors: 0",
        "<b>u2</b>",
        "<td class=\"s\" title=\"substitution\">x</td>",
        "2 errors",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("u3"), "what both answered alike is left out");
    let mut coloured = room.command("compare a.jsonl b.jsonl --show 1");
    let coloured = ran(coloured.env("CLICOLOR_FORCE", "1").output().unwrap()).ok().stdout;
    assert!(coloured.contains("\u{1b}[33m\u{1b}[1mx\u{1b}[0m"), "{coloured:?}");
    refused(&room, "a.jsonl b.jsonl --html nowhere/page.html", &["nowhere/page.html"]);
    refused(&room, "a.jsonl b.jsonl --html page.html --json --show 1", &["--show"]);
}

#[test]
fn texts_are_normalised_on_request() {
    let room = Room::new();
    room.lists("a.jsonl", &[answer("u1", "A B", "a b")]);
    let wer = |words: &str| compare(&room, words).ok().json()[0]["first"]["wer"].clone();
    assert_eq!(wer("a.jsonl a.jsonl --json"), 100.0);
    assert_eq!(wer("a.jsonl a.jsonl --json --normalize lower"), 0.0);
}

#[test]
fn what_does_not_match_is_refused() {
    let room = room();
    room.lists("fewer.jsonl", &[answer("u1", "a", "a b c d")]);
    refused(&room, "a.jsonl fewer.jsonl", &["\"u2\"", "a.jsonl", "fewer.jsonl", "same lists"]);
    room.lists("more.jsonl", &[answer("u1", "a", "a b c d")]);
    refused(&room, "fewer.jsonl a.jsonl", &["2 utterances", "a.jsonl but not in fewer.jsonl"]);
    room.lists("other.jsonl", &[answer("u1", "a", "z")]);
    refused(&room, "fewer.jsonl other.jsonl", &["\"u1\"", "a different reference"]);
    room.lists("twice.jsonl", &[answer("u1", "a", "a b c d"), answer("u1", "a", "a b c d")]);
    refused(&room, "fewer.jsonl twice.jsonl", &["twice"]);
    refused(&room, "twice.jsonl fewer.jsonl", &["twice"]);
    room.lists("bare.jsonl", &[json!({"utterance": "u1", "text": "a"})]);
    refused(&room, "bare.jsonl bare.jsonl", &["\"u1\" has no reference"]);
    room.lists("empty.jsonl", &[answer("u1", "a", "")]);
    refused(&room, "empty.jsonl empty.jsonl", &["no words"]);
}

#[test]
fn what_is_no_output_of_rescore_is_refused_with_its_line() {
    let room = room();
    room.write("none.jsonl", "\n");
    refused(&room, "none.jsonl a.jsonl", &["none.jsonl is empty"]);
    room.write("text.tsv", "u1\ta b c d\n");
    refused(&room, "a.jsonl text.tsv", &["text.tsv:1", "rescorer rescore --json"]);
    room.write("latin.jsonl", b"{\"utterance\": \"\xe9\"}\n");
    refused(&room, "a.jsonl latin.jsonl", &["latin.jsonl:1", "UTF-8"]);
    refused(&room, "a.jsonl nowhere.jsonl", &["nowhere.jsonl", "check the path"]);
    room.write("windows.jsonl", format!("\u{feff}{}", room.read("a.jsonl").replace('\n', "\r\n")));
    compare(&room, "a.jsonl windows.jsonl").ok();
}
