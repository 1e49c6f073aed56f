//! The low-rank term with gradients of its matrices.

use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;
use rten_simd::SimdOp;

use super::kernel::{Add, Multiply};
use super::{ROW_CHUNK, transposed};
use crate::gradient::{Derivative, Inputs};
use crate::to_host::to_host;

/// Rows whose part in the gradients of matrices is summed up at a time. The sums are the same on any number of threads.
const GRADIENT_ROWS: usize = 256;

/// `y + x · Aᵀ · Bᵀ` on host memory, with gradients of all four.
///
/// # Shapes
/// `x: [rows, in]`, `y` and the result `[rows, out]`, `a: [rank, in]`, `b: [out, rank]`.
pub fn add_low_rank(x: Tensor<2>, y: Tensor<2>, a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    let ([_, inputs], shape @ [rows, outputs], [rank, _]) = (x.dims(), y.dims(), a.dims());
    let (device, recorded) = (y.device(), Inputs::of([&x, &y, &a, &b]));
    let (x, mut y, a, b) = (to_host(x), to_host(y), to_host(a), transposed(&to_host(b), rank));
    let mut inner = vec![0.0; rows * rank];
    x.par_chunks(ROW_CHUNK * inputs)
        .zip(inner.par_chunks_mut(ROW_CHUNK * rank))
        .zip(y.par_chunks_mut(ROW_CHUNK * outputs))
        .for_each(|((x, inner), y)| {
            Multiply { down: &a, inputs, x, inner }.dispatch();
            Add { inner, up: &b, outputs, y }.dispatch();
        });
    recorded.finish(y, shape, &device, || Term {
        x: x.into(),
        a: a.into(),
        b: b.into(),
        inner: inner.into(),
        rank,
    })
}

/// What the way back needs.
#[derive(Clone, Debug)]
struct Term {
    x: Arc<Vec<f32>>,
    a: Arc<Vec<f32>>,
    /// `Bᵀ: [rank, out]`
    b: Arc<Vec<f32>>,
    /// `x · Aᵀ: [rows, rank]`
    inner: Arc<Vec<f32>>,
    rank: usize,
}

impl Derivative<4> for Term {
    /// With `g = ∂L/∂y` and `u = g · B`: `∂L/∂x = u · A`, `∂L/∂A = uᵀ · x`, `∂L/∂B = gᵀ · x · Aᵀ`.
    fn gradients(&self, g: Vec<f32>) -> [Vec<f32>; 4] {
        let Self { x, a, b, inner, rank } = self;
        let (rank, inputs, outputs) = (*rank, a.len() / rank, b.len() / rank);
        let mut of_x = vec![0.0; x.len()];
        let mut back = vec![0.0; inner.len()];
        g.par_chunks(ROW_CHUNK * outputs)
            .zip(back.par_chunks_mut(ROW_CHUNK * rank))
            .zip(of_x.par_chunks_mut(ROW_CHUNK * inputs))
            .for_each(|((g, back), of_x)| {
                Multiply { down: b, inputs: outputs, x: g, inner: back }.dispatch();
                Add { inner: back, up: a, outputs: inputs, y: of_x }.dispatch();
            });
        let of_a = outer(&back, x, rank);
        let of_b = outer(inner, &g, rank);
        [of_x, g, of_a, transposed(&of_b, outputs)]
    }
}

/// `fewᵀ · many: [rank, width]`, summed over the rows of `few: [rows, rank]` and `many: [rows, width]`.
fn outer(few: &[f32], many: &[f32], rank: usize) -> Vec<f32> {
    let width = many.len() / (few.len() / rank).max(1);
    let parts: Vec<Vec<f32>> = few
        .par_chunks(GRADIENT_ROWS * rank)
        .zip(many.par_chunks(GRADIENT_ROWS * width))
        .map(|(few, many)| {
            let mut sums = vec![0.0; rank * width];
            Add { inner: &transposed(few, rank), up: many, outputs: width, y: &mut sums }.dispatch();
            sums
        })
        .collect();
    let mut parts = parts.into_iter();
    let mut sums = parts.next().unwrap_or_else(|| vec![0.0; rank * width]);
    parts.for_each(|part| sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences of f32 over a step of 0.1; the loss is linear in each input.
    const TOLERANCE: f32 = 1e-3;

    fn numbers(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin()).collect()
    }

    #[test]
    fn gradients_are_slopes() {
        let device = burn::tensor::Device::flex();
        let (rows, inputs, outputs, rank) = (5, 7, 6, 3);
        let shapes = [[rows, inputs], [rows, outputs], [rank, inputs], [outputs, rank]];
        let values: Vec<Vec<f32>> = shapes
            .iter()
            .zip([0.3, 0.5, 0.7, 0.9])
            .map(|(shape, step)| numbers(shape[0] * shape[1], step))
            .collect();
        let weights = numbers(rows * outputs, 0.2);
        let result = |values: &[Vec<f32>]| {
            let tensor = |at: usize| {
                Tensor::<2>::from_data(burn::tensor::TensorData::new(values[at].clone(), shapes[at]), &device)
            };
            to_host(add_low_rank(tensor(0), tensor(1), tensor(2), tensor(3)))
        };
        let loss = |values: &[Vec<f32>]| {
            result(values).iter().zip(&weights).map(|(y, weight)| y * weight).sum::<f32>()
        };
        let [x, _, a, b] = [0, 1, 2, 3].map(|at| values[at].clone());
        let b = transposed(&b, rank);
        let mut inner = vec![0.0; rows * rank];
        Multiply { down: &a, inputs, x: &x, inner: &mut inner }.dispatch();
        let term = Term { x: x.into(), a: a.into(), b: b.into(), inner: inner.into(), rank };
        for (input, gradient) in term.gradients(weights.clone()).into_iter().enumerate() {
            assert_eq!(gradient.len(), values[input].len());
            for (at, slope) in gradient.iter().enumerate() {
                let moved = |step: f32| {
                    let mut moved = values.clone();
                    moved[input][at] += step;
                    loss(&moved)
                };
                let measured = (moved(0.05) - moved(-0.05)) / 0.1;
                assert!((measured - slope).abs() < TOLERANCE, "{input} {at}: {measured} {slope}");
            }
        }
    }

    #[test]
    fn gradients_of_matrices_are_sums_over_all_rows() {
        let (rows, rank, width) = (2 * GRADIENT_ROWS + 3, 2, 5);
        let (few, many) = (numbers(rows * rank, 0.7), numbers(rows * width, 0.3));
        for (at, found) in outer(&few, &many, rank).iter().enumerate() {
            let (k, column) = (at / width, at % width);
            let expected: f32 = (0..rows).map(|row| few[row * rank + k] * many[row * width + column]).sum();
            assert!((found - expected).abs() < TOLERANCE, "{at}: {found} {expected}");
        }
    }
}
