//! A rescorer before the rescorer: its totals are the first pass of the next.

use std::sync::Arc;

use rescorer_models::LanguageModel;
use serde::{Deserialize, Serialize};

use crate::rescorer::candidates;
use crate::{
    AdapterSet, Convention, Error, Fusion, JudgedList, ListScores, ModelIdentity, Policy, PreparedList,
    Scored, Scorer, tune,
};

/// A rescorer that is asked before another one, most often a cheap one: an encoder before a decoder.
///
/// What it adds to the first pass stays: `first_pass' = first_pass + share · (lm_weight · lm_score + length_bonus · words)`, and the
/// next one fuses its own scores with that, so both decide together (an ensemble). With a threshold the next one is only asked for
/// lists where the best hypothesis leads the second by less; the others are answered at once (a cascade).
#[derive(Clone)]
pub struct EarlierPass {
    scorer: Scorer,
    fusion: Fusion,
    share: f64,
    threshold: Option<f64>,
}

/// What a policy says of the rescorer before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierPolicy {
    /// What is kept of what it adds to the first pass.
    pub share: f64,
    /// Lead of its best hypothesis over the second from which its answer stands; without one all lists go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Its weights.
    pub fusion: Fusion,
    /// What its scores mean.
    pub convention: Convention,
    /// Its model.
    pub model: ModelIdentity,
    /// Its adapter, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<ModelIdentity>,
}

/// What a list's scores know of the rescorer before.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierScores {
    /// First-pass scores of the distinct hypotheses.
    pub first_pass: Vec<f64>,
    /// Its own scores for them; 0 where it was not asked, since nothing hangs on them.
    pub lm_scores: Vec<f64>,
    /// Its weights.
    pub fusion: Fusion,
    /// Lead of its best hypothesis over the second; infinite where there is no second.
    pub lead: f64,
    /// Whether its answer stands.
    pub is_settled: bool,
}

impl EarlierPolicy {
    /// What a policy decides, before another rescorer: everything stays, all lists go on.
    pub fn of(policy: &Policy) -> Self {
        let Policy { fusion, convention, model, adapter, .. } = policy.clone();
        Self { share: 1.0, threshold: None, fusion, convention, model, adapter }
    }
}

impl EarlierPass {
    /// The rescorer that a policy asks for, from its model and its adapters.
    ///
    /// # Errors
    /// Another model or adapter than the policy's; as [`Scorer::new`].
    pub fn new(
        model: Arc<LanguageModel>,
        adapters: AdapterSet,
        policy: &EarlierPolicy,
    ) -> Result<Self, Error> {
        let EarlierPolicy { share, threshold, fusion, convention, .. } = *policy;
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
            lists.iter_mut().filter_map(|list| list.earlier.take()).map(|own| *own).collect();
        let Scored { lists: earlier, mut nodes } = self.scorer.score(own)?;
        let mut answers: Vec<Option<ListScores>> = Vec::with_capacity(earlier.len());
        let mut going_on = Vec::new();
        for (mut list, mut scores) in lists.into_iter().zip(earlier) {
            let known = self.known(&scores);
            if known.is_settled {
                scores.earlier = Some(known);
                answers.push(Some(scores));
                continue;
            }
            let raised = known.raised(self.share, &list.words);
            list.distinct = list.distinct.with_first_pass(raised);
            going_on.push((list, known));
            answers.push(None);
        }
        let (lists, known): (Vec<PreparedList>, Vec<EarlierScores>) = going_on.into_iter().unzip();
        let scored = main.score_alone(lists)?;
        nodes += scored.nodes;
        let mut later = scored.lists.into_iter().zip(known);
        let lists = answers.into_iter().filter_map(|answer| {
            answer
                .or_else(|| later.next().map(|(scores, known)| ListScores { earlier: Some(known), ..scores }))
        });
        Ok(Scored { lists: lists.collect(), nodes })
    }

    fn known(&self, scores: &ListScores) -> EarlierScores {
        let candidates = candidates(scores);
        let mut totals: Vec<f64> = candidates.iter().map(|candidate| self.fusion.total(candidate)).collect();
        totals.sort_by(|a, b| b.total_cmp(a));
        let lead = match totals[..] {
            [best, second, ..] => best - second,
            _ => f64::INFINITY,
        };
        EarlierScores {
            first_pass: candidates.iter().map(|candidate| candidate.first_pass).collect(),
            lm_scores: candidates.iter().map(|candidate| candidate.lm_score).collect(),
            fusion: self.fusion,
            lead,
            is_settled: self.threshold.is_some_and(|threshold| lead >= threshold),
        }
    }
}

