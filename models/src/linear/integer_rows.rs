use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::{MinMax, SumSquare};

use super::block_row::BLOCK;

/// Bound of a 32-bit sum, less what rounding may add.
const SUM_LIMIT: f32 = 0.99 * i32::MAX as f32;

/// Inputs of the int8 path: every row in 16-bit integers with a scale of its own, `x ≈ scale · q`.
///
/// The scale is as small as two bounds allow: `|q| ≤ 32767`, and `‖q‖ · norm ≤ 2³¹` for rows of weights of
/// at most that norm, so that no 32-bit sum overflows, whatever part of it (Cauchy-Schwarz).
/// Eight bits would not do: SmolLM2's activations have outliers of thirty times the mean.
pub struct IntegerRows {
    /// `[rows, depth]`, padded with zeros to whole blocks.
    values: Vec<i16>,
    depth: usize,
    scales: Vec<f32>,
}

impl IntegerRows {
    /// Quantises rows of `width` values for weights whose integer rows have a norm of at most `norm`.
    pub fn new(x: &[f32], width: usize, norm: f32) -> Self {
        let rows = x.len() / width;
        let depth = width.next_multiple_of(BLOCK);
        let mut values = vec![0; rows * depth];
        let mut scales = vec![0.0; rows];
        x.par_chunks_exact(width)
            .zip(values.par_chunks_exact_mut(depth))
            .zip(scales.par_iter_mut())
            .for_each(|((x, values), scale)| *scale = quantize(x, values, norm));
        Self { values, depth, scales }
    }

    /// Some rows: their values, and their scales.
    pub fn part(&self, start: usize, rows: usize) -> (&[i16], &[f32]) {
        let (end, depth) = (start + rows, self.depth);
        (&self.values[start * depth..end * depth], &self.scales[start..end])
    }
}

/// Returns the scale. A row that is not finite gets a scale that is not, and so do its results.
fn quantize(x: &[f32], values: &mut [i16], norm: f32) -> f32 {
    let length = SumSquare::new(x).dispatch().sqrt();
    let (low, high) = MinMax::new(x).dispatch();
    let largest = high.max(-low);
    if length == 0.0 || !length.is_finite() {
        return length;
    }
    let factor = (f32::from(i16::MAX) / largest).min(SUM_LIMIT / (norm * length));
    for (value, x) in values.iter_mut().zip(x) {
        *value = round(x * factor) as i16;
    }
    factor.recip()
}

/// Rounds to the nearest integer; for magnitudes below 2²². Adding 1.5 · 2²³ leaves the integer in the
/// low bits, which a compiler turns into vector instructions where it would not for `f32::round`.
fn round(x: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    ((x + SHIFT).to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_within_half_a_step() {
        let x = [0.0, 1.0, -2.0, 0.333, 100.0, 0.01];
        let rows = IntegerRows::new(&x, 3, 1000.0);
        for (row, x) in x.chunks(3).enumerate() {
            let (values, scales) = rows.part(row, 1);
            assert_eq!(values.len(), BLOCK);
            for (value, x) in values.iter().zip(x) {
                assert!((f32::from(*value) * scales[0] - x).abs() <= 0.501 * scales[0]);
            }
        }
    }

    #[test]
    fn sums_stay_inside_32_bits() {
        // Two rows that point the same way are the worst case.
        let x = vec![1.0; 1536];
        let weight = 2047.0;
        let norm = weight * 1536f32.sqrt();
        let rows = IntegerRows::new(&x, 1536, norm);
        let sum: i64 = rows.part(0, 1).0.iter().map(|&value| i64::from(value) * 2047).sum();
        assert!(sum < i64::from(i32::MAX) && sum > i64::from(i32::MAX) / 2, "{sum}");
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        for bad in [f32::NAN, f32::INFINITY] {
            let rows = IntegerRows::new(&[1.0, bad], 2, 1000.0);
            assert!(!rows.part(0, 1).1[0].is_finite());
        }
        assert_eq!(IntegerRows::new(&[0.0, 0.0], 2, 1000.0).part(0, 1).1, [0.0]);
    }
}
