//! The search that skips work picks the winner that all scores give, and does skip work.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rescorer::fusion::{Feature, FeatureFusion, Weighting};
use rescorer::scoring::{Choice, Deadline, Ranking, Scorer, SecondPass};
use rescorer::{Fusion, Hypothesis, NBest, ScoringConfig};
use rescorer_models::{DeviceRequest, Edge, KeyValues, LanguageModel, TreeBatch};
use rescorer_tests::{load_tiny, relative};

/// f32 sums in another order: other rows in a matrix product.
const RELATIVE: f64 = 1e-4;

static MODEL: LazyLock<Arc<LanguageModel>> =
    LazyLock::new(|| Arc::new(load_tiny("tiny-llama.gguf", DeviceRequest::Cpu)));

fn rescorer(convention: ScoringConfig, weighting: impl Into<Weighting>) -> SecondPass {
    SecondPass::new(Scorer::new(MODEL.clone(), convention).unwrap(), weighting)
}

/// Winners and the nodes that they took; and by all scores, alone, and theirs.
fn both(rescorer: &SecondPass, lists: &[NBest]) -> (Vec<Choice>, usize, Vec<Choice>, usize) {
    let prepared: Vec<_> = lists.iter().map(|list| rescorer.scorer().prepare("u", list).unwrap()).collect();
    let scored = rescorer.scorer().score(prepared.clone()).unwrap();
    let expected = lists.iter().zip(&scored.lists);
    let expected =
        expected.map(|(list, scores)| Ranking::new(list, scores, rescorer.weighting()).unwrap().choice());
    let expected = expected.collect();
    let chosen = rescorer.choose(prepared).unwrap();
    (chosen.choices, chosen.nodes, expected, scored.nodes)
}

fn equal(found: &[Choice], expected: &[Choice]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((found.position, found.first_pass), (expected.position, expected.first_pass));
        // What nothing hangs on is not computed.
        for (value, expected) in [(found.lm_score, expected.lm_score), (found.total, expected.total)] {
            let is_close = value.is_none_or(|value| relative(value, expected.unwrap()) < RELATIVE);
            assert!(is_close, "{found:?} for {expected:?}");
        }
    }
}

/// Texts that share beginnings often, the empty one among them, with scores or without.
fn list() -> impl Strategy<Value = NBest> {
    const WORDS: &[&str] = &["the", "cat", "sat", "on", "that", "hat", "I'd", "1984", "", "東京", "Cat"];
    let text = prop::collection::vec(prop::sample::select(WORDS), 0..12).prop_map(|words| words.join(" "));
    let scored = (prop::collection::vec((text, -60.0..0.0), 1..24), any::<bool>());
    scored.prop_map(|(hypotheses, has_scores)| {
        let hypotheses = hypotheses.into_iter().map(|(text, score)| match has_scores {
            true => Hypothesis::scored(text, score),
            false => Hypothesis::new(text),
        });
        NBest::new(hypotheses.collect()).unwrap()
    })
}

fn fusion() -> impl Strategy<Value = Fusion> {
    let weight = prop_oneof![Just(0.0), 0.001..0.1, 0.1..2.0, -0.5..0.0];
    let margin = prop_oneof![Just(0.0), 0.0..5.0];
    (weight, -2.0..2.0, margin).prop_map(|(lm_weight, length_bonus, margin)| Fusion {
        lm_weight,
        length_bonus,
        margin,
    })
}

fn features() -> impl Strategy<Value = FeatureFusion> {
    let weight = prop_oneof![Just(0.0), -2.0..2.0];
    prop::collection::vec(weight, Feature::COUNT)
        .prop_map(|weights| FeatureFusion::new(Feature::ALL.into_iter().zip(weights)))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        rng_seed: RngSeed::Fixed(20_261_124),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn winners_are_those_of_all_scores(
        lists in prop::collection::vec(list(), 1..8),
        fusion in fusion(),
        eos in any::<bool>(),
        mean in any::<bool>(),
    ) {
        let rescorer = rescorer(ScoringConfig { eos, mean, ..ScoringConfig::default() }, fusion);
        let (found, nodes, expected, all) = both(&rescorer, &lists);
        equal(&found, &expected);
        for (choice, list) in found.iter().zip(&lists) {
            let asked = fusion.lm_weight != 0.0 && list.unique().hypotheses().len() > 1;
            prop_assert_eq!(choice.lm_score.is_some(), asked);
            prop_assert_eq!(choice.total.is_some(), asked || fusion.lm_weight == 0.0);
        }
        prop_assert!(nodes <= all, "{nodes} of {all} nodes");
    }

    #[test]
    fn winners_by_features_are_those_of_all_scores(
        lists in prop::collection::vec(list(), 1..8),
        features in features(),
    ) {
        let rescorer = rescorer(ScoringConfig::default(), features);
        let (found, nodes, expected, all) = both(&rescorer, &lists);
        equal(&found, &expected);
        prop_assert!(nodes <= all, "{nodes} of {all} nodes");
    }
}

