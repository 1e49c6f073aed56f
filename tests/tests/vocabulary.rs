//! Terms of a vocabulary become hypotheses, and the weights of features decide about them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use rescorer::fusion::{Feature, Metric, ScoredReference, content_hash};
use rescorer::scoring::{LanguageModel, VocabularyError};
use rescorer::{
    Error, ErrorKind, Fusion, Hypothesis, NBest, Remedy, Request, Rescorer, RescorerBuilder, TuneOptions,
    Utterance, Vocabulary,
};
use rescorer_models::DeviceRequest;
use rescorer_perturb::{LetterToSound, Lexicon};
use rescorer_tests::load_tiny;
use serde_json::json;

const LIST: [(&str, f64); 3] =
    [("play hiding now", -1.0), ("play riding now", -4.0), ("play a hiding now", -5.0)];

fn model() -> Arc<LanguageModel> {
    Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu))
}

fn vocabulary(text: &str) -> Vocabulary {
    Vocabulary::parse("names.txt", text, &Lexicon::english(), &LetterToSound::english()).unwrap()
}

fn builder(text: &str) -> RescorerBuilder {
    Rescorer::builder(model()).vocabulary(vocabulary(text))
}

fn list(id: &str) -> Utterance {
    Utterance::new(id, NBest::new(LIST.map(Hypothesis::from).to_vec()).unwrap())
}

/// A list whose field `vocabulary` is this.
fn with_field(value: serde_json::Value) -> Utterance {
    let mut list = list("u1");
    list.extra.insert("vocabulary".into(), value);
    list
}

fn texts(list: &Utterance) -> Vec<&str> {
    list.nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect()
}

#[test]
fn words_that_sound_like_a_term_become_further_hypotheses() {
    let rescorer = builder("Haydn\tHH AY D AH N\tweight=40").build().unwrap();
    let extended = rescorer.with_terms(list("u1")).unwrap();
    assert_eq!(extended.nbest.recognised(), 3);
    let made = &texts(&extended)[3..];
    assert!(made.contains(&"play Haydn now") && made.contains(&"play a Haydn now"), "{made:?}");
    assert_eq!(content_hash(&extended), content_hash(&list("u1")), "it is the same list");
    let answer = rescorer.rescore(Request::from(list("u1")).with_list()).unwrap();
    assert_eq!(answer.text(), "play Haydn now");
    let [term] = answer.terms() else { panic!("{:?}", answer.terms()) };
    assert_eq!((term.term.as_str(), term.start, term.end, term.replaced.as_str()), ("Haydn", 1, 2, "hiding"));
    assert!(term.distance > 0.0 && term.distance < 0.25, "{}", term.distance);
    assert!(answer.position().unwrap() >= 3 && answer.changed());
    let json = serde_json::to_value(&answer).unwrap();
    assert_eq!(json["terms"][0]["term"], "Haydn");
    assert!(json["hypotheses"][0]["terms"][0]["distance"].is_f64());
    // The search that skips what can't win, and the clock, find the same.
    for request in [
        Request::from(list("u1")).text_only(),
        Request::from(list("u1")).deadline(std::time::Duration::from_secs(3600)),
    ] {
        let other = rescorer.rescore(request).unwrap();
        assert_eq!((other.text(), other.total()), (answer.text(), answer.total()));
    }
    // Its parts add up to its total.
    let explained = rescorer.explain(&list("u1"), None, None).unwrap();
    let of_features: f64 = explained.features.iter().map(|share| share.share).sum();
    let of_tokens: f64 = explained.tokens.iter().map(|share| share.model + share.adapter).sum();
    assert!(explained.features.iter().any(|share| share.feature == "terms" && share.share > 0.0));
    assert!((of_features + of_tokens - explained.lead).abs() < 1e-9, "{explained:?}");
}

