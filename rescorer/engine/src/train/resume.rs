//! Checkpoints of a trainer: writing them, and going on from one.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::checkpoint::{Checkpoint, Progress};
use super::event::Event;
use super::trainer::Trainer;
use crate::Error;

/// Where checkpoints go, how often, and for what: the hash is over all lists, so it is made once.
pub(super) struct Checkpoints {
    path: PathBuf,
    /// Steps from one to the next.
    pub(super) every: usize,
    identity: String,
}

impl Trainer {
    /// Writes a checkpoint to `path` every so many steps and at the end of each stage, and goes on from the one that is
    /// there. Returns how far that one had come.
    ///
    /// # Errors
    /// A checkpoint that is damaged or belongs to something else.
    pub fn checkpoints(&mut self, path: PathBuf, every: usize) -> Result<Option<Progress>, Error> {
        let device = self.scorer.model().device().burn().clone();
        let identity = self.identity();
        let found = Checkpoint::read(&path, &identity, &device)?;
        self.checkpoints = Some(Checkpoints { path, every: every.max(1), identity });
        let Some(checkpoint) = found else { return Ok(None) };
        // A stage may have begun with a projection to fewer ranks.
        while self.progress.stage < checkpoint.progress.stage {
            self.progress.stage += 1;
            self.project()?;
        }
        self.progress = checkpoint.progress.clone();
        self.renew_optimizer();
        let order = self.name_order();
        self.trainable.set(in_order(&order, checkpoint.values.into_iter().map(|(_, value)| value).collect()));
        self.optimizer.restore(in_order(&order, checkpoint.moments));
        self.best = in_order(&order, checkpoint.best);
        self.before = checkpoint.before;
        self.trainable.restore_allocation(checkpoint.allocation)?;
        Ok(Some(checkpoint.progress))
    }

    /// For every matrix its place among the sorted names, in which checkpoints hold them.
    fn name_order(&self) -> Vec<usize> {
        let names: Vec<&String> =
            self.trainable.parameters().iter().map(|parameter| &parameter.name).collect();
        let mut sorted: Vec<usize> = (0..names.len()).collect();
        sorted.sort_by_key(|&place| names[place]);
        let mut order = vec![0; names.len()];
        sorted.into_iter().enumerate().for_each(|(at, place)| order[place] = at);
        order
    }

    /// Hash over recipe, model and lists.
    fn identity(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(format!("{:?}\n{}\n", self.recipe, self.scorer.model().fingerprint()));
        self.set.examples.iter().for_each(|example| hasher.update(format!("{example:?}\n")));
        self.set.dev.iter().for_each(|utterance| hasher.update(crate::content_hash(utterance)));
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn save(&self, tell: &mut dyn FnMut(&Event) -> Result<(), Error>) -> Result<(), Error> {
        let Some(Checkpoints { path, identity, .. }) = &self.checkpoints else { return Ok(()) };
        let parameters = self.trainable.parameters();
        let mut sorted: Vec<usize> = (0..parameters.len()).collect();
        sorted.sort_by_key(|&place| &parameters[place].name);
        let mut moments: Vec<_> = self.optimizer.moments().into_iter().map(Some).collect();
        let checkpoint = Checkpoint {
            identity: identity.clone(),
            progress: self.progress.clone(),
            values: sorted
                .iter()
                .map(|&place| (parameters[place].name.clone(), parameters[place].value.clone()))
                .collect(),
            moments: sorted.iter().map(|&place| moments[place].take().flatten()).collect(),
            best: if self.best.is_empty() {
                Vec::new()
            } else {
                sorted.iter().map(|&place| self.best[place].clone()).collect()
            },
            allocation: self.trainable.allocation_state(),
            before: self.before.clone(),
        };
        checkpoint.write(path)?;
        tell(&Event::Checkpoint { stage: self.progress.stage + 1, step: self.progress.step })
    }
}

/// Values from the order of names into that of the matrices; nothing stays nothing.
fn in_order<T>(order: &[usize], sorted: Vec<T>) -> Vec<T> {
    let mut sorted: Vec<Option<T>> = sorted.into_iter().map(Some).collect();
    order.iter().filter_map(|&at| sorted.get_mut(at).and_then(Option::take)).collect()
}
