//! Every way to ask for an answer gives that of the policy's rule.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use rescorer::{
    AdapterSet, Choice, Convention, Deadline, Decision, DecisionRule, Error, Fusion, Hypothesis,
    LanguageModel, ModelIdentity, NBest, Normalization, Policy, Rescored, Rescorer, Scorer, TunedOn,
    Utterance,
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

/// A rescorer by a policy, whose weight of the model is so small that the shares stay as they are.
fn by_policy(model: &Arc<LanguageModel>, rule: DecisionRule, lm_weight: f64) -> Rescorer {
    let identity = ModelIdentity { name: "tiny".into(), fingerprint: model.fingerprint().into() };
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let fusion = Fusion { lm_weight, length_bonus: 0.0, margin: 0.0 };
    let policy = Policy::new(Normalization::None, fusion, Convention::default(), identity, None, tuned_on)
        .with_decision(Decision { rule, ..Decision::default() }, None);
    Rescorer::from_policy(model.clone(), AdapterSet::default(), &policy).unwrap()
}

/// The answers that a rescorer gives for a list, by every way there is.
fn answers(rescorer: &Rescorer, list: &NBest) -> Vec<(usize, String)> {
    let utterance = Utterance::new("u", list.clone());
    let input = || [Ok::<_, Error>(utterance.clone())];
    let whole = |answer: &Rescored| (answer.best().position, answer.text().to_owned());
    let chosen = |choice: &Choice| (choice.position, choice.text(list).to_owned());
    let scores = rescorer.scorer().score_list(list).unwrap();
    let prepared =
        [rescorer.prepare_utterance(&utterance).unwrap(), rescorer.scorer().prepare("u", list).unwrap()];
    let mut found = vec![
        whole(&rescorer.rescore(list).unwrap()),
        whole(&rescorer.rescore_utterance(&utterance).unwrap()),
        whole(&rescorer.decide(list, &scores).unwrap()),
        chosen(&rescorer.decide(list, &scores).unwrap().choice()),
    ];
    found.extend(rescorer.choose(prepared.to_vec()).unwrap().choices.iter().map(chosen));
    for immediate in [true, false] {
        let streamed = rescorer.rescore_stream(input(), immediate).map(|item| whole(&item.unwrap().1));
        found.extend(streamed);
        found.extend(rescorer.choose_stream(input(), immediate).map(|item| chosen(&item.unwrap().1)));
    }
    assert_eq!(found.len(), 10);
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
                let rescorer = by_policy(&model, rule, lm_weight);
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
        let within = |rule| {
            let rescorer = by_policy(&model, rule, lm_weight);
            let prepared = rescorer.scorer().prepare("u", &list).unwrap();
            let mut deadline = Deadline::new(Duration::from_secs(3600));
            rescorer.choose_within(&prepared, &mut deadline)
        };
        assert_eq!(within(DecisionRule::Maximum).unwrap().position(), 0);
        for rule in [DecisionRule::Mbr, DecisionRule::Merge] {
            let message = within(rule).unwrap_err().to_string();
            assert!(
                message.contains(&format!("by {rule}")) && message.contains("without a deadline"),
                "{message}"
            );
            let rescorer = by_policy(&model, rule, lm_weight);
            let input = [Ok::<_, Error>(Utterance::new("u", list.clone()))];
            let mut stream = rescorer.choose_within_stream(input, Deadline::new(Duration::from_secs(3600)));
            assert!(matches!(stream.next(), Some(Err(Error::DeadlineOfRule { .. }))));
            assert!(stream.next().is_none());
        }
    }
}

#[test]
fn gates_hold_in_the_fast_search_too() {
    let model = load("tiny-llama");
    let fusion = Fusion { lm_weight: 1e-9, length_bonus: 0.0, margin: 0.0 };
    let with = |fusion, decision| {
        let scorer = Scorer::new(model.clone(), Convention::default()).unwrap();
        Rescorer::new(scorer, fusion).with_decision(decision, None, Normalization::None)
    };
    let mbr = Decision { rule: DecisionRule::Mbr, mbr_margin: 0.21, ..Decision::default() };
    let merge = Decision { rule: DecisionRule::Merge, merge_margin: 0.25, ..Decision::default() };
    for decision in [mbr, merge] {
        for found in answers(&with(fusion, decision), &list(&LIST)) {
            assert_eq!(found, (0, "a x c".to_owned()), "{decision:?}: 0.2 are saved, and `b` leads by 0.2");
        }
    }
    // The second leads by ln 2 = 0.693.
    let listed = list(&[("a", 0.25), ("b", 0.5)]);
    for (margin, position) in [(0.6, 1), (0.7, 0)] {
        for (found, _) in answers(&with(Fusion { margin, ..fusion }, Decision::default()), &listed) {
            assert_eq!(found, position, "margin {margin}");
        }
    }
}
