//! Two rescorers in a row: the first one's totals are the first pass of the second.

use std::sync::Arc;

use rescorer_models::{Adapter, LanguageModel};
use rescorer_perturb::Unit;

use crate::error::Error;
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::weights::Fusion;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::deadline::{Anytime, Deadline};
use crate::scoring::list::{FirstStageList, FirstStageScores, ListScores, PreparedList, Scored, candidates};
use crate::scoring::list_scorer::{Aim, Capabilities, ListScorer, NamedList};
use crate::scoring::need::Need;
use crate::scoring::scorer::Scorer;
use crate::scoring::sequences::Sequences;

/// First stage of a cascade, most often a cheap rescorer: an encoder before a decoder.
///
/// What it adds to the first pass stays: `first_pass' = first_pass + share · (lm_weight · lm_score + length_bonus · words)`, and the
/// second stage fuses its own scores with that, so both decide together (an ensemble). With a threshold the second is only asked for
/// lists where the best hypothesis leads the second by less; the others are answered at once (early exit).
#[derive(Clone)]
pub struct Cascade {
    scorer: Scorer,
    fusion: Fusion,
    share: f64,
    threshold: Option<f64>,
}

impl Cascade {
    /// The first stage that a policy asks for, from its model and its adapters.
    ///
    /// # Errors
    /// Another model or adapter than the policy's; as [`Scorer::new`].
    pub fn new(
        model: Arc<LanguageModel>,
        adapters: AdapterSet,
        policy: &CascadePolicy,
    ) -> Result<Self, Error> {
        let CascadePolicy { share, threshold, fusion, convention, .. } = *policy;
        let scorer = Scorer::as_tuned(model, adapters, &policy.model, policy.adapter.as_ref(), convention)?;
        Ok(Self { scorer, fusion, share, threshold })
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

impl Scorer {
    /// Puts a first stage before this scorer.
    #[must_use]
    pub fn behind(self, first: Cascade) -> Self {
        let second = self.list_scorer().clone();
        self.with_list_scorer(Arc::new(Cascaded { first, second }))
    }
}

/// Both stages of a cascade.
struct Cascaded {
    first: Cascade,
    second: Arc<dyn ListScorer>,
}

impl ListScorer for Cascaded {
    fn sequences(&self) -> &Sequences {
        self.second.sequences()
    }

    /// A list is scored whole, since the second stage knows its first pass only when the first is done.
    fn capabilities(&self) -> Capabilities {
        Capabilities { bounds: false, deadlines: false, first_stage: true, ..self.second.capabilities() }
    }

    fn nodes(&self, texts: &[Vec<u32>], adapter: Option<&Arc<dyn Adapter>>) -> usize {
        self.second.nodes(texts, adapter)
    }

    /// Asks the first stage about all lists, and the second about those that don't exit early.
    fn score(&self, mut lists: Vec<PreparedList>) -> Result<Scored, Error> {
        let own = lists.iter_mut().filter_map(|list| list.first_stage.take()).map(|first| *first.list);
        let Scored { lists: first, mut nodes } = self.first.scorer.score(own.collect())?;
        let mut answers: Vec<Option<ListScores>> = Vec::with_capacity(first.len());
        let mut going_on = Vec::new();
        for (mut list, mut scores) in lists.into_iter().zip(first) {
            let known = self.first.known(&scores);
            if known.exits_early {
                scores.first_stage = Some(known);
                answers.push(Some(scores));
                continue;
            }
            let raised = known.raised(self.first.share, &list.words);
            list.distinct = list.distinct.with_first_pass(raised);
            going_on.push((list, known));
            answers.push(None);
        }
        let (lists, known): (Vec<PreparedList>, Vec<FirstStageScores>) = going_on.into_iter().unzip();
        let scored = self.second.score(lists)?;
        nodes += scored.nodes;
        let mut later = scored.lists.into_iter().zip(known);
        let lists = answers.into_iter().filter_map(|answer| {
            answer.or_else(|| {
                later.next().map(|(scores, known)| ListScores { first_stage: Some(known), ..scores })
            })
        });
        Ok(Scored { lists: lists.collect(), nodes })
    }

    fn score_texts(&self, texts: &[&[u32]], adapter: Option<&Arc<dyn Adapter>>) -> Result<Vec<f64>, Error> {
        self.second.score_texts(texts, adapter)
    }

    fn scores_texts_whole(&self, adapter: Option<&Arc<dyn Adapter>>) -> Result<bool, Error> {
        self.second.scores_texts_whole(adapter)
    }

    fn choose_within(&self, _: Aim<'_>, _: &PreparedList, _: &mut Deadline) -> Result<Anytime, Error> {
        Err(Error::DeadlineOfTwo)
    }

    fn prepare_context(&self, context: &[u32], adapter: Option<&Arc<dyn Adapter>>) -> Result<(), Error> {
        self.second.prepare_context(context, adapter)
    }

    fn prepare_first_stage(
        &self,
        need: Need,
        unit: Unit,
        list: NamedList<'_>,
    ) -> Result<Option<FirstStageList>, Error> {
        let scorer = self.first.scorer.clone().with_unit(unit);
        let reads_contexts = scorer.list_scorer().capabilities().contexts;
        let list = NamedList { context: if reads_contexts { list.context } else { "" }, ..list };
        let prepared = scorer.prepare_named(need.before(&self.first.fusion.into()), list)?;
        Ok(Some(FirstStageList { list: Box::new(prepared), weights: self.first.fusion }))
    }
}
