//! A real model against numbers of the reference implementation. Both are too large to commit.
//!
//! ```text
//! RESCORER_TEST_MODEL=SmolLM2-135M-Instruct.Q4_1.gguf RESCORER_TEST_GOLDEN=smollm2-135m-scores.json \
//!     cargo test -p rescorer-tests --test golden -- --ignored --nocapture
//! ```
//!
//! The model is what `rescorer models pull` fetches. The scores are `{"rows": [{text, ids, token_logprobs, total}]}`
//! with `ids = [BOS] + tokens + [EOS]`; beside `NAME-scores.json` lies `NAME-hidden.json`, `{ids, hidden, top}`:
//! the first values of the last position after every layer, and the largest logits there.
//! `tests/fixtures/make_golden.py` writes such scores for any GGUF file that transformers reads, Gemma 3's for one.
//! `RESCORER_TEST_ADAPTERS` is a folder of folders, each an adapter of PEFT with its `scores.json` of the same shape.
//! `RESCORER_TEST_DEVICE` (`cpu`, `gpu`, `gpu:N`) picks the device, `cpu` if unset.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rescorer::scoring::{AdapterSet, Scorer, TextScore};
use rescorer::{NBest, ScoringConfig};
use rescorer_lora::LoraAdapter;
use rescorer_models::{DeviceRequest, Edge, Error, LanguageModel, Precision, TreeBatch};
use rescorer_tests::{GoldenText, MaxDifference, chain, chain_log_probs, relative, skipped};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// f32 in another order through 30 layers; the golden values have 5 decimals.
const LOG_PROBS: f64 = 2e-3;

/// Up to 40 tokens a sentence, whose errors partly cancel.
const TOTALS: f64 = 1e-2;

/// Shaders may fuse operations and round functions otherwise.
const GPU_LOG_PROBS: f64 = 5e-3;

/// As [`GPU_LOG_PROBS`], 40 of them.
const GPU_TOTALS: f64 = 2.5e-2;

/// Relative to the value, or absolute below 1: the residual stream reaches hundreds and adds up 30 layers.
const HIDDEN: f64 = 2e-3;

/// Mean over the tokens, int8 against f32: 12 bits of weights and 15 of inputs.
const INT8_MEAN: f64 = 0.05;

/// The same weights on the same device: only the order of sums differs between a trie and a chain.
const TRIE: f64 = 1e-4;

/// The same weights added up beforehand.
const MERGED: f64 = 1e-3;

/// Sentences scored with a merged model.
const MERGED_ROWS: usize = 12;

/// Sentences checked on a GPU, which may be a slow imitation of one.
const GPU_ROWS: usize = 5;

#[derive(Deserialize)]
struct Scores {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    text: GoldenText,
    token_logprobs: Vec<f32>,
    total: f64,
}

#[derive(Deserialize)]
struct Hidden {
    ids: Vec<u32>,
    hidden: Vec<Vec<f32>>,
    top: Vec<(u32, f64)>,
}

/// A path from the environment. Asked for explicitly, so its absence is a failure.
fn path_from(variable: &str, what: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!("{variable} is not set: set it to {what} (see the head of tests/tests/golden.rs)"),
    }
}

fn requested_device() -> Option<DeviceRequest> {
    let name = std::env::var("RESCORER_TEST_DEVICE").ok()?;
    Some(name.parse().unwrap_or_else(|error| panic!("RESCORER_TEST_DEVICE: {error}")))
}

fn load(device: DeviceRequest) -> LanguageModel {
    let path = path_from("RESCORER_TEST_MODEL", "the .gguf file of the model");
    let model = LanguageModel::load(&path, device, Precision::F32).unwrap_or_else(|error| panic!("{error}"));
    println!("device: {}", model.device().description());
    model
}

