//! Lists whose answer hangs on no score of the model: nothing is computed for them, and nothing of them need fit the model.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use rescorer::fusion::{CascadePolicy, ModelIdentity};
use rescorer::scoring::{AdapterSet, Cascade, Deadline, LanguageModel, Need, Scorer, SecondPass};
use rescorer::{Error, Fusion, Hypothesis, NBest, Request, Rescorer, ScoringConfig, Utterance};
use rescorer_models::DeviceRequest;
use rescorer_tests::load_tiny;

fn load(name: &str) -> Arc<LanguageModel> {
    Arc::new(load_tiny(name, DeviceRequest::Cpu))
}

fn rescorer(name: &str, lm_weight: f64, length_bonus: f64) -> SecondPass {
    let scorer = Scorer::new(load(name), ScoringConfig::default()).unwrap();
    SecondPass::new(scorer, Fusion { lm_weight, length_bonus, margin: 0.0 })
}

fn door(name: &str, lm_weight: f64, length_bonus: f64) -> Rescorer {
    let weights = Fusion { lm_weight, length_bonus, margin: 0.0 };
    Rescorer::builder(load(name)).weights(weights).build().unwrap()
}

fn list(id: &str, texts: &[(&str, f64)]) -> Utterance {
    let hypotheses = texts.iter().map(|(text, score)| Hypothesis::scored(*text, *score));
    Utterance::new(id, NBest::new(hypotheses.collect()).unwrap())
}

/// More tokens than the models' context has.
fn long(word: &str) -> String {
    format!("{word} ").repeat(3000)
}

#[test]
fn one_distinct_text_is_its_own_answer() {
    let (long, context) = (long("talk"), long("before"));
    let alone = Utterance { context: Some(context), ..list("long", &[(&long, -7.0)]) };
    let lists = [list("twice", &[("the cat", -2.0), ("the cat", -1.0)]), alone, list("empty", &[("", -3.0)])];
    for name in ["tiny-llama", "tiny-bert"] {
        for (lm_weight, length_bonus) in [(0.5, 0.0), (-0.5, 1.0), (0.0, 2.0)] {
            let rescorer = rescorer(name, lm_weight, length_bonus);
            for utterance in &lists {
                let prepared = rescorer.prepare_utterance(utterance).unwrap();
                assert_eq!((prepared.nodes(), prepared.unique()), (0, 1));
                let chosen = rescorer.choose(vec![prepared.clone()]).unwrap();
                assert_eq!(chosen.nodes, 0);
                let choice = &chosen.choices[0];
                assert_eq!(
                    (choice.position, choice.lm_score, choice.changed(&utterance.nbest)),
                    (0, None, false)
                );
                let answer = rescorer.rescore_utterance(utterance).unwrap();
                assert_eq!(
                    (answer.text(), answer.confidence()),
                    (utterance.nbest.first().text.as_str(), 1.0)
                );
                assert!(answer.words().iter().all(|word| word.confidence == 1.0));
                assert_eq!(answer.choice(), *choice);
                let words = utterance.nbest.first().text.split_whitespace().count() as f64;
                let total = (lm_weight == 0.0).then_some(choice.first_pass + length_bonus * words);
                assert_eq!(
                    choice.total, total,
                    "without the model's score a total is known at weight 0 alone"
                );
                let within = rescorer.choose_within(&prepared, &mut Deadline::new(Duration::ZERO)).unwrap();
                assert_eq!((within.choice.as_ref(), within.nodes), (Some(choice), 0));
                assert!(within.is_complete(), "no time is needed");
            }
            let best = rescorer.rescore_utterance(&lists[0]).unwrap();
            assert_eq!(best.best().first_pass, -1.0, "the better of the copies");
            assert_eq!(best.listed().len(), 2);
        }
    }
}

#[test]
fn at_weight_zero_first_pass_and_length_bonus_decide() {
    let (one, other) = (long("talk"), long("walk"));
    let lists = [
        list("best first", &[("a", -1.0), ("b c d", -2.0)]),
        list("costs", &[("a", -5.0), ("b c", -4.0), ("a", -1.5)]),
        list("long", &[(&one, -1.0), (&other, -2.0)]),
    ];
    for (length_bonus, expected) in [(0.0, [0, 0, 0]), (0.75, [1, 0, 0]), (-4.0, [0, 0, 0])] {
        for name in ["tiny-llama", "tiny-bert"] {
            let rescorer = door(name, 0.0, length_bonus);
            let requests = || lists.clone().map(|list| Request::from(list).text_only());
            let mut answers = rescorer.rescore_many(requests());
            let found: Vec<usize> = answers.by_ref().map(|answer| answer.unwrap().base_position()).collect();
            assert_eq!(found, expected, "{name}, {length_bonus}");
            let stats = answers.stats();
            assert_eq!((stats.utterances, stats.asked, stats.nodes, stats.trie_nodes), (3, 0, 0, 0));
            let requests = lists.clone().map(|list| Request::from(list).with_list());
            let mut answers = rescorer.rescore_many(requests).immediate();
            for (answer, expected) in answers.by_ref().zip(expected) {
                let answer = answer.unwrap();
                assert_eq!((answer.position(), answer.nodes()), (Some(expected), 0));
                for one in answer.hypotheses() {
                    let words = one.text.split_whitespace().count() as f64;
                    assert_eq!(
                        (one.lm_score, one.total),
                        (None, Some(one.first_pass + length_bonus * words))
                    );
                }
                let record = serde_json::to_value(&answer).unwrap();
                assert!(
                    record["hypotheses"][0]["lm_score"].is_null()
                        && record["hypotheses"][0]["total"].is_f64()
                );
            }
            assert_eq!(answers.stats().nodes, 0);
        }
    }
}

