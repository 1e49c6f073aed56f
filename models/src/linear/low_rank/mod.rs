//! The terms of low-rank adapters on host memory.

mod kernel;
#[cfg(feature = "training")]
mod trained;

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;
use rten_simd::SimdOp;

use crate::gradient::{Derivative, Inputs};
use crate::to_host::to_host;
use kernel::AddProducts;
pub use kernel::dots;
#[cfg(feature = "training")]
pub use trained::add_low_rank;

/// Rows that a thread takes at a time; both matrices of a layer stay in its cache.
const ROW_CHUNK: usize = 32;

/// What a low-rank adapter adds to a linear layer: `y + x · Aᵀ · Bᵀ`.
///
/// On the CPU the layer itself adds it ([`Adapter::low_rank`](crate::Adapter::low_rank)), to rows that are in the cache, without a tensor in between.
#[derive(Clone)]
pub struct LowRankTerm(Arc<Matrices>);

struct Matrices {
    /// `A: [rank, in]`
    down: Vec<f32>,
    /// `Bᵀ: [rank, out]`
    up: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

/// The terms of a layer by the rows that they act on, in order.
pub type RowTerms<'a> = Vec<(Range<usize>, &'a LowRankTerm)>;

impl LowRankTerm {
    /// Takes over matrices.
    ///
    /// # Shapes
    /// `shape` is `[out, in]`, `a: [rank, in]`, `b: [out, rank]`, with a rank of at least 1.
    ///
    /// # Panics
    /// Matrices of other shapes.
    pub fn new(a: Vec<f32>, b: &[f32], shape: [usize; 2]) -> Self {
        let [outputs, inputs] = shape;
        let rank = a.len() / inputs;
        assert!(rank > 0 && a.len() == rank * inputs && b.len() == rank * outputs, "rank {rank}, {shape:?}");
        let up = transposed(b, rank);
        Self(Arc::new(Matrices { down: a, up, inputs, outputs }))
    }

    /// `y + x · Aᵀ · Bᵀ`, with gradients where they are asked for.
    ///
    /// # Shapes
    /// `x: [rows, in]`, `y` and the result `[rows, out]`.
    pub fn add(&self, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        let (device, shape, inputs) = (y.device(), y.dims(), Inputs::of([&x, &y]));
        let (x, mut y) = (to_host(x), to_host(y));
        add(&vec![(0..shape[0], self)], &x, &mut y);
        inputs.finish(y, shape, &device, || self.clone())
    }
}

impl std::fmt::Debug for LowRankTerm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Matrices { down, inputs, outputs, .. } = &*self.0;
        write!(f, "LowRankTerm({outputs} x {inputs}, rank {})", down.len() / inputs)
    }
}

impl Derivative<2> for LowRankTerm {
    /// `∂L/∂x = ∂L/∂y · B · A`; that of `y` goes on as it is.
    #[cfg(feature = "training")]
    fn gradients(&self, y: Vec<f32>) -> [Vec<f32>; 2] {
        let Matrices { down, up, inputs, outputs } = &*self.0;
        let mut x = vec![0.0; y.len() / outputs * inputs];
        x.par_chunks_mut(ROW_CHUNK * inputs).zip(y.par_chunks(ROW_CHUNK * outputs)).for_each(|(x, y)| {
            AddProducts { down: up, up: down, inputs: *outputs, outputs: *inputs, x: y, y: x }.dispatch();
        });
        [x, y]
    }
}

/// `[rows, width]` as `[width, rows]`.
fn transposed(rows: &[f32], width: usize) -> Vec<f32> {
    (0..width).flat_map(|column| rows.iter().skip(column).step_by(width).copied()).collect()
}

