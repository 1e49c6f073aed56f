use nalgebra::DMatrix;

use crate::error::Error;
use crate::low_rank::LowRank;

/// The change of rank at most `rank` that is nearest to a given one, in the norm of Frobenius.
///
/// With `ΔW = U·S·Vᵀ`, of which the `rank` largest singular values are kept: `B = U·√(S/s)`, `A = √(S/s)·Vᵀ`, so that
/// both matrices are equally large and `s·B·A ≈ ΔW`. `ΔW` itself is never made: with `B = Q₁R₁` and `Aᵀ = Q₂R₂` the
/// singular values are those of the small `R₁·R₂ᵀ`.
///
/// # Errors
/// A scale of 0, or matrices whose decomposition does not converge.
///
/// # Reference
/// Eckart and Young 1936.
pub fn truncated_svd(module: &LowRank, rank: usize, scale: f32) -> Result<LowRank, Error> {
    let [outputs, inputs] = module.shape;
    let fail = |reason: &str| Error::Settings { reason: reason.into() };
    if !scale.is_finite() || scale <= 0.0 {
        return Err(fail("the scale of a projection has to be above 0"));
    }
    let from = module.rank();
    if from == 0 {
        return Ok(LowRank { scale, e: None, ..module.clone() });
    }
    let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
    let b = DMatrix::from_row_slice(outputs, from, &wide(&module.scaled_b())).qr();
    let a = DMatrix::from_row_slice(from, inputs, &wide(&module.a)).transpose().qr();
    let svd = (b.r() * a.r().transpose())
        .try_svd(true, true, f64::EPSILON, 10_000)
        .ok_or_else(|| fail("the singular values of a layer do not converge; its matrices are not finite"))?;
    let (Some(u), Some(v)) = (svd.u, svd.v_t) else {
        return Err(fail("the decomposition gave no singular vectors"));
    };
    let mut order: Vec<usize> = (0..svd.singular_values.len()).collect();
    order.sort_by(|&i, &j| svd.singular_values[j].total_cmp(&svd.singular_values[i]));
    order.truncate(rank);
    let (u, v) = (b.q() * u, v * a.q().transpose());
    let root = |index: usize| (svd.singular_values[index] / f64::from(scale)).sqrt();
    let cells = |row: usize| order.iter().map(move |&index| (row, index));
    Ok(LowRank {
        shape: module.shape,
        a: order
            .iter()
            .flat_map(|&i| v.row(i).iter().map(|v| (v * root(i)) as f32).collect::<Vec<_>>())
            .collect(),
        e: None,
        b: (0..outputs).flat_map(cells).map(|(row, i)| (u[(row, i)] * root(i)) as f32).collect(),
        scale,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(rank: usize) -> LowRank {
        let wave = |len: usize, phase: f32| (0..len).map(|i| (i as f32 * 0.37 + phase).sin()).collect();
        LowRank { shape: [9, 7], a: wave(7 * rank, 0.0), e: None, b: wave(9 * rank, 1.0), scale: 2.0 }
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
    }

    #[test]
    fn a_full_rank_projection_is_the_same_change() {
        let projected = truncated_svd(&module(3), 3, 0.5).unwrap();
        assert_eq!((projected.rank(), projected.scale), (3, 0.5));
        assert!(distance(&projected.delta(), &module(3).delta()) < 1e-5);
    }

    /// The distance of the best projection is that of the singular values left out.
    #[test]
    fn what_is_left_out_is_the_smallest() {
        let full = DMatrix::from_row_slice(9, 7, &module(4).delta());
        let mut values: Vec<f32> = full.singular_values().iter().copied().collect();
        values.sort_by(|a, b| b.total_cmp(a));
        for rank in 0..4 {
            let projected = truncated_svd(&module(4), rank, 1.0).unwrap();
            let rest = values[rank..].iter().map(|value| value.powi(2)).sum::<f32>().sqrt();
            let found = distance(&projected.delta(), &module(4).delta());
            assert!((found - rest).abs() < 1e-4, "rank {rank}: {found} {rest}");
        }
    }

    #[test]
    fn nothing_stays_nothing() {
        let zero = LowRank { b: vec![0.0; 27], ..module(3) };
        assert!(truncated_svd(&zero, 2, 1.0).unwrap().delta().iter().all(|delta| *delta == 0.0));
        assert_eq!(truncated_svd(&module(0), 2, 1.0).unwrap().rank(), 0);
        assert!(truncated_svd(&module(3), 2, 0.0).is_err());
    }
}
