//! Learning from what users correct: short trainings, each checked and undoable.

mod corrections;
mod folder;
mod terms;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rescorer_lora::{Kind, LoraAdapter};
use rescorer_models::{Adapter, LanguageModel};
use rescorer_nbest::Utterance;
use rescorer_perturb::{Metric, Normalization, Wer};
use serde::Serialize;

pub use terms::RecurringTerm;

use super::{AdapterRecipe, DataRecipe, Recipe, StageRecipe, Trainer, TrainingSet};
use crate::adapter_source::BuiltIn;
use crate::error::Error;
use crate::fusion::content_hash::content_hash;
use crate::fusion::model_identity::ModelIdentity;
use crate::fusion::policy::Policy;
use crate::fusion::shipped::DefaultPolicy;
use crate::fusion::tuning::folds::hold_out;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::config::ScoringConfig;
use crate::scoring::need::Need;
use crate::scoring::scorer::Scorer;
use folder::LearningFolder;

/// Fewest lists that tell whether an adapter gets worse.
const FEWEST_HELD_OUT: usize = 10;

/// How an adapter learns from corrections.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnOptions {
    /// Times that the lists are gone through.
    pub epochs: f64,
    /// Highest rate of learning.
    pub learning_rate: f64,
    /// Older lists that are repeated for each correction.
    pub replay: f64,
    /// Share of all lists that is held out where no lists are given for it.
    pub held_out: f64,
    /// What errors are counted in. A policy beside the adapter decides on its own normalisation.
    pub metric: Metric,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

impl Default for LearnOptions {
    fn default() -> Self {
        let metric = Normalization::default().into();
        Self { epochs: 3.0, learning_rate: 3e-4, replay: 2.0, held_out: 0.2, metric, seed: 0 }
    }
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lesson {
    /// Number of the step, from 1, by which it can be undone; `None` where it was not kept.
    pub step: Option<usize>,
    /// Corrections that were trained on.
    pub corrections: usize,
    /// Older lists that were repeated.
    pub replayed: usize,
    /// Lists that were held out.
    pub held_out: usize,
    /// Error rate on them before, in percent.
    pub before: f64,
    /// And after.
    pub after: f64,
    /// Words of the corrections that no hypothesis has, and that recur: for a vocabulary.
    pub terms: Vec<RecurringTerm>,
}

/// Lets an adapter in a folder learn from corrections.
pub struct Learner {
    model: Arc<LanguageModel>,
    folder: PathBuf,
    options: LearnOptions,
}

impl Learner {
    /// Takes a model that was [loaded for training](LanguageModel::load_for_training), and the folder of an adapter. Where there is none,
    /// learning begins with what answers by default: the built-in adapter `speech`, if the model is the one that it is for.
    pub fn new(model: Arc<LanguageModel>, folder: impl Into<PathBuf>, options: LearnOptions) -> Self {
        Self { model, folder: folder.into(), options }
    }

    /// Trains on corrections: lists with what was said as their reference. `replay` are older lists, to which those of earlier steps come;
    /// `held_out` are lists to check on, or none, and then a share of all is taken.
    ///
    /// The adapter changes only if the held-out lists are answered with no more errors than before. What it was is kept beside it, see
    /// [`Self::undo`].
    ///
    /// # Errors
    /// No corrections, or corrections that contradict each other; too few lists to check on; an adapter or policy that can't be read; as
    /// training.
    pub fn learn(
        &self,
        corrections: Vec<Utterance>,
        replay: Vec<Utterance>,
        held_out: Vec<Utterance>,
    ) -> Result<Lesson, Error> {
        corrections::check(&corrections, self.options.metric)?;
        let folder = LearningFolder::open(&self.folder)?;
        let terms = terms::recurring(&corrections);
        let older: Vec<Utterance> = folder.corrections()?.into_iter().chain(replay).collect();
        let Parted { held_out, older, taught } = self.parted(corrections.clone(), older, held_out)?;
        let replayed = self.drawn(older, taught.len());
        let policy = folder.policy()?;
        let decides = Decides::new(policy.as_ref(), self.options.metric, &self.model)?;
        let scorer = Scorer::new(self.model.clone(), decides.0.convention)?.with_unit(decides.0.unit);
        let adapter = match folder.adapter()? {
            Some(adapter) => Some(adapter),
            None => BuiltIn::adapter_for(&self.model),
        };
        let attached = adapter.as_ref().map(|adapter| adapter.attach(&self.model)).transpose()?;
        let before =
            decides.error_rate(&scorer, attached.map(|adapter| adapter as Arc<dyn Adapter>), &held_out)?;
        let trainer = self.train(&scorer, adapter, &decides, taught.iter().chain(&replayed))?;
        let after = decides.error_rate(&scorer, Some(trainer.trainable().snapshot()), &held_out)?;
        let is_kept = after.errors <= before.errors;
        let step = match trainer.adapter().filter(|_| is_kept) {
            Some(adapter) => Some(folder.keep(&adapter, policy, &corrections, &taught)?),
            None => None,
        };
        Ok(Lesson {
            step,
            corrections: taught.len(),
            replayed: replayed.len(),
            held_out: held_out.len(),
            before: before.percent().unwrap_or_default(),
            after: after.percent().unwrap_or_default(),
            terms,
        })
    }

    /// Undoes the last step in a folder, and returns its number.
    ///
    /// # Errors
    /// No step that could be undone; files that can't be moved.
    pub fn undo(folder: impl AsRef<Path>) -> Result<usize, Error> {
        LearningFolder::open(folder.as_ref())?.undo()
    }

