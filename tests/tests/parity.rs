//! Tiny models against Hugging Face transformers: token ids, hidden states, log-probabilities.
//!
//! The expected values and how they were made: `fixtures/README.md`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashSet;

use rescorer_models::{DeviceRequest, Edge, LanguageModel, Precision, TreeBatch};
use rescorer_tests::{
    Expected, GoldenText, MaxDifference, TINY_MODELS, chain, chain_log_probs, fixture, load_tiny,
    log_softmax, texts,
};

/// f32 in another order of summing; two kernels of the reference differ by 4e-5 where values reach 30.
const LAYERS: f64 = 2e-4;

/// After the norm values are near 1; two kernels of the reference differ by 5e-6.
const FINAL: f64 = 5e-5;

/// Two kernels of the reference differ by 4e-6; the smallest mistake tried, a wrong ε, by 1e-3.
const LOG_PROBS: f64 = 2e-5;

/// As [`LOG_PROBS`], for tokens down to ln p ≈ −30, where the reference's own logits are 1e-5 apart.
const VOCABULARY: f64 = 5e-5;

/// Runs a comparison for every tiny model.
fn for_every_model(compare: impl Fn(&str, &LanguageModel, &Expected, &[GoldenText])) {
    for (name, expected) in TINY_MODELS {
        compare(name, &load_tiny(name, DeviceRequest::Cpu), &Expected::open(expected), &texts());
    }
}

#[test]
fn token_ids() {
    for_every_model(|name, model, _, texts| {
        let tokenizer = model.tokenizer();
        for GoldenText { text, ids } in texts {
            let mut found = vec![tokenizer.bos().unwrap()];
            found.extend(tokenizer.encode(text).unwrap());
            found.push(tokenizer.eos().unwrap());
            assert_eq!(&found, ids, "{name}: {text:?}");
        }
    });
}

/// A recogniser that writes `<|end|>` has heard no end of the sentence.
#[test]
fn the_name_of_a_special_token_is_text() {
    for_every_model(|name, model, _, _| {
        let tokenizer = model.tokenizer();
        for special in [tokenizer.bos().unwrap(), tokenizer.eos().unwrap()] {
            let text = format!("a {} b", tokenizer.piece(special).unwrap());
            let ids = tokenizer.encode(&text).unwrap();
            let pieces: String = ids.iter().filter_map(|&id| tokenizer.piece(id)).collect();
            assert_eq!(pieces.replace('Ġ', " "), text, "{name}");
            assert!(!ids.contains(&special), "{name}: {ids:?}");
        }
    });
}

/// `layers` has the residual stream after the embedding and after every layer, `final` the normalised one.
#[test]
fn hidden_states_after_every_layer() {
    for_every_model(|name, model, expected, texts| {
        let mut layers = MaxDifference::new(format!("{name}, layers"));
        let mut normalised = MaxDifference::new(format!("{name}, final"));
        for (text, GoldenText { ids, .. }) in texts.iter().enumerate() {
            // EOS is a node too: the reference ran over all ids.
            let mut batch = TreeBatch::default();
            let ids: Vec<u32> = ids.iter().copied().chain([0]).collect();
            chain(&mut batch, &ids);
            let states = model.hidden_states(&batch).unwrap();
            let (shape, stream) = expected.f32(&format!("{text}.layers"));
            assert_eq!((states.len(), batch.len()), (shape[0], shape[1]), "{name}: states, tokens");
            let (last, before) = states.split_last().unwrap();
            for (layer, (state, stream)) in before.iter().zip(stream.chunks(shape[1] * shape[2])).enumerate()
            {
                layers.add_all(state, stream, &format!("text {text}, layer {layer}"));
            }
            normalised.add_all(last, &expected.f32(&format!("{text}.final")).1, &format!("text {text}"));
        }
        layers.check(LAYERS);
        normalised.check(FINAL);
    });
}

