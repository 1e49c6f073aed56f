//! What scores are logarithms of, as far as formats and names say it.
#![allow(clippy::unwrap_used)]

use rescorer_nbest::{NBest, ScoreScale, Utterance};
use serde_json::{Value, json};

fn scale(list: Value) -> ScoreScale {
    let utterance = Utterance::from_object(list.as_object().unwrap().clone(), "u1").unwrap();
    assert!(utterance.nbest.is_scored(), "{list}");
    utterance.nbest.score_scale()
}

/// A list of the native format whose scores have this name.
fn native(name: &str) -> ScoreScale {
    scale(json!({"hypotheses": [{"text": "a cat", name: 0.5}, {"text": "a hat", name: 0.25}]}))
}

#[test]
fn a_plain_score_says_nothing() {
    use ScoreScale::{MeanPerToken, Posterior, Sum, Unknown};
    assert_eq!(NBest::from_texts(["a"]).unwrap().score_scale(), Unknown);
    for (name, expected) in [
        ("score", Unknown),
        ("logprob", Unknown),
        ("nll", Unknown),
        ("avg_logprob", MeanPerToken),
        ("avg_log_prob", MeanPerToken),
        ("am_score", Sum),
        ("logit_score", Sum),
        ("total_cost", Sum),
        ("confidence", Posterior),
        ("posterior", Posterior),
    ] {
        assert_eq!(native(name), expected, "{name}");
    }
    // A score beside it wins.
    let both = json!({"hypotheses": [{"text": "a cat", "score": -4.5, "avg_logprob": -0.5}]});
    assert_eq!(scale(both), Unknown);
}

#[test]
fn formats_say_it() {
    use ScoreScale::{MeanPerToken, Posterior, Sum, Unknown};
    let vosk = json!({"alternatives": [{"text": "a cat", "confidence": 270.5}]});
    let google = json!({"alternatives": [{"transcript": "a cat", "confidence": 0.5}]});
    let whisper = json!({"segments": [{"text": " a cat", "avg_logprob": -0.5}]});
    let espnet = json!({"hyp_1": {"text": "a cat", "score": -0.5}, "ref": "a cat"});
    let hyporadise = json!({"input": ["a cat"], "am_score": [-0.5], "output": "a cat"});
    for (list, expected) in [
        (vosk, Sum),
        (google, Posterior),
        (whisper.clone(), MeanPerToken),
        (espnet, Sum),
        (hyporadise, Unknown),
    ] {
        assert_eq!(scale(list.clone()), expected, "{list}");
    }
    let mut own = whisper;
    own["score"] = json!(-7.5);
    assert_eq!(scale(own), Unknown);
}

#[test]
fn the_unique_hypotheses_know_it_too() {
    let list = json!({"alternatives": [{"text": "a", "confidence": 2.5}, {"text": "a", "confidence": 1.5}]});
    let utterance = Utterance::from_object(list.as_object().unwrap().clone(), "u1").unwrap();
    assert_eq!(utterance.nbest.unique().score_scale(), ScoreScale::Sum);
    let other = utterance.nbest.clone().with_score_scale(ScoreScale::Unknown);
    assert_eq!(other, utterance.nbest, "lists are equal if their hypotheses are");
}
