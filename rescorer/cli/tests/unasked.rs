//! Lists whose answer hangs on no score of the model: one distinct text, or a weight of 0. Nothing is computed for them.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, keys, list, ten_lists};
use serde_json::{Value, json};

/// More tokens than the model's context of 128.
fn long(word: &str) -> String {
    vec![word; 5000].join(" ")
}

fn alone(room: &Room) {
    let copies =
        json!({"id": "twice", "hypotheses": [{"text": "a b", "score": -2}, {"text": "a b", "score": -1}]});
    room.lists("alone.jsonl", &[copies, list("long", &[&long("talk")], ""), list("empty", &[""], "")]);
}

fn free(ran: &Ran, lists: usize) {
    ran.says(&["0% of the nodes computed", &format!("{lists} lists needed no model")]);
}

/// Whether it is said that there was nothing to choose.
fn had_no_choice(ran: &Ran) -> bool {
    ran.stderr.contains("every list has one text, so there is nothing to choose")
}

#[test]
fn one_distinct_text_needs_no_model_by_any_way_to_answer() {
    let room = Room::new();
    alone(&room);
    let texts = format!("twice\ta b\nlong\t{}\nempty\t\n", long("talk"));
    for options in ["", "--deadline-ms 0", "--length-bonus 3", "--margin 2"] {
        let words = format!("alone.jsonl --lm-weight 0.3 {options}");
        let ran = room.run(&format!("rescore {words}")).ok();
        assert_eq!(ran.stdout, texts, "{options}");
        free(&ran, 3);
        assert!(had_no_choice(&ran));
        let stdin = room.read("alone.jsonl");
        let ran = room.run_with_stdin(&format!("rescore - --lm-weight 0.3 {options}"), &stdin).ok();
        assert_eq!(ran.stdout, texts, "{options} from stdin");
        free(&ran, 3);
    }
    let ran = room.run("rescore alone.jsonl --lm-weight 0.3 --nbest").ok();
    assert_eq!(ran.stdout.lines().next(), Some("twice\t0\t\ta b"), "no total, and its column stays");
    free(&ran, 3);
    let rows = room.run("rescore alone.jsonl --lm-weight 0.3 --nbest --json").ok().json();
    let hypothesis = &rows[0]["hypotheses"][0];
    assert_eq!(keys(hypothesis), ["position", "text", "first_pass", "lm_score", "total", "confidence"]);
    assert_eq!((&hypothesis["first_pass"], &rows[0]["confidence"]), (&json!(-1.0), &json!(1.0)));
    assert!(hypothesis["lm_score"].is_null() && hypothesis["total"].is_null(), "{hypothesis}");
    let rows = room.run("rescore alone.jsonl --lm-weight 0.3 --nbest --output-format jsonl").ok().json();
    let listed: &Vec<Value> = rows[0]["hypotheses"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(
        listed.iter().all(|one| one.get("lm_score").is_none() && one.get("total").is_none()),
        "{listed:?}"
    );
}

#[test]
fn weight_zero_needs_no_model() {
    let room = Room::new();
    let (talk, walk) = (long("talk"), long("walk"));
    let mut lists = ten_lists("k");
    lists.push(list("long", &[&talk, &walk], &talk));
    room.lists("a.jsonl", &lists);
    let ran = room.run("rescore a.jsonl --lm-weight 0").ok();
    free(&ran, 11);
    assert!(!had_no_choice(&ran));
    assert!(ran.stdout.ends_with(&format!("long\t{talk}\n")));
    let ran = room.run("rescore a.jsonl --lm-weight 0 --length-bonus -2 --nbest --json").ok();
    free(&ran, 11);
    let first = &ran.json()[0]["hypotheses"];
    // Scores -1, -2 and -3; 4, 4 and 1 words.
    let expected =
        [(2, -5.0), (0, -9.0), (1, -10.0)].map(|(position, total)| (json!(position), json!(total)));
    for (one, (position, total)) in first.as_array().unwrap().iter().zip(expected) {
        assert_eq!((&one["position"], &one["total"], &one["lm_score"]), (&position, &total, &json!(null)));
    }
    let report = &room.run("evaluate a.jsonl --lm-weight 0 --json").ok().json()[0];
    assert_eq!((&report["utterances"], &report["nodes_per_second"]), (&json!(11), &json!(0.0)));
}

#[test]
fn tune_and_cross_validation_ask_about_lists_with_rivals_alone() {
    let room = Room::new();
    let lists = ten_lists("k");
    room.lists("rivals.jsonl", &lists);
    let mut more = lists;
    more.push(list("long", &[&long("talk")], "talk"));
    room.lists("more.jsonl", &more);
    let ran = room.run("tune more.jsonl --fusion classic --output p.toml").ok();
    assert!(ran.stdout.contains("best on 11 lists"), "{ran:?}");
    let report = |words: &str| room.run(&format!("evaluate {words} --json")).ok().json().remove(0);
    assert_eq!(report("more.jsonl --cross-validate 2")["utterances"], 11);
    assert_eq!(report("more.jsonl --lm-weight 0.3")["utterances"], 11);
    // `score` shows scores, so there it is an error as before.
    room.refused("score more.jsonl --skip 10", &["\"long\"", "context is 128"]);
}
