//! Gradients of an encoder's score head and its adapter against slopes, and a training from beginning to end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use rescorer_lora::{LoraAdapter, StepOptions, Trainable};
use rescorer_models::{LanguageModel, Precision};
use rescorer_nbest::{ReadOptions, Readers};

use super::losses::Item;
use super::step::losses;
use super::{Recipe, Teacher, Trainer, TrainingSet};
use crate::error::Error;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::config::ScoringConfig;
use crate::scoring::scorer::Scorer;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn scorer(name: &str) -> Scorer {
    let model = LanguageModel::load_for_training(&fixtures().join(name), Precision::F32).unwrap();
    Scorer::new(Arc::new(model), ScoringConfig::default()).unwrap()
}

/// The lists of the fixture, with a teacher that likes short texts.
fn set(scorer: &Scorer, recipe: &Recipe) -> TrainingSet {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.jsonl");
    let lists = || Readers::new(&[fixtures().join("lora-lists.jsonl")], &ReadOptions::default()).unwrap();
    let lines = lists().flat_map(|list| {
        let list = list.unwrap();
        let id = list.id.clone();
        let line = move |text: &str| {
            let score = -(text.len() as f64);
            serde_json::json!({ "utterance": id.clone(), "text": text, "lm_score": score }).to_string() + "\n"
        };
        list.nbest.iter().map(|hypothesis| line(&hypothesis.text)).collect::<Vec<_>>()
    });
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    let mut set = TrainingSet::with_teacher(Teacher::from_files(&[path]).unwrap());
    lists().for_each(|list| set.add(scorer, recipe, &list.unwrap()).unwrap());
    set
}

fn recipe(training: &str) -> Recipe {
    let text = format!(
        "[adapter]\nrank = 2\nalpha = 4\ntargets = [\"q_proj\", \"v_proj\", \"down_proj\"]\n[data]\nteacher = [\"given\"]\n\
         [training]\n{training}"
    );
    Recipe::parse(&text).unwrap()
}

/// The weighted loss, and the gradient of every matrix.
fn loss(scorer: &Scorer, recipe: &Recipe, set: &TrainingSet, trainable: &Trainable) -> (f64, Vec<Vec<f32>>) {
    let stage = recipe.stages().unwrap().remove(0);
    let items: Vec<Item<'_>> = set
        .examples()
        .iter()
        .map(|example| Item { example, chosen: (0..example.hypotheses.len()).collect(), before: None })
        .collect();
    let begin = |_| trainable.begin(StepOptions::default());
    let (losses, gradients) = losses(scorer, &stage, &items, &begin).unwrap();
    let gradients = gradients.into_iter().map(|g| g.into_data().try_into_vec::<f32>().unwrap());
    (losses.total(&stage), gradients.collect())
}

#[test]
fn gradients_are_slopes() {
    for name in ["tiny-bert", "tiny-distilbert", "tiny-roberta"] {
        let scorer = scorer(name);
        let recipe = recipe("mwer = 1.0\nmwed = 0.5\ndistillation = 0.01\ncorrelation = 0.2");
        let set = set(&scorer, &recipe);
        let mut trainable = Trainable::new(recipe.adapter.settings(2), scorer.model(), 3).unwrap();
        // Nothing may be zero: neither B nor what comes through the head.
        let values = trainable.values().into_iter().map(|matrix| {
            let (shape, device) = (matrix.dims(), matrix.device());
            let numbers = (0..shape[0] * shape[1]).map(|i| 0.2 * (i as f32 * 1.3 + 0.5).sin()).collect();
            Tensor::from_data(TensorData::new::<f32, _>(numbers, shape), &device)
        });
        let values: Vec<Tensor<2>> = values.collect();
        trainable.set(values.clone());
        let (_, gradients) = loss(&scorer, &recipe, &set, &trainable);
        assert_eq!(gradients.len(), values.len());
        for (matrix, gradient) in gradients.iter().enumerate() {
            let at = gradient.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap().0;
            let mut moved = |by: f32| {
                let mut values = values.clone();
                let (shape, device) = (values[matrix].dims(), values[matrix].device());
                let mut numbers = values[matrix].to_data().try_into_vec::<f32>().unwrap();
                numbers[at] += by;
                values[matrix] = Tensor::from_data(TensorData::new(numbers, shape), &device);
                trainable.set(values);
                loss(&scorer, &recipe, &set, &trainable).0
            };
            let slope = (moved(4e-3) - moved(-4e-3)) / 8e-3;
            let given = f64::from(gradient[at]);
            let name = format!("{name}, {}", trainable.parameters()[matrix].name);
            assert!((slope - given).abs() < 0.02 * given.abs() + 2e-3, "{name}: {slope} {given}");
        }
    }
}

/// From nothing to fewer expected errors, written, read back, and scored as in training.
#[test]
fn an_encoder_learns_its_lists() {
    let scorer = scorer("tiny-bert");
    let recipe = recipe("distillation = 0.05\nmwer = 1.0\nepochs = 20\nbatch = 4\nlearning_rate = 2e-2");
    let set = set(&scorer, &recipe);
    let mut trainer = Trainer::new(scorer.clone(), recipe, set).unwrap();
    let (mut first, mut last) = (None, 0.0);
    let mut tell = |event: &super::Event| {
        if let super::Event::Step(step) = event {
            last = step.mwer.unwrap();
            first.get_or_insert(last);
        }
        Ok(())
    };
    trainer.run(&mut tell).unwrap();
    assert!(last < first.unwrap() - 0.1, "{first:?} {last}");
    let folder = tempfile::tempdir().unwrap();
    let adapter = trainer.adapter().unwrap();
    adapter.write(folder.path()).unwrap();
    let read = LoraAdapter::read(folder.path()).unwrap();
    assert_eq!(
        (&read.modules, &read.head, read.fingerprint()),
        (&adapter.modules, &adapter.head, adapter.fingerprint())
    );
    let texts =
        ["the cat sat on the mat", "the cat"].map(|text| scorer.model().tokenizer().encode(text).unwrap());
    let score = |adapter: Arc<dyn rescorer_models::Adapter>| {
        let scorer = scorer.clone().with_adapters(AdapterSet::one(adapter));
        scorer.score_sequences([&texts[..]].into_iter()).unwrap().remove(0)
    };
    let (trained, attached) =
        (score(trainer.trainable().snapshot()), score(read.attach(scorer.model()).unwrap()));
    for (a, b) in trained.iter().zip(&attached) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

#[test]
fn objectives_of_the_other_kind_are_refused() {
    let refused = |name: &str, training: &str, part: &str| {
        let scorer = scorer(name);
        let recipe = recipe(training);
        let set = set(&scorer, &recipe);
        match Trainer::new(scorer, recipe, set) {
            Err(Error::Recipe { reason, .. }) => assert!(reason.contains(part), "{reason}"),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("{training} was taken for {name}"),
        }
    };
    refused("tiny-bert", "nll = 1.0", "has no likelihood");
    refused("tiny-llama", "mwer = 1.0\ncorrelation = 1.0", "only an encoder");
}
