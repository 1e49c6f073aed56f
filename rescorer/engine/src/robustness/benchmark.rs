use std::collections::{HashMap, HashSet};

use rescorer_nbest::{NBest, Utterance};
use rescorer_perturb::{Homophones, Metric, Perturbation, PerturbationKind, Unit, WordCounts, group_numbers};
use sha2::{Digest, Sha256};

use super::condition::{Condition, KnownLists};
use super::{CacheKey, Plan, ScoreCache};
use crate::error::Error;
use crate::fusion::content_hash::content_hash;
use crate::fusion::weighting::Weighting;
use crate::scoring::scorer::Scorer;

/// Lists as they are and in every condition of a plan, ready to be scored.
pub struct Benchmark {
    pub(super) conditions: Vec<(Condition, KnownLists)>,
    pub(super) clean: KnownLists,
    /// A number for every list, equal for equal references.
    pub(super) groups: Vec<usize>,
    /// Lists that were left out because a policy was tuned on them.
    pub(super) excluded: usize,
    /// Lists without any word that has a homophone.
    pub(super) untouchable: usize,
    /// What errors are counted in.
    pub(super) unit: Unit,
    pub(super) plan: Plan,
}

/// Keeps `count` utterances, those whose ids have the smallest hashes, in their order.
fn sample(utterances: &mut Vec<Utterance>, count: usize) {
    let hash = |utterance: &Utterance| Sha256::digest(utterance.id.as_bytes());
    let mut hashes: Vec<_> = utterances.iter().map(hash).collect();
    hashes.sort_unstable();
    if let Some(limit) = hashes.get(count) {
        utterances.retain(|utterance| hash(utterance) < *limit);
    }
}

/// A rescorer of the plan with the scores of its model.
pub struct Contestant {
    /// Its name.
    pub name: String,
    /// Its weights.
    pub weighting: Weighting,
    /// Tokens of all texts, where features are weighed: [`Benchmark::tokens`].
    pub tokens: Option<HashMap<String, usize>>,
    /// What its scores depend on.
    pub key: CacheKey,
    /// The scores.
    pub cache: ScoreCache,
}

impl Benchmark {
    /// Perturbs lists in all conditions of a plan. Lists whose [`content_hash`](crate::fusion::content_hash) is among `seen`, those that policies were tuned
    /// on, are left out and counted.
    ///
    /// # Errors
    /// A list without a reference; no list left; a perturbation that is refused; lists of which no word has a homophone.
    pub fn new(
        plan: Plan,
        mut utterances: Vec<Utterance>,
        seen: &HashSet<&str>,
        homophones: &Homophones,
        metric: impl Into<Metric>,
    ) -> Result<Self, Error> {
        let metric = metric.into();
        let before = utterances.len();
        utterances.retain(|utterance| !seen.contains(content_hash(utterance).as_str()));
        let excluded = before - utterances.len();
        if let Some(count) = plan.sample {
            sample(&mut utterances, count);
        }
        if utterances.is_empty() {
            let reason = format!("{before} lists, of which {excluded} were used to tune a policy");
            return Err(Error::NothingLeft { what: "robustness", reason });
        }
        let clean = KnownLists::clean(&utterances, metric)?;
        let mut conditions = Vec::new();
        for &kind in &plan.kinds {
            for &rate in &plan.rates {
                for &seed in &plan.seeds {
                    let condition = Condition { kind, rate, seed };
                    let lists =
                        KnownLists::perturbed(&utterances, metric, homophones, &condition, plan.copies)?;
                    conditions.push((condition, lists));
                }
            }
        }
        let references =
            utterances.iter().map(|utterance| utterance.reference.as_deref().unwrap_or_default());
        let groups = group_numbers(references.map(|reference| metric.normalize.apply(reference)));
        let look = Perturbation::new(homophones, PerturbationKind::NBest, 0.0, 0, plan.copies)?;
        let look = look.with_unit(metric.unit);
        let (mut untouchable, mut counts) = (0, WordCounts::default());
        for utterance in &utterances {
            let found = look.apply(utterance)?.counts;
            untouchable += usize::from(found.replaceable == 0);
            counts += found;
        }
        if counts.replaceable == 0 {
            return Err(Error::NoHomophones {
                lists: utterances.len(),
                known: counts.known,
                words: counts.words,
            });
        }
        Ok(Self { conditions, clean, groups, excluded, untouchable, unit: metric.unit, plan })
    }

