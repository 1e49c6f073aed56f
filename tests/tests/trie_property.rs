//! The token trie changes the work, never the scores: every sequence gets what it gets alone.
//!
//! What is expected comes from plain left-to-right passes, one sequence at a time, that know no trie. Cases
//! are seeded: a failure comes back on every machine.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rescorer::scoring::{PreparedList, Scorer, TextCasing, TextScore, TokenTrie};
use rescorer::{NBest, ScoringConfig};
use rescorer_models::{DeviceRequest, LanguageModel, TreeBatch};
use rescorer_tests::{chain, chain_log_probs, load_tiny, relative};

/// f32 sums in another order: other rows in a matrix product, other keys beside masked ones in a softmax.
const RELATIVE: f64 = 1e-4;

/// Takes a second or two in all.
const CASES: u32 = 64;

static MODEL: LazyLock<Arc<LanguageModel>> =
    LazyLock::new(|| Arc::new(load_tiny("tiny-llama.gguf", DeviceRequest::Cpu)));

const BOS: u32 = 0;
const EOS: u32 = 1;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: CASES,
        rng_seed: RngSeed::Fixed(20_240_229),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Texts that share beginnings often: few words, some of them odd. The empty text is among them.
fn text() -> impl Strategy<Value = String> {
    const WORDS: &[&str] =
        &["the", "cat", "sat", "on", "that", "hat", "I'd", "1984", "", "東京", "<|end|>", "Cat"];
    prop::collection::vec(prop::sample::select(WORDS), 0..7).prop_map(|words| words.join(" "))
}

fn list(longest: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 1..longest)
}

/// Token sequences from so small an alphabet that prefixes coincide; EOS and BOS are tokens like others.
fn sequences() -> impl Strategy<Value = Vec<Vec<u32>>> {
    const TOKENS: &[u32] = &[BOS, EOS, 2, 77, 287];
    prop::collection::vec(prop::collection::vec(prop::sample::select(TOKENS), 0..8), 1..16)
}

fn convention() -> impl Strategy<Value = ScoringConfig> {
    (any::<bool>(), any::<bool>(), prop::option::of(0..288u32)).prop_map(|(eos, mean, bos)| ScoringConfig {
        bos,
        eos,
        mean,
        ..ScoringConfig::default()
    })
}

fn scorer(convention: ScoringConfig) -> Scorer {
    Scorer::new(MODEL.clone(), convention).unwrap()
}

fn close(found: &[f32], expected: &[f32]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        prop_assert!(relative(f64::from(*found), f64::from(*expected)) <= RELATIVE, "{found} for {expected}");
    }
    Ok(())
}

fn close_scores(found: &[TextScore], expected: &[TextScore]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        prop_assert_eq!(&found.tokens, &expected.tokens);
        close(&found.log_probs, &expected.log_probs)?;
        prop_assert!(relative(found.lm_score, expected.lm_score) <= RELATIVE, "{found:?} for {expected:?}");
    }
    Ok(())
}

