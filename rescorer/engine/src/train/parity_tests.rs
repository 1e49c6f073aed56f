//! Gradients and losses against PyTorch and PEFT on a tiny model: `tests/fixtures/make_tiny_lora.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rescorer_lora::{AllocationSettings, LoraAdapter, StepOptions, Trainable};
use rescorer_models::{LanguageModel, Precision};
use rescorer_nbest::{ReadOptions, Readers};
use safetensors::SafeTensors;
use serde::Deserialize;

use super::losses::Item;
use super::step::losses;
use super::{Event, Recipe, Trainer, TrainingSet};
use crate::scoring::config::ScoringConfig;
use crate::scoring::scorer::Scorer;

/// f32 in another order of summing; the largest difference seen is 4e-6 where gradients reach 1.
const GRADIENT: f32 = 1e-4;

/// Relative, over ten steps of AdamW.
const LOSS: f64 = 1e-4;

/// The posterior of the fixture.
const POSTERIOR: &str = "first_pass_weight = 2.0\nlm_weight = 0.5\nlength_bonus = 0.25\n";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn scorer() -> Scorer {
    let model = LanguageModel::load_for_training(&fixtures().join("tiny-llama"), Precision::F32).unwrap();
    Scorer::new(Arc::new(model), ScoringConfig::default()).unwrap()
}

fn set(scorer: &Scorer, recipe: &Recipe) -> TrainingSet {
    let mut set = TrainingSet::default();
    for utterance in Readers::new(&[fixtures().join("lora-lists.jsonl")], &ReadOptions::default()).unwrap() {
        set.add(scorer, recipe, &utterance.unwrap()).unwrap();
    }
    set
}

fn recipe(adapter: &str, method: &str, objective: &str) -> Recipe {
    let init = fixtures().join(adapter);
    let text = format!(
        "[adapter]\nmethod = \"{method}\"\ninit = {init:?}\northogonality = 0.5\nallocation_start = 0.2\n\
         allocation_end = 0.3\nallocation_interval = 2\n\
         [training]\n{POSTERIOR}{objective}\nepochs = 10\nbatch = 4\nlearning_rate = 2e-2\nwarmup = 0.2"
    );
    Recipe::parse(&text).unwrap()
}

/// The gradients that a stage gives, by the names of the fixture.
fn gradients(adapter: &str, recipe: &Recipe) -> BTreeMap<String, Vec<f32>> {
    let scorer = scorer();
    let set = set(&scorer, recipe);
    let stage = recipe.stages().unwrap().remove(0);
    let adapter = LoraAdapter::read(&fixtures().join(adapter)).unwrap();
    let mut trainable = Trainable::from_adapter(&adapter, scorer.model()).unwrap();
    let items: Vec<Item<'_>> = set
        .examples()
        .iter()
        .filter(|example| stage.nll > 0.0 || example.errors.iter().min() != example.errors.iter().max())
        .map(|example| Item {
            example,
            chosen: if stage.nll > 0.0 { Vec::new() } else { (0..example.hypotheses.len()).collect() },
            before: None,
        })
        .collect();
    let begin = |_| trainable.begin(StepOptions::default());
    let (_, mut gradients) = losses(&scorer, &stage, &items, &begin).unwrap();
    if recipe.adapter.method == super::Method::RankAllocated {
        let schedule = AllocationSettings {
            initial_steps: 2,
            final_steps: 3,
            interval: 2,
            total_steps: 10,
            beta1: 0.85,
            beta2: 0.85,
        };
        trainable.allocate(schedule, recipe.adapter.orthogonality).unwrap();
        trainable.penalise(&mut gradients);
    }
    let named = trainable.parameters().iter().zip(gradients);
    named.map(|(parameter, g)| (parameter.name.clone(), g.to_data().try_into_vec::<f32>().unwrap())).collect()
}

fn compare(adapter: &str, method: &str, objective: &str) {
    let found = gradients(adapter, &recipe(adapter, method, &format!("{objective} = 1.0")));
    let bytes = std::fs::read(fixtures().join(adapter).join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let mut compared = 0;
    for (name, view) in expected.iter() {
        let Some(name) = name.strip_prefix(&format!("{objective}.")) else { continue };
        let expected: Vec<f32> =
            view.data().as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect();
        let found = &found[name];
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(0.0f32, |max, value| max.max(value.abs()));
        assert!(largest > 1e-3, "{name}: the fixture's gradient vanishes");
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!((found - expected).abs() < GRADIENT, "{name} {at}: {found} {expected}");
        }
        compared += 1;
    }
    assert_eq!(compared, found.len(), "matrices of {adapter}");
}

#[test]
fn gradients_of_the_likelihood() {
    compare("tiny-lora", "lora", "nll");
}

#[test]
fn gradients_of_expected_errors() {
    compare("tiny-lora", "lora", "mwer");
}

/// With the penalty on overlapping ranks, which PEFT adds to the loss.
#[test]
fn gradients_of_a_rank_allocated_adapter() {
    compare("tiny-adalora", "rank-allocated", "nll");
}

#[derive(Deserialize)]
struct Losses {
    losses: BTreeMap<String, Vec<f64>>,
}

/// Trains for ten steps, and gives the trainer with the losses of the steps.
fn train(recipe: Recipe) -> (Trainer, Vec<f64>) {
    let scorer = scorer();
    let set = set(&scorer, &recipe);
    let mut trainer = Trainer::new(scorer, recipe, set).unwrap();
    let mut found = Vec::new();
    let mut tell = |event: &Event| {
        if let Event::Step(step) = event {
            found.push(step.loss);
        }
        Ok(())
    };
    trainer.run(&mut tell).unwrap();
    (trainer, found)
}

fn ten_losses(fixture: &str, adapter: &str, method: &str, objective: &str) -> Trainer {
    let text = std::fs::read(fixtures().join("lora-losses.json")).unwrap();
    let expected = serde_json::from_slice::<Losses>(&text).unwrap().losses.remove(fixture).unwrap();
    let (trainer, found) = train(recipe(adapter, method, &format!("{objective} = 1.0")));
    assert_eq!(found.len(), expected.len());
    for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = (found - expected).abs() / expected.abs();
        assert!(difference < LOSS, "{fixture}, step {}: {found} {expected}", step + 1);
    }
    trainer
}

#[test]
fn ten_losses_of_the_likelihood() {
    ten_losses("tiny-lora", "tiny-lora", "lora", "nll");
}

#[test]
fn ten_losses_of_expected_errors() {
    ten_losses("tiny-lora-mwer", "tiny-lora", "lora", "mwer");
}

/// And the ranks that are left are those that PEFT leaves.
#[test]
fn ten_losses_of_a_rank_allocated_adapter() {
    let trainer = ten_losses("tiny-adalora", "tiny-adalora", "rank-allocated", "nll");
    let expected = LoraAdapter::read(&fixtures().join("tiny-adalora-pruned")).unwrap();
    let found = trainer.adapter().unwrap();
    assert_eq!(found.kept_ranks, expected.kept_ranks);
    for (site, module) in &found.modules {
        for (a, b) in module.delta().iter().zip(expected.modules[site].delta()) {
            assert!((a - b).abs() < 1e-3, "{site}: {a} {b}");
        }
    }
}
