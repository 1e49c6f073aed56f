use std::f64::consts::FRAC_2_PI;

use serde::Serialize;

const BINS: usize = 10;

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
