//! What routing looks at in a list.

use rescorer_nbest::{NBest, Utterance};
use serde::{Deserialize, Serialize};

use crate::fusion::features::scale::is_mean;

/// What the first-pass scores of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstPassScores {
    /// Not there beside every text.
    Missing,
    /// Means over tokens, as Whisper's.
    Means,
    /// Of the whole text, as those of Kaldi and ESPnet.
    Sums,
}

/// What routing looks at in a list: the first-pass best, and what its scores are.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutedList {
    pub(crate) text: String,
    pub(crate) scores: FirstPassScores,
}

impl FirstPassScores {
    pub(crate) fn of(nbest: &NBest) -> Self {
        let scores: Option<Vec<f64>> = nbest.iter().map(|one| one.score).collect();
        match scores {
            None => Self::Missing,
            Some(scores) if is_mean(&scores, nbest.score_scale()) => Self::Means,
            Some(_) => Self::Sums,
        }
    }
}

/// The first-pass best of a list with another text beside it. Other lists are not routed.
pub(crate) fn routed_text(list: &Utterance) -> Option<&str> {
    let best = &list.nbest.hypotheses().first()?.text;
    list.nbest.iter().any(|other| other.text != *best).then_some(best.as_str())
}

impl RoutedList {
    /// Of a list with another text beside the first-pass best. Other lists are not routed.
    pub fn of(list: &Utterance) -> Option<Self> {
        Some(Self { text: routed_text(list)?.to_owned(), scores: FirstPassScores::of(&list.nbest) })
    }
}

/// Share that lists have in each kind of scores whatever was seen.
const UNSEEN: f64 = 0.02;

/// Shares of an adapter's own lists by what their first-pass scores are: the recogniser that its policy was tuned for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreShares {
    /// Lists without scores.
    pub missing: f64,
    /// Lists whose scores are means over tokens.
    pub means: f64,
    /// Lists whose scores are those of the whole text.
    pub sums: f64,
}

impl ScoreShares {
    /// The shares among these lists, of which there is one at least.
    pub(crate) fn of(lists: &[RoutedList]) -> Self {
        let share = |scores: FirstPassScores| {
            lists.iter().filter(|list| list.scores == scores).count() as f64 / lists.len().max(1) as f64
        };
        Self {
            missing: share(FirstPassScores::Missing),
            means: share(FirstPassScores::Means),
            sums: share(FirstPassScores::Sums),
        }
    }

    /// Probability that a list of the adapter has such scores: `0.98 · share + 0.02 / 3`.
    pub(crate) fn likelihood(&self, scores: FirstPassScores) -> f64 {
        let share = match scores {
            FirstPassScores::Missing => self.missing,
            FirstPassScores::Means => self.means,
            FirstPassScores::Sums => self.sums,
        };
        (1.0 - UNSEEN) * share + UNSEEN / 3.0
    }

    /// All shares.
    pub(crate) fn numbers(&self) -> [f64; 3] {
        [self.missing, self.means, self.sums]
    }
}

/// Log-odds of each adapter against none by what the scores of a list are: `ln(p_a / p̄)`, where p̄ is the mean over the adapters. Lists
/// that fit none come from the same recognisers, so where all adapters have one recogniser this says nothing. An adapter of which no
/// shares are known takes no part.
pub(crate) fn log_odds_of_scores(shares: &[Option<ScoreShares>], scores: FirstPassScores) -> Vec<f64> {
    let likelihoods: Vec<Option<f64>> =
        shares.iter().map(|shares| shares.map(|shares| shares.likelihood(scores))).collect();
    let known: Vec<f64> = likelihoods.iter().copied().flatten().collect();
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
    likelihoods.iter().map(|own| own.map_or(0.0, |own| (own / mean).ln())).collect()
}

#[cfg(test)]
mod tests {
    use rescorer_nbest::Hypothesis;

    use super::*;

    fn list(scores: &[Option<f64>]) -> Utterance {
        let hypotheses = ["a b", "a c", "a d"].iter().zip(scores);
        let hypotheses = hypotheses.map(|(text, score)| match score {
            Some(score) => Hypothesis::scored(*text, *score),
            None => Hypothesis::new(*text),
        });
        Utterance::new("u", NBest::new(hypotheses.collect()).unwrap())
    }

    #[test]
    fn scores_are_told_apart() {
        let of = |scores: &[Option<f64>]| RoutedList::of(&list(scores)).map(|list| list.scores);
        assert_eq!(of(&[None, None]), Some(FirstPassScores::Missing));
        assert_eq!(of(&[Some(-0.3), Some(-0.4)]), Some(FirstPassScores::Means));
        assert_eq!(of(&[Some(-4.3), Some(-8.4)]), Some(FirstPassScores::Sums));
        assert_eq!(of(&[Some(-4.3)]), None, "one text is not routed");
    }

    #[test]
    fn a_recogniser_that_all_adapters_share_says_nothing() {
        let means = ScoreShares { missing: 0.0, means: 1.0, sums: 0.0 };
        let sums = ScoreShares { missing: 0.0, means: 0.0, sums: 1.0 };
        for shares in [vec![Some(means)], vec![Some(means); 3], vec![None, Some(sums)], vec![None]] {
            for scores in [FirstPassScores::Missing, FirstPassScores::Means, FirstPassScores::Sums] {
                assert_eq!(log_odds_of_scores(&shares, scores), vec![0.0; shares.len()]);
            }
        }
        // 0.98 + 0.02 / 3 and 0.02 / 3, of which the mean is 0.49 + 0.02 / 3.
        let (likely, unlikely) = (0.98 + 0.02 / 3.0, 0.02 / 3.0);
        let mean: f64 = f64::midpoint(likely, unlikely);
        let found = log_odds_of_scores(&[Some(means), Some(sums), None], FirstPassScores::Sums);
        assert!((found[0] - (unlikely / mean).ln()).abs() < 1e-12, "{found:?}");
        assert!((found[1] - (likely / mean).ln()).abs() < 1e-12 && found[2] == 0.0, "{found:?}");
    }

    #[test]
    fn lists_give_shares() {
        let lists: Vec<RoutedList> = [vec![Some(-0.3), Some(-0.4)], vec![Some(-4.0), Some(-9.0)]]
            .iter()
            .filter_map(|scores| RoutedList::of(&list(scores)))
            .collect();
        assert_eq!(ScoreShares::of(&lists), ScoreShares { missing: 0.0, means: 0.5, sums: 0.5 });
    }
}