#[test]
fn log_probs_of_every_next_token() {
    for_every_model(|name, model, expected, texts| {
        let mut difference = MaxDifference::new(format!("{name}, log-probabilities"));
        for (text, GoldenText { ids, .. }) in texts.iter().enumerate() {
            let found = chain_log_probs(model, ids);
            difference.add_all(&found, &expected.f32(&format!("{text}.logprobs")).1, &format!("text {text}"));
        }
        difference.check(LOG_PROBS);
    });
}

/// The same in one forward pass: what a text gets does not depend on what is computed beside it.
#[test]
fn log_probs_of_all_texts_in_one_batch() {
    for_every_model(|name, model, expected, texts| {
        let mut batch = TreeBatch::default();
        texts.iter().for_each(|text| chain(&mut batch, &text.ids));
        let found = model.edge_log_probs(&batch).unwrap();
        let expected: Vec<f32> =
            (0..texts.len()).flat_map(|text| expected.f32(&format!("{text}.logprobs")).1).collect();
        let mut difference = MaxDifference::new(format!("{name}, log-probabilities in a batch"));
        difference.add_all(&found, &expected, "all texts");
        difference.check(LOG_PROBS);
    });
}

/// An edge for every token of the vocabulary after every prefix: the whole softmax, and so the logits.
#[test]
fn log_probs_of_the_whole_vocabulary() {
    for_every_model(|name, model, expected, texts| {
        let mut difference = MaxDifference::new(format!("{name}, whole vocabulary"));
        let vocab = model.vocab_size();
        for (text, GoldenText { ids, .. }) in texts.iter().enumerate() {
            let edges: Vec<Edge> = (0..ids.len() as u32)
                .flat_map(|node| (0..vocab as u32).map(move |token| Edge { node, token }))
                .collect();
            let mut batch = TreeBatch::default();
            batch.push_chain(ids, &edges);
            let found = model.edge_log_probs(&batch).unwrap();
            let (shape, logits) = expected.f32(&format!("{text}.logits"));
            assert_eq!(shape, [ids.len(), vocab]);
            let reference: Vec<f32> =
                logits.chunks(vocab).flat_map(log_softmax).map(|value| value as f32).collect();
            difference.add_all(&found, &reference, &format!("text {text}"));
            for (node, row) in found.chunks(vocab).enumerate() {
                let sum: f64 = row.iter().map(|&value| f64::from(value).exp()).sum();
                assert!(
                    (sum - 1.0).abs() < VOCABULARY,
                    "{name}, text {text}, node {node}: probabilities sum to {sum}"
                );
            }
        }
        difference.check(VOCABULARY);
    });
}

/// A checkpoint written anew as a folder computes the same: so adapters are merged into models of every family.
#[test]
fn exported_models_compute_the_same() {
    let texts = texts();
    for (name, expected) in TINY_MODELS {
        let folder = tempfile::tempdir().unwrap();
        let written =
            LanguageModel::export::<rescorer_models::Error>(&fixture(name), folder.path(), |_, _| Ok(()));
        if ["tiny-gpt2", "tiny-llama3"].iter().any(|refused| name.starts_with(refused)) {
            let message = written.unwrap_err().to_string();
            assert!(message.contains("an adapter beside the model"), "{name}: {message}");
            continue;
        }
        written.unwrap();
        let model = LanguageModel::load(folder.path(), DeviceRequest::Cpu, Precision::F32).unwrap();
        let expected = Expected::open(expected);
        let mut difference = MaxDifference::new(format!("{name}, exported"));
        for (text, GoldenText { ids, .. }) in texts.iter().enumerate() {
            let found = chain_log_probs(&model, ids);
            difference.add_all(&found, &expected.f32(&format!("{text}.logprobs")).1, &format!("text {text}"));
        }
        difference.check(LOG_PROBS);
    }
}

/// Fingerprints tell models apart and stay the same from one load to the next.
#[test]
fn fingerprints() {
    let load = || TINY_MODELS.map(|(name, _)| load_tiny(name, DeviceRequest::Cpu).fingerprint().to_string());
    let prints = load();
    assert_eq!(prints, load());
    assert!(prints.iter().all(|print| print.starts_with("v2:") && print.len() == 67));
    let distinct: HashSet<&String> = prints.iter().collect();
    assert_eq!(distinct.len(), prints.len());
}
