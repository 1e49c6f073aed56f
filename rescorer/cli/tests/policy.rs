//! `rescorer tune` → policy → `rescorer evaluate`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, close, fixture, keys, list, ran, ten_lists, tuned};
use serde_json::{Value, json};

#[test]
fn tune_writes_a_policy_and_reports_the_curve() {
    let room = tuned();
    let ran = room.run("tune dev.jsonl --fusion classic --output p2.toml --json").ok();
    let report = &ran.json()[0];
    assert_eq!(keys(report), ["policy", "fusion", "first_pass_wer", "rescored_wer", "curve"]);
    assert!(keys(&report["curve"][0]).contains(&"wer"));
    assert_eq!(room.read("p.toml"), room.read("p2.toml"), "the same twice");
    let policy = room.read("p.toml");
    for part in ["[fusion]", "lm_weight", "[convention]", "[model]", "fingerprint", "[tuned_on]", "hashes"] {
        assert!(policy.contains(part), "{part} is not in {policy}");
    }
    let plain = room.run("tune dev.jsonl --fusion classic --output p3.toml").ok().stdout;
    assert!(plain.contains("best on 10 lists") && plain.contains("policy: p3.toml"), "{plain}");
    room.run("rescore test.jsonl --policy p.toml").ok();
}

#[test]
fn tune_weighs_features_and_says_what_held_out_lists_show() {
    let room = tuned();
    let report = &room.run("tune dev.jsonl --output f.toml --json").ok().json()[0];
    assert_eq!(keys(report), ["policy", "features", "first_pass_wer", "rescored_wer", "confidence"]);
    let policy = room.read("f.toml");
    for part in ["version = 4", "[features]", "lm_20 = ", "[decision]", "[tuned_on]"] {
        assert!(policy.contains(part), "{part} is not in {policy}");
    }
    let plain = room.run("tune dev.jsonl --output g.toml").ok().stdout;
    for part in ["10 lists, held out in turn: WER ", "% confidence", "10 lists are few"] {
        assert!(plain.contains(part), "{part} is not in {plain}");
    }
    assert_eq!(room.read("g.toml"), policy, "the same twice");
    room.run("rescore test.jsonl --policy f.toml").ok().says(&["policy: f.toml"]);
    let explained = room.run("explain test.jsonl --policy f.toml --utterance test1").ok().stdout;
    assert!(explained.contains("language model") && !explained.contains("length bonus"), "{explained}");
    // A policy for other features.
    for (text, message) in [
        (policy.replace("lm_20 = ", "lm_21 = "), "feature \"lm_21\" is not known"),
        (policy.replace("lm_20 = ", "lm_20 = -"), "expected a finite number"),
        (
            policy.replace("[decision]", "[fusion]\nlm_weight = 1.0\n[decision]"),
            "both `fusion` and `features`",
        ),
    ] {
        room.write("other.toml", text);
        room.refused("rescore test.jsonl --policy other.toml", &["other.toml", message]);
    }
    // Nothing can be held out of a single list.
    room.lists("one.jsonl", &[list("a", &["the cat", "a hat"], "a hat")]);
    let one = room.run("tune one.jsonl --output one.toml").ok().stdout;
    assert!(one.contains("1 lists, none of which can be held out") && !one.contains("confidence"), "{one}");
    // Before anything is scored: the list after the first could not be.
    room.lists("broken.jsonl", &[list("a", &["the cat", "a hat"], "a hat"), list("b", &[], "a hat")]);
    for words in ["tune broken.jsonl --output m.toml", "evaluate broken.jsonl"] {
        room.refused(&format!("{words} --score-mean"), &["means over the tokens"]);
    }
    room.run("tune dev.jsonl --score-mean --fusion classic --output m.toml").ok();
    room.run("evaluate dev.jsonl --score-mean --fusion classic").ok();
    room.run("evaluate dev.jsonl --score-mean --policy none").ok();
    room.refused("tune dev.jsonl --cascade f.toml --output c.toml", &["--cascade", "--fusion classic"]);
}

