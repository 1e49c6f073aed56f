//! A GPU computes what the CPU computes. Software adapters count: any driver will do.
//!
//! Where there is no adapter at all the test says so and passes, unless `RESCORER_REQUIRE_GPU=1`.
#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use rescorer::scoring::{AdapterSet, EncoderScore, Scorer};
use rescorer::{NBest, ScoringConfig};
use rescorer_models::{DeviceRequest, Edge, LanguageModel, Precision, TreeBatch};
use rescorer_tests::{
    MaxDifference, TINY_ENCODERS, TINY_GPU_MODELS, adapter_with_head, chain, fixture, load_tiny, skipped,
    texts, write_wide_model,
};

/// f32 on both sides; shaders sum in another order and may fuse multiplication and addition.
const LOG_PROBS: f64 = 1e-4;

/// As [`LOG_PROBS`], where values of the residual stream reach 30.
const LAYERS: f64 = 1e-3;

/// As [`LOG_PROBS`], summed over the tokens of a sentence.
const SCORES: f64 = 5e-4;

/// Weights and inputs of products have 11 bits; sums, norms and the residual stream have 24. Log-probabilities of the
/// tiny models reach −15.
const F16_LOG_PROBS: f64 = 2e-2;

/// A model on the first adapter; `None`, and a line about it, where there is none.
fn on_gpu(path: &Path) -> Option<LanguageModel> {
    on_gpu_in(path, Precision::F32)
}

