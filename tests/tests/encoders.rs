//! Tiny encoders against Hugging Face transformers: token ids, hidden states, log-probabilities of tokens in their place, masked and
//! not. How they were made: `fixtures/README.md`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use rescorer::scoring::{AdapterSet, Deadline, EncoderScore, Scorer, SecondPass, TextScore};
use rescorer::{Fusion, NBest, ScoringConfig, Utterance};
use rescorer_lora::LoraAdapter;
use rescorer_models::{DeviceRequest, Edge, LanguageModel, Precision, ScoreHead, TreeBatch};
use rescorer_tests::{Expected, MaxDifference, TINY_ENCODERS, adapter_with_head, fixture, load_tiny, texts};

/// f32 in another order of summing, values up to 4.
const LAYERS: f64 = 5e-5;

/// The same for log-probabilities down to −30.
const LOG_PROBS: f64 = 5e-5;

fn for_every_model(compare: impl Fn(&str, &LanguageModel, &Expected)) {
    for name in TINY_ENCODERS {
        let expected = Expected::open(&format!("{name}/expected.safetensors"));
        compare(name, &load_tiny(name, DeviceRequest::Cpu), &expected);
    }
}

fn ids(expected: &Expected, text: usize) -> Vec<u32> {
    expected.i32(&format!("{text}.ids")).into_iter().map(|id| id as u32).collect()
}

/// A sequence as a chain, with an edge for every `(place, token)`.
fn sequence(batch: &mut TreeBatch, ids: &[u32], edges: &[(usize, u32)]) {
    let edges: Vec<Edge> = edges.iter().map(|&(place, token)| Edge { node: place as u32, token }).collect();
    batch.push_chain(ids, &edges);
}

/// The tokenizers of the fixtures say that texts are cut and filled up to 6 tokens; nothing is.
#[test]
fn token_ids() {
    for_every_model(|name, model, expected| {
        let tokenizer = model.tokenizer();
        for (text, golden) in texts().iter().enumerate() {
            let mut found = vec![tokenizer.bos().unwrap()];
            found.extend(tokenizer.encode(&golden.text).unwrap());
            found.push(tokenizer.eos().unwrap());
            assert_eq!(found, ids(expected, text), "{name}: {:?}", golden.text);
        }
        let mask = tokenizer.mask().unwrap();
        let text = tokenizer.piece(mask).unwrap();
        assert!(
            !tokenizer.encode(&text).unwrap().contains(&mask),
            "{name}: a recogniser has heard no {text}"
        );
    });
}

#[test]
fn hidden_states_after_every_layer() {
    for_every_model(|name, model, expected| {
        let mut difference = MaxDifference::new(format!("{name}, layers"));
        for text in 0..texts().len() {
            let mut batch = TreeBatch::default();
            sequence(&mut batch, &ids(expected, text), &[]);
            let states = model.hidden_states(&batch).unwrap();
            let (shape, stream) = expected.f32(&format!("{text}.layers"));
            assert_eq!((states.len(), batch.len()), (shape[0], shape[1]), "{name}: states, tokens");
            for (layer, (state, stream)) in states.iter().zip(stream.chunks(shape[1] * shape[2])).enumerate()
            {
                difference.add_all(state, stream, &format!("text {text}, layer {layer}"));
            }
        }
        difference.check(LAYERS);
    });
}

/// All sequences in one batch: what one gets does not depend on what is computed beside it.
#[test]
fn log_probs_masked_and_unmasked() {
    for_every_model(|name, model, expected| {
        let mask = model.tokenizer().mask().unwrap();
        let (mut batch, mut wanted) = (TreeBatch::default(), Vec::new());
        for text in 0..texts().len() {
            let ids = ids(expected, text);
            let inner: Vec<(usize, u32)> = (1..ids.len() - 1).map(|place| (place, ids[place])).collect();
            sequence(&mut batch, &ids, &inner);
            wanted.extend(expected.f32(&format!("{text}.unmasked")).1);
            for edge in inner {
                let mut masked = ids.clone();
                masked[edge.0] = mask;
                sequence(&mut batch, &masked, &[edge]);
            }
            wanted.extend(expected.f32(&format!("{text}.masked")).1);
        }
        let mut difference = MaxDifference::new(format!("{name}, log-probabilities"));
        difference.add_all(&model.edge_log_probs(&batch).unwrap(), &wanted, "all texts");
        difference.check(LOG_PROBS);
    });
}

#[test]
fn root_states_are_those_of_the_first_tokens() {
    for_every_model(|name, model, expected| {
        let (mut batch, mut wanted) = (TreeBatch::default(), Vec::new());
        for text in 0..texts().len() {
            sequence(&mut batch, &ids(expected, text), &[]);
            let (shape, stream) = expected.f32(&format!("{text}.layers"));
            let last = (shape[0] - 1) * shape[1] * shape[2];
            wanted.extend_from_slice(&stream[last..last + shape[2]]);
        }
        let mut difference = MaxDifference::new(format!("{name}, first tokens"));
        difference.add_all(&model.root_states(&batch).unwrap(), &wanted, "all texts");
        difference.check(LAYERS);
    });
}

