//! A context is read before every hypothesis and not scored; however a list is computed, it is the same.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use rescorer::scoring::{Adapter, Deadline, PreparedList, Ranking, Scorer, SecondPass, TextCasing};
use rescorer::{Fusion, NBest, ScoringConfig, Utterance};
use rescorer_lora::LoraAdapter;
use rescorer_models::{DeviceRequest, Edge, LanguageModel, TreeBatch};
use rescorer_tests::{fixture, load_tiny};

/// f32 sums in another order.
const CLOSE: f64 = 1e-4;

const TEXTS: [&str; 5] = ["the cat sat on the mat", "the cat sat on the hat", "the cat", "", "the cat sat"];

fn scorer(convention: ScoringConfig) -> Scorer {
    Scorer::new(Arc::new(load_tiny("tiny-llama.gguf", DeviceRequest::Cpu)), convention).unwrap()
}

fn list() -> NBest {
    NBest::from_texts(TEXTS).unwrap()
}

fn adapter(model: &LanguageModel) -> Arc<dyn Adapter> {
    LoraAdapter::read(&fixture("tiny-lora")).unwrap().attach(model).unwrap()
}

/// `Σ ln p` of a text and EOS after BOS and a context, in a pass of its own.
fn alone(model: &LanguageModel, context: &str, text: &str, adapter: Option<Arc<dyn Adapter>>) -> f64 {
    let tokenizer = model.tokenizer();
    let before = if context.is_empty() { vec![] } else { tokenizer.encode(&format!("{context}\n")).unwrap() };
    let text = tokenizer.encode(text).unwrap();
    let tokens: Vec<u32> =
        tokenizer.bos().into_iter().chain(before.iter().copied()).chain(text.iter().copied()).collect();
    let scored = text.into_iter().chain(tokenizer.eos());
    let edges: Vec<Edge> =
        scored.zip(before.len() as u32..).map(|(token, node)| Edge { node, token }).collect();
    let mut batch = TreeBatch::default();
    batch.set_adapter(adapter);
    batch.push_chain(&tokens, &edges);
    model.edge_log_probs(&batch).unwrap().into_iter().map(f64::from).sum()
}

#[test]
fn a_hypothesis_is_scored_after_its_context() {
    let scorer = scorer(ScoringConfig::default());
    let adapter = adapter(scorer.model());
    // Of one token, of many, and none; twice, the second time from what was kept.
    let contexts = ["a", "the mat is on that hat", " \t", "the mat is on that hat", "a"];
    let prepare = |context: &str, adapter: Option<&Arc<dyn Adapter>>| {
        scorer.prepare_in_context("u", &list(), context).unwrap().with_adapter(adapter.cloned())
    };
    let kinds = contexts.iter().flat_map(|context| [(*context, None), (*context, Some(&adapter))]);
    let lists: Vec<PreparedList> =
        kinds.clone().map(|(context, adapter)| prepare(context, adapter)).collect();
    let together = scorer.score(lists).unwrap().lists;
    for ((context, adapter), scores) in kinds.zip(together) {
        for (text, score) in TEXTS.iter().zip(&scores.scores) {
            let expected = alone(scorer.model(), context.trim(), text, adapter.cloned());
            assert!((score.lm_score - expected).abs() < CLOSE, "{context:?} {text:?}: {score:?}, {expected}");
            assert_eq!(score.log_probs.len(), score.tokens.len());
        }
    }
    let differs = |a: &str, b: &str| {
        let score = |context| alone(scorer.model(), context, TEXTS[0], None);
        (score(a) - score(b)).abs() > 0.1
    };
    assert!(differs("", "a") && differs("a", "the mat is on that hat"), "the model looks back");
}

/// By search, by a deadline that never comes, and with the context computed before the list is there.
#[test]
fn every_way_to_decide_reads_the_context() {
    for lm_weight in [0.05, 1.0] {
        let fusion = Fusion { lm_weight, length_bonus: 0.3, margin: 0.0 };
        let rescorer = SecondPass::new(scorer(ScoringConfig::default()), fusion);
        let scorer = rescorer.scorer();
        scorer.prepare_context("that hat").unwrap();
        let lists: Vec<PreparedList> = ["that hat", "", "a", "that hat"]
            .iter()
            .map(|context| scorer.prepare_in_context("u", &list(), context).unwrap())
            .collect();
        let scored = scorer.score(lists.clone()).unwrap();
        let chosen = rescorer.choose(lists.clone()).unwrap();
        assert!(chosen.nodes <= scored.nodes);
        for ((scores, choice), list_) in scored.lists.iter().zip(&chosen.choices).zip(&lists) {
            let expected = Ranking::new(&list(), scores, fusion).unwrap().choice();
            let within =
                rescorer.choose_within(list_, &mut Deadline::new(Duration::from_secs(3600))).unwrap();
            assert!(within.nodes <= list_.nodes());
            for found in [choice.clone(), within.choice.unwrap()] {
                assert_eq!(found.position, expected.position);
                let apart = (found.total.unwrap() - expected.total.unwrap()).abs();
                assert!(apart < CLOSE, "{found:?} {expected:?}");
            }
        }
    }
}

#[test]
fn an_utterance_brings_its_context() {
    let scorer = scorer(ScoringConfig { lm_text: TextCasing::Lower, ..ScoringConfig::default() });
    let score = |context: Option<&str>| {
        let utterance = Utterance { context: context.map(str::to_owned), ..Utterance::new("u1", list()) };
        scorer.score(vec![scorer.prepare_utterance(&utterance).unwrap()]).unwrap().lists.remove(0).scores
    };
    assert_eq!(score(None), score(Some("")));
    assert_eq!(score(Some("That HAT")), score(Some("that hat")), "what is done to texts is done to contexts");
    assert_ne!(score(None), score(Some("that hat")));
}

#[test]
fn a_context_that_leaves_no_room_is_refused() {
    let scorer = scorer(ScoringConfig::default());
    let long = "the cat sat on the mat ".repeat(scorer.model().context_len());
    let error = scorer.prepare_in_context("u7", &list(), &long).unwrap_err().to_string();
    for part in ["u7", "position 0, with its context", "shorten it"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(scorer.prepare_context(&long).unwrap_err().to_string().contains("the context"));
}
