//! Word alignment with sclite's costs.

use serde::Serialize;

const SUBSTITUTION: u32 = 4;
const INSERTION: u32 = 3;
const DELETION: u32 = 3;

/// One step of an alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EditOp {
    /// A reference word that the hypothesis has.
    Correct,
    /// A reference word that the hypothesis has another word for.
    Substitution,
    /// A word of the hypothesis that stands for nothing in the reference.
    Insertion,
    /// A reference word that is missing in the hypothesis.
    Deletion,
}

/// How many steps of each kind an alignment, or a corpus of them, has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ErrorCounts {
    /// Correct words (C).
    pub correct: usize,
    /// Substituted words (S).
    pub substitutions: usize,
    /// Deleted words (D).
    pub deletions: usize,
    /// Inserted words (I).
    pub insertions: usize,
}

impl ErrorCounts {
    /// `S + D + I`. At least the unit-cost count of [`word_errors`](crate::word_errors), and
    /// sometimes more: three deletions and three insertions (18) are cheaper here than five
    /// substitutions (20).
    #[must_use]
    pub fn errors(&self) -> usize {
        self.substitutions + self.deletions + self.insertions
    }

    /// `C + S + D`.
    #[must_use]
    pub fn reference_words(&self) -> usize {
        self.correct + self.substitutions + self.deletions
    }
}

impl std::ops::AddAssign for ErrorCounts {
    fn add_assign(&mut self, other: Self) {
        self.correct += other.correct;
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
    }
}

impl std::iter::Sum for ErrorCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut total, next| {
            total += next;
            total
        })
    }
}

/// A hypothesis laid against its reference, word by word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    ops: Vec<EditOp>,
}

impl Alignment {
    /// The steps, from the first word to the last.
    #[must_use]
    pub fn ops(&self) -> &[EditOp] {
        &self.ops
    }

    /// How many steps of each kind.
    #[must_use]
    pub fn counts(&self) -> ErrorCounts {
        let mut counts = ErrorCounts::default();
        for op in &self.ops {
            match op {
                EditOp::Correct => counts.correct += 1,
                EditOp::Substitution => counts.substitutions += 1,
                EditOp::Insertion => counts.insertions += 1,
                EditOp::Deletion => counts.deletions += 1,
            }
        }
        counts
    }
}

/// Aligns a hypothesis with its reference as NIST's `sclite -s` does.
///
/// The alignment of least cost, where a substitution costs 4, an insertion or a deletion 3 and a
/// correct word 0. Alignments often tie, with different S, D and I; the one taken is sclite's: at
/// each cell a pair of words (correct or substituted) if it is no dearer than the other two, else a
/// deletion if it is cheaper than an insertion, else an insertion. Words are compared byte by byte
/// (`-s`); sclite's markup inside transcripts (alternatives in braces, optional words in
/// parentheses, fragments ending in a hyphen) has no meaning here.
///
/// # Reference
/// `src/sclite/net_dp.c` in NIST SCTK 2.4.10 (sclite 2.10).
///
/// ```
/// use rescorer_perturb::{align, EditOp::*};
///
/// let alignment = align(&["the", "cat", "sat"], &["the", "bat", "sat", "down"]);
/// assert_eq!(alignment.ops(), [Correct, Substitution, Correct, Insertion]);
/// assert_eq!(alignment.counts().errors(), 2);
/// ```
#[must_use]
pub fn align(reference: &[&str], hypothesis: &[&str]) -> Alignment {
    // Equal words at the end always pair up. Not so at the start: which of two equal words is the
    // deleted one is decided from the end, and sclite's choice is kept.
    let tail = reference.iter().rev().zip(hypothesis.iter().rev()).take_while(|(r, h)| r == h).count();
    let reference = &reference[..reference.len() - tail];
    let hypothesis = &hypothesis[..hypothesis.len() - tail];
    let mut ops = vec![EditOp::Correct; tail];
    trace_back(&table(reference, hypothesis), hypothesis.len(), &mut ops);
    ops.reverse();
    Alignment { ops }
}