/// 12-bit weights and 16-bit inputs.
#[test]
fn int8_is_close() {
    for name in TINY_ENCODERS {
        let model = LanguageModel::load(&fixture(name), DeviceRequest::Cpu, Precision::Quantized).unwrap();
        let expected = Expected::open(&format!("{name}/expected.safetensors"));
        let ids = ids(&expected, 1);
        let inner: Vec<(usize, u32)> = (1..ids.len() - 1).map(|place| (place, ids[place])).collect();
        let mut batch = TreeBatch::default();
        sequence(&mut batch, &ids, &inner);
        let mut difference = MaxDifference::new(format!("{name}, int8"));
        difference.add_all(
            &model.edge_log_probs(&batch).unwrap(),
            &expected.f32("1.unmasked").1,
            "the first text",
        );
        difference.check(0.25);
    }
}

fn convention(encoder: EncoderScore) -> ScoringConfig {
    ScoringConfig { encoder: Some(encoder), ..ScoringConfig::default() }
}

fn scorer(name: &str, convention: ScoringConfig) -> Scorer {
    Scorer::new(Arc::new(load_tiny(name, DeviceRequest::Cpu)), convention).unwrap()
}

/// The texts of the fixtures as one list: those that are the same in lower case stay apart.
fn list() -> NBest {
    let texts: Vec<String> = texts().into_iter().map(|text| text.text).collect();
    NBest::from_texts(texts.iter().map(String::as_str)).unwrap()
}

/// Sums over a sentence, of up to 24 tokens.
const PLL: f64 = 1e-4;

#[test]
fn pseudo_log_likelihoods_of_a_list() {
    for name in TINY_ENCODERS {
        let expected = Expected::open(&format!("{name}/expected.safetensors"));
        for (kind, values) in [(EncoderScore::Pll, "masked"), (EncoderScore::PllUnmasked, "unmasked")] {
            let scorer = scorer(name, convention(kind));
            let scored = scorer.score_list(&list()).unwrap();
            let mut difference = MaxDifference::new(format!("{name}, {values}"));
            for (text, TextScore { log_probs, lm_score, tokens }) in scored.scores.iter().enumerate() {
                let wanted = expected.f32(&format!("{text}.{values}")).1;
                assert_eq!((log_probs.len(), tokens.len()), (wanted.len(), wanted.len()));
                let total: f64 = wanted.iter().map(|value| f64::from(*value)).sum();
                difference
                    .add((lm_score - total).abs(), || format!("text {text}: {lm_score}, expected {total}"));
            }
            difference.check(PLL);
            // Packed = one by one.
            for (text, together) in list().iter().zip(&scored.scores) {
                let alone = scorer.score_list(&NBest::from_texts([text.text.as_str()]).unwrap()).unwrap();
                let (alone, together) = (alone.scores[0].lm_score, together.lm_score);
                assert!((alone - together).abs() < PLL, "{name}, {:?}: {alone} {together}", text.text);
            }
        }
    }
}

#[test]
fn a_score_head_scores_what_the_adapter_makes_of_the_first_token() {
    for name in TINY_ENCODERS {
        let model = Arc::new(load_tiny(name, DeviceRequest::Cpu));
        let folder = tempfile::tempdir().unwrap();
        adapter_with_head(&model).write(folder.path()).unwrap();
        let adapter = LoraAdapter::read(folder.path()).unwrap();
        let head = adapter.head.clone().unwrap();
        let attached = adapter.attach(&model).unwrap();
        let scorer = Scorer::new(model.clone(), ScoringConfig::default()).unwrap();
        let scorer = scorer.with_adapters(AdapterSet::one(attached.clone()));
        let rescorer = SecondPass::new(scorer, Fusion { lm_weight: 1.0, length_bonus: 0.0, margin: 0.0 });
        let rescored = rescorer.rescore(&list()).unwrap();
        for hypothesis in rescored.hypotheses() {
            let mut ids = vec![model.tokenizer().bos().unwrap()];
            ids.extend(model.tokenizer().encode(&hypothesis.text).unwrap());
            ids.extend(model.tokenizer().eos());
            let mut batch = TreeBatch::default();
            batch.set_adapter(Some(attached.clone()));
            sequence(&mut batch, &ids, &[]);
            let expected = head.score(&model.root_states(&batch).unwrap());
            let found = hypothesis.lm_score.unwrap();
            assert!((found - expected).abs() < 1e-4, "{name}, {:?}: {found} {expected}", hypothesis.text);
        }
        // What moved the decision adds up to the lead.
        let utterance = Utterance::new("u", list());
        let scores = rescorer.scorer().score_list(&list()).unwrap();
        let explanation = rescorer.explain(&utterance, &scores, 1, 2).unwrap();
        let total = |position: usize| {
            rescored.hypotheses().iter().find(|one| one.position == position).unwrap().total.unwrap()
        };
        let parts =
            explanation.first_pass + explanation.length_bonus + explanation.model() + explanation.adapter();
        assert!(
            (explanation.lead - parts).abs() < 1e-9 && (explanation.lead - total(1) + total(2)).abs() < 1e-4
        );
        assert!(explanation.whole.is_some() && explanation.model() == 0.0, "{explanation:?}");
        // The winner alone, and by a deadline that is no hurry, is the same.
        let best = rescored.best().position;
        let prepare = || rescorer.scorer().prepare("list", &list()).unwrap();
        assert_eq!(rescorer.choose(vec![prepare()]).unwrap().choices[0].position, best, "{name}");
        let mut deadline = Deadline::new(Duration::from_secs(60));
        let within = rescorer.choose_within(&prepare(), &mut deadline).unwrap();
        assert_eq!((within.position(), within.is_complete()), (best, true), "{name}");
    }
}

