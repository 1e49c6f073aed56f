//! Bootstrap confidence interval of a word error rate.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::hash::Hash;

use crate::{Error, UtteranceErrors, Wer};

/// How many draws a bootstrap makes unless told otherwise.
pub const DRAWS: usize = 1000;

/// A 95 % confidence interval, in percent or percentage points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The 2.5 % quantile of the draws.
    pub low: f64,
    /// The 97.5 % quantile of the draws.
    pub high: f64,
}

/// Numbers the groups that a bootstrap resamples together: equal keys get the same number, from 0.
///
/// Where references repeat, utterances with one reference are no independent sample of what people
/// say; give their texts as the keys.
///
/// ```
/// assert_eq!(rescorer_perturb::group_numbers(["hi", "no", "hi"]), [0, 1, 0]);
/// ```
pub fn group_numbers<K: Eq + Hash>(keys: impl IntoIterator<Item = K>) -> Vec<usize> {
    let mut numbers = FxHashMap::default();
    keys.into_iter()
        .map(|key| {
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        })
        .collect()
}

/// 95 % confidence interval of a WER, in %.
///
/// Percentile bootstrap: each draw takes as many utterances as there are, with replacement, and
/// pools their errors and reference words; the interval runs from the 2.5 % to the 97.5 % quantile
/// of the WERs (linear between neighbours). With `groups` (one number an utterance, see
/// [`group_numbers`]) whole groups are drawn. A draw without reference words has no WER and is made
/// again. Every draw has its own ChaCha8 stream of `seed`, so that the result depends on nothing
/// else.
///
/// # Errors
/// [`Error::NoReferenceWords`], [`Error::NoDraws`], [`Error::GroupCount`].
///
/// # Reference
/// Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance
/// evaluation"; the interval is of quantiles.
///
/// ```
/// use rescorer_perturb::{DRAWS, UtteranceErrors, wer_interval};
///
/// // Every utterance has one error in four words: no draw can differ.
/// let rows = [UtteranceErrors { errors: 1, reference_words: 4 }; 10];
/// let interval = wer_interval(&rows, None, DRAWS, 7)?;
/// assert_eq!((interval.low, interval.high), (25.0, 25.0));
/// # Ok::<(), rescorer_perturb::Error>(())
/// ```
pub fn wer_interval(
    rows: &[UtteranceErrors],
    groups: Option<&[usize]>,
    draws: usize,
    seed: u64,
) -> Result<Interval, Error> {
    let units = pool(rows, groups, |unit: &mut Wer, row| unit.add(row))?;
    check(rows, draws)?;
    let mut rates = resample(&units, draws, seed, |drawn| {
        let mut total = Wer::default();
        drawn.for_each(|unit| total.merge(unit));
        total.percent()
    });
    Ok(Interval::of(&mut rates))
}

impl Interval {
    /// The interval of drawn values; sorts them.
    pub(crate) fn of(values: &mut [f64]) -> Self {
        values.sort_by(f64::total_cmp);
        Self { low: quantile(values, 0.025), high: quantile(values, 0.975) }
    }
}

/// Of sorted values; linear between neighbours, as numpy's default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// Refuses what no rate can be drawn from.
pub(crate) fn check(rows: &[UtteranceErrors], draws: usize) -> Result<(), Error> {
    if draws == 0 {
        return Err(Error::NoDraws);
    }
    if rows.iter().all(|row| row.reference_words == 0) {
        return Err(Error::NoReferenceWords { utterances: rows.len() });
    }
    Ok(())
}

/// The units that are drawn: utterances, or groups of them, pooled.
pub(crate) fn pool<R: Copy, U: Default>(
    rows: &[R],
    groups: Option<&[usize]>,
    mut add: impl FnMut(&mut U, R),
) -> Result<Vec<U>, Error> {
    let count = groups.map_or(rows.len(), <[usize]>::len);
    if count != rows.len() {
        return Err(Error::GroupCount { rows: rows.len(), groups: count });
    }
    // Numbered anew, in the order of appearance: any numbers are legal, and those never used make
    // no empty unit.
    let numbers = match groups {
        Some(groups) => group_numbers(groups),
        None => (0..rows.len()).collect(),
    };
    let mut units = Vec::new();
    for (&row, number) in rows.iter().zip(numbers) {
        if number == units.len() {
            units.push(U::default());
        }
        add(&mut units[number], row);
    }
    Ok(units)
}

