//! What a kind of model has to offer so that lists can be scored by it.

use std::sync::Arc;

use rescorer_models::Adapter;
use rescorer_nbest::NBest;
use rescorer_perturb::Unit;

use crate::answer::choice::{Choice, Chosen};
use crate::error::Error;
use crate::fusion::weighting::Weighting;
use crate::scoring::deadline::{Anytime, Deadline};
use crate::scoring::list::{FirstStageList, PreparedList, Scored, candidates};
use crate::scoring::need::Need;
use crate::scoring::sequences::Sequences;

/// What a list scorer can do beside scoring whole lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Capabilities {
    /// What hypotheses begin with alike is computed once.
    pub prefixes: bool,
    /// A text may come before a list.
    pub contexts: bool,
    /// What is known of a hypothesis bounds its score, so hypotheses that can't win are not scored to their end.
    pub bounds: bool,
    /// A list can be scored piece by piece, and so against the clock.
    pub deadlines: bool,
    /// Another rescorer is asked first.
    pub first_stage: bool,
}

/// Scores prepared lists with one model, or with two.
pub(crate) trait ListScorer: Send + Sync {
    /// Texts as the model reads them.
    fn sequences(&self) -> &Sequences;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Nodes that texts cost.
    fn nodes(&self, texts: &[Vec<u32>], adapter: Option<&Arc<dyn Adapter>>) -> usize;

    /// Scores lists; those that were prepared without a need for scores get none.
    fn score(&self, lists: Vec<PreparedList>) -> Result<Scored, Error>;

    /// Scores texts alone.
    fn score_texts(&self, texts: &[&[u32]], adapter: Option<&Arc<dyn Adapter>>) -> Result<Vec<f64>, Error>;

    /// Whether a text gets one number that no tokens have a share in.
    fn scores_texts_whole(&self, adapter: Option<&Arc<dyn Adapter>>) -> Result<bool, Error> {
        let _ = adapter;
        Ok(false)
    }

    /// The largest totals of lists, each with its aim. What can't win need not be scored.
    fn choose(&self, aims: &[Aim<'_>], lists: Vec<PreparedList>) -> Result<Chosen, Error> {
        choose_by_scores(self, aims, lists)
    }

    /// The largest total among the hypotheses of a list that can be scored in time.
    fn choose_within(
        &self,
        aim: Aim<'_>,
        list: &PreparedList,
        deadline: &mut Deadline,
    ) -> Result<Anytime, Error>;

    /// Computes a context, so that the first list that comes with it need not wait for it.
    fn prepare_context(&self, context: &[u32], adapter: Option<&Arc<dyn Adapter>>) -> Result<(), Error> {
        let _ = (context, adapter);
        Ok(())
    }

    /// Prepares a list for the rescorer that is asked first.
    fn prepare_first_stage(
        &self,
        need: Need,
        unit: Unit,
        list: NamedList<'_>,
    ) -> Result<Option<FirstStageList>, Error> {
        let _ = (need, unit, list);
        Ok(None)
    }
}

/// What a search looks for.
#[derive(Clone, Copy)]
pub(crate) struct Aim<'a> {
    /// What makes totals.
    pub weighting: &'a Weighting,
    /// Where finite, what is unlikely to win need not be scored either: the rest of a hypothesis counts as the same ending of a finished
    /// one, plus so many nats.
    pub slack: f64,
}

/// A list with what stands for it in messages, and the text before it.
#[derive(Clone, Copy)]
pub(crate) struct NamedList<'a> {
    pub name: &'a str,
    pub nbest: &'a NBest,
    pub context: &'a str,
}

/// The largest totals of lists that are scored whole.
pub(crate) fn choose_by_scores(
    scorer: &(impl ListScorer + ?Sized),
    aims: &[Aim<'_>],
    lists: Vec<PreparedList>,
) -> Result<Chosen, Error> {
    let scored = scorer.score(lists)?;
    let choices = scored.lists.iter().zip(aims).map(|(scores, Aim { weighting, .. })| {
        let candidates = candidates(scores);
        Choice::of_scores(scores, weighting.winner(&candidates), &candidates, weighting)
    });
    Ok(Chosen { choices: choices.collect(), nodes: scored.nodes })
}
