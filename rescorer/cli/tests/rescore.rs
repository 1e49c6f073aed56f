//! `rescorer rescore`: what comes out, in which order, and in which formats.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, close, keys, list, ten_lists};
use serde_json::{Value, json};

#[test]
fn text_is_id_tab_text_in_the_order_of_the_input() {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u2", &["Turn LEFT", "b"], "b"), list("u1", &[""], "")]);
    room.lists("b.jsonl", &[list("u0", &["c"], "c")]);
    let ran = room.run("rescore a.jsonl b.jsonl --lm-weight 0").ok();
    assert_eq!(ran.stdout, "u2\tTurn LEFT\nu1\t\nu0\tc\n");
    ran.says(&["3 lists, 0 changed"]);
    assert_eq!(room.run("rescore a.jsonl --lm-weight 0 --quiet").ok().stderr, "");
}

#[test]
fn json_has_the_fields_of_the_interface() {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["Some Long Line", "a"], "a")]);
    let rows = room.run("rescore a.jsonl --lm-weight 1 --json").ok().json();
    let expected = json!({"utterance": "u1", "text": "a", "position": 1, "changed": true, "reference": "a"});
    assert_eq!(rows, [expected]);
    let rows = room.run("rescore a.jsonl --lm-weight 1 --margin 1000 --json").ok().json();
    assert_eq!((&rows[0]["position"], &rows[0]["changed"]), (&json!(0), &json!(false)));
    assert_eq!(rows[0]["text"], "Some Long Line");
    room.lists("bare.jsonl", &[json!({"hypotheses": [{"text": "a"}]})]);
    let rows = room.run("rescore bare.jsonl --lm-weight 1 --json").ok().json();
    assert_eq!(rows[0], json!({"utterance": "bare:0", "text": "a", "position": 0, "changed": false}));
}

#[test]
fn nbest_is_sorted_and_its_totals_add_up() {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["turn left at the light", "turn", "turn left", "turn"], "turn")]);
    let row = &room.run("rescore a.jsonl --lm-weight 0.5 --length-bonus 2 --nbest --json").ok().json()[0];
    assert_eq!(
        keys(row),
        ["utterance", "text", "position", "changed", "reference", "confidence", "words", "hypotheses"]
    );
    let hypotheses = row["hypotheses"].as_array().unwrap();
    assert_eq!(hypotheses.len(), 3, "distinct ones");
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap();
    for hypothesis in hypotheses {
        assert_eq!(keys(hypothesis), ["position", "text", "first_pass", "lm_score", "total", "confidence"]);
        let words = hypothesis["text"].as_str().unwrap().split(' ').count() as f64;
        let total = number(hypothesis, "first_pass") + 0.5 * number(hypothesis, "lm_score") + 2.0 * words;
        assert!(close(total, number(hypothesis, "total")));
    }
    let totals: Vec<f64> = hypotheses.iter().map(|h| number(h, "total")).collect();
    assert!(totals.is_sorted_by(|a, b| a >= b), "{totals:?}");
    let confidence = 1.0 / totals.iter().map(|total| (total - totals[0]).exp()).sum::<f64>();
    assert!(close(number(row, "confidence"), confidence));
    let text = room.run("rescore a.jsonl --lm-weight 0 --nbest").ok().stdout;
    assert_eq!(
        text,
        "u1\t0\t-1.0000\tturn left at the light\nu1\t1\t-2.0000\tturn\nu1\t2\t-3.0000\tturn left\n"
    );
}

#[test]
fn trn_is_for_sclite_and_refuses_what_it_would_misread() {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["turn  left"], ""), list("u 2", &["a"], ""), list("u3", &[""], "")]);
    let ran = room.run("rescore a.jsonl --lm-weight 0 --output-format trn --skip-invalid");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "turn left (u1)\n(u3)\n"), "{ran:?}");
    ran.says(&["\"u 2\"", "white space", "warning: skipped 1 of 3 utterances", "2 lists, 0 changed"]);
    let ran = room.run("rescore a.jsonl --lm-weight 0 --output-format trn --output hyp.trn");
    assert_eq!(ran.code, 2);
    ran.says(&["cannot write utterance \"u 2\" as trn"]);
    assert_eq!(room.files(), ["a.jsonl"], "nothing half-written, no temporary file");
    room.refused("rescore a.jsonl --lm-weight 0 --output-format trn --nbest", &["--nbest"]);
}

