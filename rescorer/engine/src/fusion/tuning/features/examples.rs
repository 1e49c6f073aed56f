//! Lists as numbers: what weights are fitted to.

use std::collections::BTreeMap;

use crate::fusion::features::{Feature, FeatureRow, WordChanges};
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weights::Candidate;

/// Most errors that a hypothesis counts more or fewer than the first-pass best: one that repeats itself without end would outweigh a
/// hundred lists.
const MOST_ERRORS: f64 = 8.0;

/// Least mean square of a feature, so that one that is nearly always 0 stays near its prior.
const LEAST_SQUARE: f64 = 1e-3;

/// How much less likely each error more makes a hypothesis to be the one that is looked for: by e^-3.
const SHARPNESS: f64 = 3.0;

/// A hypothesis of a list.
#[derive(Debug, Clone)]
struct Example {
    values: FeatureRow,
    /// Numbers of the words that it has more or fewer of, and how many.
    words: Vec<(usize, f64)>,
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
    /// The words by which hypotheses differ.
    vocabulary: Vec<String>,
}

/// Weights in the order in which they are fitted, or a gradient of them.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    pub features: FeatureRow,
    /// One for each word of the vocabulary; empty where words are not weighed.
    pub words: Vec<f64>,
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
    /// Factor of the squares of the words' weights; where it is none, words are not weighed.
    pub word_strength: Option<f64>,
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
        let (mut examples, mut words, mut numbers) = (Vec::new(), 0, BTreeMap::new());
        for list in lists {
            words += list.reference_words;
            if list.errors.iter().any(|errors| *errors != list.errors[0]) {
                let mut hypotheses = of_list(&list.candidates, &list.errors, caution(list));
                for (hypothesis, changes) in hypotheses.iter_mut().zip(&list.word_changes) {
                    hypothesis.words = numbered(changes, &mut numbers);
                }
                examples.push(hypotheses);
            }
        }
        let count = examples.len().max(1) as f64;
        let list = |hypotheses| List {
            hypotheses,
            weight: 100.0 * weight / words.max(1) as f64,
            entropy_weight: weight / count,
        };
        let mut vocabulary = vec![String::new(); numbers.len()];
        numbers.into_iter().for_each(|(word, number): (String, usize)| vocabulary[number] = word);
        Self { lists: examples.into_iter().map(list).collect(), vocabulary }
    }

    /// These and others, of which words are not weighed.
    pub fn and(mut self, others: Self) -> Self {
        self.lists.extend(others.lists);
        self.vocabulary.clear();
        self
    }

    /// The words by which hypotheses differ.
    pub fn vocabulary(&self) -> &[String] {
        &self.vocabulary
    }

    /// Mean squares of the features where they are not those of the first-pass best, as shares of their mean. Features of single models
    /// don't count for the mean: most lists have none.
    pub fn squares(&self) -> FeatureRow {
        let mut squares = [LEAST_SQUARE; Feature::COUNT];
        let others = || self.lists.iter().flat_map(|list| &list.hypotheses[1..]);
        let count = others().count().max(1) as f64;
        for example in others() {
            squares.iter_mut().zip(&example.values).for_each(|(sum, value)| *sum += value * value / count);
        }
        let counted = || Feature::ALL.into_iter().filter(|feature| !Feature::OF_PARTS.contains(feature));
        let mean = counted().map(|feature| squares[feature.index()]).sum::<f64>() / counted().count() as f64;
        squares.map(|square| square / mean)
    }

    /// Expected errors that a softmax of the totals would make, less those of the first-pass bests, times `errors`, plus the
    /// cross-entropy times `cross_entropy`; and the gradient of that.
    ///
    /// Expected errors are flat where the first-pass best always wins, the cross-entropy is convex.
    pub fn loss(&self, weights: &Weights, errors: f64, cross_entropy: f64) -> (f64, Weights) {
        let mut loss = 0.0;
        let mut gradient = Weights { features: [0.0; Feature::COUNT], words: vec![0.0; weights.words.len()] };
        let mut shares = Vec::new();
        for List { hypotheses, weight, entropy_weight } in &self.lists {
            let (of_errors, of_entropy) = (errors * weight, cross_entropy * entropy_weight);
            shares.clear();
            shares.extend(hypotheses.iter().map(|example| example.total(weights)));
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
                let features = gradient.features.iter_mut().zip(&example.values);
                features.for_each(|(sum, value)| *sum += slope * value);
                if !weights.words.is_empty() {
                    example.words.iter().for_each(|(word, count)| gradient.words[*word] += slope * count);
                }
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
        words: Vec::new(),
        errors: {
            let more = apart(*count, errors[0]).min(MOST_ERRORS);
            if more > 0.0 { caution * more } else { more }
        },
        target: likely(*count) / sum,
    };
    candidates.iter().zip(errors).map(of).collect()
}

/// The changes with numbers for words; new words get the next ones.
fn numbered(changes: &WordChanges, numbers: &mut BTreeMap<String, usize>) -> Vec<(usize, f64)> {
    let number = |(word, count): &(String, f64)| {
        let next = numbers.len();
        (*numbers.entry(word.clone()).or_insert(next), *count)
    };
    changes.iter().map(number).collect()
}

impl Example {
    fn total(&self, weights: &Weights) -> f64 {
        let features: f64 =
            self.values.iter().zip(&weights.features).map(|(value, weight)| value * weight).sum();
        let words = match weights.words.is_empty() {
            true => 0.0,
            false => self.words.iter().map(|(word, count)| weights.words[*word] * count).sum(),
        };
        features + words
    }
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
        let mut examples = Examples { lists, vocabulary: vec!["a".into(), "b".into()] };
        examples.lists[0].hypotheses[1].words = vec![(0, 1.0), (1, -2.0)];
        examples.lists[0].hypotheses[3].words = vec![(1, 1.0)];
        let features: FeatureRow = std::array::from_fn(|at| (at % 3) as f64 * 0.2 - 0.1);
        let weights = Weights { features, words: vec![0.3, -0.2] };
        let (_, gradient) = examples.loss(&weights, 0.7, 0.3);
        for (at, slope) in gradient.features.into_iter().chain(gradient.words).enumerate() {
            let moved = |step: f64| {
                let mut moved = weights.clone();
                *moved.features.iter_mut().chain(&mut moved.words).nth(at).unwrap() += step;
                examples.loss(&moved, 0.7, 0.3).0
            };
            let measured = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((measured - slope).abs() < 1e-6, "{at}: {measured} {slope}");
        }
    }
}
