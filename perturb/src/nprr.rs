//! N-best Perturbation-based Rescoring Robustness.

use serde::Serialize;

use crate::bootstrap::{pool, resample};
use crate::{Error, Interval, UtteranceErrors};

/// Version of the definition that this library computes.
pub const NPRR_VERSION: u32 = 1;

/// The definition, for reports.
pub const NPRR_DEFINITION: &str = "NPRR(ρ) = (WER(R(π(L))) − WER(R(L))) / WER(R(L)) in %, lower is better. R is a rescorer whose \
     policy was tuned on clean lists and then frozen, L a set of lists, π a perturbation that replaces each word that has a \
     homophone with probability ρ, independently. Mean over seeds; the 95% interval is a bootstrap over utterances (over \
     references, where they repeat) with all seeds of an utterance drawn together.";

/// Errors of one rescorer on the same utterances, as they are and perturbed.
#[derive(Debug, Clone, Copy)]
pub struct RobustnessErrors<'a> {
    /// Errors on the clean lists.
    pub clean: &'a [UtteranceErrors],
    /// Errors on the perturbed lists, one slice for each seed.
    pub perturbed: &'a [Vec<UtteranceErrors>],
}

/// How much a rescorer loses to a perturbation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Nprr {
    /// WER on the clean lists, in %.
    pub clean_wer: f64,
    /// WER on the perturbed lists, in %, mean over seeds.
    pub perturbed_wer: f64,
    /// The relative rise of the WER, in %, mean over seeds.
    pub nprr: f64,
    /// Its 95% interval.
    pub interval: Interval,
    /// The relative rise for each seed, in %.
    pub by_seed: Vec<f64>,
    /// Standard deviation over seeds, in points; 0 for one seed.
    pub spread: f64,
}

/// Computes NPRR, version 1.
///
/// `NPRR = (WER_π − WER) / WER` in %, the mean over seeds; with several seeds the WERs share their denominator, so that the mean
/// of the ratios is the ratio of the mean. The interval draws utterances (or `groups`, see [`group_numbers`](crate::group_numbers)),
/// each with its errors of all seeds; a draw without an error in the clean lists has no ratio and is made again.
///
/// # Errors
/// [`Error::NoErrors`] where the rescorer makes no error on the clean lists, so that there is nothing to relate to;
/// [`Error::NoSeeds`]; [`Error::UtteranceCounts`], [`Error::ReferencesDiffer`] where the lists are not the same;
/// [`Error::NoDraws`], [`Error::GroupCount`].
///
/// # Reference
/// The name is that of a publication known to us by its abstract; the definition is this project's, hence the version.
///
/// ```
/// use rescorer_perturb::{DRAWS, RobustnessErrors, UtteranceErrors, nprr};
///
/// let row = |errors| UtteranceErrors { errors, reference_words: 10 };
/// let clean = [row(1), row(1)];
/// let perturbed = [vec![row(1), row(2)], vec![row(2), row(2)]];
/// let found = nprr(&RobustnessErrors { clean: &clean, perturbed: &perturbed }, None, DRAWS, 1)?;
/// // 2 errors become 3 with one seed, 4 with the other.
/// assert_eq!((found.by_seed.as_slice(), found.nprr), (&[50.0, 100.0][..], 75.0));
/// # Ok::<(), rescorer_perturb::Error>(())
/// ```
pub fn nprr(
    errors: &RobustnessErrors<'_>,
    groups: Option<&[usize]>,
    draws: usize,
    seed: u64,
) -> Result<Nprr, Error> {
    let rows = rows(errors)?;
    if draws == 0 {
        return Err(Error::NoDraws);
    }
    let units = pool(&rows, groups, Sums::add)?;
    let mut rises = resample(&units, draws, seed, |drawn| Sums::of(drawn).rise());
    let total = Sums::of(&mut units.iter());
    let by_seed: Vec<f64> = errors
        .perturbed
        .iter()
        .map(|rows| {
            let errors: usize = rows.iter().map(|row| row.errors).sum();
            100.0 * (errors as f64 - total.clean as f64) / total.clean as f64
        })
        .collect();
    let seeds = by_seed.len() as f64;
    let percent = |errors: f64| 100.0 * errors / total.words as f64;
    let mean = total.rise().unwrap_or_default();
    let squares: f64 = by_seed.iter().map(|rise| (rise - mean).powi(2)).sum();
    Ok(Nprr {
        clean_wer: percent(total.clean as f64),
        perturbed_wer: percent(total.perturbed as f64 / seeds),
        nprr: mean,
        interval: Interval::of(&mut rises),
        spread: if by_seed.len() > 1 { (squares / (seeds - 1.0)).sqrt() } else { 0.0 },
        by_seed,
    })
}

