//! Two rescorers in a row: the first one's totals are the first pass of the second.

use std::sync::Arc;

use rescorer_models::LanguageModel;

use crate::error::Error;
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::policy::ModelIdentity;
use crate::fusion::weights::Fusion;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::prepare::PreparedList;
use crate::scoring::scorer::{ListScores, Scored, Scorer, candidates};

/// A rescorer that is asked before another one, most often a cheap one: an encoder before a decoder.
///
/// What it adds to the first pass stays: `first_pass' = first_pass + share · (lm_weight · lm_score + length_bonus · words)`, and the
/// next one fuses its own scores with that, so both decide together (an ensemble). With a threshold the next one is only asked for
/// lists where the best hypothesis leads the second by less; the others are answered at once (a cascade).
#[derive(Clone)]
pub struct Cascade {
    scorer: Scorer,
    fusion: Fusion,
    share: f64,
    threshold: Option<f64>,
}

/// First-stage scores of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstStageScores {
    /// First-pass scores of the distinct hypotheses.
    pub first_pass: Vec<f64>,
    /// Its own scores for them; 0 where it was not asked, since nothing hangs on them.
    pub lm_scores: Vec<f64>,
    /// Its weights.
    pub fusion: Fusion,
    /// Lead of its best hypothesis over the second; infinite where there is no second.
    pub lead: f64,
    /// Whether its answer stands.
    pub exits_early: bool,
}

impl Cascade {
    /// The rescorer that a policy asks for, from its model and its adapters.
    ///
    /// # Errors
    /// Another model or adapter than the policy's; as [`Scorer::new`].
    pub fn new(
        model: Arc<LanguageModel>,
        adapters: AdapterSet,
        policy: &CascadePolicy,
    ) -> Result<Self, Error> {
        let CascadePolicy { share, threshold, fusion, convention, .. } = *policy;
        let given =
            |fingerprint: &str| ModelIdentity { name: "given".into(), fingerprint: fingerprint.into() };
        policy.model.check_model(&given(model.fingerprint_like(&policy.model.fingerprint)))?;
        let adapter = adapters.default_adapter().map(|adapter| given(adapter.fingerprint().unwrap_or("")));
        ModelIdentity::check_adapter(policy.adapter.as_ref(), adapter.as_ref())?;
        let scorer = Scorer::new(model, convention)?.with_adapters(adapters);
        Ok(Self { scorer, fusion, share, threshold })
    }

    /// Its scorer.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// Its weights.
    pub(crate) fn fusion(&self) -> &Fusion {
        &self.fusion
    }

    /// Asks it about lists, and `main` about those that are not settled.
    pub(crate) fn score(&self, main: &Scorer, mut lists: Vec<PreparedList>) -> Result<Scored, Error> {
        let own: Vec<PreparedList> =
            lists.iter_mut().filter_map(|list| list.first_stage.take()).map(|own| *own).collect();
        let Scored { lists: first, mut nodes } = self.scorer.score(own)?;
        let mut answers: Vec<Option<ListScores>> = Vec::with_capacity(first.len());
        let mut going_on = Vec::new();
        for (mut list, mut scores) in lists.into_iter().zip(first) {
            let known = self.known(&scores);
            if known.exits_early {
                scores.first_stage = Some(known);
                answers.push(Some(scores));
                continue;
            }
            let raised = known.raised(self.share, &list.words);
            list.distinct = list.distinct.with_first_pass(raised);
            going_on.push((list, known));
            answers.push(None);
        }
        let (lists, known): (Vec<PreparedList>, Vec<FirstStageScores>) = going_on.into_iter().unzip();
        let scored = main.score_alone(lists)?;
        nodes += scored.nodes;
        let mut later = scored.lists.into_iter().zip(known);
        let lists = answers.into_iter().filter_map(|answer| {
            answer.or_else(|| {
                later.next().map(|(scores, known)| ListScores { first_stage: Some(known), ..scores })
            })
        });
        Ok(Scored { lists: lists.collect(), nodes })
    }

    fn known(&self, scores: &ListScores) -> FirstStageScores {
        let candidates = candidates(scores);
        let mut totals: Vec<f64> = candidates.iter().map(|candidate| self.fusion.total(candidate)).collect();
        totals.sort_by(|a, b| b.total_cmp(a));
        let lead = match totals[..] {
            [best, second, ..] => best - second,
            _ => f64::INFINITY,
        };
        FirstStageScores {
            first_pass: candidates.iter().map(|candidate| candidate.first_pass).collect(),
            lm_scores: candidates.iter().map(|candidate| candidate.lm_score).collect(),
            fusion: self.fusion,
            lead,
            exits_early: self.threshold.is_some_and(|threshold| lead >= threshold),
        }
    }
}

impl FirstStageScores {
    /// The first pass of the next rescorer. One text has no rival, so nobody asks what is added to it, and it keeps its score.
    pub(crate) fn raised(&self, share: f64, words: &[usize]) -> Vec<f64> {
        if let [first_pass] = self.first_pass[..] {
            return vec![first_pass];
        }
        let Fusion { lm_weight, length_bonus, .. } = self.fusion;
        let parts = self.first_pass.iter().zip(&self.lm_scores).zip(words);
        parts
            .map(|((first_pass, lm_score), &words)| {
                first_pass + share * (lm_weight * lm_score + length_bonus * words as f64)
            })
            .collect()
    }
}