#[test]
fn jsonl_holds_every_listed_line_and_the_fields_it_came_with() {
    let room = Room::new();
    let hypotheses = json!([
        {"text": "turn left at the next light", "score": -1.5, "ctc": -7},
        {"text": "a", "score": -2.5},
        {"text": "turn left at the next light", "score": -3.5, "rank": "last"},
    ]);
    room.lists("a.jsonl", &[json!({"id": "u1", "hypotheses": hypotheses, "context": "c", "speaker": "s1"})]);
    room.run("rescore a.jsonl --lm-weight 1 --output-format jsonl --nbest --output b.jsonl").ok();
    let row: Value = serde_json::from_str(&room.read("b.jsonl")).unwrap();
    assert_eq!((&row["speaker"], &row["context"]), (&json!("s1"), &json!("c")));
    let listed = row["hypotheses"].as_array().unwrap();
    let originals: Vec<f64> = listed.iter().map(|h| h["score"].as_f64().unwrap()).collect();
    assert_eq!(originals, [-2.5, -1.5, -3.5], "the winner first, repeats together");
    assert_eq!((&listed[1]["ctc"], &listed[2]["rank"]), (&json!(-7), &json!("last")));
    assert!(listed.iter().all(|h| h["lm_score"].is_number() && h["total"].is_number()));
    // What comes out can go in again; without --nbest the winner alone comes out.
    let again = room.run("rescore b.jsonl --lm-weight 1 --output-format jsonl").ok().json();
    assert_eq!(again[0]["hypotheses"].as_array().unwrap().len(), 1);
}

#[test]
fn weight_zero_keeps_the_first_pass_order() {
    let room = Room::new();
    room.lists("a.jsonl", &ten_lists("k"));
    for row in room.run("rescore a.jsonl --lm-weight 0 --nbest --json").ok().json() {
        let positions: Vec<u64> =
            row["hypotheses"].as_array().unwrap().iter().map(|h| h["position"].as_u64().unwrap()).collect();
        assert_eq!(positions, [0, 1, 2]);
    }
}

#[test]
fn an_output_file_appears_whole_or_not_at_all() {
    let room = Room::new();
    room.lists("a.jsonl", &ten_lists("k"));
    let text = room.run("rescore a.jsonl --lm-weight 0.1").ok().stdout;
    let ran = room.run("rescore a.jsonl --lm-weight 0.1 --output out.txt").ok();
    assert_eq!((ran.stdout.as_str(), room.read("out.txt")), ("", text.clone()));
    let mut broken = room.read("a.jsonl");
    broken.push_str("{\"id\": \"z\", \"hypotheses\": []}\n");
    room.write("broken.jsonl", broken);
    assert_eq!(room.run("rescore broken.jsonl --lm-weight 0 --output out.txt").code, 2);
    assert_eq!(room.read("out.txt"), text, "the older file is as it was");
    room.write("none.jsonl", "{\"id\": \"z\", \"hypotheses\": []}\n");
    let ran = room.run("rescore none.jsonl --lm-weight 0 --output out.txt --skip-invalid");
    assert_eq!(ran.code, 2);
    ran.says(&["nothing usable"]);
    assert_eq!(room.read("out.txt"), text);
    assert_eq!(room.files(), ["a.jsonl", "broken.jsonl", "none.jsonl", "out.txt"]);
}

#[test]
fn weights_come_from_a_policy_or_by_hand() {
    let room = Room::new();
    room.lists("a.jsonl", &ten_lists("k"));
    room.refused("rescore a.jsonl --lm-weight nan", &["nan", "finite number"]);
    room.refused("rescore a.jsonl --lm-weight 1 --margin inf", &["inf", "finite number"]);
    room.refused("rescore a.jsonl --lm-weight 1 --policy p.toml", &["cannot be used with"]);
    room.refused("rescore a.jsonl --policy p.toml --margin 1", &["--margin"]);
    room.refused("rescore a.jsonl --lm-weight 1 --json --output-format trn", &["cannot be used with"]);
}

#[test]
fn a_deadline_answers_with_the_best_so_far_and_says_how_far_it_got() {
    let room = Room::new();
    let texts = ["turn left at the light", "turn", "turn left"];
    room.lists("a.jsonl", &[list("u1", &texts, "turn"), list("u2", &texts, "turn")]);
    let in_time = room.run("rescore a.jsonl --lm-weight 1 --deadline-ms 600000 --json").ok();
    let whole = room.run("rescore a.jsonl --lm-weight 1 --json").ok().json();
    for (row, whole) in in_time.json().iter().zip(&whole) {
        assert_eq!((&row["text"], &row["position"]), (&whole["text"], &whole["position"]));
        assert_eq!((&row["decided"], &row["distinct"]), (&json!(3), &json!(3)));
    }
    in_time.says(&["0 of 2 lists missed the deadline"]);
    let late = room.run("rescore a.jsonl --lm-weight 1 --deadline-ms 0 --json").ok();
    let rows = late.json();
    assert_eq!((&rows[0]["text"], &rows[0]["changed"]), (&json!(texts[0]), &json!(false)));
    assert_eq!((&rows[0]["decided"], &rows[0]["distinct"]), (&json!(0), &json!(3)));
    late.says(&["2 of 2 lists missed the deadline"]);
    let plain = room.run("rescore a.jsonl --lm-weight 1 --deadline-ms 0").ok().stdout;
    assert_eq!(plain, "u1\tturn left at the light\nu2\tturn left at the light\n");
    room.refused("rescore a.jsonl --lm-weight 1 --deadline-ms 5 --nbest", &["--deadline-ms", "--nbest"]);
}