/// Whether one rescorer loses more to a perturbation than another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NprrDifference {
    /// NPRR of the second rescorer less that of the first, in points: negative if the second is the more robust.
    pub difference: f64,
    /// Its 95% interval.
    pub interval: Interval,
    /// Two-sided p value of no difference, as in [`paired_bootstrap`](crate::paired_bootstrap).
    pub p: f64,
}

/// Compares the NPRR of two rescorers on the same utterances with the same perturbations by a paired bootstrap.
///
/// # Errors
/// As [`nprr`]; the rescorers have to be run on the same utterances with as many seeds.
pub fn nprr_difference(
    first: &RobustnessErrors<'_>,
    second: &RobustnessErrors<'_>,
    groups: Option<&[usize]>,
    draws: usize,
    seed: u64,
) -> Result<NprrDifference, Error> {
    let (a, b) = (rows(first)?, rows(second)?);
    if a.len() != b.len() || first.perturbed.len() != second.perturbed.len() {
        return Err(Error::UtteranceCounts {
            first: a.len() * first.perturbed.len(),
            second: b.len() * second.perturbed.len(),
        });
    }
    if draws == 0 {
        return Err(Error::NoDraws);
    }
    let pairs: Vec<(Sums, Sums)> = a.into_iter().zip(b).collect();
    let units = pool(&pairs, groups, |unit: &mut (Sums, Sums), (a, b)| {
        unit.0.add(a);
        unit.1.add(b);
    })?;
    let difference = |drawn: &mut dyn Iterator<Item = &(Sums, Sums)>| {
        let mut total = (Sums::default(), Sums::default());
        for (a, b) in drawn {
            total.0.add(*a);
            total.1.add(*b);
        }
        Some(total.1.rise()? - total.0.rise()?)
    };
    let mut differences = resample(&units, draws, seed, difference);
    let at_most = differences.iter().filter(|&&d| d <= 0.0).count();
    let at_least = differences.iter().filter(|&&d| d >= 0.0).count();
    Ok(NprrDifference {
        difference: difference(&mut units.iter()).unwrap_or_default(),
        interval: Interval::of(&mut differences),
        p: (2.0 * (1 + at_most.min(at_least)) as f64 / (draws + 1) as f64).min(1.0),
    })
}

/// Share of a rescorer's clean gain that is left under a perturbation: `(FP_π − R_π) / (FP − R)` of the WERs of the first pass
/// and of the rescorer, clean and perturbed; `None` where there is no clean gain.
///
/// ```
/// assert_eq!(rescorer_perturb::gain_kept((10.0, 8.0), (14.0, 13.0)), Some(0.5));
/// assert_eq!(rescorer_perturb::gain_kept((10.0, 10.0), (14.0, 13.0)), None);
/// ```
#[must_use]
pub fn gain_kept(clean: (f64, f64), perturbed: (f64, f64)) -> Option<f64> {
    let gain = clean.0 - clean.1;
    (gain > 0.0).then(|| (perturbed.0 - perturbed.1) / gain)
}