    /// Lists that take part.
    pub fn lists(&self) -> usize {
        self.clean.lists.len()
    }

    /// Lists that were left out because a policy was tuned on them.
    pub fn excluded(&self) -> usize {
        self.excluded
    }

    /// For every list, the texts of all conditions that a cache does not know yet.
    fn missing(&self, cache: &ScoreCache) -> Vec<Vec<&str>> {
        let mut seen = HashSet::new();
        let all = || std::iter::once(&self.clean).chain(self.conditions.iter().map(|(_, lists)| lists));
        let of_list = |index: usize| {
            let texts =
                all().flat_map(|lists| &lists.lists[index].hypotheses).map(|known| known.text.as_str());
            texts.filter(|text| cache.get(text).is_none() && seen.insert(*text)).collect()
        };
        (0..self.lists()).map(of_list).collect()
    }

    /// Number of tokens of every text.
    ///
    /// # Errors
    /// As [`Scorer::prepare`].
    pub fn tokens(&self, scorer: &Scorer) -> Result<HashMap<String, usize>, Error> {
        let all = std::iter::once(&self.clean).chain(self.conditions.iter().map(|(_, lists)| lists));
        let mut tokens = HashMap::new();
        for known in all.flat_map(|lists| &lists.lists).flat_map(|list| &list.hypotheses) {
            if !tokens.contains_key(&known.text) {
                tokens.insert(known.text.clone(), scorer.count_tokens(&known.text)?);
            }
        }
        Ok(tokens)
    }

    /// Number of texts that a cache does not know yet.
    pub fn missing_texts(&self, cache: &ScoreCache) -> usize {
        self.missing(cache).iter().map(Vec::len).sum()
    }

    /// Scores what a cache does not know yet, and keeps it there list by list. All conditions of a list go through the model
    /// together: what they have in common is computed once. `progress` hears how many texts are done.
    ///
    /// # Errors
    /// As [`Scorer::score`]; a cache that can't be written. What was scored before stays.
    pub fn score(
        &self,
        scorer: &Scorer,
        cache: &mut ScoreCache,
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), Error> {
        let missing = self.missing(cache).into_iter().filter(|texts| !texts.is_empty());
        let utterances: Vec<Result<Utterance, Error>> = missing
            .enumerate()
            .map(|(number, texts)| Ok(Utterance::new(format!("list {number}"), NBest::from_texts(texts)?)))
            .collect();
        let mut done = 0;
        for scored in scorer.score_stream(utterances, false) {
            let (utterance, scores) = scored?;
            let texts = scores.distinct.hypotheses().iter().zip(&scores.scores);
            cache.add(texts.map(|(hypothesis, score)| {
                (utterance.nbest.hypotheses()[hypothesis.position].text.as_str(), score.lm_score)
            }))?;
            done += scores.scores.len();
            progress(done);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_same_whatever_the_order() {
        let utterances: Vec<Utterance> =
            (0..50).map(|n| Utterance::new(format!("u{n}"), NBest::from_texts(["a"]).unwrap())).collect();
        let ids = |mut utterances: Vec<Utterance>, count| -> Vec<String> {
            sample(&mut utterances, count);
            utterances.into_iter().map(|utterance| utterance.id).collect()
        };
        let there = ids(utterances.clone(), 10);
        let mut back = ids(utterances.iter().rev().cloned().collect(), 10);
        back.reverse();
        assert_eq!((there.len(), &there), (10, &back));
        assert_eq!(ids(utterances.clone(), 50).len(), 50);
        assert_eq!(ids(utterances, 99).len(), 50);
    }
}