/// The step taken into each cell, `[reference + 1, hypothesis + 1]` (the one at 0, 0 is never
/// read).
fn table(reference: &[&str], hypothesis: &[&str]) -> Vec<EditOp> {
    let width = hypothesis.len() + 1;
    let mut ops = Vec::with_capacity((reference.len() + 1) * width);
    ops.resize(width, EditOp::Insertion);
    let mut row: Vec<u32> = (0..).step_by(INSERTION as usize).take(width).collect();
    for word in reference {
        ops.push(EditOp::Deletion);
        let mut diagonal = row[0];
        row[0] += DELETION;
        for (j, other) in hypothesis.iter().enumerate() {
            let (pair, op) = if word == other {
                (diagonal, EditOp::Correct)
            } else {
                (diagonal + SUBSTITUTION, EditOp::Substitution)
            };
            let deletion = row[j + 1] + DELETION;
            let insertion = row[j] + INSERTION;
            let (cost, op) = if pair <= deletion && pair <= insertion {
                (pair, op)
            } else if deletion < insertion {
                (deletion, EditOp::Deletion)
            } else {
                (insertion, EditOp::Insertion)
            };
            diagonal = std::mem::replace(&mut row[j + 1], cost);
            ops.push(op);
        }
    }
    ops
}

/// Pushes the steps of the best path, last one first.
fn trace_back(table: &[EditOp], hypothesis_words: usize, ops: &mut Vec<EditOp>) {
    let width = hypothesis_words + 1;
    let mut cell = table.len() - 1;
    while cell > 0 {
        let op = table[cell];
        ops.push(op);
        cell -= match op {
            EditOp::Correct | EditOp::Substitution => width + 1,
            EditOp::Deletion => width,
            EditOp::Insertion => 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::EditOp::{Correct as C, Deletion as D, Insertion as I, Substitution as S};
    use super::*;
    use crate::word_errors;
    use proptest::prelude::*;

    fn ops(reference: &str, hypothesis: &str) -> Vec<EditOp> {
        let reference: Vec<&str> = reference.split_whitespace().collect();
        let hypothesis: Vec<&str> = hypothesis.split_whitespace().collect();
        align(&reference, &hypothesis).ops().to_vec()
    }

    // All of these are what sclite 2.10 prints.
    #[test]
    fn aligns_as_sclite_does() {
        assert_eq!(ops("", ""), []);
        assert_eq!(ops("", "q w"), [I, I]);
        assert_eq!(ops("a b", ""), [D, D]);
        assert_eq!(ops("a b c", "b c d"), [D, C, C, I]);
        assert_eq!(ops("x y z", "y y z q"), [S, C, C, I]);
        assert_eq!(ops("a a", "a"), [D, C]);
    }

    #[test]
    fn a_tie_goes_to_the_pair() {
        // Three substitutions cost 12, and so do two deletions and two insertions around one
        // correct word.
        assert_eq!(ops("a b c", "c d e"), [S, S, S]);
    }

    #[test]
    fn can_count_more_errors_than_unit_cost() {
        // Three deletions and three insertions around two correct words: 18; five substitutions:
        // 20.
        let (reference, hypothesis) = (["1", "2", "3", "4", "5"], ["4", "5", "6", "7", "8"]);
        let alignment = align(&reference, &hypothesis);
        assert_eq!(alignment.ops(), [D, D, D, C, C, I, I, I]);
        assert_eq!(alignment.counts().errors(), 6);
        assert_eq!(word_errors(&reference, &hypothesis), 5);
    }

    fn sentence() -> impl Strategy<Value = Vec<&'static str>> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 0..14)
    }

    proptest! {
        #[test]
        fn counts_add_up(reference in sentence(), hypothesis in sentence()) {
            let counts = align(&reference, &hypothesis).counts();
            prop_assert_eq!(counts.reference_words(), reference.len());
            prop_assert_eq!(counts.correct + counts.substitutions + counts.insertions, hypothesis.len());
            prop_assert!(word_errors(&reference, &hypothesis) <= counts.errors());
        }

        #[test]
        fn steps_are_true(reference in sentence(), hypothesis in sentence()) {
            let (mut r, mut h) = (reference.iter(), hypothesis.iter());
            for op in align(&reference, &hypothesis).ops() {
                match op {
                    C => prop_assert_eq!(r.next(), h.next()),
                    S => prop_assert_ne!(r.next(), h.next()),
                    I => prop_assert!(h.next().is_some()),
                    D => prop_assert!(r.next().is_some()),
                }
            }
            prop_assert!(r.next().is_none() && h.next().is_none());
        }

        #[test]
        fn a_text_is_correct_against_itself(text in sentence()) {
            prop_assert!(align(&text, &text).ops().iter().all(|op| *op == C));
        }
    }
}
