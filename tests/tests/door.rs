//! The door of the library: what is asked for is what answers, and what contradicts itself is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rescorer::fusion::{Decision, ModelIdentity, TunedOn};
use rescorer::scoring::LanguageModel;
use rescorer::{
    DecisionRule, Error, Fusion, Hypothesis, NBest, Normalization, Policy, Request, Rescorer,
    RescorerBuilder, ScoringConfig, TuneOptions, Unit, Utterance,
};
use rescorer_lora::LoraAdapter;
use rescorer_models::DeviceRequest;
use rescorer_tests::{fixture, load_tiny};

const LIST: [(&str, f64); 3] = [("the cat sat", -1.0), ("the hat sat", -1.5), ("the cat sad", -2.0)];

fn model() -> Arc<LanguageModel> {
    Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu))
}

fn policy(lm_weight: f64, adapter: Option<&str>) -> Policy {
    let identity =
        |fingerprint: &str| ModelIdentity { name: "tiny".into(), fingerprint: fingerprint.to_owned() };
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let fusion = Fusion { lm_weight, length_bonus: 0.0, margin: 0.0 };
    let model = identity(model().fingerprint());
    Policy::new(Normalization::None, fusion, ScoringConfig::default(), model, adapter.map(identity), tuned_on)
        .with_decision(Decision::default(), None)
}

/// A folder with the tiny adapter, and a policy of its own where a weight is given.
fn adapter(folder: &Path, name: &str, lm_weight: Option<f64>) -> String {
    let adapter = LoraAdapter::read(&fixture("tiny-lora")).unwrap();
    let own = folder.join(name);
    adapter.write(&own).unwrap();
    if let Some(lm_weight) = lm_weight {
        let print = LoraAdapter::read(&own).unwrap().fingerprint();
        policy(lm_weight, Some(&print)).write(own.join("policy.toml")).unwrap();
    }
    own.display().to_string()
}

fn refused(builder: RescorerBuilder) -> String {
    builder.build().err().unwrap().to_string()
}

#[test]
fn an_adapter_is_answered_with_the_policy_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (medical, legal) =
        (adapter(folder.path(), "medical", Some(0.5)), adapter(folder.path(), "legal", Some(0.0)));
    let rescorer = Rescorer::builder(model())
        .policy_value(policy(0.25, None), "given")
        .adapter("medical", medical.as_str())
        .adapter("legal", legal.as_str())
        .build()
        .unwrap();
    let ask = |name: Option<&str>| {
        let request = Request::new(LIST).with_list();
        let request = match name {
            Some(name) => request.adapter(name),
            None => request,
        };
        rescorer.rescore(request).unwrap()
    };
    let (bare, one, other) = (ask(None), ask(Some("medical")), ask(Some("legal")));
    assert_eq!((bare.adapter(), bare.policy()), (None, Some("given")));
    assert_eq!(one.adapter(), Some("medical"));
    assert!(one.policy().unwrap().ends_with("medical/policy.toml"), "{:?}", one.policy());
    assert_eq!(other.adapter(), Some("legal"));
    let weight = |answer: &rescorer::Answer| {
        let best = &answer.hypotheses()[0];
        best.lm_score.map(|score| (best.total.unwrap() - best.first_pass) / score)
    };
    assert!((weight(&bare).unwrap() - 0.25).abs() < 1e-9);
    assert!((weight(&one).unwrap() - 0.5).abs() < 1e-9);
    assert_eq!(weight(&other), None, "its weight is 0, so the model is not asked");
    assert_ne!(bare.hypotheses()[0].lm_score, one.hypotheses()[0].lm_score, "the adapter takes part");
    let unknown = rescorer.rescore(Request::new(LIST).id("u7").adapter("dental")).unwrap_err().to_string();
    assert!(
        unknown.contains("u7") && unknown.contains("dental") && unknown.contains("medical, legal"),
        "{unknown}"
    );
    // Lists of all three go through one stream, in their order.
    let names = [Some("legal"), None, Some("medical"), None, Some("legal")];
    let requests = names.map(|name| match name {
        Some(name) => Request::new(LIST).adapter(name).text_only(),
        None => Request::new(LIST),
    });
    let answers: Vec<_> = rescorer.rescore_many(requests).map(Result::unwrap).collect();
    assert_eq!(answers.iter().map(|answer| answer.adapter()).collect::<Vec<_>>(), names);
    assert_eq!(answers[1].confidence(), bare.confidence());
    assert!(answers[0].confidence().is_nan() && answers[0].words().is_empty());
    assert_eq!(answers[3].utterance().id, "list:3");
}

