//! The adapter `speech` joins the model that it was trained on, unless something else is asked for.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

use rescorer::{Request, Rescorer, RescorerBuilder, TuneOptions, Utterance};
use serde_json::json;

fn builder() -> RescorerBuilder {
    let model = std::env::var_os("RESCORER_TEST_MODEL").map(PathBuf::from);
    Rescorer::builder(model.unwrap_or_else(|| panic!("set RESCORER_TEST_MODEL"))).name("smollm2-135m")
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
