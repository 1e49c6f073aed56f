//! Checkpoints of a trainer: writing them, and going on from one.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::checkpoint::{Checkpoint, Checkpoints, Progress};
use super::event::Event;
use super::trainer::Trainer;
use crate::error::Error;

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
        self.trainable.set(checkpoint.values);
        self.optimizer.restore(checkpoint.moments);
        self.best = checkpoint.best;
        self.before = checkpoint.before;
        self.trainable.restore_allocation(checkpoint.allocation)?;
        Ok(Some(checkpoint.progress))
    }

    /// Hash over recipe, model and lists. The fingerprint of the model is the one without a version, so that checkpoints
    /// of earlier versions are gone on from.
    fn identity(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(format!("{:?}\n{}\n", self.recipe, self.scorer.model().fingerprint_like("")));
        self.set.examples.iter().for_each(|example| hasher.update(format!("{example:?}\n")));
        if let Some(text) = &self.set.text {
            hasher.update(text.identity());
        }
        self.set
            .dev
            .iter()
            .for_each(|utterance| hasher.update(crate::fusion::content_hash::content_hash(utterance)));
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn save(&self, tell: &mut dyn FnMut(&Event) -> Result<(), Error>) -> Result<(), Error> {
        let Some(Checkpoints { path, identity, .. }) = &self.checkpoints else { return Ok(()) };
        let checkpoint = Checkpoint {
            identity: identity.clone(),
            progress: self.progress.clone(),
            values: self.trainable.values(),
            moments: self.optimizer.moments(),
            best: self.best.clone(),
            allocation: self.trainable.allocation_state(),
            before: self.before.clone(),
        };
        checkpoint.write(path)?;
        tell(&Event::Checkpoint { stage: self.progress.stage + 1, step: self.progress.step })
    }
}