    /// Sorts lists by what they are for.
    fn parted(
        &self,
        corrections: Vec<Utterance>,
        older: Vec<Utterance>,
        held_out: Vec<Utterance>,
    ) -> Result<Parted, Error> {
        let LearnOptions { held_out: share, seed, .. } = self.options;
        let (held_out, older, taught) = if held_out.is_empty() {
            let (mut held, taught) = hold_out(corrections, share, seed);
            let (held_older, older) = hold_out(older, share, seed);
            held.extend(held_older);
            (held, older, taught)
        } else {
            let hashes: HashSet<String> = held_out.iter().map(content_hash).collect();
            let is_other = |list: &Utterance| !hashes.contains(&content_hash(list));
            let older = older.into_iter().filter(is_other).collect();
            let taught = corrections.into_iter().filter(is_other).collect();
            (held_out, older, taught)
        };
        if held_out.len() < FEWEST_HELD_OUT {
            let reason = format!(
                "{} lists are held out, too few to tell whether the adapter gets worse; give {FEWEST_HELD_OUT} or more to check on",
                held_out.len()
            );
            return Err(Error::Corrections { reason });
        }
        if taught.is_empty() {
            let reason = "all corrections are held out; give more, or other lists to check on".into();
            return Err(Error::Corrections { reason });
        }
        Ok(Parted { held_out, older, taught })
    }

    /// As many older lists as are to be repeated.
    fn drawn(&self, mut older: Vec<Utterance>, corrections: usize) -> Vec<Utterance> {
        let count = (self.options.replay * corrections as f64).round() as usize;
        older.shuffle(&mut ChaCha8Rng::seed_from_u64(self.options.seed));
        older.truncate(count);
        older
    }

    fn train<'a>(
        &self,
        scorer: &Scorer,
        adapter: Option<LoraAdapter>,
        decides: &Decides,
        lists: impl Iterator<Item = &'a Utterance>,
    ) -> Result<Trainer, Error> {
        let linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
        let recipe = Recipe {
            seed: self.options.seed,
            adapter: AdapterRecipe {
                // What messages call it.
                init: adapter.is_some().then(|| self.folder.clone()),
                targets: linear.map(str::to_owned).to_vec(),
                ..AdapterRecipe::default()
            },
            convention: decides.0.convention,
            // First-pass scores of other recognisers have other scales, so that the model learns to order alone.
            training: StageRecipe {
                nll: Some(if self.model.is_bidirectional() { 0.0 } else { 1.0 }),
                mwer: Some(1.0),
                first_pass_weight: Some(0.0),
                batch: Some(8),
                epochs: Some(self.options.epochs),
                learning_rate: Some(self.options.learning_rate),
                ..StageRecipe::default()
            },
            ..Recipe::default()
        };
        let recipe = Recipe { data: decides.data(), ..recipe };
        let mut set = TrainingSet::default();
        for list in lists {
            set.add(scorer, &recipe, list)?;
        }
        let mut trainer = Trainer::begin_with(adapter, scorer.clone(), recipe, set)?;
        trainer.run(&mut |_| Ok(()))?;
        Ok(trainer)
    }
}

/// Lists to check on, none of which is among the others; older lists to repeat; and corrections to learn.
struct Parted {
    held_out: Vec<Utterance>,
    older: Vec<Utterance>,
    taught: Vec<Utterance>,
}

/// What answers with an adapter: the policy beside it, or the default policy.
struct Decides(Policy);

impl Decides {
    fn new(own: Option<&Policy>, metric: Metric, model: &LanguageModel) -> Result<Self, Error> {
        if own.is_some_and(|policy| policy.cascade.is_some()) {
            let reason =
                "the policy beside the adapter is of a cascade; tune one for the adapter alone".into();
            return Err(Error::Corrections { reason });
        }
        let identity = || ModelIdentity { name: String::new(), fingerprint: model.fingerprint().into() };
        let default = || DefaultPolicy::shipped().policy(ScoringConfig::default(), metric, identity(), None);
        Ok(Self(own.cloned().unwrap_or_else(default)))
    }

    fn data(&self) -> DataRecipe {
        DataRecipe { normalize: self.0.normalize, unit: self.0.unit, ..DataRecipe::default() }
    }

    fn error_rate(
        &self,
        scorer: &Scorer,
        adapter: Option<Arc<dyn Adapter>>,
        lists: &[Utterance],
    ) -> Result<Wer, Error> {
        let weighting = &self.0.weighting;
        let adapters = adapter.map(AdapterSet::one).unwrap_or_default();
        let scorer = scorer.clone().with_adapters(adapters).with_features(weighting);
        // Lists may name adapters that are not there.
        let lists = lists.iter().map(|list| {
            let mut list = list.clone();
            list.extra.remove(crate::scoring::adapters::FIELD);
            Ok::<_, Error>(list)
        });
        let answered = scorer.score_stream_as(Need::of(weighting), lists, false).map(|scored| {
            let (list, scores) = scored?;
            Ok(ScoredReference::new(&list, &scores, self.0.metric())?.rescored(weighting))
        });
        answered.collect()
    }
}

/// The adapter of a folder, if there is one.
fn adapter_in(folder: &Path) -> Result<Option<LoraAdapter>, Error> {
    let is_there = folder.join(LoraAdapter::CONFIG_FILE).exists();
    let adapter = is_there.then(|| LoraAdapter::read(folder)).transpose()?;
    if adapter.as_ref().is_some_and(|adapter| adapter.settings.kind != Kind::Vanilla) {
        let folder = folder.display();
        let reason =
            format!("{folder}: a rank-allocated adapter does not learn; convert it to a vanilla one first");
        return Err(Error::Corrections { reason });
    }
    Ok(adapter)
}
