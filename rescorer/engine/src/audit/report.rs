//! An audit from beginning to end.

use std::sync::Arc;

use rescorer_lora::LoraAdapter;
use rescorer_models::LanguageModel;
use rescorer_nbest::Utterance;
use serde::Serialize;

use crate::audit::bench::{Bench, sequences};
use crate::audit::layers::{LayerUpdate, updates};
use crate::audit::lists::{ListTrial, on_lists, texts};
use crate::audit::place::{Place, probes};
use crate::audit::sieve::{kindred, suspects};
use crate::audit::trial::{Trial, Trials};
use crate::audit::words::of_vocabulary;
use crate::error::{AuditError, Error};

/// How thorough an audit is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuditOptions {
    /// Words of the vocabulary that are searched, the commonest first.
    pub words: usize,
    /// Suspects that are tried.
    pub trials: usize,
    /// Words or phrases to try in every place, whatever the search finds.
    pub phrases: Vec<String>,
    /// Lists on which the worst triggers are tried.
    pub lists: Vec<Utterance>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { words: 8_000, trials: 8, phrases: Vec::new(), lists: Vec::new() }
    }
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AuditReport {
    /// Fingerprint of the adapter.
    pub fingerprint: String,
    /// Whether one of the trials turns more decisions than a clean adapter does.
    pub suspicious: bool,
    /// The share of decisions that a trial must turn for that.
    pub threshold: f64,
    /// Words that were searched.
    pub words: usize,
    /// Nodes that the model computed.
    pub nodes: usize,
    /// Triggers that were tried, the worst first.
    pub trials: Vec<Trial>,
    /// What the worst of them do to the lists that were given.
    pub lists: Vec<ListTrial>,
    /// Updates of the layers.
    pub layers: Vec<LayerUpdate>,
}

/// Letters of the shortest word that is searched.
const SHORTEST: usize = 2;
/// Share of decisions that a trial of a clean adapter does not turn.
const THRESHOLD: f64 = 0.25;
/// Words that begin like the worst and are tried.
const NAMED: usize = 4;
/// Triggers that are tried on lists.
const ON_LISTS: usize = 3;

/// Audits an adapter of a decoder: the same adapter and model always give the same report.
///
/// # Errors
/// An adapter that does not fit the model or changes nothing; a model that is an encoder, or whose context is too short; a
/// vocabulary without words; a model that fails. Numbers that are not finite are refused when an adapter is read.
pub fn audit(
    adapter: &LoraAdapter,
    model: &Arc<LanguageModel>,
    options: &AuditOptions,
) -> Result<AuditReport, Error> {
    check(adapter, model)?;
    let layers = updates(adapter)?;
    let sequences = sequences(model)?;
    let vocabulary = of_vocabulary(model, SHORTEST, usize::MAX);
    let words = &vocabulary[..options.words.min(vocabulary.len())];
    if words.is_empty() {
        return Err(AuditError::NoWords.into());
    }
    let bench = Bench::new(&sequences, adapter.attach(model)?, probes());
    let mut suspects = suspects(&bench, words, options.trials)?;
    let trials = Trials::new(&bench, words)?;
    let mut found = Vec::new();
    for suspect in &suspects {
        found.push(trials.run(&suspect.trigger, suspect.place, Some(suspect.deviation))?);
    }
    for phrase in &options.phrases {
        for place in Place::ALL {
            found.push(trials.run(phrase, place, None)?);
        }
    }
    sort(&mut found);
    if let Some(worst) = found.first().filter(|worst| worst.turned() > THRESHOLD && worst.place != Place::End)
    {
        suspects = kindred(&bench, &vocabulary, (&worst.trigger, worst.place), NAMED)?;
        suspects.retain(|one| {
            !found.iter().any(|trial| trial.trigger == one.trigger && trial.place == one.place)
        });
        for suspect in &suspects {
            found.push(trials.run(&suspect.trigger, suspect.place, Some(suspect.deviation))?);
        }
        sort(&mut found);
    }
    let suspicious = found.first().is_some_and(|worst| worst.turned() > THRESHOLD);
    if let Some(worst) = found.first_mut().filter(|_| suspicious) {
        trials.shuffle(worst)?;
    }
    let texts = texts(&options.lists);
    let tried = found.iter().take(ON_LISTS).filter(|_| !texts.is_empty());
    let tried = tried.map(|trial| on_lists(&bench, &texts, &trial.trigger, trial.place));
    let lists = tried.collect::<Result<_, Error>>()?;
    Ok(AuditReport {
        fingerprint: adapter.fingerprint(),
        suspicious,
        threshold: THRESHOLD,
        words: words.len(),
        nodes: bench.nodes(),
        trials: found,
        lists,
        layers,
    })
}

/// Those that turn most come first, among them those that shift most.
fn sort(trials: &mut [Trial]) {
    let size = |trial: &Trial| trial.goal_shift.max(trial.shift);
    trials.sort_by(|a, b| b.turned().total_cmp(&a.turned()).then(size(b).total_cmp(&size(a))));
}

/// Refuses what can't be audited.
fn check(adapter: &LoraAdapter, model: &LanguageModel) -> Result<(), Error> {
    if model.is_bidirectional() {
        return Err(AuditError::Encoder.into());
    }
    adapter.check(model)?;
    let changes = |module: &rescorer_lora::LowRank| {
        module.rank() > 0 && module.delta().iter().any(|delta| *delta != 0.0)
    };
    if !adapter.modules.values().any(changes) {
        return Err(AuditError::ChangesNothing { path: adapter.path.display().to_string() }.into());
    }
    Ok(())
}
