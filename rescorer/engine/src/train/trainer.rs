use std::time::Instant;

use burn::tensor::Tensor;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rescorer_lora::{AllocationSettings, LoraAdapter, StepOptions, Trainable};
use rescorer_models::LanguageModel;
use sha2::{Digest, Sha256};

use super::checkpoint::{Checkpoints, Progress};
use super::event::{DevReport, Event, StepReport};
use super::losses::Item;
use super::optimizer::Optimizer;
use super::recipe::{Method, Recipe};
use super::schedule::learning_rate;
use super::set::TrainingSet;
use super::stage::Stage;
use super::step::losses;
use crate::error::Error;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::scorer::Scorer;

/// Follows a recipe.
pub struct Trainer {
    pub(super) scorer: Scorer,
    pub(super) recipe: Recipe,
    pub(super) stages: Vec<Stage>,
    pub(super) set: TrainingSet,
    pub(super) trainable: Trainable,
    pub(super) optimizer: Optimizer,
    pub(super) progress: Progress,
    pub(super) best: Vec<Tensor<2>>,
    pub(super) before: Vec<Vec<f64>>,
    pub(super) checkpoints: Option<Checkpoints>,
    pub(super) last_dev: Option<(DevReport, Vec<ScoredReference>)>,
}

impl Trainer {
    /// Prepares a training with a model that was loaded for it. `scorer` is that of the recipe's convention.
    ///
    /// # Errors
    /// A recipe that contradicts itself, no lists.
    pub fn new(scorer: Scorer, mut recipe: Recipe, set: TrainingSet) -> Result<Self, Error> {
        let init = recipe.adapter.resolve()?;
        let stages = recipe.stages()?;
        if set.is_empty() {
            let reason = "none was given, or all were held out or left out".into();
            return Err(Error::NothingLeft { what: "train", reason });
        }
        let model = scorer.model().clone();
        fits_model(&stages, scorer.list_scorer().capabilities().prefixes)?;
        let mut trainer = Self {
            trainable: Self::begin(&recipe, &stages, init, &model)?,
            optimizer: Optimizer::new(0, 0.0, 1.0),
            progress: Progress::default(),
            best: Vec::new(),
            before: Vec::new(),
            checkpoints: None,
            last_dev: None,
            scorer: scorer.with_unit(recipe.data.unit),
            recipe,
            stages,
            set,
        };
        trainer.allocate()?;
        trainer.renew_optimizer();
        Ok(trainer)
    }

    fn begin(
        recipe: &Recipe,
        stages: &[Stage],
        init: Option<LoraAdapter>,
        model: &LanguageModel,
    ) -> Result<Trainable, Error> {
        match (recipe.adapter.method, init) {
            (Method::Full, _) => Ok(Trainable::full(model, recipe.seed)),
            (_, Some(mut adapter)) => {
                adapter.settings.dropout = recipe.adapter.dropout;
                Ok(Trainable::from_adapter(&adapter, model)?)
            }
            _ => Ok(Trainable::new(recipe.adapter.settings(stages[0].rank), model, recipe.seed)?),
        }
    }

    /// Sets up the allocation of ranks, which takes place in the first stage.
    fn allocate(&mut self) -> Result<(), Error> {
        let adapter = &self.recipe.adapter;
        if adapter.method != Method::RankAllocated {
            return Ok(());
        }
        let total_steps = self.total_steps(0);
        let share = |share: f64| (share * total_steps as f64).round() as usize;
        let [beta1, beta2] = adapter.allocation_betas;
        let schedule = AllocationSettings {
            initial_steps: share(adapter.allocation_start),
            final_steps: share(adapter.allocation_end),
            interval: adapter.allocation_interval,
            total_steps,
            beta1,
            beta2,
        };
        Ok(self.trainable.allocate(schedule, adapter.orthogonality)?)
    }

    pub(super) fn renew_optimizer(&mut self) {
        let stage = self.stage();
        self.optimizer = Optimizer::new(self.trainable.parameters().len(), stage.weight_decay, stage.clip);
    }

    /// The scorer, without an adapter.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// What is trained.
    pub fn trainable(&self) -> &Trainable {
        &self.trainable
    }

    /// The adapter as it is now; `None` for method `full`.
    pub fn adapter(&self) -> Option<LoraAdapter> {
        self.trainable.adapter(self.scorer.model().fingerprint())
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// How far training has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The stages with nothing left open.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    fn stage(&self) -> &Stage {
        &self.stages[self.progress.stage.min(self.stages.len() - 1)]
    }

