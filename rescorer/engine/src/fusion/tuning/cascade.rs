//! Share and threshold of a cascade.

use crate::error::{Error, SettingsError};
use crate::fusion::cascade_policy::CascadePolicy;
use crate::fusion::tuning::grid::tune;
use crate::fusion::tuning::scored_reference::ScoredReference;

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
pub fn tune_cascade(
    lists: &[ScoredReference],
    policy: CascadePolicy,
    cost: Option<f64>,
) -> Result<(CascadePolicy, Vec<ScoredReference>), Error> {
    if let Some(cost) = cost.filter(|cost| !(0.0..=1.0).contains(cost)) {
        let (value, expected) = (cost.to_string(), "a share of the lists, 0 to 1");
        return Err(SettingsError::Option { option: "cascade rate", value, expected }.into());
    }
    let mut best: Option<(f64, f64)> = None;
    for share in SHARES {
        let raised: Vec<ScoredReference> = lists.iter().map(|list| list.with_share(share)).collect();
        let wer = tune(&raised)?.rescored_wer;
        if best.is_none_or(|(least, _)| wer < least) {
            best = Some((wer, share));
        }
    }
    let share = best.map_or(policy.share, |(_, share)| share);
    let threshold = cost.map(|cost| threshold(lists, cost));
    let lists = lists.iter().map(|list| match &list.first_stage {
        Some(known) if threshold.is_some_and(|threshold| known.lead >= threshold) => list.exited(),
        _ => list.with_share(share),
    });
    Ok((CascadePolicy { share, threshold, ..policy }, lists.collect()))
}

/// The lead that a share of `cost` of the lists stays below.
fn threshold(lists: &[ScoredReference], cost: f64) -> f64 {
    let leads = lists.iter().filter_map(|list| list.first_stage.as_ref()).map(|known| known.lead);
    let mut leads: Vec<f64> = leads.collect();
    leads.sort_by(f64::total_cmp);
    let asked = (cost * leads.len() as f64).floor() as usize;
    // Where all are asked, no lead settles a list but that over nothing.
    leads.get(asked).copied().filter(|lead| lead.is_finite()).unwrap_or(f64::MAX)
}

impl ScoredReference {
    /// The list with another share of what the earlier rescorer adds.
    fn with_share(&self, share: f64) -> Self {
        let mut list = self.clone();
        if let Some(known) = &self.first_stage {
            let words: Vec<usize> = list.candidates.iter().map(|candidate| candidate.words).collect();
            for (candidate, first_pass) in list.candidates.iter_mut().zip(known.raised(share, &words)) {
                candidate.first_pass = first_pass;
            }
        }
        list
    }

    /// The list as the earlier rescorer answers it.
    fn exited(&self) -> Self {
        let mut list = self.clone();
        if let Some(known) = &mut list.first_stage {
            known.exits_early = true;
            let own = known.first_pass.iter().zip(&known.lm_scores);
            for (candidate, (&first_pass, &lm_score)) in list.candidates.iter_mut().zip(own) {
                (candidate.first_pass, candidate.lm_score) = (first_pass, lm_score);
                candidate.early_exit = Some(known.fusion);
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::model_identity::ModelIdentity;
    use crate::fusion::weighting::Weighting;
    use crate::fusion::weights::{Candidate, Fusion};
    use crate::scoring::config::ScoringConfig;
    use crate::scoring::list::FirstStageScores;

    const FUSION: Fusion = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 1.0 };

    /// The earlier rescorer leads by `lead` with the second hypothesis, which is right; the later one with the first.
    fn list(lead: f64) -> ScoredReference {
        let candidate = |first_pass: f64, lm_score: f64| Candidate::new(first_pass, lm_score, 1);
        ScoredReference {
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
            word_changes: vec![Vec::new(); 2],
            estimates: Default::default(),
            first_stage: Some(FirstStageScores {
                first_pass: vec![0.0, -1.0],
                lm_scores: vec![0.0, 2.0 * (lead + 1.0)],
                fusion: FUSION,
                lead,
                exits_early: false,
            }),
        }
    }

    #[test]
    fn a_threshold_asks_for_the_share_of_lists_that_is_wanted() {
        let lists: Vec<ScoredReference> = (0..10).map(|lead| list(f64::from(lead))).collect();
        for (cost, expected) in [(0.0, 0.0), (0.3, 3.0), (0.55, 5.0), (1.0, f64::MAX)] {
            assert_eq!(threshold(&lists, cost), expected, "{cost}");
        }
    }

    #[test]
    fn an_early_exit_keeps_the_answer_of_the_first_stage() {
        let other = Weighting::Classic(Fusion { lm_weight: 100.0, length_bonus: 3.0, margin: 50.0 });
        assert_eq!(other.winner(&list(2.0).candidates), 0);
        assert_eq!(other.winner(&list(2.0).exited().candidates), 1, "its lead of 2 is above its margin of 1");
        assert_eq!(other.winner(&list(0.5).exited().candidates), 0, "within its margin the first stays");
        assert_eq!(other.totals(&list(2.0).exited().candidates)[1], 2.0);
    }

    #[test]
    fn a_share_raises_the_first_pass() {
        let raised = list(3.0).with_share(0.5);
        assert_eq!(raised.candidates[1].first_pass, -1.0 + 0.5 * 0.5 * 8.0);
        assert_eq!(raised.with_share(0.0).candidates[1].first_pass, -1.0);
    }

    #[test]
    fn costs_that_are_no_share_are_refused() {
        let policy = CascadePolicy {
            share: 1.0,
            threshold: None,
            fusion: FUSION,
            convention: ScoringConfig::default(),
            model: ModelIdentity { name: "m".into(), fingerprint: "f".into() },
            adapter: None,
        };
        let error = tune_cascade(&[list(1.0)], policy.clone(), Some(1.5)).unwrap_err().to_string();
        assert!(error.contains("cascade rate 1.5"), "{error}");
        let (tuned, lists) = tune_cascade(&[list(1.0), list(5.0)], policy, Some(0.5)).unwrap();
        assert_eq!(tuned.threshold, Some(5.0));
        assert_eq!(lists.iter().filter(|list| list.first_stage.as_ref().unwrap().exits_early).count(), 1);
    }
}