#[test]
fn a_list_with_rivals_that_is_too_long_is_refused_where_the_model_decides() {
    let lists = || {
        [list("alone", &[("a", 0.0)]), list("two", &[(&long("talk"), -1.0), ("b", -2.0)])].map(Ok::<_, Error>)
    };
    let rescorer = door("tiny-llama", 0.3, 0.0);
    let mut answers = rescorer.rescore_many(lists());
    assert_eq!(answers.next().unwrap().unwrap().position(), Some(0));
    let message = answers.next().unwrap().unwrap_err().to_string();
    assert!(message.contains("utterance \"two\", position 0") && message.contains("context is"), "{message}");
}

#[test]
fn tuning_asks_about_lists_with_rivals_alone() {
    let scorer = Scorer::new(load("tiny-llama"), ScoringConfig::default()).unwrap();
    let lists =
        || [list("one", &[("a", 0.0)]), list("two", &[("a b", -1.0), ("b", -2.0)])].map(Ok::<_, Error>);
    let mut by_need = [Need::Scores, Need::Answers, Need::Nothing].map(|need| {
        let mut stream = scorer.score_stream_as(need, lists(), false);
        let scored: Vec<bool> = stream.by_ref().map(|item| item.unwrap().1.is_scored()).collect();
        (scored, stream.stats().asked, stream.stats().nodes > 0)
    });
    by_need.reverse();
    let [nothing, answers, scores] = by_need;
    assert_eq!(scores, (vec![true, true], 2, true));
    assert_eq!(answers, (vec![false, true], 1, true));
    assert_eq!(nothing, (vec![false, false], 0, false));
}

#[test]
fn scores_that_were_never_computed_are_not_taken_for_zero() {
    let (without, with) = (rescorer("tiny-llama", 0.0, 0.0), rescorer("tiny-llama", 0.5, 0.0));
    let utterance = list("u", &[("a b", -1.0), ("b", -2.0)]);
    let prepared = without.prepare_utterance(&utterance).unwrap();
    let scores = without.score(vec![prepared.clone()]).unwrap().lists.remove(0);
    assert_eq!(without.decide(&utterance.nbest, &scores).unwrap().best().position, 0);
    let messages = [
        with.decide(&utterance.nbest, &scores).unwrap_err(),
        with.score(vec![prepared.clone()]).unwrap_err(),
        with.choose(vec![prepared.clone()]).unwrap_err(),
        with.choose_within(&prepared, &mut Deadline::new(Duration::ZERO)).unwrap_err(),
        with.explain(&utterance, &scores, 0, 1).unwrap_err(),
    ];
    for message in messages.map(|error| error.to_string()) {
        assert!(
            message.contains("lacks scores or features; prepare it with the rescorer that answers it"),
            "{message}"
        );
    }
}

#[test]
fn of_two_rescorers_each_is_asked_where_it_decides() {
    let (encoder, decoder) = (load("tiny-bert"), load("tiny-llama"));
    let lists = [list("two", &[("the cat", -1.0), ("the hat", -1.5)]), list("one", &[("a", -4.0)])];
    let identity = ModelIdentity { name: "tiny".into(), fingerprint: encoder.fingerprint().into() };
    // Weights of the earlier and of the later rescorer, the threshold, and whether each of them computes.
    for (earlier, later, threshold) in [
        (0.0, 0.0, None),
        (0.3, 0.0, None),
        (0.0, 0.2, None),
        (0.3, 0.2, None),
        (0.0, 0.2, Some(0.1)),
        (0.3, 0.2, Some(0.0)),
    ] {
        let fusion = |lm_weight| Fusion { lm_weight, length_bonus: 0.0, margin: 0.0 };
        let policy = CascadePolicy {
            share: 0.5,
            threshold,
            fusion: fusion(earlier),
            convention: ScoringConfig::default(),
            model: identity.clone(),
            adapter: None,
        };
        let pass = Cascade::new(encoder.clone(), AdapterSet::default(), &policy).unwrap();
        let scorer = Scorer::new(decoder.clone(), ScoringConfig::default()).unwrap().behind(pass);
        let rescorer = SecondPass::new(scorer, fusion(later));
        let prepared = lists.iter().map(|list| rescorer.prepare_utterance(list).unwrap()).collect();
        let scored = rescorer.score(prepared).unwrap();
        let decide = |at: usize| rescorer.decide(&lists[at].nbest, &scored.lists[at]).unwrap();
        let [two, one] = [decide(0), decide(1)];
        let computes = earlier != 0.0 || (later != 0.0 && threshold.is_none());
        assert_eq!(scored.nodes > 0, computes, "{earlier} {later} {threshold:?}");
        assert_eq!(
            two.best().lm_score.is_some(),
            (later != 0.0 && threshold.is_none()) || (earlier != 0.0 && threshold.is_some())
        );
        assert!(two.best().total.is_some());
        assert_eq!((one.best().lm_score, one.best().first_pass, one.confidence()), (None, -4.0, 1.0));
        assert_eq!(rescorer.rescore_utterance(&lists[1]).unwrap(), one);
        assert_eq!(rescorer.choose(vec![rescorer.prepare_utterance(&lists[1]).unwrap()]).unwrap().nodes, 0);
    }
}