/// `draws` values of `statistic`, each over as many units as there are; where it is `None` the
/// units are drawn again.
pub(crate) fn resample<U, T>(
    units: &[U],
    draws: usize,
    seed: u64,
    statistic: impl Fn(&mut dyn Iterator<Item = &U>) -> Option<T>,
) -> Vec<T> {
    let one_draw = |number: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number as u64);
        loop {
            let mut drawn = (0..units.len()).map(|_| &units[rng.random_range(0..units.len())]);
            if let Some(value) = statistic(&mut drawn) {
                return value;
            }
        }
    };
    (0..draws).map(one_draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(errors: &[usize]) -> Vec<UtteranceErrors> {
        let row = |&errors| UtteranceErrors { errors, reference_words: 10 };
        errors.iter().map(row).collect()
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let values: Vec<f64> = (0..=40).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.025), 1.0);
        assert_eq!(quantile(&[1.0, 2.0], 0.25), 1.25);
        assert_eq!(quantile(&[5.0], 0.975), 5.0);
    }

    #[test]
    fn width_is_that_of_the_normal_approximation() {
        // 400 utterances, half with 1 error in 10 words: mean 5 %, standard error 5 / √400 = 0.25
        // points.
        let half: Vec<usize> = (0..400).map(|n| n % 2).collect();
        let Interval { low, high } = wer_interval(&rows(&half), None, 4000, 1).unwrap();
        assert!((low - (5.0 - 1.96 * 0.25)).abs() < 0.05, "{low}");
        assert!((high - (5.0 + 1.96 * 0.25)).abs() < 0.05, "{high}");
    }

    #[test]
    fn the_seed_decides() {
        let rows = rows(&[0, 1, 2, 3, 4, 5, 6, 7]);
        let run = |seed| wer_interval(&rows, None, 200, seed).unwrap();
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }

    #[test]
    fn more_draws_only_add_to_the_first() {
        let units = [1, 2, 3, 4, 5];
        let sums = |draws| resample(&units, draws, 9, |drawn| Some(drawn.sum::<i32>()));
        assert_eq!(sums(10), sums(20)[..10]);
    }

    #[test]
    fn groups_are_drawn_whole() {
        // Two groups whose errors cancel inside: whole groups always give 20 %, single utterances
        // do not.
        let rows = rows(&[0, 4, 0, 4]);
        let whole = wer_interval(&rows, Some(&[5, 5, 9, 9]), 500, 2).unwrap();
        assert_eq!((whole.low, whole.high), (20.0, 20.0));
        let single = wer_interval(&rows, None, 500, 2).unwrap();
        assert!(single.low < 20.0 && single.high > 20.0);
    }

    #[test]
    fn draws_without_words_are_made_again() {
        let mut rows = rows(&[1]);
        rows.resize(5, UtteranceErrors::default());
        let interval = wer_interval(&rows, None, 300, 0).unwrap();
        assert_eq!((interval.low, interval.high), (10.0, 10.0));
    }

    #[test]
    fn refuses_what_has_no_rate() {
        let none = wer_interval(&[UtteranceErrors::default(); 2], None, 10, 0);
        assert_eq!(none, Err(Error::NoReferenceWords { utterances: 2 }));
        let empty = wer_interval(&[], None, 10, 0);
        assert_eq!(empty, Err(Error::NoReferenceWords { utterances: 0 }));
        assert_eq!(wer_interval(&rows(&[1]), None, 0, 0), Err(Error::NoDraws));
        let groups = wer_interval(&rows(&[1, 2]), Some(&[0]), 10, 0);
        assert_eq!(groups, Err(Error::GroupCount { rows: 2, groups: 1 }));
    }
}