#[test]
fn without_a_policy_the_first_adapter_answers_with_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let medical = adapter(folder.path(), "medical", Some(0.5));
    let rescorer = Rescorer::builder(model()).adapter("medical", medical.as_str()).build().unwrap();
    let answer = rescorer.rescore(Request::new(LIST)).unwrap();
    assert_eq!(answer.adapter(), Some("medical"));
    // A policy that was tuned with the adapter decides in its place.
    let print = LoraAdapter::read(medical.as_ref()).unwrap().fingerprint();
    let given = policy(0.125, Some(&print));
    let builder =
        Rescorer::builder(model()).adapter("medical", medical.as_str()).policy_value(given, "given");
    let answer = builder.build().unwrap().rescore(Request::new(LIST)).unwrap();
    assert_eq!((answer.adapter(), answer.policy()), (Some("medical"), Some("given")));
}

#[test]
fn parts_that_contradict_each_other_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (with, without) =
        (adapter(folder.path(), "with", Some(0.5)), adapter(folder.path(), "without", None));
    let builder = || Rescorer::builder(model());
    let weights = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 };
    let message = refused(builder().policy_value(policy(0.5, None), "p").weights(weights));
    assert!(message.contains("a policy and weights exclude each other"), "{message}");
    let config = ScoringConfig { eos: false, ..ScoringConfig::default() };
    let message = refused(builder().policy_value(policy(0.5, None), "p").scoring(config));
    assert!(message.contains("a policy and a scoring configuration"), "{message}");
    for given in [builder().weights(weights), builder().policy_value(policy(0.5, None), "p")] {
        let message = refused(given.first_stage(model()));
        assert!(message.contains("no policy asks another rescorer first"), "{message}");
    }
    let message = refused(builder().adapter("none", "none").adapter("a", with.as_str()));
    assert!(message.contains("no adapter and adapters exclude each other"), "{message}");
    let message = refused(builder().weights(weights).threads(0));
    assert!(message.contains("threads"), "{message}");
    let message = refused(builder().weights(Fusion { margin: f64::NAN, ..weights }));
    assert!(message.contains("margin NaN"), "{message}");
    let message = refused(builder().weights(weights).rule(DecisionRule::Mbr));
    assert!(message.contains("nothing has been tuned for the rule mbr"), "{message}");
    let message = refused(builder().policy_value(policy(0.5, None), "p").unit(Unit::Character));
    assert!(message.contains("character"), "{message}");
    // An adapter without a policy beside one with: whose is its list answered with?
    for given in [builder().policy_value(policy(0.5, None), "p"), builder()] {
        let message = refused(given.adapter("a", with.as_str()).adapter("b", without.as_str()));
        assert!(message.contains("adapter \"b\" has no policy"), "{message}");
    }
    let message =
        refused(builder().weights(weights).adapter("a", with.as_str()).adapter("a", without.as_str()));
    assert!(message.contains("two adapters are called \"a\""), "{message}");
    let other = Policy {
        adapter: Some(ModelIdentity { name: "x".into(), fingerprint: "y".into() }),
        ..policy(0.5, None)
    };
    let message = refused(builder().policy_value(other, "p").adapter("a", with.as_str()));
    assert!(message.contains("tuned with adapter x"), "{message}");
}

#[test]
fn a_policy_of_a_later_version_is_refused_with_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let written = policy(0.5, None);
    written.write(&path).unwrap();
    assert_eq!(Policy::read(&path).unwrap(), written);
    let later = std::fs::read_to_string(&path).unwrap().replace("version = 1", "version = 9");
    std::fs::write(&path, later).unwrap();
    let message = refused(Rescorer::builder(model()).policy(&path));
    assert!(message.contains("version 9") && message.contains("update the program"), "{message}");
}

