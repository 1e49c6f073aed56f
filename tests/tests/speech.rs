//! The adapter `speech` joins the model that it was trained on, unless something else is asked for.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::sync::Arc;

use rescorer::scoring::LanguageModel;
use rescorer::train::{LearnOptions, Learner};
use rescorer::{Precision, Request, Rescorer, RescorerBuilder, TuneOptions, Utterance};
use serde_json::json;

fn model() -> PathBuf {
    std::env::var_os("RESCORER_TEST_MODEL").unwrap_or_else(|| panic!("set RESCORER_TEST_MODEL")).into()
}

fn builder() -> RescorerBuilder {
    Rescorer::builder(model()).name("smollm2-135m")
}

fn list(number: usize) -> Utterance {
    let hypotheses = [("right", -4.1), ("write", -4.3)]
        .map(|(word, score)| rescorer::Hypothesis::scored(format!("please {word} it down {number}"), score));
    let nbest = rescorer::NBest::new(hypotheses.to_vec()).unwrap();
    let mut list = Utterance::new(format!("u{number}"), nbest);
    list.reference = Some(format!("please write it down {number}"));
    // Nobody gave adapters, so this is something of the user's own.
    list.extra.insert("adapter".into(), json!("3.5 mm jack"));
    list
}

#[test]
#[ignore = "needs the model: set RESCORER_TEST_MODEL"]
fn the_built_in_adapter_joins_its_model() {
    let lists: Vec<Utterance> = (0..24).map(list).collect();
    let ask = |builder: RescorerBuilder| {
        builder.build().unwrap().rescore(Request::from(lists[0].clone()).with_list()).unwrap()
    };
    let brought = ask(builder());
    assert_eq!(brought.adapter(), Some("speech"));
    let asked = builder().adapter("speech", "speech").default_policy().build().unwrap();
    let without_field = Utterance { extra: Default::default(), ..lists[0].clone() };
    assert_eq!(brought.total(), asked.rescore(Request::from(without_field).with_list()).unwrap().total());
    let alone = ask(builder().without_adapter());
    assert_eq!(alone.adapter(), None);
    assert_ne!(brought.total(), alone.total());
    assert_eq!(alone.total(), ask(builder().adapter("none", "none")).total());
    // Weights given by hand are for the model alone.
    let weights = rescorer::Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 };
    assert_eq!(ask(builder().weights(weights)).adapter(), None);
    // A policy says whether it was tuned with the adapter.
    for (tuned, adapter) in [(builder(), Some("speech")), (builder().without_adapter(), None)] {
        let policy = tuned.build().unwrap().tune(&lists, TuneOptions::default()).unwrap();
        assert_eq!(policy.adapter.as_ref().map(|adapter| adapter.name.as_str()), adapter);
        assert_eq!(ask(builder().policy_value(policy, "tuned")).adapter(), adapter);
    }
}

#[test]
#[ignore = "needs the model: set RESCORER_TEST_MODEL"]
fn learning_begins_with_what_answers_by_default() {
    // In int8 the least change of an adapter makes other integers of some inputs, and moves a score by some thousandths.
    let builder = || builder().precision(Precision::F32);
    let folder = tempfile::tempdir().unwrap();
    let mut held_out: Vec<Utterance> = (0..16).map(list).collect();
    let corrections = held_out.split_off(12);
    // So little that what was learned is nearly what was there.
    let options = LearnOptions { epochs: 4.0, learning_rate: 1e-8, replay: 0.0, ..LearnOptions::default() };
    let model = Arc::new(LanguageModel::load_for_training(&model(), Precision::Quantized).unwrap());
    let lesson = Learner::new(model, folder.path(), options).learn(corrections, vec![], held_out).unwrap();
    assert_eq!((lesson.step, lesson.corrections, lesson.before), (Some(1), 4, lesson.after));
    let bare = |number| Utterance { extra: Default::default(), ..list(number) };
    let score = |builder: RescorerBuilder| {
        builder.build().unwrap().rescore(Request::from(bare(0)).with_list()).unwrap().total().unwrap()
    };
    let (learned, speech) = (score(builder().adapter("learned", folder.path())), score(builder()));
    assert!((learned - speech).abs() < 1e-3, "{learned} {speech}");
    let alone = score(builder().without_adapter());
    assert!((alone - speech).abs() > 1e-2);

    // Lists that fit no adapter are answered as without adapters. So much is never gained.
    let tuned = builder().adapter("learned", folder.path()).default_policy().build().unwrap();
    let lists: Vec<Utterance> = (0..24).map(bare).collect();
    let policy = tuned.tune(&lists, TuneOptions::default()).unwrap();
    policy.write(folder.path().join("policy.toml")).unwrap();
    let file = std::fs::read_to_string(folder.path().join("policy.toml")).unwrap();
    let before = file.split_once("[routing]").map_or(file.as_str(), |(before, _)| before);
    let far = format!("{before}[routing]\nmean = 90.0\nother = 30.0\ndeviation = 0.1\n");
    std::fs::write(folder.path().join("policy.toml"), far).unwrap();
    let routed = |builder: RescorerBuilder| {
        let rescorer = builder.adapter("learned", folder.path()).route_adapters().build().unwrap();
        let answer = rescorer.rescore(Request::from(bare(0)).with_list()).unwrap();
        (answer.adapter().map(str::to_owned), answer.total().unwrap())
    };
    assert_eq!(routed(builder()), (Some("speech".into()), speech));
    assert_eq!(routed(builder().without_adapter()), (None, alone));
}
