//! Warnings of references that make an error rate wrong.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, close, list};
use serde_json::Value;

fn evaluate(pairs: &[(&str, &str)], words: &str) -> Ran {
    let room = Room::new();
    let pairs = pairs.iter().enumerate();
    let lists: Vec<Value> = pairs.map(|(n, (said, heard))| list(&format!("u{n}"), &[heard], said)).collect();
    room.lists("lists.jsonl", &lists);
    room.run(&format!("evaluate lists.jsonl --lm-weight 0 {words}")).ok()
}

fn warnings(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.starts_with("warning: ")).collect()
}

#[test]
fn scripts_without_spaces() {
    let pairs = [("我们明天去北京", "我们明天去背景"), ("好的", "好的")];
    let ran = evaluate(&pairs, "--quiet");
    assert_eq!(warnings(&ran).len(), 1, "{ran:?}");
    ran.says(&[
        "have hardly any spaces",
        "1 of 2 references",
        "utterance \"u0\" (\"我们明天去北京\")",
        "use --unit character",
    ]);
    assert!(warnings(&evaluate(&pairs, "--unit character")).is_empty());
    assert!(warnings(&evaluate(&pairs, "--unit mixed")).is_empty());
    evaluate(&[("我用python写代码", "我用python写代码")], "").says(&["use --unit mixed"]);
    assert!(warnings(&evaluate(&[("turn it off", "turn it on")], "")).is_empty());
}

#[test]
fn casing() {
    let pairs = [("TURN IT OFF", "turn it off"), ("STOP", "stop now")];
    let ran = evaluate(&pairs, "");
    ran.says(&[
        "2 of 2 references have another casing",
        "is 125.00, and would be 25.00",
        "use --normalize lower",
    ]);
    evaluate(&pairs, "--normalize nfc").says(&["use --normalize nfc-lower"]);
    assert!(warnings(&evaluate(&pairs, "--normalize lower")).is_empty());
}

#[test]
fn composition() {
    let pairs = [("où est le café", "où est le cafe\u{301}"), ("une fée", "une fée")];
    let ran = evaluate(&pairs, "--normalize lower");
    ran.says(&[
        "NFC and NFD",
        "1 of 2",
        "U+00E9 against U+0065",
        "and would be 0.00",
        "use --normalize nfc-lower",
    ]);
    evaluate(&pairs, "").says(&["the WER of the first pass is 16.67", "use --normalize nfc\n"]);
    for normalize in ["nfc", "nfc-lower", "whisper-basic", "whisper-english"] {
        let ran = evaluate(&pairs, &format!("--normalize {normalize} --json"));
        assert_eq!(
            (ran.json()[0]["first_pass_wer"].as_f64(), warnings(&ran).len()),
            (Some(0.0), 0),
            "{normalize}"
        );
    }
}

#[test]
fn marks_of_sclite() {
    let pairs = [
        ("we are { going to / gonna } stop (uh) here", "we are gonna stop here"),
        ("(%hesitation) no", "now"),
    ];
    let ran = evaluate(&pairs, "--json");
    ran.says(&[
        "sclite's marks",
        "2 of 2",
        "the WER of the first pass is 61.54, and would be 12.50 (1 of 8 words) as sclite -D reads them",
    ]);
    let report = &ran.json()[0];
    assert!(close(report["first_pass_wer"].as_f64().unwrap(), 800.0 / 13.0), "{report}");
    assert_eq!((&report["sclite"]["marked"], &report["sclite"]["reference_words"]), (&2.into(), &8.into()));
    for key in ["first_pass_wer", "rescored_wer", "oracle_wer"] {
        assert_eq!(report["sclite"][key], 12.5, "{key}");
    }
    let plain = evaluate(&pairs, "").stdout;
    assert!(plain.contains("WER by sclite's marks  12.50 -> 12.50"), "{plain}");
    let unmarked = evaluate(&[("and/or {laugh} (a b)", "and/or")], "--json");
    assert!(unmarked.json()[0].get("sclite").is_none() && warnings(&unmarked).is_empty(), "{unmarked:?}");
    evaluate(&[("turn it off (s1-u1)", "turn it off")], "").says(&["end in an id", "and would be 0.00"]);
}

#[test]
fn apostrophes_and_vowel_signs() {
    let ran = evaluate(&[("i don’t know", "i don't know")], "");
    ran.says(&["other apostrophes", "U+2019 against U+0027", "and would be 0.00"]);
    let pairs = [("मुझे हिन्दी आती है", "मुझे हिन्दी आती है")];
    evaluate(&pairs, "--normalize whisper-basic").says(&[
        "removes vowel signs",
        "as Whisper does",
        "use --normalize nfc-lower",
    ]);
    assert!(warnings(&evaluate(&pairs, "--normalize nfc-lower")).is_empty());
}

#[test]
fn every_command_that_counts_errors_warns() {
    let room = Room::new();
    room.lists("lists.jsonl", &[list("u0", &["我们明天去背景", "我们明天去北京"], "我们明天去北京")]);
    room.run("tune lists.jsonl --output p.toml").ok().says(&["use --unit character"]);
    room.run_plain("stats lists.jsonl").ok().says(&["use --unit character"]);
    let answers = room.run("rescore lists.jsonl --lm-weight 0 --json").ok().stdout;
    room.write("a.jsonl", answers);
    room.run_plain("compare a.jsonl a.jsonl").ok().says(&["use --unit character"]);
}

#[test]
fn homophones_of_other_languages() {
    let room = Room::new();
    room.lists("lists.jsonl", &[list("u0", &["请把床户关上", "请把窗户关上"], "请把窗户关上")]);
    let plan = |more: &str| {
        let text = format!(
            "lists = [\"lists.jsonl\"]\nunit = \"character\"\nrates = [1.0]\nseeds = [1]\nkinds = [\"n-best\"]\n{more}\n\
             [[rescorer]]\nname = \"plain\"\nfusion = {{ lm_weight = 0.0 }}\n"
        );
        room.write("plan.toml", text);
    };
    let run = |words: &str| {
        common::ran(
            room.scoring(&format!("robustness plan.toml --output out --json {words}")).output().unwrap(),
        )
    };
    plan("");
    let refused = run("");
    assert_eq!(refused.code, 2, "{refused:?}");
    refused.says(&["no word of 1 lists has a homophone (0 of 12 words", "English", "lexicon = [\"FILE\"]"]);
    room.write("pinyin.tsv", "窗\tchuang1\n疮\tchuang1\n关\tguan1\n官\tguan1\n");
    plan("lexicon = [\"pinyin.tsv\"]");
    let row = &run("").ok().json()[0];
    assert_eq!(
        (&row["replaced_of_replaceable"], &row["first_pass_wer"]),
        (&1.0.into(), &(200.0 / 6.0).into()),
        "{row}"
    );
    assert!(
        room.read("out/report.html").contains("CER")
            && room.read("out/report.json").contains("\"character\"")
    );
    let refused = room.run_plain("perturb lists.jsonl --kind n-best --rate 1 --max-size 50");
    refused.says(&["--lexicon FILE", "--unit character"]);
    let words = "perturb lists.jsonl --kind n-best --rate 1 --unit character --lexicon pinyin.tsv";
    let perturbed = &room.run_plain(words).ok().json()[0];
    assert_eq!(perturbed["hypotheses"][1]["text"], "请把疮户官上");
}