    /// Lists that take part in a stage, with the hypotheses that do, and how many were left out for having nothing to
    /// teach: those of one distinct hypothesis, and those whose hypotheses are all equally good.
    fn taking_part(&self, stage: &Stage) -> (Vec<(usize, Vec<usize>)>, usize, usize) {
        let (mut taking_part, mut single, mut equal) = (Vec::new(), 0, 0);
        for (number, example) in self.set.examples.iter().enumerate() {
            let mut chosen = if stage.uses_lists() { example.chosen(stage) } else { Vec::new() };
            let is_equal = |chosen: &[usize]| {
                let mut errors = chosen.iter().map(|&index| example.errors.get(index));
                let first = errors.next().flatten();
                first.is_some() && errors.all(|other| other == first)
            };
            if stage.uses_lists() && chosen.len() < 2 {
                single += 1;
                chosen.clear();
            } else if stage.needs_references() && is_equal(&chosen) && stage.uses_lists() {
                equal += 1;
                chosen.clear();
            }
            if stage.nll > 0.0 || !chosen.is_empty() {
                taking_part.push((number, chosen));
            }
        }
        (taking_part, single, equal)
    }

    /// Steps of a stage.
    pub fn total_steps(&self, stage: usize) -> usize {
        let stage = &self.stages[stage];
        let lists = self.taking_part(stage).0.len();
        let batch = stage.batch.min(lists).max(1);
        ((stage.epochs * lists as f64 / batch as f64).ceil() as usize).max(1)
    }

    /// Trains to the end of the recipe.
    ///
    /// # Errors
    /// A stage without lists to learn from; a loss or gradient that is not finite: what was reached before stands in the
    /// last checkpoint. What `tell` returns ends the training too.
    pub fn run(&mut self, tell: &mut dyn FnMut(&Event) -> Result<(), Error>) -> Result<(), Error> {
        while self.progress.stage < self.stages.len() {
            self.run_stage(tell)?;
            self.progress = Progress {
                stage: self.progress.stage + 1,
                steps: self.progress.steps,
                ..Progress::default()
            };
            self.best.clear();
            self.before.clear();
            if self.progress.stage < self.stages.len() {
                self.project()?;
                self.renew_optimizer();
            }
            self.save(tell)?;
        }
        Ok(())
    }

    /// Takes away the ranks that a stage no longer has.
    pub(super) fn project(&mut self) -> Result<(), Error> {
        let Some([before, now]) = self.stages.get(self.progress.stage - 1..=self.progress.stage) else {
            return Ok(());
        };
        if before.rank == now.rank {
            return Ok(());
        }
        let Some(adapter) = self.adapter() else { return Ok(()) };
        let adapter = adapter.projected(now.rank, self.recipe.adapter.alpha)?;
        self.trainable = Trainable::from_adapter(&adapter, self.scorer.model())?;
        Ok(())
    }

    fn run_stage(&mut self, tell: &mut dyn FnMut(&Event) -> Result<(), Error>) -> Result<(), Error> {
        self.last_dev = None;
        let number = self.progress.stage;
        let stage = self.stages[number].clone();
        let (taking_part, single, equal) = self.taking_part(&stage);
        if taking_part.is_empty() {
            let reason = format!(
                "stage {}: {single} lists have one distinct hypothesis, {equal} only equally good ones",
                number + 1
            );
            return Err(Error::NothingLeft { what: "train", reason });
        }
        let total = self.total_steps(number);
        if self.progress.step == 0 {
            let parameters = self.trainable.count();
            tell(&Event::Stage {
                stage: number + 1,
                steps: total,
                lists: taking_part.len(),
                single,
                equal,
                parameters,
            })?;
        }
        if stage.preference > 0.0 && self.before.is_empty() {
            self.before = self.score_all()?;
        }
        while self.progress.step < total {
            let report = self.step(&stage, &taking_part, total)?;
            tell(&Event::Step(report))?;
            let (step, is_last) = (self.progress.step, self.progress.step == total);
            let looks = is_last || (stage.evaluate_every > 0 && step.is_multiple_of(stage.evaluate_every));
            if looks && !self.set.dev.is_empty() && (is_last || self.is_comparable(step, total)) {
                let report = self.look(step)?;
                tell(&Event::Dev(report))?;
            }
            if self.progress.looks_since_best >= stage.patience {
                break;
            }
            if self.checkpoints.as_ref().is_some_and(|to| !is_last && step.is_multiple_of(to.every)) {
                self.save(tell)?;
            }
        }
        if !self.best.is_empty() {
            self.trainable.set(std::mem::take(&mut self.best));
        }
        Ok(())
    }

    /// Whether an adapter of this step may be the result: while ranks are given up it has too many.
    fn is_comparable(&self, step: usize, total: usize) -> bool {
        let adapter = &self.recipe.adapter;
        let is_allocating = adapter.method == Method::RankAllocated && self.progress.stage == 0;
        !is_allocating || step as f64 > (1.0 - adapter.allocation_end) * total as f64 + 1.0
    }