#[test]
fn without_weights_the_default_policy_answers() {
    let room = tuned();
    let ran = room.run("rescore test.jsonl --json").ok();
    ran.says(&["policy: default, version 2"]);
    assert_eq!(ran.json()[0]["policy"], "default, version 2");
    assert_eq!(
        room.run("rescore test.jsonl --policy default").ok().stdout,
        room.run("rescore test.jsonl").ok().stdout
    );
    let kept = room.run("rescore test.jsonl --policy none --json").ok();
    kept.says(&["policy: none", "10 lists needed no model"]);
    assert!(kept.json().iter().all(|row| row["changed"] == false && row["policy"] == "none"), "{kept:?}");
    let report = &room.run("evaluate test.jsonl --policy default --json").ok().json()[0];
    assert_eq!((&report["utterances"], &report["policy"]), (&json!(10), &json!("default, version 2")));
    let none = &room.run("evaluate test.jsonl --policy none --json").ok().json()[0];
    assert_eq!(none["rescored_wer"], none["first_pass_wer"]);
    let tuned = room.run("evaluate test.jsonl --cross-validate 2 --json").ok().json().remove(0);
    assert_eq!(tuned["default_policy_wer"], report["rescored_wer"]);
    let classic =
        room.run("evaluate test.jsonl --cross-validate 2 --fusion classic --json").ok().json().remove(0);
    assert_eq!(classic["utterances"], 10);
    room.refused("rescore test.jsonl --score-mean", &["--score-mean", "--lm-weight"]);
}

#[test]
fn evaluate_has_the_fields_of_the_interface() {
    let room = tuned();
    let report = &room.run("evaluate test.jsonl --policy p.toml --json").ok().json()[0];
    let promised = [
        "utterances",
        "reference_words",
        "first_pass_wer",
        "rescored_wer",
        "oracle_wer",
        "werr",
        "werr_ci95",
        "ci95",
        "changed",
        "better",
        "worse",
        "hypotheses_per_second",
        "listed_hypotheses_per_second",
        "nodes_per_second",
        "device",
        "adapter_name",
        "model",
        "precision",
        "seconds",
    ];
    for key in promised {
        assert!(keys(report).contains(&key), "{key} is not in {report}");
    }
    assert_eq!((&report["utterances"], &report["reference_words"]), (&json!(10), &json!(40)));
    assert_eq!((&report["first_pass_wer"], &report["oracle_wer"]), (&json!(12.5), &json!(0.0)));
    assert_eq!(
        (&report["device"], &report["precision"], &report["adapter_name"]),
        (&json!("cpu"), &json!("int8"), &json!(null)),
        "the precision that auto chose"
    );
    let plain = room.run("evaluate test.jsonl --policy p.toml").ok().stdout;
    assert!(plain.contains("WER rescored") && plain.contains("cpu"), "{plain}");
}

#[test]
fn weight_zero_changes_nothing() {
    let room = tuned();
    let report = &room.run("evaluate test.jsonl --lm-weight 0 --json --rows rows.jsonl").ok().json()[0];
    assert_eq!(report["rescored_wer"], report["first_pass_wer"]);
    assert_eq!(
        (&report["changed"], &report["better"], &report["worse"]),
        (&json!(0.0), &json!(0), &json!(0))
    );
    assert_eq!(room.read("rows.jsonl").lines().count(), 10);
}

#[test]
fn a_reduction_of_no_errors_is_undefined() {
    let room = Room::new();
    // The first pass is right, and a length bonus lets the other win: one error in four words in each list.
    let lists: Vec<_> =
        (0..4).map(|i| list(&format!("u{i}"), &["turn it on", "turn it on again"], "turn it on")).collect();
    room.lists("a.jsonl", &lists);
    let evaluate = "evaluate a.jsonl --lm-weight 0 --length-bonus 9";
    let report = &room.run(&format!("{evaluate} --json")).ok().json()[0];
    assert_eq!((&report["first_pass_wer"], &report["worse"]), (&json!(0.0), &json!(4)));
    assert!(close(report["rescored_wer"].as_f64().unwrap(), 100.0 / 3.0), "{report}");
    for key in ["werr", "werr_ci95"] {
        assert!(keys(report).contains(&key) && report[key].is_null(), "{key}: {report}");
    }
    let plain = room.run(&format!("{evaluate} --html page.html")).ok().stdout;
    for text in [&plain, &room.read("page.html")] {
        assert!(text.contains("undefined   the first pass has no errors to reduce"), "{text}");
        assert!(!text.contains("0.00   p ="), "{text}");
    }
    // Nothing is lost: that is as undefined.
    let same = &room.run("evaluate a.jsonl --lm-weight 0 --json").ok().json()[0];
    assert_eq!((&same["rescored_wer"], &same["werr"]), (&json!(0.0), &json!(null)));
}

