//! How much slack keeps the answers of lists.

use rayon::prelude::*;

use crate::fusion::search_slack::{RISKS, SearchSlack, SlackOfRisk};
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;
use crate::scoring::best_so_far::BestSoFar;
use crate::scoring::decoder::endings;

/// Halvings of the range in which a score is looked for.
const HALVINGS: usize = 40;

/// Farthest that is looked below a score, in nats.
const FARTHEST: f64 = 1e4;

impl SearchSlack {
    /// Fits it to lists whose hypotheses were scored token by token. `is_mean`: their scores are means over tokens. Empty where there is
    /// nothing to fit: no such lists, or weights under which totals can fall as scores rise.
    pub fn fit(lists: &[ScoredReference], weighting: &Weighting, is_mean: bool) -> Self {
        if !weighting.is_monotone() {
            return Self::default();
        }
        let known = lists.par_iter().filter(|list| list.texts.len() > 1);
        let needed: Option<Vec<f64>> = known.map(|list| needed(list, weighting, is_mean)).collect();
        let needed = needed.unwrap_or_default();
        let sorted = |needed: &mut dyn Iterator<Item = f64>| {
            let mut needed: Vec<f64> = needed.collect();
            needed.sort_by(f64::total_cmp);
            needed
        };
        let halves = [0, 1].map(|half| sorted(&mut needed.iter().skip(half).step_by(2).copied()));
        let needed = sorted(&mut needed.into_iter());
        let of_risk = |risk: f64| {
            let slack = quantile(&needed, risk)?;
            let lost = |own: &[f64], other: &[f64]| {
                let slack = quantile(own, risk).unwrap_or(f64::INFINITY);
                other.iter().filter(|needed| **needed > slack).count()
            };
            let [one, other] = &halves;
            let differ = (lost(one, other) + lost(other, one)) as f64 / needed.len() as f64;
            Some(SlackOfRisk { risk, slack, differ })
        };
        Self(RISKS.into_iter().filter_map(of_risk).collect())
    }
}

/// The ⌈(n + 1) (1 − risk)⌉-th of n rising numbers, 0 where that is less; `None` of too few.
fn quantile(needed: &[f64], risk: f64) -> Option<f64> {
    let rank = ((needed.len() + 1) as f64 * (1.0 - risk)).ceil() as usize;
    needed.get(rank.max(1) - 1).map(|slack| slack.max(0.0))
}

/// The slack in nats that keeps the best hypothesis of a list from being given up, in a search level by level; minus infinity where
/// nothing does. `None` where its tokens were not scored.
fn needed(list: &ScoredReference, weighting: &Weighting, is_mean: bool) -> Option<f64> {
    let candidates = list.weighed(weighting);
    let winner = weighting.winner(&candidates);
    let steps = list.estimates.steps(winner)?;
    // The first-pass best is scored before anything is given up.
    if winner == 0 {
        return Some(f64::NEG_INFINITY);
    }
    let lengths: Vec<usize> = candidates.iter().map(|candidate| candidate.tokens).collect();
    let mut others = endings::order(&lengths, winner).into_iter();
    let (mut standing, mut finished) = (BestSoFar::default(), 0);
    let best = candidates[winner];
    let tokens = if is_mean { best.tokens.max(1) as f64 } else { 1.0 };
    let needed = steps.iter().map(|step| {
        for other in others.by_ref().take(step.finished - finished) {
            standing.add(weighting, other, candidates[other]);
        }
        finished = step.finished;
        best.lm_score * tokens - may_lose(&standing, weighting, best, tokens) - step.least
    });
    Some(needed.fold(f64::NEG_INFINITY, f64::max))
}

/// The nats that a hypothesis may lose and still exceed those that are finished.
fn may_lose(standing: &BestSoFar, weighting: &Weighting, best: Candidate, tokens: f64) -> f64 {
    let stays = |nats: f64| {
        let mut less: Candidate = best;
        less.lm_score -= nats / tokens;
        standing.may_win(weighting, less)
    };
    let (mut may, mut may_not) = (0.0, FARTHEST);
    if stays(may_not) {
        return f64::INFINITY;
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(may, may_not);
        *(if stays(middle) { &mut may } else { &mut may_not }) = middle;
    }
    may
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::weights::Fusion;
    use crate::scoring::decoder::endings::Estimates;
    use crate::scoring::list::TextScore;

    /// A list of two whose second leads by `lead` nats, and is taken to be worth `below` less than it is: both end with the same token,
    /// which has −10 in the first one, and as much more in the second.
    fn list(lead: f64, below: f64) -> ScoredReference {
        let text = |first: u32, log_probs: [f64; 2]| TextScore {
            tokens: vec![first, 9],
            log_probs: log_probs.map(|log_prob| log_prob as f32).to_vec(),
            lm_score: log_probs.iter().sum(),
        };
        ScoredReference {
            marked: None,
            metric: Default::default(),
            id: "u".into(),
            hash: String::new(),
            reference: "b".into(),
            reference_words: 1,
            texts: vec!["a".into(), "b".into()],
            candidates: vec![Candidate::new(0.0, -20.0, 1), Candidate::new(0.0, lead - 20.0, 1)],
            errors: vec![1, 0],
            counts: vec![Default::default(); 2],
            word_changes: vec![Vec::new(); 2],
            estimates: Estimates::new(&[
                text(1, [-10.0, -10.0]),
                text(2, [lead - below - 10.0, below - 10.0]),
            ]),
            first_stage: None,
        }
    }

    fn weights(lm_weight: f64) -> Weighting {
        Fusion { lm_weight, length_bonus: 0.0, margin: 0.0 }.into()
    }

    #[test]
    fn a_lead_makes_up_for_what_an_estimate_takes_away() {
        let needed = |lead: f64, below: f64| needed(&list(lead, below), &weights(0.5), false).unwrap();
        // The search allows for 0.001 nats of noise.
        assert!((needed(3.0, 5.0) - 2.0).abs() < 0.01, "{}", needed(3.0, 5.0));
        assert!((needed(3.0, 1.0) + 2.0).abs() < 0.01);
        assert_eq!(needed(-3.0, 5.0), f64::NEG_INFINITY, "the first-pass best wins");
        assert_eq!(super::needed(&list(3.0, 5.0), &weights(0.0), false), Some(f64::NEG_INFINITY));
        let unknown = ScoredReference { estimates: Estimates::default(), ..list(3.0, 5.0) };
        assert_eq!(super::needed(&unknown, &weights(0.5), false), None);
    }

    #[test]
    fn slack_is_a_quantile() {
        // 99 lists need 0, 1, … 98.
        let lists: Vec<ScoredReference> = (0..99).map(|needs| list(3.0, 3.0 + f64::from(needs))).collect();
        let slack = SearchSlack::fit(&lists, &weights(0.5), false);
        // Of 99 lists the largest has a risk of 1 in 100.
        let fitted = slack.fitted();
        assert_eq!(fitted.iter().map(|fitted| fitted.risk).collect::<Vec<_>>(), [0.01, 0.02, 0.05, 0.1]);
        for (fitted, expected) in fitted.iter().zip([98.0, 97.0, 94.0, 89.0]) {
            assert!((fitted.slack - expected).abs() < 0.01, "{fitted:?}");
            assert!(fitted.differ <= fitted.risk + 0.02, "{fitted:?}");
        }
        assert_eq!(
            SearchSlack::fit(&lists, &weights(-0.5), false),
            SearchSlack::default(),
            "totals fall as scores rise"
        );
        assert_eq!(SearchSlack::fit(&[], &weights(0.5), false), SearchSlack::default());
    }
}
