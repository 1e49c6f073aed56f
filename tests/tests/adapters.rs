//! Adapters of tiny models against Hugging Face PEFT, merged and unmerged, alone and side by side.
//!
//! The fixtures and how they were made: `fixtures/README.md`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use rescorer::fusion::{Decision, ModelIdentity, TunedOn};
use rescorer::scoring::{AdapterSet, Ranking, Scorer, SecondPass};
use rescorer::{DecisionRule, Fusion, NBest, Normalization, Policy, ScoringConfig, Utterance};
use rescorer_lora::{Error, LoraAdapter, LoraSettings, Targets, Trainable};
use rescorer_models::{Adapter, DeviceRequest, LanguageModel, Precision, TargetModule};
use rescorer_tests::{Expected, MaxDifference, fixture, load_tiny};
use serde::Deserialize;

/// f32 in another order: totals of up to 20 tokens.
const TOTALS: f64 = 2e-4;

const ADAPTERS: [&str; 4] = ["tiny-lora", "tiny-lora-patterns", "tiny-adalora", "tiny-adalora-pruned"];

#[derive(Deserialize)]
struct Texts {
    texts: Vec<String>,
}

fn texts() -> Vec<String> {
    let text = std::fs::read(fixture("lora-losses.json")).unwrap();
    serde_json::from_slice::<Texts>(&text).unwrap().texts
}

fn model() -> Arc<LanguageModel> {
    Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu))
}

fn read(name: &str) -> LoraAdapter {
    LoraAdapter::read(&fixture(name)).unwrap()
}

fn scorer(model: &Arc<LanguageModel>, adapter: Option<Arc<dyn Adapter>>) -> Scorer {
    let adapters = adapter.map(AdapterSet::one).unwrap_or_default();
    Scorer::new(model.clone(), ScoringConfig::default()).unwrap().with_adapters(adapters)
}

/// Totals of texts, each scored alone.
fn totals(scorer: &Scorer) -> Vec<f32> {
    let total = |text: &String| {
        let scores = scorer.score_list(&NBest::from_texts([text.as_str()]).unwrap()).unwrap();
        scores.scores[0].lm_score as f32
    };
    texts().iter().map(total).collect()
}

#[test]
fn scores_are_those_of_peft() {
    let model = model();
    for name in ADAPTERS {
        let attached = read(name).attach(&model).unwrap();
        let mut difference = MaxDifference::new(name);
        let (_, expected) = Expected::open(&format!("{name}/expected.safetensors")).f32("totals");
        difference.add_all(&totals(&scorer(&model, Some(attached))), &expected, "totals");
        difference.check(TOTALS);
    }
}

#[test]
fn a_merged_model_scores_as_model_and_adapter() {
    let model = model();
    for name in ADAPTERS {
        let adapter = read(name);
        let folder = tempfile::tempdir().unwrap();
        LanguageModel::export::<Error>(&fixture("tiny-llama"), folder.path(), |site, weight| {
            adapter.modules.get(&site).map_or(Ok(()), |module| module.merge(weight))
        })
        .unwrap();
        let merged = LanguageModel::load(folder.path(), DeviceRequest::Cpu, Precision::F32).unwrap();
        let mut difference = MaxDifference::new(format!("{name}, merged"));
        let attached = adapter.attach(&model).unwrap();
        difference.add_all(
            &totals(&scorer(&Arc::new(merged), None)),
            &totals(&scorer(&model, Some(attached))),
            "totals",
        );
        difference.check(1e-3);
    }
}