/// The errors of utterances: clean, and perturbed summed over seeds.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    clean: usize,
    perturbed: usize,
    words: usize,
    seeds: usize,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.clean += other.clean;
        self.perturbed += other.perturbed;
        self.words += other.words;
        self.seeds = other.seeds;
    }

    fn of(units: &mut dyn Iterator<Item = &Self>) -> Self {
        let mut total = Self::default();
        units.for_each(|unit| total.add(*unit));
        total
    }

    /// The relative rise of the errors in %, a mean over seeds.
    fn rise(&self) -> Option<f64> {
        let perturbed = self.perturbed as f64 / self.seeds as f64;
        (self.clean > 0).then(|| 100.0 * (perturbed - self.clean as f64) / self.clean as f64)
    }
}

fn rows(errors: &RobustnessErrors<'_>) -> Result<Vec<Sums>, Error> {
    let RobustnessErrors { clean, perturbed } = errors;
    if perturbed.is_empty() {
        return Err(Error::NoSeeds);
    }
    for rows in *perturbed {
        crate::paired::same_references(
            clean.iter().map(|row| row.reference_words),
            rows.iter().map(|row| row.reference_words),
        )?;
    }
    if clean.iter().all(|row| row.errors == 0) {
        return Err(Error::NoErrors { utterances: clean.len() });
    }
    let sums = clean.iter().enumerate().map(|(index, row)| Sums {
        clean: row.errors,
        perturbed: perturbed.iter().map(|rows| rows[index].errors).sum(),
        words: row.reference_words,
        seeds: perturbed.len(),
    });
    Ok(sums.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(errors: impl IntoIterator<Item = usize>) -> Vec<UtteranceErrors> {
        errors.into_iter().map(|errors| UtteranceErrors { errors, reference_words: 10 }).collect()
    }

    fn found(clean: &[UtteranceErrors], perturbed: &[Vec<UtteranceErrors>]) -> Result<Nprr, Error> {
        nprr(&RobustnessErrors { clean, perturbed }, None, 500, 1)
    }

    #[test]
    fn by_hand() {
        // 6 errors in 40 words; 9 and 12 of the two seeds.
        let clean = rows([1, 2, 3, 0]);
        let found = found(&clean, &[rows([1, 3, 4, 1]), rows([2, 4, 4, 2])]).unwrap();
        assert_eq!((found.clean_wer, found.perturbed_wer), (15.0, 26.25));
        assert_eq!((found.by_seed.as_slice(), found.nprr), (&[50.0, 100.0][..], 75.0));
        assert!((found.spread - 35.355).abs() < 1e-3);
        assert!(found.interval.low < 75.0 && found.interval.high > 75.0);
    }

    #[test]
    fn what_stays_the_same_has_lost_nothing() {
        let clean = rows([1, 2, 3]);
        let found = found(&clean, &[clean.clone(), clean.clone()]).unwrap();
        assert_eq!((found.nprr, found.spread), (0.0, 0.0));
        assert_eq!((found.interval.low, found.interval.high), (0.0, 0.0));
    }

    #[test]
    fn differences_are_paired() {
        let clean = rows((0..60).map(|n| 1 + n % 3));
        let worse = |by: usize| -> [Vec<UtteranceErrors>; 1] { [rows((0..60).map(|n| 1 + n % 3 + by))] };
        let (one, two) = (worse(1), worse(2));
        let errors = |perturbed| RobustnessErrors { clean: &clean, perturbed };
        let difference = nprr_difference(&errors(&one), &errors(&two), None, 1000, 1).unwrap();
        // 60 errors more of 120.
        assert_eq!(difference.difference, 50.0);
        assert!(difference.interval.low > 40.0 && difference.p < 0.01);
        let none = nprr_difference(&errors(&one), &errors(&one), None, 100, 1).unwrap();
        assert_eq!((none.difference, none.p), (0.0, 1.0));
    }

    #[test]
    fn refuses_what_has_no_ratio() {
        let clean = rows([0, 0]);
        assert_eq!(found(&clean, &[rows([1, 1])]), Err(Error::NoErrors { utterances: 2 }));
        assert_eq!(found(&rows([1]), &[]), Err(Error::NoSeeds));
        assert_eq!(found(&rows([1]), &[rows([1, 2])]), Err(Error::UtteranceCounts { first: 1, second: 2 }));
    }
}