fn read_json<T: DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
#[ignore = "needs the model and the golden files: set RESCORER_TEST_MODEL and RESCORER_TEST_GOLDEN"]
fn golden_scores() {
    let path = path_from("RESCORER_TEST_GOLDEN", "the file of golden scores");
    let Scores { mut rows } = read_json(&path);
    let model = load(requested_device().unwrap_or(DeviceRequest::Cpu));
    let is_cpu = model.device().is_cpu();
    if !is_cpu {
        rows.truncate(GPU_ROWS);
    }
    let scorer = Scorer::new(Arc::new(model), ScoringConfig::default()).unwrap();
    let mut log_probs = MaxDifference::new("log-probabilities");
    let mut totals = MaxDifference::new("totals");
    for Row { text: GoldenText { text, ids }, token_logprobs, total } in &rows {
        let score = scorer.score_list(&NBest::from_texts([text]).unwrap()).unwrap().scores.remove(0);
        let mut found = vec![scorer.model().tokenizer().bos().unwrap()];
        found.extend(&score.tokens);
        assert_eq!(&found, ids, "{text:?}");
        log_probs.add_all(&score.log_probs, token_logprobs, text);
        totals
            .add((score.lm_score - total).abs(), || format!("{text}: {}, expected {total}", score.lm_score));
    }
    println!("{} sentences, token ids equal", rows.len());
    log_probs.check(if is_cpu { LOG_PROBS } else { GPU_LOG_PROBS });
    totals.check(if is_cpu { TOTALS } else { GPU_TOTALS });
}

fn mean_difference<'a>(pairs: impl IntoIterator<Item = (&'a [f32], &'a [f32])>) -> f64 {
    let differences: Vec<f64> = pairs
        .into_iter()
        .inspect(|(found, expected)| assert_eq!(found.len(), expected.len()))
        .flat_map(|(found, expected)| found.iter().zip(expected).map(|(a, b)| f64::from((a - b).abs())))
        .collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    println!("int8: mean difference {mean:.4} over {} tokens", differences.len());
    mean
}

fn load_int8() -> Arc<LanguageModel> {
    let path = path_from("RESCORER_TEST_MODEL", "the .gguf file of the model");
    let model = LanguageModel::load(&path, DeviceRequest::Cpu, Precision::Quantized);
    Arc::new(model.unwrap_or_else(|error| panic!("{error}")))
}

#[test]
#[ignore = "needs the model and the golden files: set RESCORER_TEST_MODEL and RESCORER_TEST_GOLDEN"]
fn golden_scores_in_int8() {
    let Scores { rows } = read_json(&path_from("RESCORER_TEST_GOLDEN", "the file of golden scores"));
    let scorer = Scorer::new(load_int8(), ScoringConfig::default()).unwrap();
    let found: Vec<TextScore> = rows
        .iter()
        .map(|row| scorer.score_list(&NBest::from_texts([&row.text.text]).unwrap()).unwrap().scores.remove(0))
        .collect();
    let pairs = found.iter().zip(&rows).map(|(found, row)| (&found.log_probs[..], &row.token_logprobs[..]));
    assert!(mean_difference(pairs) <= INT8_MEAN);
}

#[test]
#[ignore = "needs the model: set RESCORER_TEST_MODEL"]
fn int8_scores_nearly_as_f32() {
    let (found, expected) = (score_by_trie(&load_int8()), score_by_trie(&Arc::new(load(DeviceRequest::Cpu))));
    let pairs = found.iter().zip(&expected).map(|(a, b)| (&a.log_probs[..], &b.log_probs[..]));
    assert!(mean_difference(pairs) <= INT8_MEAN);
}

