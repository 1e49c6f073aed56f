//! Sets of lists, and their scores.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rescorer::fusion::{Metric, PriorSet, ScoredReference};
use rescorer::robustness::{CacheKey, ScoreCache};
use rescorer::scoring::{ListScores, Need, Scorer, ScoringConfig};
use rescorer::{Hypothesis, NBest, Normalization, Rescorer, Utterance};
use serde::Deserialize;

use crate::Result;

/// Lists of each set that the policy is fitted to; all are reported.
const FITTED_LISTS: usize = 800;

/// What the lists count that are made of a set by leaving scores and repeats away.
const BARE_WEIGHT: f64 = 0.5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sets {
    pub set: Vec<Set>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub name: String,
    pub family: String,
    files: Vec<PathBuf>,
    normalize: Normalization,
    pub weight: f64,
    /// A set of the same family that it is reported for too when weights are tuned on that.
    pub tune_on: Option<String>,
}

/// A set with its scores.
pub struct Scored {
    /// All of it, scored in the first way.
    pub lists: Vec<ScoredReference>,
    /// Parts of it that the policy is fitted to, for every way of scoring: the lists as they are, and without scores and repeats.
    pub fitted: Vec<[PriorSet; 2]>,
}

/// What the policy is fitted to, without a family.
pub fn fitted(sets: &[Set], scored: &[Scored], without: Option<&str>) -> Vec<PriorSet> {
    let others = sets.iter().zip(scored).filter(|(set, _)| Some(set.family.as_str()) != without);
    let others = others.filter(|(set, _)| set.weight > 0.0);
    others.flat_map(|(_, scored)| scored.fitted.iter().flatten().cloned()).collect()
}

impl Set {
    /// Scores what SCORES does not have yet: all lists in the first way, in the others those that the policy is fitted to.
    pub fn score(&self, ways: &[Rescorer], folder: &Path) -> Result<Scored> {
        let utterances = self.read()?;
        let step = utterances.len().div_ceil(FITTED_LISTS);
        let part: Vec<Utterance> = utterances.iter().step_by(step).cloned().collect();
        let bare: Vec<Utterance> = part.iter().map(bare).collect::<Result<_>>()?;
        let (mut lists, mut fitted) = (Vec::new(), Vec::new());
        for (number, way) in ways.iter().enumerate() {
            let cache = self.scores(way, folder, if number == 0 { &utterances } else { &part })?;
            let metric = Metric::from(self.normalize);
            let judge = |utterance: &Utterance| judge(way.scorer(), &cache, utterance, metric);
            let judge_all = |lists: &[Utterance]| lists.iter().map(judge).collect::<Result<Vec<_>>>();
            let weight = self.weight / ways.len() as f64;
            fitted.push([
                PriorSet { lists: judge_all(&part)?, weight },
                PriorSet { lists: judge_all(&bare)?, weight: BARE_WEIGHT * weight },
            ]);
            if number == 0 {
                lists = judge_all(&utterances)?;
            }
        }
        Ok(Scored { lists, fitted })
    }

    /// About so many of its lists, scored token by token.
    pub fn sample(&self, rescorer: &Rescorer, lists: usize) -> Result<Vec<ScoredReference>> {
        let utterances = self.read()?;
        let step = utterances.len().div_ceil(lists);
        let part: Vec<std::result::Result<Utterance, rescorer::Error>> =
            utterances.into_iter().step_by(step).map(Ok).collect();
        let metric = Metric::from(self.normalize);
        let scored = rescorer.scorer().score_stream_as(Need::Scores, part, false);
        scored
            .map(|scored| {
                let (utterance, scores) = scored?;
                Ok(ScoredReference::new(&utterance, &scores, metric)?)
            })
            .collect()
    }

    fn read(&self) -> Result<Vec<Utterance>> {
        let mut utterances = Vec::new();
        for file in &self.files {
            for utterance in rescorer_nbest::Reader::open(file, &rescorer_nbest::ReadOptions::default())? {
                utterances.push(utterance?);
            }
        }
        Ok(utterances)
    }

    /// The scores of all texts.
    fn scores(&self, rescorer: &Rescorer, folder: &Path, lists: &[Utterance]) -> Result<ScoreCache> {
        let scorer = rescorer.scorer();
        let key = CacheKey {
            model: rescorer.model().fingerprint().into(),
            adapter: scorer.adapter_identity().map(|adapter| adapter.fingerprint),
            convention: ScoringConfig::default(),
            precision: rescorer.model().device().precision().to_string(),
        };
        let mut cache = ScoreCache::open(&folder.join(&self.name), &key)?;
        let unknown = |list: &&Utterance| list.nbest.iter().any(|one| cache.get(&one.text).is_none());
        let missing: Vec<std::result::Result<Utterance, rescorer::Error>> =
            lists.iter().filter(unknown).map(|list| Ok(list.clone())).collect();
        eprintln!("{}: {} lists, {} to score", self.name, lists.len(), missing.len());
        for scored in scorer.score_stream_as(Need::Scores, missing, false) {
            let (utterance, scores) = scored?;
            let texts = scores
                .distinct
                .hypotheses()
                .iter()
                .map(|known| &utterance.nbest.hypotheses()[known.position].text);
            cache.add(texts.zip(&scores.scores).map(|(text, score)| (text.as_str(), score.lm_score)))?;
        }
        Ok(cache)
    }
}

/// A list with the scores that are known of its texts.
fn judge(
    scorer: &Scorer,
    cache: &ScoreCache,
    utterance: &Utterance,
    metric: Metric,
) -> Result<ScoredReference> {
    let prepared = scorer.prepare_utterance(utterance)?;
    let known: HashMap<&str, f64> =
        utterance.nbest.iter().filter_map(|one| Some((one.text.as_str(), cache.get(&one.text)?))).collect();
    let scores = ListScores::known(&prepared, |text| known.get(text).copied().unwrap_or(f64::NAN));
    Ok(ScoredReference::new(utterance, &scores, metric)?)
}

/// A list without scores and repeats.
fn bare(utterance: &Utterance) -> Result<Utterance> {
    let unique = utterance.nbest.unique();
    let texts =
        unique.hypotheses().iter().map(|known| utterance.nbest.hypotheses()[known.position].text.clone());
    let nbest = NBest::new(texts.map(Hypothesis::new).collect())?;
    Ok(Utterance { nbest, ..utterance.clone() })
}
