use serde::{Deserialize, Serialize};

use crate::answer::logistic::{self, logit, sigmoid};

/// Turns a raw confidence into a probability: `σ(slope · logit(raw) + intercept)`.
///
/// # Reference
/// Platt 1999, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Factor of the logit.
    pub slope: f64,
    /// What is added to it.
    pub intercept: f64,
}

impl Calibration {
    /// Fits to raw confidences and whether each was right, by the most likely slope and intercept. `None` without any.
    pub fn fit(pairs: &[(f64, bool)]) -> Option<Self> {
        let points: Vec<([f64; 1], bool)> = pairs.iter().map(|&(raw, right)| ([logit(raw)], right)).collect();
        let ([slope], intercept) = logistic::fit(&points, 0.0)?;
        Some(Self { slope, intercept })
    }

    /// The probability.
    #[must_use]
    pub fn apply(&self, raw: f64) -> f64 {
        sigmoid(self.slope * logit(raw) + self.intercept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::reliability::Reliability;

    #[test]
    fn overconfidence_is_mended() {
        // Said 0.9, right in 7 of 10; said 0.5, right in 4 of 10.
        let mut pairs = Vec::new();
        for n in 0..1000 {
            pairs.push((0.9, n % 10 < 7));
            pairs.push((0.5, n % 10 < 4));
        }
        let fit = Calibration::fit(&pairs).unwrap();
        assert!((fit.apply(0.9) - 0.7).abs() < 2e-3, "{fit:?}");
        assert!((fit.apply(0.5) - 0.4).abs() < 2e-3, "{fit:?}");
        let before = Reliability::new(&pairs).unwrap();
        assert!((before.ece - 0.15).abs() < 1e-9, "{before:?}");
        assert_eq!(before.bins.len(), 2);
        // √(2/π · 90) + √(2/π · 250), of 2000.
        let by_chance = (7.569_397 + 12.615_662) / 2000.0;
        assert!((before.ece_by_chance - by_chance).abs() < 1e-6, "{before:?}");
        let after: Vec<_> = pairs.iter().map(|&(raw, right)| (fit.apply(raw), right)).collect();
        assert!(Reliability::new(&after).unwrap().ece < 2e-3);
    }

    #[test]
    fn sets_without_a_mistake_or_without_spread_have_an_answer() {
        let fit = Calibration::fit(&[(1.0, true); 8]).unwrap();
        assert!((fit.apply(1.0) - 0.9).abs() < 1e-3, "Platt's target: 9 of 10, {fit:?}");
        let fit = Calibration::fit(&[(0.0, false), (1.0, true)]).unwrap();
        assert!(fit.apply(1.0) < 1.0 && fit.apply(0.0) > 0.0);
        assert!(Calibration::fit(&[]).is_none());
        assert_eq!(Reliability::new(&[]), None);
    }
}
