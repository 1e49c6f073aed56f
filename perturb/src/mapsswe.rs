//! The matched-pairs sentence-segment word error test.

use serde::Serialize;
use std::f64::consts::SQRT_2;

use crate::paired::same_references;
use crate::{Alignment, EditOp, Error};

/// How many words in a row both systems must have right for a segment to end.
const CORRECT_WORDS: usize = 2;

/// What MAPSSWE says about two systems.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mapsswe {
    /// Segments in which at least one system has an error.
    pub segments: usize,
    /// Mean over segments of the first system's errors less the second's: positive if the second is
    /// better.
    pub mean: f64,
    /// Standard deviation of that difference (divisor `segments − 1`).
    pub sd: f64,
    /// `mean / (sd / √segments)`; 0 where the differences do not vary, or there are fewer than two.
    pub z: f64,
    /// Two-tailed p value of no difference.
    pub p: f64,
}

/// Compares two systems by the stretches of speech in which they err.
///
/// The utterances are cut wherever both systems have two reference words in a row right, with
/// nothing inserted between them, so that errors in different segments may be taken for
/// independent. With `d_i` = errors of the first less errors of the second in segment i, over n
/// segments: `z = mean(d) / (sd(d) / √n)` and `p = erfc(|z| / √2)`. Differences that do not vary
/// allow no test: z = 0, p = 1.
///
/// The alignments of both systems, utterance by utterance, must be against the same references.
/// Errors are those of [`align`](crate::align), and the test is meant for 50 segments or more.
///
/// # Errors
/// [`Error::UtteranceCounts`] and [`Error::ReferencesDiffer`] if the systems were not run on the
/// same utterances.
///
/// # Reference
/// Gillick and Cox 1989, "Some statistical issues in the comparison of speech recognition
/// algorithms"; as in NIST SCTK 2.4.10, `sc_stats -t mapsswe`, but for p, which sc_stats gives only
/// roughly (0.322 at z = 1, where it is 0.317).
///
/// ```
/// use rescorer_perturb::{align, mapsswe};
///
/// let reference = ["a", "b", "c", "d", "e"];
/// let first = align(&reference, &["x", "b", "c", "d", "y"]);
/// let second = align(&reference, &["a", "b", "c", "d", "y"]);
/// let result = mapsswe(&[first], &[second])?;
/// // "b c d" parts the two errors of the first system; the second makes only the last one.
/// assert_eq!((result.segments, result.mean), (2, 0.5));
/// # Ok::<(), rescorer_perturb::Error>(())
/// ```
pub fn mapsswe(first: &[Alignment], second: &[Alignment]) -> Result<Mapsswe, Error> {
    let reference_words = |alignment: &Alignment| alignment.counts().reference_words();
    same_references(first.iter().map(reference_words), second.iter().map(reference_words))?;
    let mut differences = Vec::new();
    for (first, second) in first.iter().zip(second) {
        segments(&slots(first), &slots(second), &mut differences);
    }
    Ok(z_test(&differences))
}

/// A reference word with what a system inserted before it. Past the last word stands one more slot,
/// never wrong.
#[derive(Clone, Copy, Default)]
struct Slot {
    inserted: i64,
    wrong: bool,
}

fn slots(alignment: &Alignment) -> Vec<Slot> {
    let mut slots = Vec::with_capacity(alignment.ops().len() + 1);
    let mut next = Slot::default();
    for op in alignment.ops() {
        if *op == EditOp::Insertion {
            next.inserted += 1;
        } else {
            next.wrong = *op != EditOp::Correct;
            slots.push(std::mem::take(&mut next));
        }
    }
    slots.push(next);
    slots
}

/// Pushes for each segment of an utterance the errors of the first system less those of the second.
fn segments(first: &[Slot], second: &[Slot], differences: &mut Vec<f64>) {
    let mut open: Option<i64> = None;
    let mut correct = 0;
    for (a, b) in first.iter().zip(second) {
        if a.inserted + b.inserted > 0 {
            *open.get_or_insert(0) += a.inserted - b.inserted;
            correct = 0;
        }
        if a.wrong || b.wrong {
            *open.get_or_insert(0) += i64::from(a.wrong) - i64::from(b.wrong);
            correct = 0;
        } else {
            correct += 1;
        }
        if correct >= CORRECT_WORDS {
            differences.extend(open.take().map(|difference| difference as f64));
        }
    }
    differences.extend(open.map(|difference| difference as f64));
}