#[test]
fn without_policy_and_weights_the_default_policy_answers() {
    let rescorer = Rescorer::builder(model()).build().unwrap();
    assert!(rescorer.policy().unwrap().starts_with("default, version "), "{:?}", rescorer.policy());
    let answer = rescorer.rescore(Request::new(LIST)).unwrap();
    assert_eq!((answer.policy(), rescorer.rule()), (rescorer.policy(), Some(DecisionRule::Maximum)));
    assert!((0.0..=1.0).contains(&answer.confidence()));
    let kept = Rescorer::builder(model()).first_pass_only().build().unwrap();
    assert_eq!((kept.policy(), kept.rescore(Request::new(LIST)).unwrap().changed()), (Some("none"), false));
    // It weighs sums.
    let means = ScoringConfig { mean: true, ..ScoringConfig::default() };
    let means = Rescorer::builder(model()).scoring(means).build().unwrap();
    assert!(matches!(means.rescore(Request::new(LIST)), Err(Error::NoPolicy)));
    let list = |id: &str, reference: &str| Utterance {
        reference: Some(reference.to_owned()),
        ..Utterance::new(id, NBest::new(LIST.map(Hypothesis::from).to_vec()).unwrap())
    };
    let lists = [list("a", "the hat sat"), list("b", "the cat sat")];
    let options = TuneOptions { rule: DecisionRule::Mbr, ..TuneOptions::default() };
    assert_eq!(rescorer.tune_while(&lists, options, &|| false).unwrap(), None, "stopped before the first");
    let policy = rescorer.tune(&lists, options).unwrap();
    assert_eq!(rescorer.tune_while(&lists, options, &|| true).unwrap().as_ref(), Some(&policy));
    assert_eq!((policy.tuned_on.hashes.len(), policy.decision.unwrap().rule), (2, DecisionRule::Mbr));
    let tuned = Rescorer::builder(model()).policy_value(policy, "tuned").build().unwrap();
    assert_eq!(tuned.rule(), Some(DecisionRule::Mbr));
    assert!(tuned.rescore(lists[0].clone()).is_ok());
}

#[test]
fn what_is_wrong_with_a_list_comes_out_in_its_place() {
    let weights = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 };
    let rescorer = Rescorer::builder(model()).weights(weights).build().unwrap();
    let empty = Request::new(Vec::<&str>::new());
    assert!(matches!(rescorer.rescore(empty), Err(Error::Lists(_))));
    let requests = [Request::new(["a"]), Request::new([("b", f64::NAN)]), Request::new(["c", "d"])];
    let answers: Vec<_> = rescorer.rescore_many(requests).collect();
    let shown: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(shown, [true, false, true]);
    assert!(answers[1].as_ref().unwrap_err().is_recoverable());
}

#[test]
fn a_deadline_says_how_far_it_got_and_own_threads_score_alike() {
    let weights = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 };
    let shared = Rescorer::builder(model()).weights(weights).build().unwrap();
    let own = Rescorer::builder(model()).weights(weights).threads(1).build().unwrap();
    let whole = shared.rescore(Request::new(LIST)).unwrap();
    assert_eq!(own.rescore(Request::new(LIST)).unwrap(), whole);
    let in_time = own.rescore(Request::new(LIST).deadline(Duration::from_secs(3600))).unwrap();
    assert!(in_time.completeness().is_complete());
    assert_eq!((in_time.text(), in_time.completeness().unique), (whole.text(), 3));
    let late = own.rescore(Request::new(LIST).deadline(Duration::ZERO)).unwrap();
    assert_eq!((late.text(), late.completeness().decided), (LIST[0].0, 0), "the first pass stays");
    assert!(late.confidence().is_nan() && !late.changed());
    let texts: Vec<_> = shared.rescore_many([Request::new(LIST), Request::new(LIST).text_only()]).collect();
    assert!(texts.into_iter().all(|answer| answer.unwrap().text() == whole.text()));
}
