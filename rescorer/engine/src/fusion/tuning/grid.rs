use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::Serialize;

use crate::error::Error;
use crate::fusion::tuning::folds::folds_of;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Fusion;

/// Weights of the language model that are tried, besides 0: log-spaced, from far below one nat per hundred
/// tokens (first passes that give means) to where the first pass hardly counts (lists without scores, where it is −position).
const LM_WEIGHTS: usize = 57;
const LEAST_LM_WEIGHT: f64 = 1e-3;
const LM_WEIGHT_STEP: f64 = 1.193;

/// Length bonus, in units of the LM weight: what a word is worth in nats. A first pass that favours short outputs wants much
/// (each word costs the model several nats), one that favours long ones wants less than nothing.
const BONUSES: [f64; 18] =
    [-6.0, -4.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0];

/// Margin, in units of the LM weight: the lead in nats that a change needs.
const MARGINS: [f64; 11] = [0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0];

/// The best weights for one LM weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The weights, bonus and margin chosen for this LM weight.
    #[serde(flatten)]
    pub fusion: Fusion,
    /// WER with them, in percent.
    pub wer: f64,
}

/// What tuning found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tuned {
    /// The weights of least WER.
    pub fusion: Fusion,
    /// WER of the first pass, in percent.
    pub first_pass_wer: f64,
    /// WER with the weights, in percent.
    pub rescored_wer: f64,
    /// Least WER for every LM weight tried.
    pub curve: Vec<CurvePoint>,
}

/// Finds the weights of least WER on scored lists.
///
/// A grid over LM weight, length bonus and margin; bonus and margin in units of the LM weight. Of weights
/// with equally few errors the gentlest win: the smallest LM weight, then the largest margin, then the
/// smallest bonus.
///
/// # Errors
/// No lists, or no reference words.
pub fn tune(lists: &[ScoredReference]) -> Result<Tuned, Error> {
    let words: usize = lists.iter().map(|list| list.reference_words).sum();
    if words == 0 {
        let unit = lists.first().map(|list| list.metric.unit).unwrap_or_default();
        return Err(Error::no_words("tune", lists.len(), unit));
    }
    let grid = grid();
    let folds = vec![0; lists.len()];
    let errors = errors_by_fold(lists, &folds, 1, &grid).sum_axis(Axis(1)).to_vec();
    let percent = |errors: usize| 100.0 * errors as f64 / words as f64;
    let best = argmin(&errors);
    let mut curve: Vec<CurvePoint> = Vec::new();
    for (fusion, &errors) in grid.iter().zip(&errors) {
        let point = CurvePoint { fusion: *fusion, wer: percent(errors) };
        match curve.last_mut() {
            Some(last) if last.fusion.lm_weight == fusion.lm_weight => {
                if point.wer < last.wer {
                    *last = point;
                }
            }
            _ => curve.push(point),
        }
    }
    Ok(Tuned {
        fusion: grid[best],
        first_pass_wer: percent(lists.iter().map(|list| list.first_pass().errors).sum()),
        rescored_wer: percent(errors[best]),
        curve,
    })
}

/// Chooses weights for every list on the lists of the other folds.
///
/// Folds go by a seeded hash of the reference, so that equal references are never on both sides.
///
/// # Errors
/// Fewer than two folds, or fewer different references than folds.
pub fn cross_validate(lists: &[ScoredReference], folds: usize, seed: u64) -> Result<Vec<Fusion>, Error> {
    if lists.iter().all(|list| list.reference_words == 0) {
        let unit = lists.first().map(|list| list.metric.unit).unwrap_or_default();
        return Err(Error::no_words("cross-validate", lists.len(), unit));
    }
    let fold_of = folds_of(lists, folds, seed)?;
    let grid = grid();
    let errors = errors_by_fold(lists, &fold_of, folds, &grid);
    let total = errors.sum_axis(Axis(1));
    let chosen: Vec<Fusion> = (0..folds)
        .map(|fold| {
            let others = &total - &errors.column(fold);
            grid[argmin(&others.to_vec())]
        })
        .collect();
    Ok(fold_of.iter().map(|&fold| chosen[fold]).collect())
}

