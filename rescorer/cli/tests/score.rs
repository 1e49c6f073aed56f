//! `rescorer score`: the lines of its output, and the conventions.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, close, keys, list};
use serde_json::Value;

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

fn scores(ran: &Ran) -> Vec<f64> {
    ran.json().iter().map(|row| number(row, "lm_score")).collect()
}

#[test]
fn the_precision_is_chosen_and_reported() {
    let room = Room::new();
    room.write("a.txt", "the cat sat\n");
    let said = |words: &str| room.run(&format!("score --text a.txt {words}")).ok();
    let auto = said("--precision auto");
    auto.says(&["in int8 on cpu"]);
    assert_eq!(auto.stdout, said("--precision int8").stdout);
    // Scores alone are exact where nothing is said; answers take what is fast.
    let exact = said("");
    exact.says(&["in f32 on cpu"]);
    assert_eq!(exact.stdout, said("--precision f32").stdout);
    room.lists("a.jsonl", &[list("u1", &["the cat", "the hat"], "the cat")]);
    room.run("rescore a.jsonl --lm-weight 0.3").ok().says(&["in int8 on cpu"]);
}

#[test]
fn a_line_per_distinct_hypothesis_names_utterance_and_position() {
    let room = Room::new();
    room.lists(
        "a.jsonl",
        &[list("u1", &["Turn left", "turn left", "Turn left"], "turn left"), list("u2", &[""], "")],
    );
    let rows = room.run("score a.jsonl --json").ok().json();
    let places: Vec<_> = rows
        .iter()
        .map(|row| (row["utterance"].as_str().unwrap(), row["position"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [("u1", 0), ("u1", 1), ("u2", 0)]);
    assert_eq!(rows[0]["text"], "Turn left");
    assert!(rows.iter().all(|row| keys(row) == ["utterance", "position", "text", "lm_score"]), "{rows:?}");
}

#[test]
fn tokens_are_without_bos_with_eos_and_sum_to_the_score() {
    let room = Room::new();
    let ran = room.run_with_stdin("score --text - --tokens --json", "turn left\n").ok();
    let row = &ran.json()[0];
    assert_eq!(keys(row), ["text", "lm_score", "tokens"]);
    let tokens = row["tokens"].as_array().unwrap();
    assert!(tokens.iter().all(|token| keys(token) == ["id", "piece", "logprob"]), "{tokens:?}");
    assert_ne!(tokens[0]["id"], 0, "BOS is no term");
    assert_eq!(tokens.last().unwrap()["id"], 1, "EOS is the last term");
    let sum: f64 = tokens.iter().map(|token| number(token, "logprob")).sum();
    assert!(close(sum, number(row, "lm_score")), "{sum} {row}");

    let bare = room.run_with_stdin("score --text - --tokens --json --no-eos", "turn left\n").ok();
    let bare = &bare.json()[0];
    let without = bare["tokens"].as_array().unwrap();
    assert_eq!(without.len(), tokens.len() - 1);
    assert!(close(number(bare, "lm_score") + number(tokens.last().unwrap(), "logprob"), sum));

    let mean = room.run_with_stdin("score --text - --json --score-mean", "turn left\n").ok();
    assert!(close(scores(&mean)[0], sum / tokens.len() as f64));
}

#[test]
fn files_and_stdin_of_sentences_score_alike_and_an_empty_line_is_a_sentence() {
    let room = Room::new();
    let text = "\u{feff}turn left\r\n\nturn right";
    room.write("a.txt", text);
    let file = room.run("score --text a.txt --json").ok();
    assert_eq!(file.stdout, room.run_with_stdin("score --text - --json", text).ok().stdout);
    let texts: Vec<_> = file.json().iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, ["turn left", "", "turn right"]);
    let plain = room.run("score --text a.txt").ok();
    let scores = scores(&file);
    assert_eq!(plain.stdout.lines().nth(1).unwrap(), format!("{:.4}\t", scores[1]));
}

#[test]
fn lists_as_text_are_tab_separated() {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["a b"], "a b")]);
    let line = room.run("score a.jsonl").ok().stdout;
    let fields: Vec<&str> = line.trim_end().split('\t').collect();
    assert_eq!((fields[0], fields[1], fields[3]), ("u1", "0", "a b"));
    assert!(fields[2].parse::<f64>().unwrap() < 0.0);
}

#[test]
fn lm_text_is_what_the_model_sees_and_not_what_comes_out() {
    let room = Room::new();
    let ran = room.run_with_stdin("score --text - --json --text-casing lower", "Turn Left\nturn left\n").ok();
    let (rows, scores) = (ran.json(), scores(&ran));
    assert_eq!((rows[0]["text"].as_str(), scores[0]), (Some("Turn Left"), scores[1]));
    let sentence =
        room.run_with_stdin("score --text - --json --text-casing sentence", "turn left\nTurn left.\n").ok();
    let sentence: Vec<f64> = sentence.json().iter().map(|row| number(row, "lm_score")).collect();
    assert!(close(sentence[0], sentence[1]), "{sentence:?}");
}

#[test]
fn skip_and_limit_select_utterances() {
    let room = Room::new();
    let ran = room.run_with_stdin("score --text - --skip 1 --limit 2", "a\nb\nc\nd\n").ok();
    let texts: Vec<&str> = ran.stdout.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
    assert_eq!(texts, ["b", "c"]);
    room.write("empty.jsonl", "");
    room.refused("score empty.jsonl --skip 1", &["empty.jsonl is empty"]);
}

#[test]
fn a_sentence_that_is_not_text_is_an_error_with_its_line() {
    let room = Room::new();
    room.write("a.txt", b"fine\n\xff\nfine too\n");
    let ran = room.run("score --text a.txt");
    assert_eq!(ran.code, 2);
    ran.says(&["a.txt:2", "not valid UTF-8", "--skip-invalid"]);
    let ran = room.run("score --text a.txt --skip-invalid");
    assert_eq!((ran.code, ran.stdout.lines().count()), (1, 2), "{ran:?}");
    std::fs::create_dir(room.path("folder")).unwrap();
    room.refused("score --text folder --skip-invalid", &["folder"]);
    room.refused("score --text nowhere.txt", &["nowhere.txt", "No such file"]);
}

#[test]
fn options_that_contradict_are_refused() {
    let room = Room::new();
    room.refused("score", &["nothing to score", "--text FILE"]);
    room.refused("score --text a.txt b.jsonl", &["cannot be used with"]);
    room.refused("score --text a.txt --tokens", &["--json"]);
    room.write("a.txt", "a\n");
    room.refused("score --text a.txt --bos 288", &["BOS is 288", "288 tokens", "(--bos ID)"]);
    room.refused("score --text a.txt --text-casing upper", &["upper", "none, lower or sentence"]);
}

#[test]
fn a_context_is_read_and_not_scored() {
    let room = Room::new();
    let score = |arguments: &str, text: &str| {
        scores(&room.run_with_stdin(&format!("score --json {arguments}"), text).ok())
    };
    let plain = score("--text -", "turn left\n");
    let within = score("--text - --context lights", "turn left\n");
    assert_ne!(plain, within);
    // A list's own context comes first.
    let own = "{\"hypotheses\": [{\"text\": \"turn left\"}], \"context\": \"lights\"}\n";
    assert!(close(score("- --context kitchen", own)[0], within[0]));
    let none = "{\"hypotheses\": [{\"text\": \"turn left\"}], \"context\": \"\"}\n";
    assert!(close(score("- --context kitchen", none)[0], plain[0]));
}