#[test]
fn references_without_words_have_no_error_rate() {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["a", "b"], ""), list("u2", &["", "c"], " ")]);
    for words in [
        "evaluate a.jsonl --lm-weight 1",
        "evaluate a.jsonl --cross-validate",
        "tune a.jsonl --output p.toml",
    ] {
        room.refused(
            words,
            &["2 lists with no reference words", "undefined", "give lists whose references have words"],
        );
    }
}

#[test]
fn lists_that_were_tuned_on_are_left_out() {
    let room = tuned();
    let ran = room.run("evaluate dev.jsonl test.jsonl --policy p.toml --json").ok();
    assert_eq!((&ran.json()[0]["utterances"], &ran.json()[0]["left_out"]), (&json!(10), &json!(10)));
    ran.says(&["10 lists left out"]);
    // The content counts, not the id.
    room.write("renamed.jsonl", room.read("dev.jsonl").replace("\"id\":\"dev", "\"id\":\"other"));
    room.refused("evaluate renamed.jsonl --policy p.toml", &["tuned on all 10 lists", "--cross-validate"]);
}

#[test]
fn cross_validation_takes_a_number_or_five() {
    let room = Room::new();
    let lists: Vec<_> = (0..4).flat_map(|i| ten_lists(&format!("k{i}"))).collect();
    room.lists("a.jsonl", &lists);
    let five = room.run("evaluate a.jsonl --cross-validate --json").ok().json();
    assert_eq!(five[0]["utterances"], 40);
    let same = room.run("evaluate a.jsonl --cross-validate 5 --json").ok().json();
    assert_eq!((&five[0]["rescored_wer"], &five[0]["ci95"]), (&same[0]["rescored_wer"], &same[0]["ci95"]));
    for folds in ["0", "1", "1000"] {
        let words = format!("evaluate a.jsonl --cross-validate {folds}");
        room.refused(&words, &["--cross-validate", folds]);
    }
    // The option takes the word behind it.
    room.refused(
        "evaluate --cross-validate a.jsonl",
        &["'a.jsonl'", "--cross-validate=5 a.jsonl", "a.jsonl --cross-validate"],
    );
    let before = room.run("evaluate --cross-validate=5 a.jsonl --json").ok().json();
    assert_eq!(before[0]["rescored_wer"], five[0]["rescored_wer"]);
    room.lists("one.jsonl", &[list("u", &["a"], "a")]);
    room.refused(
        "evaluate one.jsonl --cross-validate",
        &["with 5 folds", "give more lists (--cross-validate K)"],
    );
}

