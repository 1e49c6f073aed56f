//! A step of a trainer: its batch of lists and of text, their losses, and the optimiser.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Tensor;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rescorer_lora::{StepAdapter, StepOptions};

use super::adapter_recipe::Method;
use super::checkpoint::Progress;
use super::data::Example;
use super::event::StepReport;
use super::losses::{Item, Losses};
use super::schedule::learning_rate;
use super::seed::mix;
use super::stage::Stage;
use super::stage_lists::StageLists;
use super::step::losses;
use super::text::TextStream;
use super::trainer::Trainer;
use crate::error::Error;
use crate::scoring::adapters::AdapterSet;

/// Number of the first pass over text in a step, for its dropout.
const TEXT_PASSES: usize = 1 << 20;

impl Trainer {
    pub(super) fn step(
        &mut self,
        stage: &Stage,
        lists: &StageLists,
        total: usize,
    ) -> Result<StepReport, Error> {
        let started = Instant::now();
        let Progress { stage: number, step, .. } = self.progress;
        let text = self.text_batch(stage, number, step)?;
        let items =
            if lists.len() > 0 { lists.batch(stage, self.recipe.seed, number, step) } else { Vec::new() };
        let items = items.into_iter().map(|(example, chosen)| Item {
            example: &self.set.examples[example],
            chosen: chosen.clone(),
            before: self.before.get(example).map(Vec::as_slice),
        });
        let items: Vec<Item<'_>> = items.collect();
        let seed = mix(&[self.recipe.seed, number as u64, step as u64]);
        let rank = (self.recipe.adapter.method == Method::MixedRank)
            .then(|| ChaCha8Rng::seed_from_u64(seed).random_range(1..=stage.rank));
        let begin = |pass: usize| {
            self.trainable.begin(StepOptions { dropout_seed: Some(mix(&[seed, pass as u64])), rank })
        };
        let (losses, gradients) = losses(&self.scorer, stage, &items, &begin)?;
        let (of_text, text_gradients) = self.text_losses(stage, &text, &|pass| begin(TEXT_PASSES + pass))?;
        let mut gradients = sum(gradients, text_gradients);
        let penalty = f64::from(self.trainable.penalise(&mut gradients));
        let loss = losses.total(stage) + of_text.total(&stage.of_text()) + penalty;
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
            text_nll: weighted(stage.text_nll, of_text.nll),
            text_mwer: weighted(stage.text_mwer, of_text.mwer),
            learning_rate: rate,
            gradient_norm,
            tokens: losses.tokens + of_text.tokens,
            nodes: losses.nodes + of_text.nodes,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// The text of a step; none where the stage reads none.
    fn text_batch(&mut self, stage: &Stage, number: usize, step: usize) -> Result<Vec<Example>, Error> {
        let Some(corpus) = self.set.text.as_ref().filter(|_| stage.uses_text()) else {
            return Ok(Vec::new());
        };
        let is_other = self.text.as_ref().is_none_or(|(of, _)| *of != number);
        if is_other {
            let seed = mix(&[self.recipe.seed, number as u64, TEXT_PASSES as u64]);
            self.text = Some((number, TextStream::new(corpus.clone(), seed)));
        }
        let Some((_, stream)) = &mut self.text else { return Ok(Vec::new()) };
        stream.batch(&self.scorer, self.recipe.data.metric(), step, stage.text_batch)
    }

    fn text_losses(
        &self,
        stage: &Stage,
        text: &[Example],
        begin: &dyn Fn(usize) -> Arc<StepAdapter>,
    ) -> Result<(Losses, Vec<Tensor<2>>), Error> {
        let stage = stage.of_text();
        let items = text.iter().map(|example| {
            let chosen = if stage.uses_lists() { example.chosen(&stage) } else { Vec::new() };
            let is_choice = chosen.len() > 1;
            Item { example, chosen: if is_choice { chosen } else { Vec::new() }, before: None }
        });
        losses(&self.scorer, &stage, &items.collect::<Vec<_>>(), begin)
    }

    /// Scores of the hypotheses of all examples by the model as it is now.
    pub(super) fn score_all(&self) -> Result<Vec<Vec<f64>>, Error> {
        let scorer = self.scorer.clone().with_adapters(AdapterSet::one(self.trainable.snapshot()));
        scorer.score_sequences(self.set.examples.iter().map(|example| &*example.hypotheses))
    }
}

fn sum(one: Vec<Tensor<2>>, other: Vec<Tensor<2>>) -> Vec<Tensor<2>> {
    match (one.is_empty(), other.is_empty()) {
        (true, _) => other,
        (_, true) => one,
        _ => one.into_iter().zip(other).map(|(one, other)| one + other).collect(),
    }
}