/// A GGUF file too: rows of Q and K go back to their order, and all types of weights to f32.
#[test]
fn an_exported_model_scores_as_its_source() {
    for name in ["tiny-llama", "tiny-llama-tied", "tiny-llama.gguf"] {
        let folder = tempfile::tempdir().unwrap();
        let leave = |_, _: &mut Vec<f32>| Ok::<(), rescorer_models::Error>(());
        LanguageModel::export(&fixture(name), folder.path(), leave).unwrap();
        let exported = LanguageModel::load(folder.path(), DeviceRequest::Cpu, Precision::F32).unwrap();
        let source = Arc::new(load_tiny(name, DeviceRequest::Cpu));
        assert_eq!(totals(&scorer(&Arc::new(exported), None)), totals(&scorer(&source, None)), "{name}");
    }
}

#[test]
fn a_fresh_adapter_changes_nothing() {
    let model = model();
    let all = LoraSettings { targets: Targets::modules(&TargetModule::ALL), ..LoraSettings::default() };
    let base = totals(&scorer(&model, None));
    let trainable = Trainable::new(all, &model, 7).unwrap();
    assert_eq!(totals(&scorer(&model, Some(trainable.snapshot()))), base);
    let attached = trainable.adapter(model.fingerprint()).unwrap().attach(&model).unwrap();
    assert_eq!(totals(&scorer(&model, Some(attached))), base);
}

/// Requests with different adapters, and one without, in one batch; by scores and by search.
#[test]
fn side_by_side_is_as_alone() {
    let model = model();
    let adapters: Vec<(String, Arc<dyn Adapter>)> = ["tiny-lora", "tiny-adalora"]
        .iter()
        .map(|name| ((*name).to_string(), read(name).attach(&model).unwrap() as Arc<dyn Adapter>))
        .collect();
    let all = scorer(&model, None).with_adapters(AdapterSet::new(adapters.clone()).unwrap());
    let list = NBest::from_texts(texts().iter().map(String::as_str)).unwrap();
    let asking = |adapter: serde_json::Value| {
        let mut utterance = Utterance::new("u", list.clone());
        utterance.extra.insert("adapter".into(), adapter);
        all.prepare_utterance(&utterance).unwrap()
    };
    let lists = vec![
        asking("tiny-adalora".into()),
        asking(serde_json::Value::Null),
        asking("tiny-lora".into()),
        all.prepare("u", &list).unwrap(),
    ];
    let together = all.score(lists.clone()).unwrap();
    let alone = [Some(1), None, Some(0), Some(0)].map(|at: Option<usize>| {
        let adapter = at.map(|at| adapters[at].1.clone());
        scorer(&model, adapter).score_list(&list).unwrap()
    });
    let named = all.prepare("", &list).unwrap().with_adapter(Some(adapters[1].1.clone()));
    let bare = all.prepare("", &list).unwrap().with_adapter(None);
    let handed_over = all.score(vec![named, bare]).unwrap();
    let found = together.lists.iter().zip(&alone);
    for (found, expected) in found.chain(handed_over.lists.iter().zip(&alone)) {
        for (found, expected) in found.scores.iter().zip(&expected.scores) {
            assert!((found.lm_score - expected.lm_score).abs() < 1e-4);
        }
    }
    let rescorer = SecondPass::new(all.clone(), Fusion { lm_weight: 0.3, length_bonus: 0.5, margin: 0.0 });
    let chosen = rescorer.choose(lists).unwrap();
    for (choice, scores) in chosen.choices.iter().zip(&alone) {
        let expected = Ranking::new(&list, scores, rescorer.weighting()).unwrap().choice();
        assert_eq!(choice.position, expected.position);
        assert!((choice.lm_score.unwrap() - expected.lm_score.unwrap()).abs() < 1e-4);
    }
    let unknown = {
        let mut utterance = Utterance::new("u7", list);
        utterance.extra.insert("adapter".into(), "other".into());
        all.prepare_utterance(&utterance).unwrap_err().to_string()
    };
    for part in ["u7", "\"other\"", "tiny-lora, tiny-adalora"] {
        assert!(unknown.contains(part), "{unknown}");
    }
}