/// All weights that are tried, the gentlest first.
fn grid() -> Vec<Fusion> {
    let lm_weights = (0..LM_WEIGHTS as i32).map(|i| LEAST_LM_WEIGHT * LM_WEIGHT_STEP.powi(i));
    let mut bonuses = BONUSES;
    bonuses.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let mut grid = vec![Fusion { lm_weight: 0.0, length_bonus: 0.0, margin: 0.0 }];
    for lm_weight in lm_weights {
        for margin in MARGINS.iter().rev() {
            for bonus in bonuses {
                grid.push(Fusion { lm_weight, length_bonus: bonus * lm_weight, margin: margin * lm_weight });
            }
        }
    }
    grid
}

/// Errors of every grid point in every fold, `[grid, folds]`.
fn errors_by_fold(
    lists: &[ScoredReference],
    fold_of: &[usize],
    folds: usize,
    grid: &[Fusion],
) -> Array2<usize> {
    let rows: Vec<Vec<usize>> = grid
        .par_iter()
        .map(|fusion| {
            let mut row = vec![0; folds];
            for (list, &fold) in lists.iter().zip(fold_of) {
                row[fold] += list.rescored(&Weighting::Classic(*fusion)).errors;
            }
            row
        })
        .collect();
    Array2::from_shape_fn((grid.len(), folds), |(point, fold)| rows[point][fold])
}

/// The first of the smallest.
fn argmin(values: &[usize]) -> usize {
    values.iter().enumerate().min_by_key(|(_, value)| **value).map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::weights::Candidate;

    fn list(reference: &str, lm_scores: [f64; 2], errors: [usize; 2]) -> ScoredReference {
        let candidates = [-1.0, -2.0]
            .iter()
            .zip(lm_scores)
            .map(|(&first_pass, lm_score)| Candidate::new(first_pass, lm_score, 3))
            .collect();
        ScoredReference {
            marked: None,
            metric: Default::default(),
            id: reference.into(),
            hash: reference.into(),
            reference: reference.into(),
            reference_words: 3,
            texts: vec!["a b c".into(), "a b d".into()],
            candidates,
            errors: errors.into(),
            counts: vec![Default::default(); 2],
            word_changes: vec![Vec::new(); 2],
            estimates: Default::default(),
            first_stage: None,
        }
    }

    #[test]
    fn a_useful_model_gets_weight() {
        let lists = vec![list("a", [-30.0, -10.0], [1, 0]), list("b", [-10.0, -12.0], [0, 1])];
        let tuned = tune(&lists).unwrap();
        assert_eq!((tuned.first_pass_wer, tuned.rescored_wer), (100.0 / 6.0, 0.0));
        assert!(tuned.fusion.lm_weight > 0.05);
        assert_eq!(tuned.curve.len(), LM_WEIGHTS + 1);
    }

    #[test]
    fn a_useless_model_gets_none() {
        let lists = vec![list("a", [-30.0, -10.0], [0, 1])];
        let tuned = tune(&lists).unwrap();
        assert_eq!((tuned.fusion.lm_weight, tuned.rescored_wer), (0.0, 0.0));
        assert!(tune(&[]).is_err());
    }

    #[test]
    fn equal_references_share_a_fold_and_a_fold_is_not_tuned_on_itself() {
        // One reference says that the model helps, nine say that it harms: the one is tuned on the nine.
        let mut lists: Vec<ScoredReference> =
            (0..9).map(|i| list(&format!("harm {i}"), [-30.0, -10.0], [0, 1])).collect();
        lists.extend((0..5).map(|_| list("help", [-30.0, -10.0], [9, 0])));
        let fusions = cross_validate(&lists, 2, 7).unwrap();
        let helped = &fusions[9..];
        assert!(helped.iter().all(|fusion| fusion == &helped[0]));
        assert_eq!(helped[0].lm_weight, 0.0);
        assert!(matches!(cross_validate(&lists[9..], 2, 7), Err(Error::Folds { filled: 1, .. })));
    }
}
