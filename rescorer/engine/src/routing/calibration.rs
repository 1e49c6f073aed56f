//! How much an adapter gains on texts of its own domain.

use serde::{Deserialize, Serialize};

use crate::routing::routed_list::ScoreShares;

/// Lists below which gains are not measured: their spread would be a guess.
const FEWEST: usize = 10;

/// Smallest standard deviation in nats per token: what is measured on lists that are all alike says too much.
const LEAST_DEVIATION: f64 = 0.05;

/// How much an adapter gains on lists of its own domain and on other texts, in nats per token.
///
/// The gain of an adapter on a text is the mean over its inner tokens, of which each counts at most 2 nats:
/// `mean(clamp(ln p(token | model, adapter) − ln p(token | model), −2, 2))`. The first token and the end of the sentence are left out:
/// an adapter gains on them by how its lists are written, whatever they are about.
///
/// `deviation` is that over whole lists, so a list is one observation however long it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GainCalibration {
    /// Mean gain on first-pass bests of the adapter's own lists.
    pub mean: f64,
    /// Mean gain on texts of other domains, from `−mean` to a third of `mean`.
    #[serde(default)]
    pub other: f64,
    /// Standard deviation of the gain of texts of one kind.
    pub deviation: f64,
    /// What the first-pass scores of the adapter's own lists are; `None` in policies that were tuned before this was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<ScoreShares>,
}

impl Default for GainCalibration {
    /// For adapters whose policy has none.
    fn default() -> Self {
        Self { mean: 0.6, other: 0.0, deviation: 0.45, scores: None }
    }
}

impl GainCalibration {
    /// The calibration by the gains on lists of the adapter's domain, and on other texts; `None` where either are fewer than ten, or the
    /// adapter gains nothing on its own lists.
    ///
    /// The other texts stand for all domains but the adapter's, which they can't do: they may be nearer to it than the lists that will
    /// come, and farther. So `other` is bounded: by a third of `mean`, and by `−mean`.
    pub fn of(own: &[f64], others: &[f64]) -> Option<Self> {
        let ((mean, variance), (other, other_variance)) = (moments(own)?, moments(others)?);
        let deviation = f64::midpoint(variance, other_variance).sqrt().max(LEAST_DEVIATION);
        let is_usable = mean > 0.0 && deviation.is_finite();
        is_usable.then(|| Self { mean, other: other.clamp(-mean, mean / 3.0), deviation, scores: None })
    }

    /// Log-odds of the adapter against none for a text with this gain.
    ///
    /// Both are Gaussians of one deviation, with the means `mean` and `other`:
    /// `(mean − other) / deviation² · (gain − (mean + other) / 2)`.
    pub fn log_odds(&self, gain: f64) -> f64 {
        let Self { mean, other, deviation, .. } = self;
        (mean - other) / deviation.powi(2) * (gain - f64::midpoint(*mean, *other))
    }
}

/// Mean and variance; `None` of too few.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (values.len() >= FEWEST).then_some((mean, variance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halfway_is_even_and_far_is_certain() {
        let calibration = GainCalibration { mean: 1.0, other: 0.0, deviation: 0.5, scores: None };
        assert_eq!(calibration.log_odds(0.5), 0.0);
        // 1 / 0.25 · 0.5, and its negative.
        assert_eq!((calibration.log_odds(1.0), calibration.log_odds(0.0)), (2.0, -2.0));
        let lower = GainCalibration { other: -1.0, ..calibration };
        // Halfway is 0 now: 2 / 0.25 · 1.
        assert_eq!((lower.log_odds(0.0), lower.log_odds(1.0)), (0.0, 8.0));
    }

    #[test]
    fn gains_make_a_calibration() {
        // Mean 1, variance 10 · 0.25 / 9; the others −0.5 without a spread.
        let own: Vec<f64> = (0..10).map(|at| if at % 2 == 0 { 0.5 } else { 1.5 }).collect();
        let found = GainCalibration::of(&own, &[-0.5; 12]).unwrap();
        assert!((found.mean - 1.0).abs() < 1e-12 && (found.other + 0.5).abs() < 1e-12, "{found:?}");
        assert!((found.deviation - (2.5f64 / 9.0 / 2.0).sqrt()).abs() < 1e-12, "{found:?}");
        let other = |gain: f64| GainCalibration::of(&own, &[gain; 10]).unwrap().other;
        assert_eq!((other(0.25), other(0.5), other(-3.0)), (0.25, 1.0 / 3.0, -1.0));
        assert_eq!(GainCalibration::of(&own[..9], &[0.0; 10]), None, "too few lists");
        assert_eq!(GainCalibration::of(&[-0.1; 10], &[0.0; 10]), None, "it gains nothing");
        assert_eq!(GainCalibration::of(&[0.7; 10], &[0.0; 10]).unwrap().deviation, 0.05);
    }
}