#[test]
fn what_an_encoder_cannot_do_is_refused() {
    let model = Arc::new(load_tiny("tiny-bert", DeviceRequest::Cpu));
    let refused = |convention: ScoringConfig, utterance: Utterance, part: &str| {
        let scored = Scorer::new(model.clone(), convention)
            .and_then(|scorer| scorer.prepare_utterance(&utterance).map(|list| (scorer, list)))
            .and_then(|(scorer, list)| scorer.score(vec![list]));
        let error = scored.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    let utterance = |text: &str| Utterance::new("u", NBest::from_texts([text]).unwrap());
    let plain = ScoringConfig::default();
    refused(ScoringConfig { eos: false, ..plain }, utterance("the cat"), "scores no end of the sentence");
    refused(convention(EncoderScore::Head), utterance("the cat"), "no score head was given");
    refused(
        plain,
        utterance(&"the cat ".repeat(40)),
        "82 tokens with BOS and EOS, the model's context is 64",
    );
    let context = Some("the hat".to_owned());
    refused(plain, Utterance { context, ..utterance("the cat") }, "read by decoders only");
    let mean = ScoringConfig { mean: true, ..plain };
    let with_head = Scorer::new(model.clone(), mean)
        .unwrap()
        .with_adapters(AdapterSet::one(adapter_with_head(&model).attach(&model).unwrap()));
    assert!(with_head.score_list(&list()).unwrap_err().to_string().contains("which has no mean"));
    let decoder = Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu));
    let error = Scorer::new(decoder.clone(), convention(EncoderScore::Pll)).err().unwrap().to_string();
    assert!(error.contains("the model is a decoder"), "{error}");
    // A head for another width, and an encoder's adapter on a decoder.
    let mut wide = adapter_with_head(&model);
    wide.head = Some(ScoreHead { weight: vec![1.0; 33], bias: 0.0 });
    assert!(wide.attach(&model).unwrap_err().to_string().contains("states of 33 numbers, the model has 32"));
    let foreign = LoraAdapter { base_fingerprint: None, ..adapter_with_head(&model) };
    let error = foreign.attach(&decoder).unwrap_err().to_string();
    assert!(error.contains("unexpected: a score head") && error.contains("encoder.layer.0"), "{error}");
}

/// Sentence encoders come without the head for masked tokens.
#[test]
fn a_checkpoint_without_a_masked_head() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(fixture("tiny-bert").join(file), folder.path().join(file)).unwrap();
    }
    let bytes = std::fs::read(fixture("tiny-bert").join("model.safetensors")).unwrap();
    let all = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let bare = all.iter().filter_map(|(name, view)| Some((name.strip_prefix("bert.")?.to_owned(), view)));
    let bytes = safetensors::serialize(bare.collect::<Vec<_>>(), None).unwrap();
    std::fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    let model = Arc::new(
        LanguageModel::load(folder.path(), DeviceRequest::Cpu, Precision::F32)
            .unwrap_or_else(|e| panic!("{e}")),
    );
    assert!(!model.predicts_tokens());
    let scorer = Scorer::new(model.clone(), ScoringConfig::default()).unwrap();
    let error = scorer.score_list(&list()).unwrap_err().to_string();
    assert!(error.contains("no masked-language-model head") && error.contains("train an adapter"), "{error}");
    let attached =
        LoraAdapter { base_fingerprint: None, ..adapter_with_head(&model) }.attach(&model).unwrap();
    let scores = scorer.with_adapters(AdapterSet::one(attached)).score_list(&list()).unwrap();
    assert!(scores.scores.iter().all(|score| score.lm_score.is_finite() && score.log_probs.is_empty()));
}
