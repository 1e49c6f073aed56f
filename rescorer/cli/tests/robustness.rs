//! `rescorer robustness`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, fixture, list, ran};
use serde_json::Value;

/// Lists with words that have homophones, some of them wrong.
fn room() -> Room {
    let room = Room::new();
    let lists: Vec<Value> = (0..8)
        .map(|i| {
            let right = format!("two knights write to their son {i}");
            let wrong = format!("to nights right to their sun {i}");
            let texts = if i % 2 == 0 { [&right, &wrong] } else { [&wrong, &right] };
            list(&format!("u{i}"), &texts.map(String::as_str), &right)
        })
        .collect();
    room.lists("lists.jsonl", &lists);
    room
}

fn plan(room: &Room, name: &str, changes: &str) {
    let adapter = fixture("tiny-lora");
    let text = format!(
        "title = \"Tiny\"\nlists = [\"lists.jsonl\"]\nhomophones = {{ max_size = 50 }}\n{changes}\n\
         [[rescorer]]\nname = \"plain\"\nfusion = {{ lm_weight = 0.5 }}\n\
         [[rescorer]]\nname = \"adapted\"\nadapter = {:?}\nfusion = {{ lm_weight = 0.5 }}\n",
        adapter.display().to_string()
    );
    room.write(name, text);
}

fn run(room: &Room, words: &str) -> Ran {
    ran(room.scoring(&format!("robustness {words}")).output().unwrap())
}

#[test]
fn a_benchmark_goes_on_where_it_was_broken_off() {
    let room = room();
    plan(&room, "plan.toml", "rates = [0.0, 0.5]\nseeds = [1, 2]");
    let whole = run(&room, "plan.toml --output whole --json").ok();
    let rows = whole.json();
    assert_eq!(rows.len(), 2 * 3 * 2);
    let of = |rescorer: &str, kind: &str, rate: f64| {
        let wanted = |row: &&Value| row["rescorer"] == rescorer && row["kind"] == kind && row["rate"] == rate;
        rows.iter().find(wanted).unwrap()
    };
    for rescorer in ["plain", "adapted"] {
        for kind in ["one-best", "n-best", "distractors"] {
            let untouched = of(rescorer, kind, 0.0);
            assert_eq!(
                (&untouched["nprr"], &untouched["replaced"]),
                (&0.0.into(), &0.0.into()),
                "{untouched}"
            );
            assert_eq!(untouched["clean_wer"], untouched["perturbed_wer"]);
        }
        let (clean, perturbed) = (of(rescorer, "distractors", 0.0), of(rescorer, "distractors", 0.5));
        assert!(perturbed["oracle_wer"].as_f64() <= clean["oracle_wer"].as_f64());
        assert!(of(rescorer, "n-best", 0.5)["first_pass_wer"].as_f64() > clean["first_pass_wer"].as_f64());
    }
    // As if killed in the middle: one file of scores is cut inside a line, the other is gone.
    let scores: Vec<_> =
        std::fs::read_dir(room.path("whole/scores")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(scores.len(), 2);
    std::fs::create_dir_all(room.path("broken/scores")).unwrap();
    let first = std::fs::read(&scores[0]).unwrap();
    std::fs::write(
        room.path("broken/scores").join(scores[0].file_name().unwrap()),
        &first[..first.len() / 2],
    )
    .unwrap();
    let again = run(&room, "plan.toml --output broken --json").ok();
    assert_eq!(again.stdout, whole.stdout);
    assert_eq!(room.read("broken/report.json"), room.read("whole/report.json"));
    run(&room, "plan.toml --output broken")
        .ok()
        .says(&["plain: 0 texts to score", "adapted: 0 texts to score"]);
}

#[test]
fn the_report_needs_nothing_else() {
    let room = room();
    plan(&room, "plan.toml", "rates = [0.5]\nseeds = [1]\nkinds = [\"n-best\"]");
    run(&room, "plan.toml --output out").ok();
    let page = room.read("out/report.html");
    assert!(page.len() < 2_000_000);
    let links = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!links.contains("http") && !links.contains("<script") && !links.contains("src="));
    for part in ["<h1>Tiny</h1>", "NPRR, version 1", "<svg", "adapted", "lists.jsonl, SHA-256"] {
        assert!(page.contains(part), "{part}");
    }
    let table = room.read("out/rows.csv");
    assert_eq!(table.lines().count(), 3);
    assert!(table.starts_with("rescorer,kind,rate,clean_wer,perturbed_wer,"));
    let report: Value = serde_json::from_str(&room.read("out/report.json")).unwrap();
    assert_eq!((&report["nprr_version"], &report["utterances"]), (&1.into(), &8.into()));
    assert_eq!(report["comparisons"][0]["second"], "adapted");
}

#[test]
fn what_is_wrong_in_a_plan_is_said_before_any_work() {
    let room = room();
    let refused = |name: &str, parts: &[&str]| {
        let ran = run(&room, &format!("{name} --output out"));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        ran.says(parts);
        assert!(!ran.stderr.contains("texts to score") && !ran.stderr.contains("in f32 on"), "{ran:?}");
    };
    plan(&room, "rates.toml", "rates = [0.5, 2.0]");
    refused("rates.toml", &["rates.toml: rates: 2 is no probability"]);
    plan(&room, "lists.toml", "lexicon = [\"none.dict\"]");
    refused("lists.toml", &["lexicon: there is no", "none.dict"]);
    let text =
        room.read("rates.toml").replace("rates = [0.5, 2.0]", "").replace("tiny-lora", "no-such-adapter");
    room.write("adapter.toml", text);
    refused("adapter.toml", &["rescorer \"adapted\", adapter: there is no"]);
    refused("none.toml", &["none.toml", "give a TOML file"]);
    plan(&room, "plan.toml", "");
    let given = run(&room, "plan.toml --output out --adapter x");
    assert_eq!(given.code, 2);
    given.says(&["the plan names the adapters"]);
}

#[test]
fn lists_of_a_policy_are_left_out_and_a_ratio_to_nothing_is_undefined() {
    let room = room();
    // One list that the policy was tuned on, and one on which nobody errs.
    room.lists("tuned.jsonl", &[list("t", &["two knights", "to nights"], "two nights")]);
    run_plain(&room, "tune tuned.jsonl --output policy.toml --quiet");
    let right = list("r", &["two knights"], "two knights");
    room.write("both.jsonl", format!("{}{right}\n", room.read("tuned.jsonl")));
    let plan = "lists = [\"both.jsonl\"]\nrates = [1.0]\nseeds = [1]\n[[rescorer]]\nname = \"tuned\"\npolicy = \"policy.toml\"\n";
    room.write("plan.toml", plan);
    let found = run(&room, "plan.toml --output out --json").ok();
    found.says(&["1 lists left out: a policy was tuned on them"]);
    assert!(found.json().iter().all(|row| row["nprr"].is_null() && row["gain_kept"].is_null()), "{found:?}");
    assert!(room.read("out/report.html").contains("undefined: no errors on the clean lists"));
    let text = run(&room, "plan.toml --output out").ok();
    assert!(text.stdout.contains("NPRR undefined"), "{text:?}");
    room.write("all.toml", plan.replace("both.jsonl", "tuned.jsonl"));
    let none = run(&room, "all.toml --output out");
    assert_eq!(none.code, 2);
    none.says(&["1 lists, of which 1 were used to tune a policy"]);
}

fn run_plain(room: &Room, words: &str) {
    ran(room.scoring(words).output().unwrap()).ok();
}