#[test]
#[ignore = "needs the model and the golden files: set RESCORER_TEST_MODEL and RESCORER_TEST_GOLDEN"]
fn golden_hidden_states() {
    let scores = path_from("RESCORER_TEST_GOLDEN", "the file of golden scores");
    let name = scores.file_name().and_then(|name| name.to_str()).unwrap().replace("-scores", "-hidden");
    let Hidden { ids, hidden, top } = read_json(&scores.with_file_name(name));
    let model = load(requested_device().unwrap_or(DeviceRequest::Cpu));
    // All ids are nodes, the last one EOS; after it the tokens with the largest logits are asked for.
    let last = ids.len() - 1;
    let edges: Vec<Edge> = top.iter().map(|(token, _)| Edge { node: last as u32, token: *token }).collect();
    let mut batch = TreeBatch::default();
    batch.push_chain(&ids, &edges);
    let states = model.hidden_states(&batch).unwrap();
    assert_eq!(states.len(), hidden.len(), "embedding and layers");
    let mut difference = MaxDifference::new("hidden states, relative");
    for (layer, (state, expected)) in states.iter().zip(&hidden).enumerate() {
        let state = &state[last * (state.len() / ids.len())..];
        for (index, (a, b)) in state.iter().zip(expected).enumerate() {
            difference.add(relative(f64::from(*a), f64::from(*b)), || {
                format!("layer {layer}, value {index}: {a}, {b}")
            });
        }
    }
    difference.check(HIDDEN);
    // Differences of logits are differences of log-probabilities.
    let values = model.edge_log_probs(&batch).unwrap();
    let mut logits = MaxDifference::new("largest logits, against the first");
    for ((token, logit), value) in top.iter().zip(&values) {
        let (found, expected) = (f64::from(value - values[0]), logit - top[0].1);
        logits.add((found - expected).abs(), || format!("token {token}: {found}, expected {expected}"));
    }
    logits.check(if model.device().is_cpu() { LOG_PROBS } else { GPU_LOG_PROBS });
}

/// Every folder with an adapter of PEFT and its `scores.json`: unmerged, and merged on the first sentences.
#[test]
#[ignore = "needs the model and adapters: set RESCORER_TEST_MODEL and RESCORER_TEST_ADAPTERS"]
fn golden_adapters() {
    let path = path_from("RESCORER_TEST_MODEL", "the .gguf file of the model");
    let folder = path_from("RESCORER_TEST_ADAPTERS", "a folder of adapters, each with its scores.json");
    let model = Arc::new(load(DeviceRequest::Cpu));
    let mut adapters: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("scores.json").is_file())
        .collect();
    adapters.sort();
    assert!(!adapters.is_empty(), "no folder with a scores.json");
    for folder in adapters {
        let Scores { rows } = read_json(&folder.join("scores.json"));
        let adapter = LoraAdapter::read(&folder).unwrap();
        let score = |model: &Arc<LanguageModel>, adapters: AdapterSet, rows: &[Row]| -> Vec<TextScore> {
            let scorer =
                Scorer::new(model.clone(), ScoringConfig::default()).unwrap().with_adapters(adapters);
            let text = |row: &Row| NBest::from_texts([&row.text.text]).unwrap();
            rows.iter().map(|row| scorer.score_list(&text(row)).unwrap().scores.remove(0)).collect()
        };
        let unmerged = score(&model, AdapterSet::one(adapter.attach(&model).unwrap()), &rows);
        let mut log_probs = MaxDifference::new(format!("{}, log-probabilities", folder.display()));
        let mut totals = MaxDifference::new("totals");
        for (found, row) in unmerged.iter().zip(&rows) {
            log_probs.add_all(&found.log_probs, &row.token_logprobs, &row.text.text);
            totals.add((found.lm_score - row.total).abs(), || row.text.text.clone());
        }
        log_probs.check(LOG_PROBS);
        totals.check(TOTALS);

        let merged = tempfile::tempdir().unwrap();
        LanguageModel::export::<rescorer_lora::Error>(&path, merged.path(), |site, weight| {
            adapter.modules.get(&site).map_or(Ok(()), |module| module.merge(weight))
        })
        .unwrap();
        let merged = LanguageModel::load(merged.path(), DeviceRequest::Cpu, Precision::F32).unwrap();
        let merged = score(&Arc::new(merged), AdapterSet::default(), &rows[..rows.len().min(MERGED_ROWS)]);
        let mut totals = MaxDifference::new("totals, merged against unmerged");
        for ((found, expected), row) in merged.iter().zip(&unmerged).zip(&rows) {
            totals.add((found.lm_score - expected.lm_score).abs(), || row.text.text.clone());
        }
        totals.check(MERGED);
    }
}