/// The score of a text by the definition in the convention, from a pass without a trie.
fn by_definition(convention: &ScoringConfig, text: &str) -> TextScore {
    let mut tokens = MODEL.tokenizer().encode(text).unwrap();
    tokens.extend(convention.eos.then_some(EOS));
    let mut ids = vec![convention.bos.unwrap_or(BOS)];
    ids.extend(&tokens);
    let log_probs = if tokens.is_empty() { Vec::new() } else { chain_log_probs(&MODEL, &ids) };
    let sum: f64 = log_probs.iter().map(|&value| f64::from(value)).sum();
    let lm_score = if convention.mean && !tokens.is_empty() { sum / tokens.len() as f64 } else { sum };
    TextScore { tokens, log_probs, lm_score }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_list_scores_as_its_texts_alone(texts in list(10), convention in convention()) {
        let nbest = NBest::from_texts(texts.clone()).unwrap();
        let scores = scorer(convention).score_list(&nbest).unwrap();
        for (text, distinct) in texts.iter().zip(scores.distinct.listed()) {
            close_scores(&scores.scores[*distinct..][..1], &[by_definition(&convention, text)])?;
        }
    }

    #[test]
    fn a_node_budget_changes_no_value(sequences in sequences(), budget in 1..20usize, eos in any::<bool>()) {
        let eos = eos.then_some(EOS);
        let mut seen = vec![0; sequences.len()];
        for trie in TokenTrie::build(&sequences, BOS, eos, budget) {
            let mut batch = TreeBatch::default();
            trie.push_to(&mut batch);
            let values = MODEL.edge_log_probs(&batch).unwrap();
            prop_assert_eq!(values.len(), trie.edges());
            let longest = trie.paths().iter().map(|(index, _)| sequences[*index].len() + 1).max().unwrap();
            prop_assert!(trie.nodes() <= budget.max(longest), "{} nodes for {budget}", trie.nodes());
            for (index, path) in trie.paths() {
                seen[*index] += 1;
                let mut ids = vec![BOS];
                ids.extend(&sequences[*index]);
                ids.extend(eos);
                let found: Vec<f32> = path.iter().map(|&edge| values[edge as usize]).collect();
                let expected = if ids.len() == 1 { Vec::new() } else { chain_log_probs(&MODEL, &ids) };
                close(&found, &expected)?;
            }
        }
        prop_assert_eq!(seen, vec![1; sequences.len()], "every sequence has one path");
    }

    #[test]
    fn lists_scored_together_score_as_alone(lists in prop::collection::vec(list(6), 1..5), convention in convention()) {
        let scorer = scorer(convention);
        let lists: Vec<NBest> = lists.into_iter().map(|texts| NBest::from_texts(texts).unwrap()).collect();
        let prepared: Vec<PreparedList> =
            lists.iter().map(|list| scorer.prepare("u", list).unwrap()).collect();
        let alone: usize = prepared.iter().map(|list| list.nodes()).sum();
        let together = scorer.score(prepared).unwrap();
        prop_assert!(together.nodes <= alone);
        let together = together.lists;
        prop_assert_eq!(together.len(), lists.len());
        for (together, list) in together.iter().zip(&lists) {
            let alone = scorer.score_list(list).unwrap();
            prop_assert_eq!(&together.distinct, &alone.distinct);
            close_scores(&together.scores, &alone.scores)?;
        }
    }

    /// Trees before and behind, of any length, are not seen.
    #[test]
    fn batch_mates_are_inert(text in text(), mates in sequences()) {
        let mut ids = vec![BOS];
        ids.extend(MODEL.tokenizer().encode(&text).unwrap());
        ids.push(EOS);
        let mut batch = TreeBatch::default();
        let (before, behind) = mates.split_at(mates.len() / 2);
        let push = |batch: &mut TreeBatch, mate: &Vec<u32>| chain(batch, &[&[BOS], mate.as_slice(), &[EOS]].concat());
        before.iter().for_each(|mate| push(&mut batch, mate));
        let start = batch.edges().len();
        chain(&mut batch, &ids);
        let end = batch.edges().len();
        behind.iter().for_each(|mate| push(&mut batch, mate));
        let values = MODEL.edge_log_probs(&batch).unwrap();
        close(&values[start..end], &chain_log_probs(&MODEL, &ids))?;
    }

    /// Texts that are equal, or become equal for the model, have the very same score.
    #[test]
    fn repeats_score_equal(texts in list(6)) {
        let texts: Vec<String> = texts.iter().flat_map(|text| [text.to_lowercase(), text.to_uppercase(), text.clone()]).collect();
        let nbest = NBest::from_texts(texts.clone()).unwrap();
        let scores = scorer(ScoringConfig { lm_text: TextCasing::Lower, ..ScoringConfig::default() }).score_list(&nbest).unwrap();
        for same in scores.distinct.listed().chunks(3) {
            let same: Vec<&TextScore> = same.iter().map(|&distinct| &scores.scores[distinct]).collect();
            prop_assert!(same.iter().all(|score| *score == same[0]), "{same:?}");
        }
    }
}

#[test]
fn the_empty_text_scores_its_end_or_nothing() {
    let empty = NBest::from_texts([""]).unwrap();
    for (eos, mean) in [(true, false), (true, true), (false, false), (false, true)] {
        let scores = scorer(ScoringConfig { eos, mean, ..ScoringConfig::default() })
            .score_list(&empty)
            .unwrap()
            .scores;
        let expected = if eos { f64::from(chain_log_probs(&MODEL, &[BOS, EOS])[0]) } else { 0.0 };
        assert_eq!((scores.len(), scores[0].lm_score), (1, expected), "eos {eos}, mean {mean}");
        assert_eq!(scores[0].tokens.len(), usize::from(eos));
    }
}

/// Lists whose nodes do not fit one forward pass: hypotheses near the end of the context.
#[test]
fn several_forward_passes_score_as_one() {
    let texts: Vec<String> = (0..14).map(|first| format!("{first} {}", "xy ".repeat(38))).collect();
    let nbest = NBest::from_texts(texts.clone()).unwrap();
    let convention = ScoringConfig::default();
    let scorer = scorer(convention);
    let nodes = scorer.prepare("u", &nbest).unwrap().nodes();
    assert!(nodes > 1024, "{nodes} nodes are one pass");
    let scores = scorer.score_list(&nbest).unwrap();
    let expected: Vec<TextScore> = texts.iter().map(|text| by_definition(&convention, text)).collect();
    close_scores(&scores.scores, &expected).unwrap();
}

/// The longest text that fits is scored; one token more is refused with the numbers.
#[test]
fn the_context_is_used_to_its_end() {
    let fits = "x".repeat(MODEL.context_len() - 2);
    let scorer = scorer(ScoringConfig::default());
    let score = scorer.score_list(&NBest::from_texts([fits.clone()]).unwrap()).unwrap();
    assert_eq!(score.scores[0].tokens.len(), MODEL.context_len() - 1);
    let error = scorer.score_list(&NBest::from_texts([format!("{fits}x")]).unwrap()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("129 tokens") && message.contains("context is 128"), "{message}");
    assert!(message.contains("position 0") && error.is_recoverable(), "{message}");
}
