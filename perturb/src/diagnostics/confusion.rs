use rustc_hash::FxHashMap;
use serde::Serialize;

use super::difference::are_homophones;
use crate::{Alignment, EditOp, Homophones};

/// A word of the reference and what the first pass made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// What was said; none for an insertion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What was heard; none for a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypothesis: Option<String>,
    /// How often.
    pub count: usize,
}

/// Counts of confusions.
#[derive(Debug, Default)]
pub struct Confusions {
    substitutions: FxHashMap<(String, String), usize>,
    deletions: FxHashMap<String, usize>,
    insertions: FxHashMap<String, usize>,
    homophones: usize,
}

/// The errors at a word of the reference: insertions count with the word behind them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WordErrors {
    pub is_wrong: bool,
    pub insertions: usize,
}

impl WordErrors {
    pub fn errors(self) -> usize {
        self.insertions + usize::from(self.is_wrong)
    }
}

/// The errors of an alignment at every word of the reference, those behind the last word at the last.
pub fn wrong_words(alignment: &Alignment, reference_words: usize) -> Vec<WordErrors> {
    let mut found = vec![WordErrors::default(); reference_words];
    let mut place = 0;
    for op in alignment.ops() {
        match op {
            EditOp::Insertion => {
                if let Some(word) = found.get_mut(place.min(reference_words.saturating_sub(1))) {
                    word.insertions += 1;
                }
            }
            EditOp::Correct => place += 1,
            EditOp::Substitution | EditOp::Deletion => {
                found[place].is_wrong = true;
                place += 1;
            }
        }
    }
    found
}

impl Confusions {
    /// Counts the errors of an alignment.
    pub(super) fn add(
        &mut self,
        reference: &[&str],
        hypothesis: &[&str],
        alignment: &Alignment,
        homophones: &Homophones,
    ) {
        let (mut said, mut heard) = (reference.iter(), hypothesis.iter());
        let mut next_said = || said.next().map_or("", |word| word).to_owned();
        let mut next_heard = || heard.next().map_or("", |word| word).to_owned();
        for op in alignment.ops() {
            match op {
                EditOp::Correct => {
                    next_said();
                    next_heard();
                }
                EditOp::Substitution => {
                    let pair = (next_said(), next_heard());
                    self.homophones += usize::from(are_homophones(&pair.0, &pair.1, homophones));
                    *self.substitutions.entry(pair).or_default() += 1;
                }
                EditOp::Deletion => *self.deletions.entry(next_said()).or_default() += 1,
                EditOp::Insertion => *self.insertions.entry(next_heard()).or_default() += 1,
            }
        }
    }

    pub(super) fn share_of_homophones(&self) -> f64 {
        let all: usize = self.substitutions.values().sum();
        self.homophones as f64 / all.max(1) as f64
    }

    pub(super) fn substitutions(&self, top: usize) -> Vec<Confusion> {
        let all = self.substitutions.iter().map(|((said, heard), &count)| Confusion {
            reference: Some(said.clone()),
            hypothesis: Some(heard.clone()),
            count,
        });
        most_frequent(all.collect(), top)
    }

    pub(super) fn deletions(&self, top: usize) -> Vec<Confusion> {
        let all = self.deletions.iter();
        let all =
            all.map(|(said, &count)| Confusion { reference: Some(said.clone()), hypothesis: None, count });
        most_frequent(all.collect(), top)
    }

    pub(super) fn insertions(&self, top: usize) -> Vec<Confusion> {
        let all = self.insertions.iter();
        let all =
            all.map(|(heard, &count)| Confusion { reference: None, hypothesis: Some(heard.clone()), count });
        most_frequent(all.collect(), top)
    }
}

/// The most frequent first, equally frequent ones by their words.
fn most_frequent(mut all: Vec<Confusion>, top: usize) -> Vec<Confusion> {
    all.sort_by(|a, b| {
        b.count.cmp(&a.count).then_with(|| (&a.reference, &a.hypothesis).cmp(&(&b.reference, &b.hypothesis)))
    });
    all.truncate(top);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align;

    #[test]
    fn errors_stand_at_their_words() {
        let found = |reference: &[&str], hypothesis: &[&str]| -> Vec<usize> {
            let errors = wrong_words(&align(reference, hypothesis), reference.len());
            errors.into_iter().map(WordErrors::errors).collect()
        };
        assert_eq!(found(&["a", "b", "c"], &["a", "x", "c"]), [0, 1, 0]);
        assert_eq!(found(&["a", "b"], &["a", "b", "c", "d"]), [0, 2]);
        assert_eq!(found(&["a", "b"], &["b"]), [1, 0]);
        assert!(found(&[], &["b"]).is_empty());
    }
}