/// Shared beginnings, a repeat, one that is the beginning of others, the empty text.
const SENTENCES: [&str; 7] = [
    "please call stella",
    "please call stella and ask her to bring these things",
    "please call stella and ask her to bring this thing",
    "please tell a story about the weather in their village",
    "please call stella",
    "",
    "Dr. Smith's 3 o'clock appointment was re-scheduled — naïvely",
];

fn score_by_trie(model: &Arc<LanguageModel>) -> Vec<TextScore> {
    let scorer = Scorer::new(model.clone(), ScoringConfig::default()).unwrap();
    let scores = scorer.score_list(&NBest::from_texts(SENTENCES).unwrap()).unwrap();
    scores.distinct.listed().iter().map(|&index| scores.scores[index].clone()).collect()
}

#[test]
#[ignore = "needs the model: set RESCORER_TEST_MODEL"]
fn sentences_in_a_trie_score_as_one_by_one() {
    let model = Arc::new(load(requested_device().unwrap_or(DeviceRequest::Cpu)));
    let mut difference = MaxDifference::new("trie, relative");
    let (mut by_trie, mut together) = (score_by_trie(&model), TreeBatch::default());
    for (score, text) in by_trie.iter_mut().zip(SENTENCES) {
        let mut ids = vec![model.tokenizer().bos().unwrap()];
        ids.append(&mut score.tokens);
        chain(&mut together, &ids);
        for (a, b) in score.log_probs.iter().zip(chain_log_probs(&model, &ids)) {
            difference.add(relative(f64::from(*a), f64::from(b)), || format!("{text:?}: {a}, alone {b}"));
        }
    }
    difference.check(TRIE);
    let mut difference = MaxDifference::new("batch of chains, relative");
    let values = model.edge_log_probs(&together).unwrap();
    for (a, b) in by_trie.iter().flat_map(|score| &score.log_probs).zip(values) {
        difference.add(relative(f64::from(*a), f64::from(b)), || format!("{a}, in a batch {b}"));
    }
    difference.check(TRIE);
}

/// Fails without an adapter where `RESCORER_TEST_DEVICE` asks for one, else says that it was skipped.
#[test]
#[ignore = "needs the model: set RESCORER_TEST_MODEL"]
fn a_gpu_scores_as_the_cpu() {
    let asked = requested_device().filter(|device| matches!(device, DeviceRequest::Gpu(_)));
    let path = path_from("RESCORER_TEST_MODEL", "the .gguf file of the model");
    let gpu = match LanguageModel::load(&path, asked.unwrap_or(DeviceRequest::Gpu(None)), Precision::F32) {
        Ok(model) => Arc::new(model),
        Err(error @ Error::Device { .. }) if asked.is_none() => {
            return skipped(&format!("no adapter ({error})"));
        }
        Err(error) => panic!("{error}"),
    };
    println!("device: {}", gpu.device().description());
    let cpu = Arc::new(load(DeviceRequest::Cpu));
    let mut difference = MaxDifference::new("log-probabilities, GPU and CPU");
    for ((found, expected), text) in score_by_trie(&gpu).iter().zip(score_by_trie(&cpu)).zip(SENTENCES) {
        assert_eq!(found.tokens, expected.tokens);
        difference.add_all(&found.log_probs, &expected.log_probs, text);
    }
    difference.check(GPU_LOG_PROBS);
}