#[test]
fn a_policy_is_for_one_model_and_states_the_conventions() {
    let room = tuned();
    for subcommand in ["evaluate", "rescore"] {
        let mut command = room.command(subcommand);
        command.args(["test.jsonl", "--policy", "p.toml", "--device", "cpu", "--model"]);
        let ran = ran(command.arg(fixture("tiny-llama.gguf")).output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        ran.says(&["the policy was tuned with model", "tune again"]);
        for option in ["--text-casing lower", "--bos 3", "--no-eos", "--score-mean"] {
            let name = option.split(' ').next().unwrap();
            let words = format!("{subcommand} test.jsonl --policy p.toml {option}");
            room.refused(&words, &[name, "can't be used with --policy"]);
        }
    }
    room.refused("evaluate test.jsonl --policy p.toml --lm-weight 1", &["cannot be used with"]);
    room.refused("evaluate test.jsonl --policy p.toml --margin 1", &["--margin"]);
    room.refused("evaluate test.jsonl --cross-validate --length-bonus 1", &["--length-bonus"]);
}

#[test]
fn without_weights_it_cross_validates_and_says_so() {
    let room = tuned();
    let number = |report: &Value, key: &str| report[key].as_f64().unwrap();
    let [without, with] = ["", " --cross-validate 5"].map(|words| {
        let ran = room.run(&format!("evaluate test.jsonl --json{words}")).ok();
        let says = "no weights given: cross-validating with 5 folds";
        assert_eq!(ran.stderr.contains(says), words.is_empty(), "{words}: {}", ran.stderr);
        ran.json().remove(0)
    });
    assert_eq!(number(&without, "rescored_wer"), number(&with, "rescored_wer"));
    assert_eq!(without["confidence"], with["confidence"]);
    assert!(room.run("evaluate test.jsonl --quiet").ok().stderr.is_empty());
}

#[test]
fn with_few_references_it_takes_fewer_folds_and_says_so() {
    let room = tuned();
    let few = room.run("evaluate test.jsonl --limit 3 --json").ok();
    assert_eq!(few.json()[0]["utterances"], 3);
    let said = "warning: too few different references for 5 folds; cross-validating with ";
    let folds = few.stderr.split(said).nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let asked = room.run(&format!("evaluate test.jsonl --limit 3 --json --cross-validate {folds}")).ok();
    assert_eq!(asked.json()[0]["rescored_wer"], few.json()[0]["rescored_wer"]);
    for strict in ["--cross-validate", "--cross-validate 5"] {
        let refused = room.run(&format!("evaluate test.jsonl --limit 3 {strict}"));
        assert_eq!(refused.code, 2, "{refused:?}");
        refused.says(&["5 folds", "give more lists", "--cross-validate K"]);
    }
    let one = room.run("evaluate test.jsonl --limit 1");
    assert_eq!(one.code, 2, "{one:?}");
    one.says(&["the lists have one reference in all", "give more lists"]);
}

#[test]
fn a_policy_that_is_damaged_is_refused_with_the_line() {
    let room = tuned();
    let policy = room.read("p.toml");
    let broken = [
        (policy.replace("[convention]", "[convention]\nlm_weigth = 1"), "unknown field `lm_weigth`"),
        (policy.replace("version = 4", "version = 9"), "version 9"),
        (policy.replacen("lm_weight = ", "lm_weight = nan #", 1), "not a finite number"),
        (policy.replace("[model]", "[model"), "p2.toml"),
        (String::new(), "missing field"),
    ];
    for (text, message) in broken {
        room.write("p2.toml", text);
        room.refused("rescore test.jsonl --policy p2.toml", &["p2.toml", message]);
    }
    room.write("p2.toml", policy.replace("[convention]", "[convention]\nlm_weigth = 1"));
    let line = policy.lines().position(|line| line == "[convention]").unwrap() + 2;
    room.refused("rescore test.jsonl --policy p2.toml", &[&format!("line {line}")]);
    room.refused("rescore test.jsonl --policy nowhere.toml", &["nowhere.toml", "No such file"]);
}

#[test]
fn references_may_be_empty_but_not_all_and_must_be_there() {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["", "a"], ""), list("u2", &["a"], "a")]);
    assert_eq!(room.run("evaluate a.jsonl --lm-weight 0 --json").ok().json()[0]["reference_words"], 1);
    room.lists("empty.jsonl", &[list("u1", &["a"], "")]);
    room.refused("evaluate empty.jsonl --lm-weight 0", &["no reference words"]);
    room.refused("tune empty.jsonl --output p.toml", &["no reference words"]);
    room.lists("bare.jsonl", &[json!({"id": "u1", "hypotheses": [{"text": "a"}]}), list("u2", &["a"], "a")]);
    room.refused("evaluate bare.jsonl --lm-weight 0", &["\"u1\" has no reference"]);
    let ran = room.run("evaluate bare.jsonl --lm-weight 0 --json --skip-invalid");
    assert_eq!((ran.code, &ran.json()[0]["skipped"]), (1, &json!(1)), "{ran:?}");
    room.refused("evaluate bare.jsonl --lm-weight 0 --limit 1 --skip-invalid", &["nothing usable"]);
    room.refused("tune bare.jsonl --output p.toml --limit 1 --skip-invalid", &["nothing usable"]);
    assert!(!room.path("p.toml").exists());
}
