//! Paired bootstrap of the difference between two systems.

use serde::Serialize;

use crate::bootstrap::{check, pool, resample};
use crate::{Error, Interval, UtteranceErrors, Wer};

/// What a paired bootstrap says about two systems.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedBootstrap {
    /// WER of the second system less WER of the first, in points: negative if the second is better.
    pub difference: f64,
    /// 95 % interval of the difference.
    pub interval: Interval,
    /// Share of the draws in which the second system has the lower WER.
    pub improved: f64,
    /// Two-sided p value of no difference; never below `2 / (draws + 1)`.
    pub p: f64,
}

/// Compares two systems on the same utterances by drawing these, with both systems' errors, again
/// and again.
///
/// Each draw takes as many utterances (or `groups`) as there are, with replacement, and gives `Δ =
/// WER_b − WER_a`. `p = min(1, 2 · (1 + min(#{Δ ≤ 0}, #{Δ ≥ 0})) / (draws + 1))`: the 1 counts the
/// data themselves as a draw, so that p is never 0. Draws, groups and seeds work as in
/// [`wer_interval`](crate::wer_interval).
///
/// # Errors
/// [`Error::UtteranceCounts`] and [`Error::ReferencesDiffer`] if the systems were not run on the
/// same utterances; [`Error::NoReferenceWords`], [`Error::NoDraws`], [`Error::GroupCount`].
///
/// # Reference
/// Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance
/// evaluation" (`improved` is their probability of improvement). The p value is of
/// Davison and Hinkley 1997, "Bootstrap methods and their application", chapter 4.
///
/// ```
/// use rescorer_perturb::{DRAWS, UtteranceErrors, paired_bootstrap};
///
/// let row = |errors| UtteranceErrors { errors, reference_words: 10 };
/// let first: Vec<_> = (0..50).map(|n| row(1 + n % 3)).collect();
/// let second: Vec<_> = (0..50).map(|n| row(n % 3)).collect();
/// let result = paired_bootstrap(&first, &second, None, DRAWS, 7)?;
/// // One error in ten words less, on every utterance: so is it in every draw.
/// assert!((result.difference + 10.0).abs() < 1e-9);
/// assert_eq!(result.improved, 1.0);
/// assert!(result.p < 0.002);
/// # Ok::<(), rescorer_perturb::Error>(())
/// ```
pub fn paired_bootstrap(
    first: &[UtteranceErrors],
    second: &[UtteranceErrors],
    groups: Option<&[usize]>,
    draws: usize,
    seed: u64,
) -> Result<PairedBootstrap, Error> {
    let units = paired_units(first, second, groups, draws)?;
    let mut differences = resample(&units, draws, seed, |drawn| Pair::difference(drawn));
    let at_most = differences.iter().filter(|&&d| d <= 0.0).count();
    let at_least = differences.iter().filter(|&&d| d >= 0.0).count();
    Ok(PairedBootstrap {
        difference: Pair::difference(&mut units.iter()).unwrap_or_default(),
        interval: Interval::of(&mut differences),
        improved: (draws - at_least) as f64 / draws as f64,
        p: (2.0 * (1 + at_most.min(at_least)) as f64 / (draws + 1) as f64).min(1.0),
    })
}

/// 95 % interval of the relative reduction of the WER, `100 · (errors_a − errors_b) / errors_a` in %, over draws as those of
/// [`paired_bootstrap`]. A draw in which the first system makes no errors has no reduction and is made again; `None` where it makes
/// none at all.
///
/// # Errors
/// As [`paired_bootstrap`].
pub fn werr_interval(
    first: &[UtteranceErrors],
    second: &[UtteranceErrors],
    groups: Option<&[usize]>,
    draws: usize,
    seed: u64,
) -> Result<Option<Interval>, Error> {
    let units = paired_units(first, second, groups, draws)?;
    if first.iter().all(|row| row.errors == 0) {
        return Ok(None);
    }
    let mut reductions = resample(&units, draws, seed, |drawn| {
        let Pair { first, second } = Pair::total(drawn);
        let gained = first.errors as f64 - second.errors as f64;
        (first.errors > 0).then(|| 100.0 * gained / first.errors as f64)
    });
    Ok(Some(Interval::of(&mut reductions)))
}

/// The units that are drawn, with the errors of both systems.
fn paired_units(
    first: &[UtteranceErrors],
    second: &[UtteranceErrors],
    groups: Option<&[usize]>,
    draws: usize,
) -> Result<Vec<Pair>, Error> {
    same_references(
        first.iter().map(|row| row.reference_words),
        second.iter().map(|row| row.reference_words),
    )?;
    check(first, draws)?;
    let rows: Vec<_> = first.iter().copied().zip(second.iter().copied()).collect();
    pool(&rows, groups, |unit: &mut Pair, (a, b)| {
        unit.first.add(a);
        unit.second.add(b);
    })
}

