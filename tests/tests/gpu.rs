//! A GPU computes what the CPU computes. Software adapters count: any driver will do.
//!
//! Where there is no adapter at all the test says so and passes, unless `RESCORER_REQUIRE_GPU=1`.
#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use rescorer::{Convention, NBest, Scorer};
use rescorer_models::{DeviceRequest, Edge, LanguageModel, Precision, TreeBatch};
use rescorer_tests::{
    MaxDifference, TINY_MODELS, chain, fixture, load_tiny, skipped, texts, write_wide_model,
};

/// f32 on both sides; shaders sum in another order and may fuse multiplication and addition.
const LOG_PROBS: f64 = 1e-4;

/// As [`LOG_PROBS`], where values of the residual stream reach 30.
const LAYERS: f64 = 1e-3;

/// A model on the first adapter; `None`, and a line about it, where there is none.
fn on_gpu(path: &Path) -> Option<LanguageModel> {
    match LanguageModel::load(path, DeviceRequest::Gpu(None), Precision::F32) {
        Ok(model) => Some(model),
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
    for (name, _) in TINY_MODELS {
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
        let scorer = Scorer::new(Arc::new(model), Convention::default()).unwrap();
        let prepare =
            |texts: &Vec<&str>| scorer.prepare("u", &NBest::from_texts(texts.clone()).unwrap()).unwrap();
        scorer.score(lists.iter().map(prepare).collect()).unwrap().lists
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