/// Adds terms to rows of `y`.
///
/// # Shapes
/// `x: [rows, in]`, `y: [rows, out]`.
pub fn add(terms: &RowTerms<'_>, x: &[f32], y: &mut [f32]) {
    let mut parts: Vec<(&Matrices, &[f32], &mut [f32])> = Vec::new();
    let (mut rest, mut next) = (y, 0);
    for (rows, term) in terms {
        let Matrices { inputs, outputs, .. } = &*term.0;
        let (_, from_here) = rest.split_at_mut((rows.start - next) * outputs);
        let (own, behind) = from_here.split_at_mut(rows.len() * outputs);
        let x = &x[rows.start * inputs..rows.end * inputs];
        let chunks = x.chunks(ROW_CHUNK * inputs).zip(own.chunks_mut(ROW_CHUNK * outputs));
        parts.extend(chunks.map(|(x, y)| (&*term.0, x, y)));
        (rest, next) = (behind, rows.end);
    }
    parts.into_par_iter().for_each(|(Matrices { down, up, inputs, outputs }, x, y)| {
        AddProducts { down, up, inputs: *inputs, outputs: *outputs, x, y }.dispatch();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of 70 products in another order.
    const TOLERANCE: f32 = 1e-4;

    fn numbers(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin()).collect()
    }

    /// `y + x · Aᵀ · Bᵀ` as it is written.
    fn plain(a: &[f32], b: &[f32], [outputs, inputs]: [usize; 2], x: &[f32], y: &mut [f32]) {
        let rank = a.len() / inputs;
        for (x, y) in x.chunks(inputs).zip(y.chunks_mut(outputs)) {
            for (y, b) in y.iter_mut().zip(b.chunks(rank)) {
                for (b, a) in b.iter().zip(a.chunks(inputs)) {
                    *y += b * a.iter().zip(x).map(|(a, x)| a * x).sum::<f32>();
                }
            }
        }
    }

    #[test]
    fn terms_are_added_to_their_rows() {
        for (rank, shape @ [outputs, inputs]) in [(1, [3, 2]), (5, [70, 67]), (8, [64, 32]), (16, [131, 48])]
        {
            let matrices = |step: f32| (numbers(rank * inputs, step), numbers(outputs * rank, step + 0.1));
            let (one, other) = (matrices(0.7), matrices(0.3));
            let terms = [&one, &other].map(|(a, b)| LowRankTerm::new(a.clone(), b, shape));
            let rows = 45;
            let (x, y) = (numbers(rows * inputs, 0.11), numbers(rows * outputs, 0.05));
            let of_rows = vec![(2..40, &terms[0]), (41..44, &terms[1])];
            let (mut found, mut expected) = (y.clone(), y.clone());
            add(&of_rows, &x, &mut found);
            for ((rows, _), (a, b)) in of_rows.iter().zip([&one, &other]) {
                let y = &mut expected[rows.start * outputs..rows.end * outputs];
                plain(a, b, shape, &x[rows.start * inputs..rows.end * inputs], y);
            }
            for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert!((found - expected).abs() < TOLERANCE, "{rank} {shape:?} {at}: {found} {expected}");
            }
            // A row by itself gets the same numbers.
            let mut alone = y[39 * outputs..40 * outputs].to_vec();
            add(&vec![(0..1, &terms[0])], &x[39 * inputs..40 * inputs], &mut alone);
            assert_eq!(alone, found[39 * outputs..40 * outputs]);
        }
    }

    #[cfg(feature = "training")]
    #[test]
    fn gradients_are_slopes() {
        let (inputs, outputs, rows) = (6, 5, 3);
        let term = LowRankTerm::new(numbers(2 * inputs, 0.7), &numbers(2 * outputs, 0.9), [outputs, inputs]);
        let weights = numbers(rows * outputs, 0.4);
        let loss = |x: &[f32]| {
            let mut y = vec![0.0; rows * outputs];
            add(&vec![(0..rows, &term)], x, &mut y);
            y.iter().zip(&weights).map(|(y, weight)| y * weight).sum::<f32>()
        };
        let x = numbers(rows * inputs, 0.2);
        let [of_x, of_y] = term.gradients(weights.clone());
        assert_eq!(of_y, weights);
        for (at, slope) in of_x.iter().enumerate() {
            let moved = |step: f32| {
                loss(
                    &x.iter()
                        .enumerate()
                        .map(|(i, x)| if i == at { x + step } else { *x })
                        .collect::<Vec<_>>(),
                )
            };
            assert!(((moved(0.5) - moved(-0.5)) - slope).abs() < TOLERANCE, "{at}: {slope}");
        }
    }
}
