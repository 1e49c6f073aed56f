use burn::tensor::Tensor;
use rescorer_lora::{AllocationSettings, LoraAdapter, Trainable};
use rescorer_models::LanguageModel;

use super::adapter_recipe::Method;
use super::checkpoint::{Checkpoints, Progress};
use super::event::{DevReport, Event};
use super::optimizer::Optimizer;
use super::recipe::Recipe;
use super::set::TrainingSet;
use super::stage::{Stage, refusal};
use super::stage_lists::StageLists;
use super::text::TextStream;
use crate::error::Error;
use crate::fusion::tuning::scored_reference::ScoredReference;
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
    /// The text of a stage, by its number, and the tokens of a pass over it.
    pub(super) text: Option<(usize, TextStream)>,
    text_tokens: usize,
    pub(super) last_dev: Option<(DevReport, Vec<ScoredReference>)>,
}

impl Trainer {
    /// Prepares a training with a model that was loaded for it. `scorer` is that of the recipe's convention.
    ///
    /// # Errors
    /// A recipe that contradicts itself, no lists and no text.
    pub fn new(scorer: Scorer, recipe: Recipe, set: TrainingSet) -> Result<Self, Error> {
        let init = recipe.adapter.read_init()?;
        Self::begin_with(init, scorer, recipe, set)
    }

    /// As [`Self::new`], with this adapter, whatever the recipe's `init` holds: that is its name in messages.
    ///
    /// # Errors
    /// As above; an adapter of another method than the recipe.
    pub(super) fn begin_with(
        init: Option<LoraAdapter>,
        scorer: Scorer,
        mut recipe: Recipe,
        set: TrainingSet,
    ) -> Result<Self, Error> {
        if let Some(adapter) = &init {
            recipe.adapter.take_settings(adapter)?;
        }
        let stages = recipe.stages()?;
        if set.is_empty() && set.text.is_none() {
            let reason = "none was given, or all were held out or left out".into();
            return Err(Error::NothingLeft { what: "train", reason });
        }
        let model = scorer.model().clone();
        fits_model(&stages, scorer.list_scorer().capabilities().prefixes)?;
        let in_context = set.examples.iter().any(|example| !example.context.is_empty());
        if in_context && stages.iter().any(|stage| stage.preference > 0.0) {
            return Err(refusal(
                "preference",
                "it reads no contexts; leave history and the field context out",
            ));
        }
        let mut trainer = Self {
            trainable: Self::begin(&recipe, &stages, init, &model)?,
            optimizer: Optimizer::new(0, 0.0, 1.0),
            progress: Progress::default(),
            best: Vec::new(),
            before: Vec::new(),
            checkpoints: None,
            text: None,
            text_tokens: text_tokens(&set, &scorer)?,
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

    fn lists(&self, stage: &Stage) -> StageLists {
        StageLists::new(stage, &self.set.examples)
    }

    /// Steps of a stage.
    pub fn total_steps(&self, stage: usize) -> usize {
        let stage = &self.stages[stage];
        self.steps_with(stage, &self.lists(stage))
    }

    /// Lists say how long a stage is; without any the text does.
    fn steps_with(&self, stage: &Stage, lists: &StageLists) -> usize {
        if lists.len() > 0 || !stage.uses_text() {
            return lists.steps(stage);
        }
        ((stage.epochs * self.text_tokens as f64 / stage.text_batch as f64).ceil() as usize).max(1)
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
        let lists = self.lists(&stage);
        let StageLists { single, equal, .. } = lists;
        if lists.len() == 0 && !stage.uses_text() {
            let reason = format!(
                "stage {}: {single} lists have one distinct hypothesis, {equal} only equally good ones",
                number + 1
            );
            return Err(Error::NothingLeft { what: "train", reason });
        }
        let total = self.steps_with(&stage, &lists);
        if self.progress.step == 0 {
            let parameters = self.trainable.count();
            tell(&Event::Stage {
                stage: number + 1,
                steps: total,
                lists: lists.len(),
                single,
                equal,
                parameters,
            })?;
        }
        if stage.preference > 0.0 && self.before.is_empty() {
            self.before = self.score_all()?;
        }
        while self.progress.step < total {
            let report = self.step(&stage, &lists, total)?;
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
}

/// Tokens of a pass over the text.
fn text_tokens(set: &TrainingSet, scorer: &Scorer) -> Result<usize, Error> {
    let Some(text) = &set.text else { return Ok(0) };
    match TextStream::tokens(text, scorer)? {
        0 => Err(Error::NothingLeft {
            what: "train",
            reason: "the text has no words, only punctuation".into(),
        }),
        tokens => Ok(tokens),
    }
}

/// Refuses objectives that a model does not have.
fn fits_model(stages: &[Stage], reads_left_to_right: bool) -> Result<(), Error> {
    let fail = |reason: &str| Err(Error::Recipe { place: "recipe".into(), reason: reason.into() });
    if !reads_left_to_right && stages.iter().any(|stage| stage.nll + stage.text_nll > 0.0) {
        return fail(
            "nll, text_nll: the score head of an encoder has no likelihood; set them to 0 and train it with mwer, mwed, \
             preference or distillation, and on text with text_mwer",
        );
    }
    if reads_left_to_right && stages.iter().any(|stage| stage.correlation > 0.0) {
        return fail("correlation: only an encoder has a representation of the whole text; leave it out");
    }
    Ok(())
}
