use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::Place;
use crate::notice::{Listener, Notices};
use crate::score_kind::LEAST_PROBABILITY;

/// The scores of a list of these objects, and what was said.
fn scores(list: Value) -> (Result<Vec<Option<f64>>, String>, Vec<String>) {
    let mut hypotheses: Vec<Hypothesis> = (0..)
        .zip(list.as_array().unwrap())
        .map(|(at, fields)| Hypothesis {
            extra: fields.as_object().unwrap().clone(),
            ..Hypothesis::new(at.to_string())
        })
        .collect();
    let said = Arc::new(Mutex::new(Vec::new()));
    let to = said.clone();
    let listener: Listener = Arc::new(move |notice| to.lock().unwrap().push(notice.to_string()));
    let notices = Notices::to(Some(listener));
    let at =
        Beside { place: &Place::default(), notices: &notices, prefix: &|at| format!("hypotheses[{at}].") };
    let result = attach(&mut hypotheses, &at).map_err(|error| error.to_string());
    let scores = result.map(|_| hypotheses.iter().map(|one| one.score).collect());
    let said = said.lock().unwrap().clone();
    (scores, said)
}

fn of(list: Value) -> Vec<Option<f64>> {
    scores(list).0.unwrap()
}

#[test]
fn every_known_name_becomes_a_score() {
    for known in KNOWN {
        let (low, high) = (json!({known.name: 0.25}), json!({known.name: 0.5}));
        let expected = match (known.kind, known.role) {
            (_, Role::Part(ScorePart::Language)) => [None, None],
            (ScoreKind::Log, _) => [Some(0.25), Some(0.5)],
            (ScoreKind::Cost, _) => [Some(-0.25), Some(-0.5)],
            (ScoreKind::Probability, _) => [Some(0.25_f64.ln()), Some(0.5_f64.ln())],
        };
        assert_eq!(of(json!([low, high])), expected, "{}", known.name);
    }
    assert_eq!(of(json!([{"foo": -1}, {"foo": -2}])), [None, None]);
    assert_eq!(of(json!([{"logprob": "-1.5"}, {"logprob": "-2"}])), [Some(-1.5), Some(-2.0)]);
}

#[test]
fn one_name_decides_for_the_list() {
    let list =
        json!([{"confidence": 0.5, "cost": 3, "logprob": -1}, {"confidence": 0.4, "cost": 4, "logprob": -2}]);
    assert_eq!(of(list), [Some(-1.0), Some(-2.0)]);
    assert_eq!(of(json!([{"confidence": 0.5, "logprob": -1}, {"confidence": 0.4}])), [Some(-1.0), None]);
    assert_eq!(of(json!([{"logprob": null, "cost": 1}, {"cost": 2}])), [Some(-1.0), Some(-2.0)]);
    assert_eq!(of(json!([{"confidence": "high"}, {"confidence": "low"}])), [None, None]);
}

#[test]
fn a_confidence_of_the_second_pass_is_no_score() {
    let ours = json!([{"first_pass_position": 1, "total": -3.5, "confidence": 0.75}, {"first_pass_position": 0, "total": -4}]);
    assert_eq!(of(ours), [None, None]);
    assert_eq!(of(json!([{"first_pass_position": "first", "confidence": 0.75}])), [None]);
}

#[test]
fn scores_of_several_models_are_added_up() {
    assert_eq!(of(json!([{"att": -1, "ctc": -2, "lm": -4}])), [Some(-7.0)]);
    assert_eq!(of(json!([{"ac_cost": 1, "graph_cost": 2, "am_cost": 1}])), [Some(-3.0)]);
    assert_eq!(of(json!([{"lm": -4}])), [None]);
    // The sum of both stands under `lm_score` there.
    assert_eq!(of(json!([{"logit_score": -1, "lm_score": -4}])), [Some(-4.0)]);
    let (refused, _) = scores(json!([{"am": -1, "lm": -2}, {"am": -1}]));
    assert_eq!(
        refused.unwrap_err(),
        "the utterance: `hypotheses[1].lm` is missing, but the score is the sum of `am`, `lm`; give all of them beside \
         every text, or none"
    );
}

#[test]
fn confidences_that_were_not_given_are_no_scores() {
    assert_eq!(of(json!([{"confidence": 0.8}, {}, {}])), [None, None, None]);
    assert_eq!(of(json!([{"confidence": 0.8}, {"confidence": 0.0}, {}])), [None, None, None]);
    assert_eq!(of(json!([{"confidence": 0.0}, {"confidence": 0}])), [None, None]);
    assert_eq!(of(json!([{"confidence": 0.0}])), [None]);
    assert_eq!(of(json!([{"confidence": 1}])), [Some(0.0)]);
    assert_eq!(
        of(json!([{"confidence": 0.8}, {"confidence": 0.5}, {}])),
        [Some(0.8_f64.ln()), Some(0.5_f64.ln()), None]
    );
}

#[test]
fn what_a_name_does_not_say_is_told() {
    let (found, said) = scores(json!([{"confidence": 1.0}, {"confidence": 0.0}, {"confidence": 1}]));
    assert_eq!(found.unwrap(), [Some(0.0), Some(LEAST_PROBABILITY.ln()), Some(0.0)]);
    assert_eq!(said, ["the utterance: `hypotheses[1].confidence` is 0, which counts as 1e-10"]);
    let (found, said) = scores(json!([{"confidence": -9}, {"confidence": -1}]));
    assert_eq!(found.unwrap(), [Some(-9.0), Some(-1.0)]);
    assert_eq!(
        said,
        ["the utterance: `hypotheses[0].confidence` is below zero, so it is read as a logarithm"]
    );
    let (found, said) = scores(json!([{"cost": -9}, {"cost": 0}]));
    assert_eq!(found.unwrap(), [Some(9.0), Some(0.0)]);
    assert_eq!(
        said,
        [
            "the utterance: `hypotheses[0].cost` is below zero, though costs hardly are; it is negated as every cost, so \
          that the lowest is the best"
        ]
    );
    let (refused, _) = scores(json!([{"confidence": 91}]));
    assert_eq!(
        refused.unwrap_err(),
        "the utterance: `hypotheses[0].confidence` is 91, but a confidence is a probability, at most 1; divide \
         percentages by 100, or name the field `score` if it is a logarithm"
    );
    assert!(
        scores(json!([{"logprob": "NaN"}]))
            .0
            .unwrap_err()
            .contains("`hypotheses[0].logprob` is NaN, which is not")
    );
}

#[test]
fn a_number_beside_every_text_is_found() {
    let list = |list: Value| -> Vec<Hypothesis> {
        let of = |fields: &Value| Hypothesis {
            extra: fields.as_object().unwrap().clone(),
            ..Hypothesis::new("a")
        };
        list.as_array().unwrap().iter().map(of).collect()
    };
    assert_eq!(unused(&list(json!([{"rank": 1, "foo": -1}, {"rank": 2, "foo": "-2.5"}]))), Some("foo"));
    for none in [
        json!([{"foo": 1}]),
        json!([{"foo": 1}, {"foo": 1}]),
        json!([{"foo": 1}, {"bar": 1}]),
        json!([{"rank": 1, "num_tokens": 2, "start": 1.5}, {"rank": 2, "num_tokens": 3, "start": 1.0}]),
        json!([{"foo": "a"}, {"foo": "b"}]),
    ] {
        assert_eq!(unused(&list(none.clone())), None, "{none}");
    }
    let mut scored = list(json!([{"foo": 1}, {"foo": 2}]));
    scored[0].score = Some(1.0);
    assert_eq!(unused(&scored), None);
}
