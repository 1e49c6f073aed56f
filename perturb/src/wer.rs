//! Word error rate of a corpus.

use serde::Serialize;

use crate::word_errors;

/// The errors of one utterance: the row that pooled rates and bootstraps are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UtteranceErrors {
    /// Unit-cost edits of words, or of whatever units were counted.
    pub errors: usize,
    /// Words of the reference, or other units; 0 is legal, and then every word of the hypothesis is an error.
    pub reference_words: usize,
}

impl UtteranceErrors {
    /// Counts the errors of a hypothesis with [`word_errors`].
    #[must_use]
    pub fn count(reference: &[&str], hypothesis: &[&str]) -> Self {
        Self { errors: word_errors(reference, hypothesis), reference_words: reference.len() }
    }
}

/// Word and sentence error rate, pooled over utterances.
///
/// `WER = 100 · Σ errors / Σ reference words`, errors being unit-cost edits: long utterances weigh
/// more than short ones. Collect it from rows, or [`add`](Self::add) them one at a time.
///
/// ```
/// use rescorer_perturb::{UtteranceErrors, Wer};
///
/// let rows = [
///     UtteranceErrors::count(&["so", "it", "goes"], &["so", "it", "does"]),
///     UtteranceErrors::count(&["yes"], &["yes"]),
/// ];
/// let wer: Wer = rows.into_iter().collect();
/// assert_eq!(wer.percent(), Some(25.0));
/// assert_eq!(wer.sentence_percent(), Some(50.0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Wer {
    /// Unit-cost word edits.
    pub errors: usize,
    /// Words of the references.
    pub reference_words: usize,
    /// Utterances.
    pub utterances: usize,
    /// Utterances with at least one error.
    pub wrong_utterances: usize,
}

impl Wer {
    /// Word error rate in %, or `None` if the references have no words.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        percent(self.errors, self.reference_words)
    }

    /// Sentence error rate in %: the share of utterances with an error, or `None` if there are no
    /// utterances.
    #[must_use]
    pub fn sentence_percent(&self) -> Option<f64> {
        percent(self.wrong_utterances, self.utterances)
    }

    /// Adds one utterance.
    pub fn add(&mut self, row: UtteranceErrors) {
        self.errors += row.errors;
        self.reference_words += row.reference_words;
        self.utterances += 1;
        self.wrong_utterances += usize::from(row.errors > 0);
    }

    /// Adds the utterances of another corpus, or of another thread's share of this one.
    pub fn merge(&mut self, other: &Self) {
        self.errors += other.errors;
        self.reference_words += other.reference_words;
        self.utterances += other.utterances;
        self.wrong_utterances += other.wrong_utterances;
    }
}

impl Extend<UtteranceErrors> for Wer {
    fn extend<I: IntoIterator<Item = UtteranceErrors>>(&mut self, rows: I) {
        rows.into_iter().for_each(|row| self.add(row));
    }
}

impl FromIterator<UtteranceErrors> for Wer {
    fn from_iter<I: IntoIterator<Item = UtteranceErrors>>(rows: I) -> Self {
        let mut wer = Self::default();
        wer.extend(rows);
        wer
    }
}

fn percent(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

/// The fewest errors that any of the hypotheses has, or `None` if there are none.
///
/// Pooled over a corpus this is the oracle WER: what a rescorer that always chooses best would
/// reach.
///
/// ```
/// use rescorer_perturb::oracle_errors;
///
/// let list = [vec!["their", "house"], vec!["there", "house"]];
/// assert_eq!(oracle_errors(&["their", "house", "fell"], &list), Some(1));
/// ```
pub fn oracle_errors<'a, H>(reference: &[&str], hypotheses: impl IntoIterator<Item = H>) -> Option<usize>
where
    H: AsRef<[&'a str]>,
{
    hypotheses.into_iter().map(|hypothesis| word_errors(reference, hypothesis.as_ref())).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(errors: usize, reference_words: usize) -> UtteranceErrors {
        UtteranceErrors { errors, reference_words }
    }

    #[test]
    fn pools_over_the_corpus() {
        let wer: Wer = [row(1, 2), row(0, 6), row(1, 0)].into_iter().collect();
        // 2 errors in 8 words, not the mean of 50 % and 0 %; 2 of 3 utterances are wrong.
        assert_eq!(wer.percent(), Some(25.0));
        assert_eq!(wer.sentence_percent(), Some(200.0 / 3.0));
    }

    #[test]
    fn nothing_to_divide_by_is_none() {
        assert_eq!(Wer::default().percent(), None);
        assert_eq!(Wer::default().sentence_percent(), None);
        let inserted: Wer = [UtteranceErrors::count(&[], &["um", "er"])].into_iter().collect();
        assert_eq!((inserted.errors, inserted.percent()), (2, None));
        assert_eq!(inserted.sentence_percent(), Some(100.0));
    }

    #[test]
    fn oracle_is_the_best_of_the_list() {
        let list: [&[&str]; 3] = [&["b"], &["a", "b"], &[]];
        assert_eq!(oracle_errors(&["a", "b"], list), Some(0));
        assert_eq!(oracle_errors(&["a", "b"], &list[..1]), Some(1));
        assert_eq!(oracle_errors(&["a"], [[]; 0]), None);
        assert_eq!(oracle_errors(&[], [vec!["a"], vec![]]), Some(0));
    }

    proptest! {
        #[test]
        fn merging_halves_gives_the_whole(
            rows in prop::collection::vec((0usize..5, 0usize..9), 0..20),
            cut in 0usize..20,
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(errors, words)| row(errors, words)).collect();
            let cut = cut.min(rows.len());
            let mut merged: Wer = rows[..cut].iter().copied().collect();
            merged.merge(&rows[cut..].iter().copied().collect());
            prop_assert_eq!(merged, rows.iter().copied().collect());
        }
    }
}