/// The same with another precision; also `None` where the adapter lacks it.
fn on_gpu_in(path: &Path, precision: Precision) -> Option<LanguageModel> {
    match LanguageModel::load(path, DeviceRequest::Gpu(None), precision) {
        Ok(model) => Some(model),
        Err(error @ rescorer_models::Error::Precision { .. }) => {
            skipped(&error.to_string());
            None
        }
        Err(error @ rescorer_models::Error::Device { .. }) => {
            let required = std::env::var("RESCORER_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "RESCORER_REQUIRE_GPU=1, but {error}");
            skipped(&format!("no adapter ({error})"));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn tiny_models_on_a_gpu_equal_the_cpu() {
    for name in TINY_GPU_MODELS {
        let Some(gpu) = on_gpu(&fixture(name)) else { return };
        println!("{name} on {}", gpu.device().description());
        assert!(!gpu.device().is_cpu());
        let cpu = load_tiny(name, DeviceRequest::Cpu);
        assert_eq!(cpu.fingerprint(), gpu.fingerprint(), "the device is no part of the model");
        let mut batch = TreeBatch::default();
        texts().iter().for_each(|text| chain(&mut batch, &text.ids));
        let mut layers = MaxDifference::new(format!("{name}, layers"));
        let states = |model: &LanguageModel| model.hidden_states(&batch).unwrap();
        for (layer, (found, expected)) in states(&gpu).iter().zip(&states(&cpu)).enumerate() {
            layers.add_all(found, expected, &format!("layer {layer}"));
        }
        let mut log_probs = MaxDifference::new(format!("{name}, log-probabilities"));
        let values = |model: &LanguageModel| model.edge_log_probs(&batch).unwrap();
        log_probs.add_all(&values(&gpu), &values(&cpu), "all texts");
        layers.check(LAYERS);
        log_probs.check(LOG_PROBS);
    }
}

/// The whole way, tries and several lists in one pass included.
#[test]
fn lists_on_a_gpu_equal_the_cpu() {
    let Some(gpu) = on_gpu(&fixture("tiny-llama.gguf")) else { return };
    let cpu = load_tiny("tiny-llama.gguf", DeviceRequest::Cpu);
    let lists = [
        vec!["the cat sat on the mat", "the cat sat on the hat", "the cat sat", "the cat sat on the mat"],
        vec![""],
        vec!["there is nothing in the weather", "their is nothing in the whether", "Zürich 東京 🙂"],
    ];
    let score = |model: LanguageModel| {
        let scorer = Scorer::new(Arc::new(model), ScoringConfig::default()).unwrap();
        let prepare = |(texts, context): (&Vec<&str>, &str)| {
            scorer.prepare_in_context("u", &NBest::from_texts(texts.clone()).unwrap(), context).unwrap()
        };
        let contexts = ["", "a", "the weather is there"];
        scorer.score(lists.iter().zip(contexts).map(prepare).collect()).unwrap().lists
    };
    let mut difference = MaxDifference::new("lists, log-probabilities");
    for (list, (found, expected)) in score(gpu).iter().zip(&score(cpu)).enumerate() {
        for (text, (found, expected)) in found.scores.iter().zip(&expected.scores).enumerate() {
            assert_eq!(found.tokens, expected.tokens);
            difference.add_all(&found.log_probs, &expected.log_probs, &format!("list {list}, text {text}"));
        }
    }
    difference.check(LOG_PROBS);
}

/// Every way of scoring, the head on top of an adapter.
#[test]
fn encoders_on_a_gpu_equal_the_cpu() {
    let list =
        NBest::from_texts(["the cat sat on the mat", "the cat", "their is nothing", "", "Zürich 東京 🙂"]);
    let list = list.unwrap();
    for name in TINY_ENCODERS {
        let Some(gpu) = on_gpu(&fixture(name)) else { return };
        let cpu = load_tiny(name, DeviceRequest::Cpu);
        let adapter = adapter_with_head(&cpu);
        let [gpu, cpu] = [gpu, cpu].map(Arc::new);
        for kind in [EncoderScore::Pll, EncoderScore::PllUnmasked, EncoderScore::Head] {
            let score = |model: &Arc<LanguageModel>| {
                let convention = ScoringConfig { encoder: Some(kind), ..ScoringConfig::default() };
                let adapters = match kind {
                    EncoderScore::Head => AdapterSet::one(adapter.attach(model).unwrap()),
                    EncoderScore::Pll | EncoderScore::PllUnmasked => AdapterSet::default(),
                };
                let scorer = Scorer::new(model.clone(), convention).unwrap().with_adapters(adapters);
                let scores = scorer.score_list(&list).unwrap().scores;
                scores.iter().map(|score| score.lm_score).collect::<Vec<f64>>()
            };
            let mut difference = MaxDifference::new(format!("{name}, {kind:?}, scores"));
            for (text, (found, expected)) in score(&gpu).iter().zip(score(&cpu)).enumerate() {
                difference
                    .add((found - expected).abs(), || format!("text {text}: {found}, expected {expected}"));
            }
            difference.check(SCORES);
        }
    }
}

/// Tokens on the borders of the head's chunks, from several nodes.
#[test]
fn a_large_vocabulary_on_a_gpu_equals_the_cpu() {
    let folder = tempfile::tempdir().unwrap();
    write_wide_model(folder.path());
    let Some(gpu) = on_gpu(folder.path()) else { return };
    let cpu = LanguageModel::load(folder.path(), DeviceRequest::Cpu, Precision::F32).unwrap();
    let tokens = [0, 4095, 4096, 8191, 8192, 8291];
    let edges: Vec<Edge> = (0..3).flat_map(|node| tokens.map(|token| Edge { node, token })).collect();
    let mut batch = TreeBatch::default();
    batch.push_tree(&[0, 8291, 4096], &[None, Some(0), Some(0)], &edges);
    let values = |model: &LanguageModel| model.edge_log_probs(&batch).unwrap();
    let mut difference = MaxDifference::new("large vocabulary, log-probabilities");
    difference.add_all(&values(&gpu), &values(&cpu), "edges");
    difference.check(LOG_PROBS);
}

#[test]
fn f16_scores_nearly_as_f32() {
    for name in TINY_GPU_MODELS {
        let Some(gpu) = on_gpu_in(&fixture(name), Precision::F16) else { return };
        assert_eq!(gpu.device().precision(), Precision::F16);
        let cpu = load_tiny(name, DeviceRequest::Cpu);
        let mut batch = TreeBatch::default();
        texts().iter().for_each(|text| chain(&mut batch, &text.ids));
        let values = |model: &LanguageModel| model.edge_log_probs(&batch).unwrap();
        let (found, expected) = (values(&gpu), values(&cpu));
        assert_ne!(found, expected, "16 bits leave traces");
        let mut difference = MaxDifference::new(format!("{name} in f16, log-probabilities"));
        difference.add_all(&found, &expected, "all texts");
        difference.check(F16_LOG_PROBS);
    }
}

/// What a batch is filled up with, and what stands beside a tree, changes nothing about the tree.
#[test]
fn a_tree_scores_alike_in_every_bucket() {
    let Some(gpu) = on_gpu(&fixture("tiny-llama")) else { return };
    let (mut alone, texts) = (TreeBatch::default(), texts());
    chain(&mut alone, &texts[0].ids);
    let expected = gpu.edge_log_probs(&alone).unwrap();
    for buckets in 1..4 {
        let mut batch = TreeBatch::default();
        chain(&mut batch, &texts[0].ids);
        for text in texts.iter().cycle() {
            if batch.len() + text.ids.len() > 64 * buckets {
                break;
            }
            chain(&mut batch, &text.ids);
        }
        let found = gpu.edge_log_probs(&batch).unwrap();
        let mut difference = MaxDifference::new(format!("among {} nodes", batch.len()));
        difference.add_all(&found[..expected.len()], &expected, "first text");
        difference.check(LOG_PROBS);
    }
}

/// Every size of batch is run, and held against the smallest.
#[test]
fn warming_up_passes_its_own_test() {
    let Some(gpu) = on_gpu(&fixture("tiny-llama-tied")) else { return };
    assert_eq!(gpu.node_budget(), 4096);
    gpu.warm_up().unwrap();
}
