//! An encoder on the command line: scored, taught, tuned, and asked before a decoder.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, fixture, ran, ten_lists};

/// The command with a tiny model of the fixtures.
fn with(room: &Room, model: &str, words: &str) -> Ran {
    let mut command = room.command(words);
    let device = if words.starts_with("train") { &[][..] } else { &["--device", "cpu"] };
    ran(command.args(device).args(["--threads", "1", "--model"]).arg(fixture(model)).output().unwrap())
}

/// Lists, a teacher's scores for them, and what an encoder learned from both, in the folder `encoder`.
fn taught() -> Room {
    taught_with("")
}

/// Trains with further options of `train`.
fn taught_with(options: &str) -> Room {
    let room = Room::new();
    room.lists("train.jsonl", &ten_lists("a"));
    room.lists("dev.jsonl", &ten_lists("b"));
    room.lists("test.jsonl", &ten_lists("c"));
    let scores = with(&room, "tiny-llama", "score train.jsonl --json").ok();
    room.write("teacher.jsonl", &scores.stdout);
    let recipe = "[adapter]\nrank = 2\n[data]\ntrain = [\"train.jsonl\"]\ndev = [\"dev.jsonl\"]\nteacher = [\"teacher.jsonl\"]\n\
                  [[stage]]\ndistillation = 0.1\nlearning_rate = 1e-2\n[[stage]]\nmwer = 1.0\nlearning_rate = 1e-2\n";
    room.write("recipe.toml", recipe);
    with(&room, "tiny-bert", &format!("train recipe.toml --output encoder {options}")).ok();
    room
}

#[test]
fn three_ways_to_score() {
    let room = taught();
    room.write("text.txt", "the cat sat\n");
    let score = |words: &str| {
        let ran = with(&room, "tiny-bert", &format!("score --text text.txt --json --tokens {words}")).ok();
        ran.json().remove(0)
    };
    let pll = score("");
    assert_eq!(pll["tokens"].as_array().unwrap().len(), 3, "{pll}");
    let sum: f64 =
        pll["tokens"].as_array().unwrap().iter().map(|token| token["logprob"].as_f64().unwrap()).sum();
    assert!((sum - pll["lm_score"].as_f64().unwrap()).abs() < 1e-5);
    assert_eq!(pll, score("--encoder-score pll"));
    assert_ne!(pll["lm_score"], score("--encoder-score pll-unmasked")["lm_score"]);
    let head = score("--adapter encoder");
    assert!(head["tokens"][0]["logprob"].is_null() && head["lm_score"].is_f64(), "{head}");
    let refused = with(&room, "tiny-bert", "score --text text.txt --encoder-score nonsense");
    refused.says(&["'nonsense' for '--encoder-score <KIND>': expected pll, pll-unmasked or head"]);
    with(&room, "tiny-llama", "score --text text.txt --encoder-score pll").says(&["the model is a decoder"]);
    with(&room, "tiny-bert", "rescore test.jsonl --lm-weight 1 --context hello")
        .says(&["read by decoders only"]);
}

#[test]
fn what_works_for_a_decoder_works_for_an_encoder() {
    let room = taught();
    let policy = room.read("encoder/policy.toml");
    assert!(policy.contains("[adapter]") && policy.contains("[confidence"), "{policy}");
    let run = |words: &str| with(&room, "tiny-bert", &format!("{words} --adapter encoder")).ok();
    let report = run("evaluate test.jsonl --policy encoder/policy.toml --json").json();
    assert_eq!(report[0]["utterances"], 10);
    let answers = run("rescore test.jsonl --policy encoder/policy.toml --nbest --json").json();
    let weighed = run("rescore test.jsonl --lm-weight 0.5 --nbest --json").json();
    assert!(weighed[0]["hypotheses"][0]["lm_score"].is_f64());
    let within = run("rescore test.jsonl --policy encoder/policy.toml --json --deadline-ms 60000").json();
    for (within, whole) in within.iter().zip(&answers) {
        assert_eq!((&within["text"], &within["position"]), (&whole["text"], &whole["position"]));
    }
    let id = answers[0]["utterance"].as_str().unwrap().to_owned();
    let why = run(&format!("explain test.jsonl --policy encoder/policy.toml --json --utterance {id}")).json();
    assert!(why[0]["whole"].is_f64() && why[0]["lead"].is_f64(), "{}", why[0]);
    let bert = fixture("tiny-bert").display().to_string();
    let plan = format!(
        "lists = [\"test.jsonl\"]\nkinds = [\"n-best\"]\nrates = [0.5]\nseeds = [1]\n[[rescorer]]\nname = \"encoder\"\n\
         model = \"{bert}\"\nadapter = \"encoder\"\npolicy = \"encoder/policy.toml\"\n"
    );
    room.write("plan.toml", plan);
    let rows = with(&room, "tiny-llama", "robustness plan.toml --output report --json").ok().json();
    assert_eq!(rows[0]["rescorer"], "encoder");
}

