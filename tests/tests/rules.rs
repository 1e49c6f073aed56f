//! Every way to ask for an answer gives that of the policy's rule.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use rescorer::fusion::{Decision, ModelIdentity, TunedOn};
use rescorer::scoring::{AdapterSet, Choice, Deadline, LanguageModel, Ranking, SecondPass};
use rescorer::{
    Answer, DecisionRule, Error, Fusion, Hypothesis, NBest, Normalization, Policy, Request, Rescorer,
    ScoringConfig, Utterance,
};
use rescorer_models::DeviceRequest;
use rescorer_tests::load_tiny;

/// Shares of the posterior. The first has the largest; expected word errors are 0.4 · 2 + 0.32 · 1 = 1.12 for the second and
/// 0.4 + 0.32 = 0.72 for the third, 0.32 · 2 + 0.28 = 0.92 for the first; `b` has 0.6 against 0.4, `c` 0.68 against 0.32.
const LIST: [(&str, f64); 3] = [("a x c", 0.4), ("a b d", 0.32), ("a b c", 0.28)];

/// One in which the vote gives what no hypothesis has: `two` by 0.6, `three` by 0.7, `four` by 0.7.
const VOTED: [(&str, f64); 3] =
    [("one two bree four", 0.4), ("one too three four", 0.3), ("one two three for", 0.3)];

fn list(of: &[(&str, f64)]) -> NBest {
    NBest::new(of.iter().map(|(text, share)| Hypothesis::scored(*text, share.ln())).collect()).unwrap()
}

fn load(name: &str) -> Arc<LanguageModel> {
    Arc::new(load_tiny(name, DeviceRequest::Cpu))
}

/// Weights that leave the shares nearly as they are.
fn weights(lm_weight: f64) -> Fusion {
    Fusion { lm_weight, length_bonus: 0.0, margin: 0.0 }
}

/// A rescorer by a policy, as applications build it and as it is inside.
fn by_policy(model: &Arc<LanguageModel>, decision: Decision, fusion: Fusion) -> (Rescorer, SecondPass) {
    let identity = ModelIdentity { name: "tiny".into(), fingerprint: model.fingerprint().into() };
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let policy = Policy::new(Normalization::None, fusion, ScoringConfig::default(), identity, None, tuned_on)
        .with_decision(decision, None);
    let inside = SecondPass::from_policy(model.clone(), AdapterSet::default(), &policy).unwrap();
    (Rescorer::builder(model.clone()).policy_value(policy, "p").build().unwrap(), inside)
}

fn of(rule: DecisionRule) -> Decision {
    Decision { rule, ..Decision::default() }
}

/// The answers for a list, by every way there is to ask.
fn answers((rescorer, inside): &(Rescorer, SecondPass), list: &NBest) -> Vec<(usize, String)> {
    let utterance = Utterance::new("u", list.clone());
    let whole = |answer: &Ranking| (answer.best().position, answer.text().to_owned());
    let chosen = |choice: &Choice| (choice.position, choice.text(list).to_owned());
    let scores = inside.scorer().score_list(list).unwrap();
    let prepared =
        [inside.prepare_utterance(&utterance).unwrap(), inside.scorer().prepare("u", list).unwrap()];
    let mut found = vec![
        whole(&inside.rescore(list).unwrap()),
        whole(&inside.rescore_utterance(&utterance).unwrap()),
        whole(&inside.decide(list, &scores).unwrap()),
        chosen(&inside.decide(list, &scores).unwrap().choice()),
    ];
    found.extend(inside.choose(prepared.to_vec()).unwrap().choices.iter().map(chosen));
    let requests = || {
        let request = || Request::from(list);
        [request(), request().text_only(), request().with_list()]
    };
    let answered = |answer: Answer| {
        // Words of several hypotheses have no position.
        let is_listed = list.hypotheses().get(answer.base_position()).unwrap().text == answer.text();
        assert_eq!(answer.position(), is_listed.then_some(answer.base_position()));
        (answer.base_position(), answer.text().to_owned())
    };
    found.extend(requests().map(|request| answered(rescorer.rescore(request).unwrap())));
    found.extend(rescorer.rescore_many(requests()).map(|answer| answered(answer.unwrap())));
    found.extend(rescorer.rescore_many(requests()).immediate().map(|answer| answered(answer.unwrap())));
    assert_eq!(found.len(), 15);
    found
}

#[test]
fn every_entry_point_answers_by_the_rule_of_the_policy() {
    for name in ["tiny-llama", "tiny-bert"] {
        let model = load(name);
        for lm_weight in [0.0, 1e-9, -1e-9] {
            for (rule, expected, voted) in [
                (DecisionRule::Maximum, (0, "a x c"), (0, "one two bree four")),
                (DecisionRule::Mbr, (2, "a b c"), (0, "one two bree four")),
                (DecisionRule::Merge, (0, "a b c"), (0, "one two three four")),
            ] {
                let rescorer = by_policy(&model, of(rule), weights(lm_weight));
                for (of, (position, text)) in [(&LIST, expected), (&VOTED, voted)] {
                    for found in answers(&rescorer, &list(of)) {
                        assert_eq!(found, (position, text.to_owned()), "{name}, {lm_weight}, {rule}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_deadline_refuses_rules_that_need_all_scores() {
    let model = load("tiny-llama");
    for lm_weight in [0.0, 1e-9] {
        let list = list(&LIST);
        for rule in [DecisionRule::Maximum, DecisionRule::Mbr, DecisionRule::Merge] {
            let (rescorer, inside) = by_policy(&model, of(rule), weights(lm_weight));
            let request = || Request::from(&list).deadline(Duration::from_secs(3600));
            let prepared = inside.scorer().prepare("u", &list).unwrap();
            let within = inside.choose_within(&prepared, &mut Deadline::new(Duration::from_secs(3600)));
            if rule == DecisionRule::Maximum {
                assert_eq!(
                    (within.unwrap().position(), rescorer.rescore(request()).unwrap().position()),
                    (0, Some(0))
                );
                continue;
            }
            let message = within.unwrap_err().to_string();
            assert!(
                message.contains(&format!("by {rule}")) && message.contains("without a deadline"),
                "{message}"
            );
            let mut answers = rescorer.rescore_many([request(), request()]);
            assert!(matches!(answers.next(), Some(Err(Error::DeadlineOfRule { .. }))));
            assert!(answers.next().is_none());
        }
    }
}

#[test]
fn gates_hold_in_the_fast_search_too() {
    let model = load("tiny-llama");
    let fusion = Fusion { lm_weight: 1e-9, length_bonus: 0.0, margin: 0.0 };
    let mbr = Decision { rule: DecisionRule::Mbr, mbr_margin: 0.21, ..Decision::default() };
    let merge = Decision { rule: DecisionRule::Merge, merge_margin: 0.25, ..Decision::default() };
    for decision in [mbr, merge] {
        for found in answers(&by_policy(&model, decision, fusion), &list(&LIST)) {
            assert_eq!(found, (0, "a x c".to_owned()), "{decision:?}: 0.2 are saved, and `b` leads by 0.2");
        }
    }
    // The second leads by ln 2 = 0.693.
    let listed = list(&[("a", 0.25), ("b", 0.5)]);
    for (margin, position) in [(0.6, 1), (0.7, 0)] {
        for (found, _) in
            answers(&by_policy(&model, Decision::default(), Fusion { margin, ..fusion }), &listed)
        {
            assert_eq!(found, position, "margin {margin}");
        }
    }
}