/// The errors of both systems on one unit of the bootstrap.
#[derive(Default)]
struct Pair {
    first: Wer,
    second: Wer,
}

impl Pair {
    fn total(pairs: &mut dyn Iterator<Item = &Self>) -> Self {
        let mut total = Self::default();
        for pair in pairs {
            total.first.merge(&pair.first);
            total.second.merge(&pair.second);
        }
        total
    }

    fn difference(pairs: &mut dyn Iterator<Item = &Self>) -> Option<f64> {
        let total = Self::total(pairs);
        // Of the whole numbers, so that equal systems differ by exactly 0.
        let errors = total.second.errors as f64 - total.first.errors as f64;
        let words = total.first.reference_words;
        (words > 0).then(|| 100.0 * errors / words as f64)
    }
}

/// Refuses systems that cannot have been run on the same utterances, told by their reference words.
pub(crate) fn same_references(
    first: impl ExactSizeIterator<Item = usize>,
    second: impl ExactSizeIterator<Item = usize>,
) -> Result<(), Error> {
    if first.len() != second.len() {
        return Err(Error::UtteranceCounts { first: first.len(), second: second.len() });
    }
    let differs = first.zip(second).enumerate().find(|(_, (a, b))| a != b);
    match differs {
        Some((index, (first, second))) => Err(Error::ReferencesDiffer { index, first, second }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(errors: impl IntoIterator<Item = usize>) -> Vec<UtteranceErrors> {
        let row = |errors| UtteranceErrors { errors, reference_words: 5 };
        errors.into_iter().map(row).collect()
    }

    #[test]
    fn a_system_does_not_differ_from_itself() {
        let rows = rows((0..30).map(|n| n % 4));
        let result = paired_bootstrap(&rows, &rows, None, 200, 1).unwrap();
        assert_eq!((result.difference, result.improved, result.p), (0.0, 0.0, 1.0));
        assert_eq!((result.interval.low, result.interval.high), (0.0, 0.0));
    }

    #[test]
    fn a_reduction_is_relative_to_the_first() {
        // Half of the errors go, in every utterance and so in every draw.
        let (first, second) = (rows((0..40).map(|n| n % 3 * 2)), rows((0..40).map(|n| n % 3)));
        let interval = werr_interval(&first, &second, None, 200, 1).unwrap().unwrap();
        assert_eq!((interval.low, interval.high), (50.0, 50.0));
        // Reductions of 1 and of 0 in the same number: the mean is 0.5, and √n makes it narrow.
        let (first, second) = (rows([1; 400]), rows((0..400).map(|n| n % 2)));
        let Interval { low, high } = werr_interval(&first, &second, None, 2000, 1).unwrap().unwrap();
        assert!(
            (low - (50.0 - 1.96 * 2.5)).abs() < 0.6 && (high - (50.0 + 1.96 * 2.5)).abs() < 0.6,
            "{low} {high}"
        );
        assert_eq!(werr_interval(&rows([0; 3]), &rows([1, 0, 0]), None, 200, 1).unwrap(), None);
    }

    #[test]
    fn chance_is_not_called_a_difference() {
        // Each system wins every other utterance.
        let first = rows((0..60).map(|n| n % 2));
        let second = rows((0..60).map(|n| (n + 1) % 2));
        let result = paired_bootstrap(&first, &second, None, 1000, 1).unwrap();
        assert_eq!(result.difference, 0.0);
        assert!(result.interval.low < -1.0 && result.interval.high > 1.0);
        assert!(result.p > 0.8, "{}", result.p);
    }

    #[test]
    fn turns_round_with_the_systems() {
        let first = rows((0..40).map(|n| n % 3));
        let second = rows((0..40).map(|n| n % 5));
        let there = paired_bootstrap(&first, &second, None, 500, 1).unwrap();
        let back = paired_bootstrap(&second, &first, None, 500, 1).unwrap();
        assert_eq!(there.difference, -back.difference);
        assert!((there.interval.low + back.interval.high).abs() < 1e-9);
        assert_eq!(there.p, back.p);
    }

    #[test]
    fn refuses_other_utterances() {
        let first = rows([1, 2]);
        let fewer = paired_bootstrap(&first, &first[..1], None, 10, 0);
        assert_eq!(fewer, Err(Error::UtteranceCounts { first: 2, second: 1 }));
        let mut other = first.clone();
        other[1].reference_words = 6;
        let differ = Error::ReferencesDiffer { index: 1, first: 5, second: 6 };
        assert_eq!(paired_bootstrap(&first, &other, None, 10, 0), Err(differ));
    }
}