#[test]
fn an_encoder_changed_as_a_whole_has_its_head_in_the_checkpoint() {
    let room = taught();
    with(&room, "tiny-bert", "train recipe.toml --method full --learning-rate 1e-3 --output whole").ok();
    let run = |model: &str, words: &str| {
        let model = room.path(model).display().to_string();
        ran(room.command(&format!("{words} --model {model} --device cpu")).output().unwrap()).ok().json()
    };
    let report = run("whole/model", "evaluate test.jsonl --policy whole/policy.toml --json");
    assert_eq!(report[0]["utterances"], 10);
    ran(room
        .command(&format!("adapter merge encoder --output merged --model {}", fixture("tiny-bert").display()))
        .output()
        .unwrap())
    .ok();
    let merged = run("merged", "score test.jsonl --json");
    let attached = with(&room, "tiny-bert", "score test.jsonl --json --adapter encoder").ok().json();
    for (merged, attached) in merged.iter().zip(&attached) {
        let [merged, attached] = [merged, attached].map(|row| row["lm_score"].as_f64().unwrap());
        assert!((merged - attached).abs() < 1e-4, "{merged} {attached}");
    }
}

#[test]
fn an_encoder_before_a_decoder() {
    let room = taught_with("--fusion classic");
    let bert = fixture("tiny-bert").display().to_string();
    let first = format!("--cascade-model {bert} --cascade-adapter encoder");
    let tune = |words: &str| {
        with(&room, "tiny-llama", &format!("tune dev.jsonl --cascade encoder/policy.toml {first} {words}"))
    };
    tune("--output both.toml").ok();
    tune("--output cascade.toml --cascade-rate 0.3").ok();
    assert!(!room.read("both.toml").contains("threshold ="));
    let cascade = room.read("cascade.toml");
    assert!(cascade.contains("[earlier]") && cascade.contains("threshold ="), "{cascade}");
    for policy in ["both", "cascade"] {
        let words = format!("evaluate test.jsonl --policy {policy}.toml --json {first}");
        assert_eq!(with(&room, "tiny-llama", &words).ok().json()[0]["utterances"], 10);
        let words = format!("rescore test.jsonl --policy {policy}.toml --json {first}");
        assert_eq!(with(&room, "tiny-llama", &words).ok().json().len(), 10);
    }
    let says = |words: &str, parts: &[&str]| {
        let ran = with(&room, "tiny-llama", words);
        assert_eq!(ran.code, 2, "{words}: {ran:?}");
        ran.says(parts);
    };
    says("evaluate test.jsonl --policy both.toml", &["first stage of the policy needs the adapter encoder"]);
    says(
        &format!("rescore test.jsonl --policy both.toml --deadline-ms 5 {first}"),
        &["a deadline is for one rescorer"],
    );
    says(&format!("rescore test.jsonl --lm-weight 1 {first}"), &["no policy asks another rescorer first"]);
    says(
        &format!("tune dev.jsonl --output x.toml --cascade both.toml {first}"),
        &["only two rescorers can be combined"],
    );
    assert_eq!(tune("--output x.toml --cascade-rate 2").code, 2);
}