#[test]
fn the_recognisers_own_hypotheses_keep_their_totals() {
    let bare = Rescorer::builder(model()).build().unwrap();
    let other = builder("Haydn\tHH AY D AH N").build().unwrap();
    let totals = |rescorer: &Rescorer| {
        let answer = rescorer.rescore(Request::from(list("u1")).with_list()).unwrap();
        let mut totals: Vec<_> =
            answer.hypotheses().iter().map(|one| (one.position, one.total.unwrap(), one.lm_score)).collect();
        totals.sort_by_key(|(position, ..)| *position);
        totals.truncate(3);
        totals
    };
    assert_eq!(totals(&bare), totals(&other));
    let nothing_near = builder("Zimbabwe").build().unwrap();
    let answers = [&bare, &nothing_near].map(|rescorer| rescorer.rescore(list("u1")).unwrap());
    assert_eq!(answers[0].text(), answers[1].text());
    assert!(answers[1].terms().is_empty());
}

#[test]
fn a_term_that_is_there_counts_and_gets_its_spelling() {
    let rescorer = builder("McGraw\tweight=40").build().unwrap();
    let nbest =
        NBest::new([("call mcgraw, now", -1.0), ("call the draw now", -1.5)].map(Hypothesis::from).to_vec());
    let answer = rescorer.rescore(Request::from(nbest.unwrap())).unwrap();
    assert_eq!(answer.text(), "call McGraw, now");
    assert_eq!(answer.terms()[0].distance, 0.0);
}

#[test]
fn classes_take_part_where_a_list_names_them() {
    let rescorer = builder("Haydn\tHH AY D AH N\tclass=composers").build().unwrap();
    let count = |list: Utterance| rescorer.with_terms(list).unwrap().nbest.len();
    assert_eq!(count(list("u1")), 3);
    assert!(count(with_field(json!(["@composers"]))) > 3);
    assert_eq!(count(with_field(json!(["@drugs"]))), 3);
    assert_eq!(count(with_field(json!(null))), 3);
    // A list's own terms need no vocabulary beside them.
    let bare = Rescorer::builder(model()).build().unwrap();
    let extended = bare.with_terms(with_field(json!(["Haydn\tHH AY D AH N"]))).unwrap();
    assert!(texts(&extended).contains(&"play Haydn now"));
}

#[test]
fn what_is_no_vocabulary_is_refused() {
    let rescorer = Rescorer::builder(model()).build().unwrap();
    for (field, part) in [
        (json!("Haydn"), "write an array"),
        (json!([1]), "write an array"),
        (json!(["http://a.b/c"]), "\"u1\": vocabulary:1"),
    ] {
        let error = rescorer.rescore(with_field(field)).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!((error.kind(), error.is_recoverable()), (ErrorKind::List, true));
    }
    let weights = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 };
    let classic = builder("Haydn").weights(weights).build().unwrap();
    let error = classic.rescore(list("u1")).unwrap_err();
    assert!(matches!(error, Error::Vocabulary(VocabularyError::OfClassic { .. })), "{error}");
    assert_eq!(error.remedy(), Some(Remedy::Policy));
    // Where nothing is changed, nothing is weighed.
    let answer = builder("Haydn").first_pass_only().build().unwrap().rescore(list("u1")).unwrap();
    assert_eq!(answer.text(), LIST[0].0);
}

#[test]
fn terms_are_tuned_and_judged() {
    let rescorer = builder("Haydn\tHH AY D AH N").build().unwrap();
    let lists: Vec<Utterance> = (0..24)
        .map(|number| Utterance {
            reference: Some(format!("play Haydn now {number}")),
            ..list(&format!("u{number}"))
        })
        .collect();
    let policy = rescorer.tune(&lists, TuneOptions::default()).unwrap();
    let weights = policy.weighting.features().unwrap();
    assert!(weights.weight(Feature::Terms) > 0.0, "{weights:?}");
    assert_eq!(policy.tuned_on.hashes.len(), 24);
    let judged: Vec<ScoredReference> = rescorer
        .judge_many(lists.into_iter().map(Ok::<_, Error>), Metric::default())
        .map(|judged| judged.unwrap().list)
        .collect();
    assert!(judged.iter().all(|list| list.oracle().errors == 1 && list.first_pass().errors == 2));
}