fn z_test(differences: &[f64]) -> Mapsswe {
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count.max(1.0);
    let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
    let sd = if differences.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
    let z = if sd > 0.0 { mean / (sd / count.sqrt()) } else { 0.0 };
    Mapsswe { segments: differences.len(), mean, sd, z, p: libm::erfc(z.abs() / SQRT_2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{align, words};
    use proptest::prelude::*;

    fn differences(reference: &str, first: &str, second: &str) -> Vec<f64> {
        let (reference, first, second) = (words(reference), words(first), words(second));
        let mut found = Vec::new();
        segments(&slots(&align(&reference, &first)), &slots(&align(&reference, &second)), &mut found);
        found
    }

    #[test]
    fn cuts_at_two_words_that_both_have_right() {
        // One word right between the errors: one segment. Two: two segments.
        assert_eq!(differences("a b c", "x b y", "a b c"), [2.0]);
        assert_eq!(differences("a b c d", "x b c y", "a b c d"), [1.0, 1.0]);
        // Each system is wrong where the other is right.
        assert_eq!(differences("a b c d", "x b c d", "a b c y"), [1.0, -1.0]);
        // The second system breaks the run.
        assert_eq!(differences("a b c d", "x b c y", "a z c d"), [1.0]);
    }

    #[test]
    fn an_insertion_breaks_the_run() {
        assert_eq!(differences("a b c", "x b u c", "a b c"), [2.0]);
        assert_eq!(differences("a b", "a b", "a b u"), [-1.0]);
        assert_eq!(differences("", "u v", "u"), [1.0]);
    }

    #[test]
    fn no_error_no_segment() {
        assert!(differences("a b c d", "a b c d", "a b c d").is_empty());
        let nothing = mapsswe(&[], &[]).unwrap();
        assert_eq!((nothing.segments, nothing.z, nothing.p), (0, 0.0, 1.0));
    }

    #[test]
    fn z_by_hand() {
        // mean 1/2, variance (4 · 1/4) / 3 = 1/3, z = 1/2 / √(1/12) = √3.
        let test = z_test(&[1.0, 0.0, 1.0, 0.0]);
        assert!((test.z - 3f64.sqrt()).abs() < 1e-12);
        assert!((test.p - 0.083_264_516_663_550_42).abs() < 1e-12);
        // Nothing varies, or there is nothing to vary.
        assert_eq!(z_test(&[1.0, 1.0]).p, 1.0);
        assert_eq!(z_test(&[1.0]).p, 1.0);
    }

    #[test]
    fn refuses_other_references() {
        let (one, two) = (align(&["a"], &["a"]), align(&["a", "b"], &["a"]));
        let counts = mapsswe(&[one.clone(), two.clone()], std::slice::from_ref(&one));
        assert!(matches!(counts, Err(Error::UtteranceCounts { first: 2, second: 1 })));
        let words = mapsswe(&[one], &[two]);
        assert!(matches!(words, Err(Error::ReferencesDiffer { index: 0, first: 1, second: 2 })));
    }

    fn sentence() -> impl Strategy<Value = Vec<&'static str>> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..14)
    }

    proptest! {
        #[test]
        fn segments_hold_every_error(reference in sentence(), first in sentence(), second in sentence()) {
            let (a, b) = (align(&reference, &first), align(&reference, &second));
            let errors = a.counts().errors() as f64 - b.counts().errors() as f64;
            let test = mapsswe(std::slice::from_ref(&a), std::slice::from_ref(&b)).unwrap();
            prop_assert!((test.mean * test.segments as f64 - errors).abs() < 1e-9);
            let back = mapsswe(&[b], &[a]).unwrap();
            prop_assert_eq!((test.segments, test.z, test.p), (back.segments, -back.z, back.p));
        }
    }
}