    fn step(
        &mut self,
        stage: &Stage,
        lists: &[(usize, Vec<usize>)],
        total: usize,
    ) -> Result<StepReport, Error> {
        let started = Instant::now();
        let Progress { stage: number, step, .. } = self.progress;
        let items = self.batch(number, stage, lists, step);
        let items: Vec<Item<'_>> = items
            .into_iter()
            .map(|(example, chosen)| Item {
                example: &self.set.examples[example],
                chosen: chosen.clone(),
                before: self.before.get(example).map(Vec::as_slice),
            })
            .collect();
        let seed = mix(&[self.recipe.seed, number as u64, step as u64]);
        let rank = (self.recipe.adapter.method == Method::MixedRank)
            .then(|| ChaCha8Rng::seed_from_u64(seed).random_range(1..=stage.rank));
        let begin = |pass: usize| {
            self.trainable.begin(StepOptions { dropout_seed: Some(mix(&[seed, pass as u64])), rank })
        };
        let (losses, mut gradients) = losses(&self.scorer, stage, &items, &begin)?;
        let penalty = f64::from(self.trainable.penalise(&mut gradients));
        let loss = losses.total(stage) + penalty;
        let diverged = |what: &'static str, value: f64| {
            Err(Error::Diverged { stage: number + 1, step: step + 1, what, value })
        };
        if !loss.is_finite() {
            return diverged("the loss", loss);
        }
        let gradient_norm = self.optimizer.clip(&mut gradients);
        if !gradient_norm.is_finite() {
            return diverged("the norm of the gradients", f64::from(gradient_norm));
        }
        let rate = learning_rate(stage, step, total);
        let values = self.trainable.values();
        let values = self.optimizer.step(rate, values, &gradients);
        self.trainable.set(values);
        // In later stages the last allocation stays.
        let allocation_step = if number == 0 { step + 1 } else { usize::MAX };
        self.trainable.finish_step(allocation_step, &gradients);
        self.progress.step += 1;
        self.progress.steps += 1;
        let weighted = |weight: f64, loss: f64| (weight > 0.0).then_some(loss);
        Ok(StepReport {
            stage: number + 1,
            step: step + 1,
            loss,
            nll: weighted(stage.nll, losses.nll),
            mwer: weighted(stage.mwer, losses.mwer),
            mwed: weighted(stage.mwed, losses.mwed),
            preference: weighted(stage.preference, losses.preference),
            distillation: weighted(stage.distillation, losses.distillation),
            correlation: weighted(stage.correlation, losses.correlation),
            learning_rate: rate,
            gradient_norm,
            tokens: losses.tokens,
            nodes: losses.nodes,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// The lists of a step. Each epoch goes through all of them in an order of its own.
    fn batch<'a>(
        &self,
        number: usize,
        stage: &Stage,
        lists: &'a [(usize, Vec<usize>)],
        step: usize,
    ) -> Vec<(usize, &'a Vec<usize>)> {
        // A step goes through no list twice.
        let size = stage.batch.min(lists.len());
        let end = ((step + 1) * size).min((stage.epochs * lists.len() as f64).ceil() as usize);
        let mut order: (usize, Vec<usize>) = (usize::MAX, Vec::new());
        let places = step * size..end.max(step * size + 1);
        let batch = places.map(|place| {
            let epoch = place / lists.len();
            if order.0 != epoch {
                let mut shuffled: Vec<usize> = (0..lists.len()).collect();
                let seed = mix(&[self.recipe.seed, number as u64, u64::MAX - epoch as u64]);
                shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                order = (epoch, shuffled);
            }
            let (example, chosen) = &lists[order.1[place % lists.len()]];
            (*example, chosen)
        });
        batch.collect()
    }

    /// Scores of the hypotheses of all examples by the model as it is now.
    fn score_all(&self) -> Result<Vec<Vec<f64>>, Error> {
        let scorer = self.scorer.clone().with_adapters(AdapterSet::one(self.trainable.snapshot()));
        scorer.score_sequences(self.set.examples.iter().map(|example| &*example.hypotheses))
    }
}

/// Refuses objectives that a model does not have.
fn fits_model(stages: &[Stage], reads_left_to_right: bool) -> Result<(), Error> {
    let fail = |reason: &str| Err(Error::Recipe { place: "recipe".into(), reason: reason.into() });
    if !reads_left_to_right && stages.iter().any(|stage| stage.nll > 0.0) {
        return fail(
            "nll: the score head of an encoder has no likelihood; train it with mwer, mwed, preference or distillation",
        );
    }
    if reads_left_to_right && stages.iter().any(|stage| stage.correlation > 0.0) {
        return fail("correlation: only an encoder has a representation of the whole text; leave it out");
    }
    Ok(())
}

/// One seed from several numbers.
fn mix(numbers: &[u64]) -> u64 {
    let mut hasher = Sha256::new();
    numbers.iter().for_each(|number| hasher.update(number.to_le_bytes()));
    let mut seed = [0; 8];
    seed.copy_from_slice(&hasher.finalize()[..8]);
    u64::from_le_bytes(seed)
}
