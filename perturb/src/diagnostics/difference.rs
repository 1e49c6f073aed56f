use serde::Serialize;

use crate::{EditOp, Homophones, align};

/// Smallest, middle, mean and largest of some counts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[allow(missing_docs)]
pub struct Spread {
    pub min: usize,
    pub median: f64,
    pub mean: f64,
    pub max: usize,
}

impl Spread {
    /// Of no counts all are 0.
    pub(super) fn of(counts: &[usize]) -> Self {
        let mut sorted = counts.to_vec();
        sorted.sort_unstable();
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else { return Self::default() };
        let middle = (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) as f64 / 2.0;
        Self { min, median: middle, mean: sorted.iter().sum::<usize>() as f64 / sorted.len() as f64, max }
    }
}

/// What tells hypotheses from the first-pass best: shares of the hypotheses that were compared, each counted once, as the first
/// kind in this order that fits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Differences {
    /// Distinct hypotheses besides the first-pass bests.
    pub compared: usize,
    /// Capitals and punctuation alone.
    pub spelling: f64,
    /// Where words end alone: `some one` for `someone`.
    pub spacing: f64,
    /// Homophones alone.
    pub homophone: f64,
    /// Other words in the same places.
    pub substitution: f64,
    /// Words more or less, all others the same.
    pub length: f64,
    /// Other words, and more or fewer of them.
    pub mixed: f64,
    /// Word edits from the first-pass best, mean.
    pub edits: f64,
}

/// Counts behind [`Differences`].
#[derive(Default)]
pub struct DifferenceCounter {
    compared: usize,
    kinds: [usize; 6],
    edits: usize,
}

impl DifferenceCounter {
    pub fn add(&mut self, first: &[&str], other: &[&str], homophones: &Homophones) {
        let alignment = align(first, other);
        let counts = alignment.counts();
        let letters = |words: &[&str], gap: &str| -> String {
            let bare =
                words.iter().map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>());
            bare.collect::<Vec<_>>().join(gap).to_lowercase()
        };
        let kind = if letters(first, " ") == letters(other, " ") {
            0
        } else if letters(first, "") == letters(other, "") {
            1
        } else if counts.deletions + counts.insertions == 0 {
            let (mut a, mut b) = (first.iter(), other.iter());
            let sound_alike = alignment.ops().iter().all(|op| {
                let (a, b) = (a.next().copied().unwrap_or(""), b.next().copied().unwrap_or(""));
                *op == EditOp::Correct || are_homophones(a, b, homophones)
            });
            if sound_alike { 2 } else { 3 }
        } else if counts.substitutions == 0 {
            4
        } else {
            5
        };
        self.kinds[kind] += 1;
        self.compared += 1;
        self.edits += crate::word_errors(first, other);
    }

    pub fn report(&self) -> Differences {
        let share = |count: usize| count as f64 / self.compared.max(1) as f64;
        let [spelling, spacing, homophone, substitution, length, mixed] = self.kinds.map(share);
        let edits = share(self.edits);
        Differences {
            compared: self.compared,
            spelling,
            spacing,
            homophone,
            substitution,
            length,
            mixed,
            edits,
        }
    }
}

/// Whether one word may stand in for the other.
pub fn are_homophones(a: &str, b: &str, homophones: &Homophones) -> bool {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let b = bare(b);
    homophones.of(&bare(a)).iter().any(|found| found.text == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HomophoneOptions, Lexicon, words};

    #[test]
    fn every_kind_by_hand() {
        let homophones = Homophones::new(Lexicon::english(), HomophoneOptions::default());
        let mut counter = DifferenceCounter::default();
        let first = words("Someone will write to him");
        for other in [
            "someone will write, to him",
            "some one will write to him",
            "Someone will right two him",
            "Someone will bite to him",
            "Someone will write to",
            "Someone would write",
        ] {
            counter.add(&first, &words(other), &homophones);
        }
        assert_eq!(counter.kinds, [1; 6]);
        assert_eq!(counter.report().edits, (2 + 2 + 2 + 1 + 1 + 3) as f64 / 6.0);
    }

    #[test]
    fn spreads_by_hand() {
        let spread = Spread::of(&[4, 1, 3, 2]);
        assert_eq!((spread.min, spread.median, spread.mean, spread.max), (1, 2.5, 2.5, 4));
        assert_eq!(Spread::of(&[]), Spread::default());
    }
}
