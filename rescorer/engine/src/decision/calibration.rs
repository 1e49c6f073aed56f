use std::f64::consts::FRAC_2_PI;

use serde::{Deserialize, Serialize};

/// Raw confidences are kept this far from 0 and 1, where the logit has no value.
const CLIP: f64 = 1e-4;
const BINS: usize = 10;

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
    /// Fits to raw confidences and whether each was right, by the most likely slope and intercept. As Platt does, the targets are
    /// not quite 0 and 1, so that a set without mistakes has an answer too. `None` without any.
    pub fn fit(pairs: &[(f64, bool)]) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let right = pairs.iter().filter(|(_, right)| *right).count() as f64;
        let wrong = pairs.len() as f64 - right;
        let (high, low) = ((right + 1.0) / (right + 2.0), 1.0 / (wrong + 2.0));
        let points: Vec<(f64, f64)> =
            pairs.iter().map(|&(raw, right)| (logit(raw), if right { high } else { low })).collect();
        let mut fit = Self { slope: 0.0, intercept: logit((right + 1.0) / (pairs.len() as f64 + 2.0)) };
        let mut loss = fit.loss(&points);
        // Newton's method; a step that does not help is halved.
        for _ in 0..100 {
            let [mut gs, mut gi, mut ss, mut si, mut ii] = [0.0, 0.0, 1e-9, 0.0, 1e-9];
            for &(x, target) in &points {
                let p = sigmoid(fit.slope * x + fit.intercept);
                let (error, curve) = (p - target, p * (1.0 - p));
                gs += error * x;
                gi += error;
                ss += curve * x * x;
                si += curve * x;
                ii += curve;
            }
            let determinant = ss * ii - si * si;
            let step = [(ii * gs - si * gi) / determinant, (ss * gi - si * gs) / determinant];
            let next = (0..30).map(|halving| 0.5f64.powi(halving)).find_map(|share| {
                let next =
                    Self { slope: fit.slope - share * step[0], intercept: fit.intercept - share * step[1] };
                let less = next.loss(&points);
                (less < loss).then_some((next, less))
            });
            let Some((next, less)) = next else { break };
            let done = loss - less < 1e-12 * loss.abs();
            (fit, loss) = (next, less);
            if done {
                break;
            }
        }
        Some(fit)
    }

    /// The probability.
    #[must_use]
    pub fn apply(&self, raw: f64) -> f64 {
        sigmoid(self.slope * logit(raw) + self.intercept)
    }

    /// Cross-entropy, summed.
    fn loss(&self, points: &[(f64, f64)]) -> f64 {
        let cost = |&(x, target): &(f64, f64)| {
            let z = self.slope * x + self.intercept;
            // ln(1 + e^z) − target · z, without overflow.
            z.max(0.0) + (-z.abs()).exp().ln_1p() - target * z
        };
        points.iter().map(cost).sum()
    }
}

fn logit(raw: f64) -> f64 {
    let raw = raw.clamp(CLIP, 1.0 - CLIP);
    (raw / (1.0 - raw)).ln()
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// How often confidences come true.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// Confidences looked at.
    pub count: usize,
    /// Mean confidence.
    pub confidence: f64,
    /// Share that was right.
    pub accuracy: f64,
    /// Expected calibration error: the mean distance of confidence and accuracy over the bins, by their counts.
    pub ece: f64,
    /// What it would be on average if every confidence were true: `Σ_bins √(2/π · Σ p(1 − p)) / count`, from the normal
    /// approximation of the binomial.
    pub ece_by_chance: f64,
    /// The bins that hold anything, ten of equal width from 0 to 1.
    pub bins: Vec<ReliabilityBin>,
}

/// Confidences between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Lower bound.
    pub low: f64,
    /// Upper bound; 1 belongs to the last bin.
    pub high: f64,
    /// Confidences in it.
    pub count: usize,
    /// Their mean.
    pub confidence: f64,
    /// Share of them that was right.
    pub accuracy: f64,
}

impl Reliability {
    /// Looks at probabilities and whether each was right; `None` without any.
    pub fn new(pairs: &[(f64, bool)]) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let mut sums = [(0usize, 0.0, 0usize); BINS];
        let mut variances = [0.0; BINS];
        for &(confidence, right) in pairs {
            let number = ((confidence * BINS as f64) as usize).min(BINS - 1);
            let bin = &mut sums[number];
            *bin = (bin.0 + 1, bin.1 + confidence, bin.2 + usize::from(right));
            variances[number] += confidence * (1.0 - confidence);
        }
        let count = pairs.len();
        let by_chance: f64 = variances.iter().map(|variance| (variance * FRAC_2_PI).sqrt()).sum();
        let bin = |(number, (count, confidence, right)): (usize, (usize, f64, usize))| ReliabilityBin {
            low: number as f64 / BINS as f64,
            high: (number + 1) as f64 / BINS as f64,
            count,
            confidence: confidence / count as f64,
            accuracy: right as f64 / count as f64,
        };
        let bins: Vec<ReliabilityBin> =
            sums.into_iter().enumerate().filter(|(_, bin)| bin.0 > 0).map(bin).collect();
        let share = |bin: &ReliabilityBin| bin.count as f64 / count as f64;
        Some(Self {
            count,
            confidence: bins.iter().map(|bin| share(bin) * bin.confidence).sum(),
            accuracy: bins.iter().map(|bin| share(bin) * bin.accuracy).sum(),
            ece: bins.iter().map(|bin| share(bin) * (bin.confidence - bin.accuracy).abs()).sum(),
            ece_by_chance: by_chance / count as f64,
            bins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