#[test]
fn a_policy_says_how_to_decide() {
    let model = model();
    let attached: Arc<dyn Adapter> = read("tiny-lora").attach(&model).unwrap();
    let identity = |print: &str| ModelIdentity { name: "tiny".into(), fingerprint: print.into() };
    let of_adapter = attached.fingerprint().map(identity);
    let convention = ScoringConfig { mean: true, ..ScoringConfig::default() };
    let fusion = Fusion { lm_weight: 0.3, length_bonus: 0.5, margin: 0.0 };
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let mut policy = Policy::new(
        Normalization::Lower,
        fusion,
        convention,
        identity(model.fingerprint()),
        of_adapter,
        tuned_on,
    );
    let rule = Decision { rule: DecisionRule::Merge, merge_margin: 0.0, ..Decision::default() };
    policy = policy.with_decision(rule, None);
    let adapters = AdapterSet::one(attached);
    let rescorer = SecondPass::from_policy(model.clone(), adapters.clone(), &policy).unwrap();
    let list = NBest::from_texts(["The cat sat", "the hat sat", "a cat sat"]).unwrap();
    let scores = rescorer.scorer().score_list(&list).unwrap();
    let expected = Ranking::decided(&list, &scores, fusion, &rule, None, Normalization::Lower).unwrap();
    assert_eq!(rescorer.rescore(&list).unwrap(), expected);
    assert_eq!(rescorer.scorer().config(), &convention);
    let refused = |adapters, policy: &Policy| {
        let refused = SecondPass::from_policy(model.clone(), adapters, policy);
        refused.map(|_| ()).unwrap_err().to_string()
    };
    let other = refused(AdapterSet::default(), &policy);
    assert!(other.contains("no adapter"), "{other}");
    policy.model.fingerprint = "0123456789abcdef".into();
    let other = refused(adapters, &policy);
    assert!(other.contains("0123456789abcdef"), "{other}");
}

#[test]
fn int8_takes_adapters_too() {
    let exact = model();
    let int8 = Arc::new(
        LanguageModel::load(&fixture("tiny-llama"), DeviceRequest::Cpu, Precision::Quantized).unwrap(),
    );
    let attach = |model: &Arc<LanguageModel>| scorer(model, Some(read("tiny-lora").attach(model).unwrap()));
    let (exact, adapted, base) =
        (totals(&attach(&exact)), totals(&attach(&int8)), totals(&scorer(&int8, None)));
    let largest = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0f32, |max, (a, b)| max.max((a - b).abs()));
    // Rounding weights to 8 bits moves totals by far less than the adapter does.
    let (rounding, adapter) = (largest(&exact, &adapted), largest(&adapted, &base));
    assert!(rounding < 0.5 && adapter > 2.0, "{rounding} {adapter}");
}

#[test]
fn written_and_read_again_is_the_same() {
    let model = model();
    for name in ADAPTERS {
        let folder = tempfile::tempdir().unwrap();
        let base_fingerprint = Some(model.fingerprint().to_string());
        let adapter = LoraAdapter { base_fingerprint, ..read(name) };
        adapter.write(folder.path()).unwrap();
        let again = LoraAdapter::read(folder.path()).unwrap();
        assert_eq!(LoraAdapter { path: adapter.path.clone(), ..again }, adapter, "{name}");
    }
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let tied = load_tiny("tiny-llama-tied", DeviceRequest::Cpu);
    let error = read("tiny-lora").attach(&tied).unwrap_err();
    assert!(matches!(error, Error::Tensors { .. }), "{error}");
    assert!(error.to_string().contains("v_proj changes [16, 32], the model has [8, 32]"), "{error}");
    let marked = LoraAdapter { base_fingerprint: Some(model().fingerprint().into()), ..read("tiny-lora") };
    assert!(marked.attach(&model()).is_ok());
    let error = marked.attach(&tied).unwrap_err();
    assert!(matches!(error, Error::OtherBase { .. }), "{error}");
}