impl EarlierScores {
    /// The first pass of the next rescorer. One text has no rival, so nobody asks what is added to it, and it keeps its score.
    fn raised(&self, share: f64, words: &[usize]) -> Vec<f64> {
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

/// Shares that are tried.
const SHARES: [f64; 6] = [1.0, 0.75, 0.5, 0.35, 0.25, 0.1];

/// Finds the share, and where `cost` is given the threshold, for lists that both rescorers scored, and gives the lists as they are with
/// them, for [`tune`].
///
/// The share is the one under which the best weights leave the fewest errors; the threshold the one under which the next rescorer is
/// asked for `cost` of the lists.
///
/// # Errors
/// As [`tune`]; a cost outside 0 to 1.
pub fn tune_earlier(
    lists: &[JudgedList],
    policy: EarlierPolicy,
    cost: Option<f64>,
) -> Result<(EarlierPolicy, Vec<JudgedList>), Error> {
    if let Some(cost) = cost.filter(|cost| !(0.0..=1.0).contains(cost)) {
        let (value, expected) = (cost.to_string(), "a share of the lists, 0 to 1");
        return Err(Error::Option { option: "earlier-cost", value, expected });
    }
    let mut best: Option<(f64, f64)> = None;
    for share in SHARES {
        let raised: Vec<JudgedList> = lists.iter().map(|list| list.with_share(share)).collect();
        let wer = tune(&raised)?.rescored_wer;
        if best.is_none_or(|(least, _)| wer < least) {
            best = Some((wer, share));
        }
    }
    let share = best.map_or(policy.share, |(_, share)| share);
    let threshold = cost.map(|cost| threshold(lists, cost));
    let settled = lists.iter().map(|list| match &list.earlier {
        Some(known) if threshold.is_some_and(|threshold| known.lead >= threshold) => list.settled(),
        _ => list.with_share(share),
    });
    Ok((EarlierPolicy { share, threshold, ..policy }, settled.collect()))
}

/// The lead that a share of `cost` of the lists stays below.
fn threshold(lists: &[JudgedList], cost: f64) -> f64 {
    let leads = lists.iter().filter_map(|list| list.earlier.as_ref()).map(|known| known.lead);
    let mut leads: Vec<f64> = leads.collect();
    leads.sort_by(f64::total_cmp);
    let asked = (cost * leads.len() as f64).floor() as usize;
    // Where all are asked, no lead settles a list but that over nothing.
    leads.get(asked).copied().filter(|lead| lead.is_finite()).unwrap_or(f64::MAX)
}

impl JudgedList {
    /// The list with another share of what the earlier rescorer adds.
    fn with_share(&self, share: f64) -> Self {
        let mut list = self.clone();
        if let Some(known) = &self.earlier {
            let words: Vec<usize> = list.candidates.iter().map(|candidate| candidate.words).collect();
            for (candidate, first_pass) in list.candidates.iter_mut().zip(known.raised(share, &words)) {
                candidate.first_pass = first_pass;
            }
        }
        list
    }

    /// The list as the earlier rescorer answers it.
    fn settled(&self) -> Self {
        let mut list = self.clone();
        if let Some(known) = &mut list.earlier {
            known.is_settled = true;
            let own = known.first_pass.iter().zip(&known.lm_scores);
            for (candidate, (&first_pass, &lm_score)) in list.candidates.iter_mut().zip(own) {
                (candidate.first_pass, candidate.lm_score) = (first_pass, lm_score);
                candidate.settled = Some(known.fusion);
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Candidate;

    const FUSION: Fusion = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 1.0 };

    /// The earlier rescorer leads by `lead` with the second hypothesis, which is right; the later one with the first.
    fn list(lead: f64) -> JudgedList {
        let candidate =
            |first_pass: f64, lm_score: f64| Candidate { first_pass, lm_score, words: 1, settled: None };
        JudgedList {
            marked: None,
            metric: Default::default(),
            id: "u".into(),
            hash: lead.to_string(),
            reference: "b".into(),
            reference_words: 1,
            texts: vec!["a".into(), "b".into()],
            candidates: vec![candidate(0.0, 0.0), candidate(-1.0, -10.0)],
            errors: vec![1, 0],
            counts: vec![Default::default(); 2],
            earlier: Some(EarlierScores {
                first_pass: vec![0.0, -1.0],
                lm_scores: vec![0.0, 2.0 * (lead + 1.0)],
                fusion: FUSION,
                lead,
                is_settled: false,
            }),
        }
    }

    #[test]
    fn a_threshold_asks_for_the_share_of_lists_that_is_wanted() {
        let lists: Vec<JudgedList> = (0..10).map(|lead| list(f64::from(lead))).collect();
        for (cost, expected) in [(0.0, 0.0), (0.3, 3.0), (0.55, 5.0), (1.0, f64::MAX)] {
            assert_eq!(threshold(&lists, cost), expected, "{cost}");
        }
    }

    #[test]
    fn a_settled_list_keeps_the_answer_of_the_earlier_rescorer() {
        let other = Fusion { lm_weight: 100.0, length_bonus: 3.0, margin: 50.0 };
        assert_eq!(other.winner(&list(2.0).candidates), 0);
        assert_eq!(
            other.winner(&list(2.0).settled().candidates),
            1,
            "its lead of 2 is above its margin of 1"
        );
        assert_eq!(other.winner(&list(0.5).settled().candidates), 0, "within its margin the first stays");
        assert_eq!(other.total(&list(2.0).settled().candidates[1]), 2.0);
    }

    #[test]
    fn a_share_raises_the_first_pass() {
        let raised = list(3.0).with_share(0.5);
        assert_eq!(raised.candidates[1].first_pass, -1.0 + 0.5 * 0.5 * 8.0);
        assert_eq!(raised.with_share(0.0).candidates[1].first_pass, -1.0);
    }

    #[test]
    fn costs_that_are_no_share_are_refused() {
        let policy = EarlierPolicy {
            share: 1.0,
            threshold: None,
            fusion: FUSION,
            convention: Convention::default(),
            model: ModelIdentity { name: "m".into(), fingerprint: "f".into() },
            adapter: None,
        };
        let error = tune_earlier(&[list(1.0)], policy.clone(), Some(1.5)).unwrap_err().to_string();
        assert!(error.contains("--earlier-cost 1.5"), "{error}");
        let (tuned, lists) = tune_earlier(&[list(1.0), list(5.0)], policy, Some(0.5)).unwrap();
        assert_eq!(tuned.threshold, Some(5.0));
        assert_eq!(lists.iter().filter(|list| list.earlier.as_ref().unwrap().is_settled).count(), 1);
    }
}
