//! The sums of attention, in the vectors that the processor has.

use std::ops::Range;

use rten_simd::ops::NumOps;
use rten_simd::{Isa, SimdOp};

use crate::linear::low_rank::dots;

/// Vectors of an output that are summed up together.
const TILE: usize = 4;

/// Appends `scale · q · row` for each of some rows of a matrix.
pub struct Dots<'a, Rows> {
    pub q: &'a [f32],
    pub matrix: &'a [f32],
    /// Where each row lies in the matrix, all as long as `q`.
    pub rows: Rows,
    pub scale: f32,
    pub out: &'a mut Vec<f32>,
}

impl<Rows: Iterator<Item = Range<usize>>> SimdOp for Dots<'_, Rows> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        for row in self.rows {
            let [[product]] = dots(ops, [self.q], [&self.matrix[row]]);
            self.out.push(self.scale * product);
        }
    }
}

/// Adds `Σ weight · row` over some rows of a matrix to `out`.
pub struct Mix<'a, Rows> {
    pub weights: &'a [f32],
    pub matrix: &'a [f32],
    /// Where each row lies in the matrix, all as long as `out`.
    pub rows: Rows,
    pub out: &'a mut [f32],
}

impl<Rows: Iterator<Item = Range<usize>> + Clone> SimdOp for Mix<'_, Rows> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Self { weights, matrix, rows, out } = self;
        mix_all(isa.f32(), weights, matrix, rows, out);
    }
}

#[inline(always)]
fn mix_all(
    ops: impl NumOps<f32>,
    weights: &[f32],
    matrix: &[f32],
    rows: impl Iterator<Item = Range<usize>> + Clone,
    out: &mut [f32],
) {
    let mut start = 0;
    while start + TILE * ops.len() <= out.len() {
        mix::<TILE>(ops, weights, matrix, rows.clone(), out, start);
        start += TILE * ops.len();
    }
    while start + ops.len() <= out.len() {
        mix::<1>(ops, weights, matrix, rows.clone(), out, start);
        start += ops.len();
    }
    for (weight, row) in weights.iter().zip(rows) {
        for (out, value) in out[start..].iter_mut().zip(&matrix[row][start..]) {
            *out += weight * value;
        }
    }
}

/// The `V` vectors from `start` on.
#[inline(always)]
#[allow(unsafe_code, reason = "checks of bounds would take as long as the products")]
fn mix<const V: usize>(
    ops: impl NumOps<f32>,
    weights: &[f32],
    matrix: &[f32],
    rows: impl Iterator<Item = Range<usize>>,
    out: &mut [f32],
    start: usize,
) {
    let end = start + V * ops.len();
    let out = &mut out[start..end];
    let mut sums = [ops.zero(); V];
    for (place, sum) in sums.iter_mut().enumerate() {
        *sum = ops.load(&out[place * ops.len()..]);
    }
    for (weight, row) in weights.iter().zip(rows) {
        let (weight, row) = (ops.splat(*weight), &matrix[row][start..end]);
        for (place, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the row has `V` vectors.
            let values = unsafe { ops.load_ptr(row.as_ptr().add(place * ops.len())) };
            *sum = ops.mul_add(weight, values, *sum);
        }
    }
    for (place, sum) in sums.iter().enumerate() {
        ops.store(*sum, &mut out[place * ops.len()..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin()).collect()
    }

    #[test]
    fn vectors_sum_as_plain_loops() {
        for width in [3, 16, 40, 64, 80, 135] {
            let (q, matrix, weights) = (numbers(width, 0.3), numbers(5 * width, 0.7), numbers(3, 1.1));
            let rows = [4, 0, 2].map(|row: usize| row * width..(row + 1) * width);
            let mut dots = vec![9.0];
            Dots { q: &q, matrix: &matrix, rows: rows.iter().cloned(), scale: 0.5, out: &mut dots }
                .dispatch();
            let mut out = numbers(width, 0.9);
            let mut expected = out.clone();
            Mix { weights: &weights, matrix: &matrix, rows: rows.iter().cloned(), out: &mut out }.dispatch();
            for (number, row) in rows.iter().enumerate() {
                let row = &matrix[row.clone()];
                let dot: f32 = q.iter().zip(row).map(|(q, row)| q * row).sum();
                assert!((dots[number + 1] - 0.5 * dot).abs() < 1e-4, "{width}");
                expected.iter_mut().zip(row).for_each(|(sum, row)| *sum += weights[number] * row);
            }
            assert!(out.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4), "{width}");
            assert_eq!(dots.len(), 4);
        }
    }
}
