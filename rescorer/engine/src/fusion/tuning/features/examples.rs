//! Lists as numbers: what weights are fitted to.

use crate::fusion::features::{Feature, FeatureRow};
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weights::Candidate;

/// Most errors that a hypothesis counts more or fewer than the first-pass best: one that repeats itself without end would outweigh a
/// hundred lists.
const MOST_ERRORS: f64 = 8.0;

/// How much less likely each error more makes a hypothesis to be the one that is looked for: by e^-3.
const SHARPNESS: f64 = 3.0;

/// A hypothesis of a list.
#[derive(Debug, Clone, Copy)]
struct Example {
    values: FeatureRow,
    /// Errors less those of the first-pass best.
    errors: f64,
    /// Share of the hypothesis in what is looked for: that of the fewest errors, or several of them.
    target: f64,
}

/// The hypotheses of a list that leaves a choice, the first-pass best first.
#[derive(Debug, Clone)]
struct List {
    hypotheses: Vec<Example>,
    /// What an expected error counts.
    weight: f64,
    /// What the cross-entropy counts.
    entropy_weight: f64,
}

/// Lists that leave a choice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Examples {
    lists: Vec<List>,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Objective {
    /// Factor of the expected errors.
    pub errors: f64,
    /// Factor of the cross-entropy.
    pub cross_entropy: f64,
    /// Factor of the squared distance to the prior.
    pub strength: f64,
}

impl Examples {
    /// Of lists that all count alike: the expected errors for each 100 reference words, the cross-entropy for each list.
    pub fn new<'a>(lists: impl IntoIterator<Item = &'a ScoredReference>) -> Self {
        Self::weighted(lists, 1.0, |_| 1.0)
    }

    /// Of lists that count `weight` in all. An error that a list adds to the first pass counts as many as `caution` says.
    pub fn weighted<'a>(
        lists: impl IntoIterator<Item = &'a ScoredReference>,
        weight: f64,
        caution: impl Fn(&ScoredReference) -> f64,
    ) -> Self {
        let (mut examples, mut words) = (Vec::new(), 0);
        for list in lists {
            words += list.reference_words;
            if list.errors.iter().any(|errors| *errors != list.errors[0]) {
                examples.push(of_list(&list.candidates, &list.errors, caution(list)));
            }
        }
        let count = examples.len().max(1) as f64;
        let list = |hypotheses| List {
            hypotheses,
            weight: 100.0 * weight / words.max(1) as f64,
            entropy_weight: weight / count,
        };
        Self { lists: examples.into_iter().map(list).collect() }
    }

    /// These and others.
    pub fn and(mut self, others: Self) -> Self {
        self.lists.extend(others.lists);
        self
    }

    /// Expected errors that a softmax of the totals would make, less those of the first-pass bests, times `errors`, plus the
    /// cross-entropy times `cross_entropy`; and the gradient of that.
    ///
    /// Expected errors are flat where the first-pass best always wins, the cross-entropy is convex.
    pub fn loss(&self, weights: &FeatureRow, errors: f64, cross_entropy: f64) -> (f64, FeatureRow) {
        let (mut loss, mut gradient) = (0.0, [0.0; Feature::COUNT]);
        let mut shares = Vec::new();
        for List { hypotheses, weight, entropy_weight } in &self.lists {
            let (of_errors, of_entropy) = (errors * weight, cross_entropy * entropy_weight);
            shares.clear();
            shares.extend(hypotheses.iter().map(|example| dot(&example.values, weights)));
            let most = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let looked_for: f64 =
                shares.iter().zip(hypotheses).map(|(total, example)| total * example.target).sum();
            shares.iter_mut().for_each(|total| *total = (*total - most).exp());
            let sum: f64 = shares.iter().sum();
            shares.iter_mut().for_each(|share| *share /= sum);
            let mean: f64 =
                shares.iter().zip(hypotheses).map(|(share, example)| share * example.errors).sum();
            loss += of_errors * mean + of_entropy * (most + sum.ln() - looked_for);
            for (share, example) in shares.iter().zip(hypotheses) {
                let slope =
                    of_errors * share * (example.errors - mean) + of_entropy * (share - example.target);
                gradient.iter_mut().zip(&example.values).for_each(|(sum, value)| *sum += slope * value);
            }
        }
        (loss, gradient)
    }
}

fn of_list(candidates: &[Candidate], errors: &[usize], caution: f64) -> Vec<Example> {
    let apart = |count: usize, from: usize| count as f64 - from as f64;
    let least = errors.iter().copied().min().unwrap_or(0);
    let likely = |count: usize| (-SHARPNESS * apart(count, least)).exp();
    let sum: f64 = errors.iter().map(|count| likely(*count)).sum();
    let of = |(candidate, count): (&Candidate, &usize)| Example {
        values: candidate.values(&candidates[0]),
        errors: {
            let more = apart(*count, errors[0]).min(MOST_ERRORS);
            if more > 0.0 { caution * more } else { more }
        },
        target: likely(*count) / sum,
    };
    candidates.iter().zip(errors).map(of).collect()
}

fn dot(values: &FeatureRow, weights: &FeatureRow) -> f64 {
    values.iter().zip(weights).map(|(value, weight)| value * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let candidates: Vec<Candidate> = (0..4)
            .map(|n| {
                let mut candidate = Candidate { tokens: 5, ..Candidate::new(0.0, -(n as f64) * 3.0, 3) };
                let values = candidate.features.iter_mut().enumerate();
                values.for_each(|(at, value)| *value = ((at * 7 + n * 3) % 5) as f64 / 3.0 - 0.5);
                candidate
            })
            .collect();
        let list = |hypotheses| List { hypotheses, weight: 5.0, entropy_weight: 0.5 };
        let lists = vec![
            list(of_list(&candidates, &[2, 1, 4, 1], 1.0)),
            list(of_list(&candidates[1..], &[0, 3, 12], 1.5)),
        ];
        let examples = Examples { lists };
        let weights: FeatureRow = std::array::from_fn(|at| (at % 3) as f64 * 0.2 - 0.1);
        let (_, gradient) = examples.loss(&weights, 0.7, 0.3);
        for (at, slope) in gradient.into_iter().enumerate() {
            let moved = |step: f64| {
                let mut moved = weights;
                moved[at] += step;
                examples.loss(&moved, 0.7, 0.3).0
            };
            let measured = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((measured - slope).abs() < 1e-6, "{at}: {measured} {slope}");
        }
    }
}
