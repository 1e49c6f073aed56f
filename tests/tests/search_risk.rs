//! A search that may lose a share of the answers loses no more, and computes less.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rescorer::fusion::{FusionKind, ModelIdentity, SearchSlack, SlackOfRisk, TunedOn, Weighting};
use rescorer::scoring::{Deadline, Scorer, SecondPass};
use rescorer::{
    Fusion, Hypothesis, NBest, Normalization, Policy, Rescorer, ScoringConfig, TuneOptions, Utterance,
};
use rescorer_models::{DeviceRequest, LanguageModel};
use rescorer_tests::load_tiny;

static MODEL: LazyLock<Arc<LanguageModel>> =
    LazyLock::new(|| Arc::new(load_tiny("tiny-llama.gguf", DeviceRequest::Cpu)));

const WEIGHTS: Fusion = Fusion { lm_weight: 1.0, length_bonus: 0.0, margin: 0.0 };

/// Lists whose hypotheses differ in one or two words, as those of recognisers do.
fn lists(count: usize, seed: u64) -> Vec<Utterance> {
    const WORDS: [&str; 10] = ["the", "cat", "sat", "on", "that", "hat", "turn", "left", "light", "house"];
    let mut random = StdRng::seed_from_u64(seed);
    let mut list = |number: usize| {
        let length = random.random_range(6..14);
        let best: Vec<&str> = (0..length).map(|_| *WORDS.choose(&mut random).unwrap()).collect();
        let mut hypotheses = vec![Hypothesis::scored(best.join(" "), -10.0)];
        for rank in 1..8 {
            let mut other = best.clone();
            for _ in 0..random.random_range(1..3) {
                let at = random.random_range(0..length);
                other[at] = *WORDS.choose(&mut random).unwrap();
            }
            hypotheses.push(Hypothesis::scored(other.join(" "), -10.0 - 0.5 * f64::from(rank)));
        }
        let nbest = NBest::new(hypotheses).unwrap();
        Utterance { reference: Some(best.join(" ")), ..Utterance::new(format!("u{number}"), nbest) }
    };
    (0..count).map(&mut list).collect()
}

fn second_pass(slack: f64) -> SecondPass {
    SecondPass::new(Scorer::new(MODEL.clone(), ScoringConfig::default()).unwrap(), WEIGHTS).with_slack(slack)
}

/// Positions of the winners, and the nodes that they took.
fn winners(second_pass: &SecondPass, lists: &[Utterance]) -> (Vec<usize>, usize) {
    let prepared = lists.iter().map(|list| second_pass.prepare_utterance(list).unwrap()).collect();
    let chosen = second_pass.choose(prepared).unwrap();
    (chosen.choices.iter().map(|choice| choice.position).collect(), chosen.nodes)
}

/// The slack that was fitted to lists.
fn fitted(lists: &[Utterance]) -> SearchSlack {
    let scorer = Scorer::new(MODEL.clone(), ScoringConfig::default()).unwrap();
    let options = TuneOptions { fusion: FusionKind::Classic, ..TuneOptions::default() };
    let judged: Vec<_> = lists
        .iter()
        .map(|list| {
            let scored = scorer.score(vec![scorer.prepare_utterance(list).unwrap()]).unwrap();
            options.judge(list, &scored.lists[0]).unwrap()
        })
        .collect();
    SearchSlack::fit(&judged, &Weighting::from(WEIGHTS), false)
}

#[test]
fn a_fitted_risk_holds_on_other_lists_and_saves_nodes() {
    let slack = fitted(&lists(400, 1));
    let others = lists(400, 2);
    let (exact, all_nodes) = winners(&second_pass(f64::INFINITY), &others);
    assert!(exact.iter().filter(|&&position| position > 0).count() > 50, "the model changes too little");
    let mut before = all_nodes;
    for risk in [0.005, 0.02, 0.1] {
        let (found, nodes) = winners(&second_pass(slack.of_risk(risk).unwrap()), &others);
        let differ = found.iter().zip(&exact).filter(|(found, exact)| found != exact).count() as f64;
        // Three standard deviations of a share among 400.
        let most = 400.0 * risk + 3.0 * (400.0 * risk).sqrt();
        assert!(differ <= most, "risk {risk}: {differ} of 400 differ");
        assert!(nodes <= before, "risk {risk}: {nodes} of {before} nodes");
        before = nodes;
    }
    assert!(10 * before < 9 * all_nodes, "{before} of {all_nodes} nodes");
}

#[test]
fn with_slack_enough_nothing_differs() {
    let lists = lists(60, 3);
    let exact = winners(&second_pass(f64::INFINITY), &lists);
    assert_eq!(winners(&second_pass(1e6), &lists), exact);
    let mut late = Deadline::new(Duration::from_secs(3600));
    for (list, &position) in lists.iter().zip(&exact.0) {
        let generous = second_pass(1e6);
        let found = generous.choose_within(&generous.prepare_utterance(list).unwrap(), &mut late).unwrap();
        assert_eq!(found.choice.unwrap().position, position);
    }
}

/// A policy with this slack.
fn policy(search: SearchSlack) -> Policy {
    let identity = ModelIdentity { name: "tiny".into(), fingerprint: MODEL.fingerprint().to_owned() };
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let config = ScoringConfig::default();
    Policy::new(Normalization::None, WEIGHTS, config, identity, None, tuned_on).with_search(search)
}

#[test]
fn tuning_says_what_a_risk_costs_and_the_file_keeps_it() {
    let rescorer = Rescorer::builder(MODEL.clone()).build().unwrap();
    let tuned = rescorer.tune(&lists(40, 4), TuneOptions::default()).unwrap();
    let fitted = tuned.search.fitted();
    assert_eq!(fitted.iter().map(|fitted| fitted.risk).collect::<Vec<_>>(), [0.05, 0.1], "of 40 lists");
    assert!(fitted.iter().all(|fitted| fitted.slack >= 0.0 && fitted.slack.is_finite()), "{fitted:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    tuned.write(&path).unwrap();
    assert_eq!(Policy::read(&path).unwrap(), tuned);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("version = 4") && text.contains("[[search]]"), "{text}");
}

#[test]
fn risks_that_nothing_was_fitted_for_are_refused() {
    let builder = |search: SearchSlack| Rescorer::builder(MODEL.clone()).policy_value(policy(search), "p");
    let refused = |builder: rescorer::RescorerBuilder| builder.build().err().unwrap().to_string();
    let known = || fitted(&lists(40, 5));
    assert!(builder(known()).search_risk(0.05).build().is_ok());
    assert!(builder(SearchSlack::default()).build().is_ok(), "no risk, no slack");
    assert!(refused(builder(SearchSlack::default()).search_risk(0.05)).contains("tune"));
    assert!(refused(builder(known()).search_risk(0.001)).contains("the least is 0.05"));
    for wrong in [-0.01, 0.2, f64::NAN] {
        assert!(refused(builder(known()).search_risk(wrong)).contains("0 to 0.1"), "{wrong}");
    }
    let by_hand = Rescorer::builder(MODEL.clone()).weights(WEIGHTS).search_risk(0.05);
    assert!(refused(by_hand).contains("exclude each other"));
    let SlackOfRisk { risk, .. } = known().fitted()[0];
    assert_eq!(risk, 0.05);
}