fn numbered(count: usize, step: f64, words: usize) -> NBest {
    let text = |n: usize| format!("{} {}", n % 7, format!("{n} ").repeat(words));
    NBest::new((0..count).map(|n| Hypothesis::scored(text(n), -step * n as f64)).collect()).unwrap()
}

/// Hypotheses whose first-pass score leaves them no chance cost nothing.
#[test]
fn what_cannot_win_is_not_computed() {
    let list = numbered(200, 10.0, 4);
    let rescorer =
        rescorer(ScoringConfig::default(), Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 });
    let (found, nodes, expected, all) = both(&rescorer, &[list]);
    equal(&found, &expected);
    assert!(nodes * 2 < all, "{nodes} of {all} nodes");
}

/// A list of several groups: more nodes than are kept together.
#[test]
fn a_list_that_is_too_large_for_a_group_has_the_same_winner() {
    for step in [0.0, 0.05, 1.0] {
        let list = numbered(160, step, 30);
        let rescorer =
            rescorer(ScoringConfig::default(), Fusion { lm_weight: 0.2, length_bonus: 0.1, margin: 0.1 });
        assert!(rescorer.scorer().prepare("u", &list).unwrap().nodes() > 2 * 2048);
        let (found, nodes, expected, all) =
            both(&rescorer, &[numbered(3, 1.0, 2), list, numbered(9, 1.0, 3)]);
        equal(&found, &expected);
        println!("step {step}: {nodes} of {all} nodes");
    }
}

/// A tree that grows in parts has the log-probabilities of the whole.
#[test]
fn a_growing_batch_continues_where_it_was() {
    let parents = [None, Some(0), Some(1), Some(0), Some(3), Some(2), Some(4), None, Some(7)];
    let tokens = [0, 5, 77, 200, 5, 9, 31, 0, 12];
    let edges = |node: usize| [11, 12, 250].map(|token| Edge { node: node as u32, token });
    let mut whole = TreeBatch::default();
    let (mut growing, mut past) = (TreeBatch::default(), KeyValues::default());
    let mut found = Vec::new();
    for part in [0..1, 1..4, 4..5, 5..9] {
        for node in part {
            for batch in [&mut whole, &mut growing] {
                batch.push_node(tokens[node], parents[node]);
                edges(node).into_iter().for_each(|edge| batch.push_edge(edge));
            }
        }
        found.extend(MODEL.continued_log_probs(&growing, &mut past).unwrap());
        assert_eq!((past.nodes(), past.edges()), (growing.len(), growing.edges().len()));
    }
    let expected = MODEL.edge_log_probs(&whole).unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(relative(f64::from(*found), f64::from(expected)) < RELATIVE, "{found} for {expected}");
    }
    assert!(MODEL.continued_log_probs(&growing, &mut past).unwrap().is_empty(), "nothing is new");
    let late = Edge { node: 1, token: 5 };
    growing.push_edge(late);
    let error = MODEL.continued_log_probs(&growing, &mut past).unwrap_err().to_string();
    assert!(error.contains("after its node was computed"), "{error}");
    let error = MODEL.continued_log_probs(&TreeBatch::default(), &mut past).unwrap_err().to_string();
    assert!(error.contains("has shrunk"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(11), ..ProptestConfig::default() })]

    /// Given time enough, a deadline changes nothing.
    #[test]
    fn a_long_deadline_gives_the_same_winner(list in list(), fusion in fusion()) {
        let rescorer = rescorer(ScoringConfig::default(), fusion);
        let (.., expected, _) = both(&rescorer, std::slice::from_ref(&list));
        let prepared = rescorer.scorer().prepare("u", &list).unwrap();
        let found = rescorer.choose_within(&prepared, &mut Deadline::new(Duration::from_secs(3600))).unwrap();
        prop_assert!(found.is_complete());
        equal(&[found.choice.unwrap()], &expected);
    }

    #[test]
    fn a_long_deadline_gives_the_same_winner_by_features(list in list(), features in features()) {
        let rescorer = rescorer(ScoringConfig::default(), features);
        let (.., expected, _) = both(&rescorer, std::slice::from_ref(&list));
        let prepared = rescorer.prepare_in_context("u", &list, "").unwrap();
        let found = rescorer.choose_within(&prepared, &mut Deadline::new(Duration::from_secs(3600))).unwrap();
        prop_assert!(found.is_complete());
        equal(&[found.choice.unwrap()], &expected);
    }
}

#[test]
fn without_time_the_first_pass_best_stays() {
    let fusion = Fusion { lm_weight: 1.0, length_bonus: 0.0, margin: 0.0 };
    let rescorer = rescorer(ScoringConfig::default(), fusion);
    let list = NBest::from_texts(["the cat sat on that hat", "the cat", "the"]).unwrap();
    let prepared = rescorer.scorer().prepare("u", &list).unwrap();
    let found = rescorer.choose_within(&prepared, &mut Deadline::new(Duration::ZERO)).unwrap();
    assert_eq!((found.position(), found.decided, found.hypotheses), (0, 0, 3));
    assert_eq!(found.choice, None);
    assert!(!found.is_complete());
}
