//! The maximum, the least risk and the vote, and how sure they are.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, keys, list, tuned};
use serde_json::{Value, json};

/// Sets a key of the policy.
fn set(room: &Room, key: &str, value: &str) {
    let policy = room.read("p.toml");
    let line = policy.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
    room.write("p.toml", policy.replacen(line, &format!("{key} = {value}"), 1));
}

#[test]
fn a_policy_states_its_decision_and_how_sure_it_is() {
    let room = tuned();
    let policy = room.read("p.toml");
    for part in ["[decision]", "rule = \"maximum\"", "[confidence.word]", "errors_per_doubt"] {
        assert!(policy.contains(part), "{part} is not in {policy}");
    }
    room.run("tune dev.jsonl --output mbr.toml --decision mbr").ok();
    assert!(room.read("mbr.toml").contains("rule = \"mbr\""));
    set(&room, "scale", "nan");
    room.refused("evaluate test.jsonl --policy p.toml", &["p.toml", "not a finite number"]);
}

#[test]
fn evaluate_compares_the_rules_and_looks_at_confidences() {
    let room = tuned();
    for weights in ["--policy p.toml", "--cross-validate 2"] {
        let report = &room.run(&format!("evaluate test.jsonl {weights} --json")).ok().json()[0];
        let rules: Vec<&Value> =
            report["decisions"].as_array().unwrap().iter().map(|row| &row["rule"]).collect();
        assert_eq!(rules, ["maximum", "mbr", "merge"]);
        assert_eq!(report["decisions"][0]["wer"], report["rescored_wer"]);
        assert_eq!(report["confidence"]["word"]["count"], json!(40));
        assert!(report["confidence"]["sentence"]["ece"].as_f64().unwrap() <= 1.0);
        assert!(report["confidence"]["estimated_wer"].as_f64().unwrap() > 0.0);
    }
    let plain = room.run("evaluate test.jsonl --policy p.toml").ok().stdout;
    assert!(plain.contains("WER by merge") && plain.contains("confidence of words"), "{plain}");
    let one = &room.run("evaluate test.jsonl --policy p.toml --decision mbr --json").ok().json()[0];
    assert_eq!((&one["decision"], one.get("decisions")), (&json!("mbr"), None));
    let by_hand = &room.run("evaluate test.jsonl --lm-weight 0 --json").ok().json()[0];
    assert_eq!((&by_hand["decision"], by_hand.get("confidence")), (&json!("maximum"), None));
}

#[test]
fn what_a_policy_changed_can_be_looked_at() {
    let room = tuned();
    // The shortest text wins, wherever it is.
    set(&room, "length_bonus", "-50.0");
    let found = room.run("evaluate test.jsonl --policy p.toml --show 1 --html page.html").ok().stdout;
    let (shown, rest) = found.split_once("\n\n").unwrap();
    assert_eq!(shown.lines().filter(|line| line.starts_with("  first pass")).count(), 1, "{found}");
    assert!(rest.starts_with("lists "), "{found}");
    let page = room.read("page.html");
    for part in
        ["WER rescored", "words: calibration error", "<circle", "Worse than the first pass: ", "Better: "]
    {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(page.contains(&format!("<b>{}</b>", shown.split(':').next().unwrap())), "{page}");
}

#[test]
fn answers_without_any_word_have_no_confidence() {
    let room = Room::new();
    room.lists("silent.jsonl", &["a", "b c", "d"].map(|reference| list(reference, &[""], reference)));
    room.run("tune silent.jsonl --output p.toml").ok();
    let policy = room.read("p.toml");
    assert!(policy.contains("[decision]") && !policy.contains("[confidence"), "{policy}");
    let report = &room.run("evaluate silent.jsonl --cross-validate 2 --json").ok().json()[0];
    assert_eq!((&report["rescored_wer"], report.get("confidence")), (&json!(100.0), None));
}

#[test]
fn a_merged_text_need_not_be_in_the_list() {
    let room = tuned();
    // Nearly equal shares: each place is voted on.
    for (key, value) in
        [("lm_weight", "0.0"), ("length_bonus", "0.0"), ("scale", "0.001"), ("merge_margin", "0.0")]
    {
        set(&room, key, value);
    }
    let texts = ["The bat, sat", "the Cat sit", "a Cat sat"];
    room.lists("three.jsonl", &[list("u1", &texts, "the cat sat")]);
    let answer = &room.run("rescore three.jsonl --policy p.toml --decision merge --json").ok().json()[0];
    assert_eq!(answer["text"], "The Cat sat", "{answer}");
    assert_eq!((&answer["position"], &answer["changed"]), (&json!(0), &json!(true)));
    let words: Vec<&Value> = answer["words"].as_array().unwrap().iter().map(|word| &word["word"]).collect();
    assert_eq!(words, ["The", "Cat", "sat"]);
    assert_eq!(keys(&answer["words"][0]), ["word", "confidence"]);
    let plain = room.run("rescore three.jsonl --policy p.toml --decision merge").ok().stdout;
    assert_eq!(plain, "u1\tThe Cat sat\n");
    // Each word has the time that it has in its hypothesis: seconds 0, 10 and 20 begin the three.
    let mut timed = list("u1", &texts, "the cat sat");
    for (position, text) in texts.iter().enumerate() {
        let words = text.split(' ').enumerate().map(|(index, word)| {
            let start = 10.0 * position as f64 + index as f64;
            json!({"word": word.to_lowercase(), "start": start, "end": start + 0.5})
        });
        timed["hypotheses"][position]["words"] = words.collect();
    }
    // Times of other words are none.
    let mut other = timed.clone();
    (other["id"], other["hypotheses"][0]["words"][0]["word"]) = (json!("u2"), json!("a"));
    room.lists("timed.jsonl", &[timed, other]);
    let answers = room.run("rescore timed.jsonl --policy p.toml --decision merge --json").ok().json();
    let times = |answer: &Value| -> Vec<(Option<f64>, Option<f64>)> {
        let words = answer["words"].as_array().unwrap().iter();
        words.map(|word| (word["start"].as_f64(), word["end"].as_f64())).collect()
    };
    let seconds = |start: f64| (Some(start), Some(start + 0.5));
    let found = times(&answers[0]);
    assert_eq!([found[0], found[2]], [seconds(0.0), seconds(2.0)]);
    assert!([seconds(11.0), seconds(21.0)].contains(&found[1]), "{found:?}");
    assert_eq!(times(&answers[1]), [(None, None), found[1], found[2]]);
}

#[test]
fn a_rule_needs_its_numbers() {
    let room = tuned();
    let policy = room.read("p.toml");
    let start = policy.find("[decision]").unwrap();
    let end = policy.find("[convention]").unwrap();
    room.write("old.toml", format!("{}{}", &policy[..start], &policy[end..]));
    room.run("evaluate test.jsonl --policy old.toml").ok();
    room.refused("evaluate test.jsonl --policy old.toml --decision mbr", &["--decision mbr", "`tune`"]);
    room.refused("rescore test.jsonl --lm-weight 1 --decision mbr", &["cannot be used with", "--decision"]);
    room.refused("evaluate test.jsonl --policy p.toml --decision vote", &["maximum, mbr or merge"]);
}
