//! Products of rows with few ranks, in the vectors that the processor has.

use rten_simd::ops::NumOps;
use rten_simd::{Isa, SimdOp};

/// Rows and ranks, or rows and vectors of outputs, that are computed together: as many sums as there are registers for.
const TILE: usize = 4;

/// Adds `x · downᵀ · up` to `y`.
///
/// # Shapes
/// `down: [rank, in]`, `up: [rank, out]`, `x: [rows, in]`, `y: [rows, out]`.
pub struct AddProducts<'a> {
    pub down: &'a [f32],
    pub up: &'a [f32],
    pub inputs: usize,
    pub outputs: usize,
    pub x: &'a [f32],
    pub y: &'a mut [f32],
}

impl SimdOp for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Self { down, up, inputs, outputs, x, y } = self;
        let (ops, mut inner) = (isa.f32(), vec![0.0; TILE * (down.len() / inputs)]);
        for (x, y) in x.chunks(TILE * inputs).zip(y.chunks_mut(TILE * outputs)) {
            // What a row gets does not depend on how many are computed together.
            if x.len() == TILE * inputs {
                multiply_rows::<TILE>(ops, x, down, &mut inner);
                add_rows::<TILE>(ops, &inner, up, y);
            } else {
                for (x, y) in x.chunks(inputs).zip(y.chunks_mut(outputs)) {
                    let inner = &mut inner[..down.len() / inputs];
                    multiply_rows::<1>(ops, x, down, inner);
                    add_rows::<1>(ops, inner, up, y);
                }
            }
        }
    }
}

/// `inner = x · downᵀ` for `R` rows.
#[inline(always)]
fn multiply_rows<const R: usize>(ops: impl NumOps<f32>, x: &[f32], down: &[f32], inner: &mut [f32]) {
    let (width, rank) = (x.len() / R, inner.len() / R);
    let x: [&[f32]; R] = std::array::from_fn(|row| &x[row * width..(row + 1) * width]);
    let of_rank = |k: usize| &down[k * width..(k + 1) * width];
    let mut k = 0;
    while k + TILE <= rank {
        let sums = dots::<R, TILE>(ops, x, std::array::from_fn(|at| of_rank(k + at)));
        for (row, sums) in sums.iter().enumerate() {
            inner[row * rank + k..][..TILE].copy_from_slice(sums);
        }
        k += TILE;
    }
    for k in k..rank {
        for (row, [sum]) in dots::<R, 1>(ops, x, [of_rank(k)]).into_iter().enumerate() {
            inner[row * rank + k] = sum;
        }
    }
}

/// The products of every row of `x` with every row of `a`, all of one length.
///
/// Loops in place of closures, here and below: those are compiled without the vector instructions, and each would be a call.
#[inline(always)]
#[allow(unsafe_code, reason = "checks of bounds would take as long as the products")]
pub fn dots<const R: usize, const K: usize>(
    ops: impl NumOps<f32>,
    x: [&[f32]; R],
    a: [&[f32]; K],
) -> [[f32; K]; R] {
    let width = x[0].len();
    assert!(x.iter().chain(&a).all(|row| row.len() == width));
    let whole = width - width % ops.len();
    let mut sums = [[ops.zero(); K]; R];
    let mut vectors = [ops.zero(); K];
    let mut start = 0;
    while start < whole {
        // SAFETY: every row has `width` numbers, and a vector from `start` ends at `whole` or before.
        unsafe {
            for (vector, a) in vectors.iter_mut().zip(&a) {
                *vector = ops.load_ptr(a.as_ptr().add(start));
            }
            for (x, sums) in x.iter().zip(&mut sums) {
                let x = ops.load_ptr(x.as_ptr().add(start));
                for (a, sum) in vectors.iter().zip(sums) {
                    *sum = ops.mul_add(x, *a, *sum);
                }
            }
        }
        start += ops.len();
    }
    let mut products = [[0.0; K]; R];
    for ((x, sums), products) in x.iter().zip(&sums).zip(&mut products) {
        for ((a, sum), product) in a.iter().zip(sums).zip(products) {
            let rest: f32 = x[whole..].iter().zip(&a[whole..]).map(|(x, a)| x * a).sum();
            *product = ops.sum(*sum) + rest;
        }
    }
    products
}

/// `y += inner · up` for `R` rows.
#[inline(always)]
fn add_rows<const R: usize>(ops: impl NumOps<f32>, inner: &[f32], up: &[f32], y: &mut [f32]) {
    let (width, mut start) = (y.len() / R, 0);
    while start + TILE * ops.len() <= width {
        add_columns::<R, TILE>(ops, inner, up, y, start);
        start += TILE * ops.len();
    }
    while start + ops.len() <= width {
        add_columns::<R, 1>(ops, inner, up, y, start);
        start += ops.len();
    }
    for (inner, y) in inner.chunks(inner.len() / R).zip(y.chunks_mut(width)) {
        for (inner, up) in inner.iter().zip(up.chunks(width)) {
            y[start..].iter_mut().zip(&up[start..]).for_each(|(y, up)| *y += inner * up);
        }
    }
}

/// The `V` vectors of columns from `start` on.
#[inline(always)]
#[allow(unsafe_code, reason = "checks of bounds would take as long as the products")]
fn add_columns<const R: usize, const V: usize>(
    ops: impl NumOps<f32>,
    inner: &[f32],
    up: &[f32],
    y: &mut [f32],
    start: usize,
) {
    let (width, rank) = (y.len() / R, inner.len() / R);
    assert!(start + V * ops.len() <= width && up.len() == rank * width && inner.len() == R * rank);
    // Of row `row`, vector `at`.
    let place = |row: usize, at: usize| row * width + start + at * ops.len();
    let mut sums = [[ops.zero(); V]; R];
    for (row, sums) in sums.iter_mut().enumerate() {
        for (at, sum) in sums.iter_mut().enumerate() {
            *sum = ops.load(&y[place(row, at)..]);
        }
    }
    let mut vectors = [ops.zero(); V];
    for k in 0..rank {
        for (at, vector) in vectors.iter_mut().enumerate() {
            // SAFETY: row `k` of `up` has `width` numbers, and the vectors end there or before.
            *vector = unsafe { ops.load_ptr(up.as_ptr().add(place(k, at))) };
        }
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `inner` has `R` rows of `rank` numbers.
            let inner = ops.splat(unsafe { *inner.get_unchecked(row * rank + k) });
            for (sum, up) in sums.iter_mut().zip(&vectors) {
                *sum = ops.mul_add(inner, *up, *sum);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        for (at, sum) in sums.iter().enumerate() {
            ops.store(*sum, &mut y[place(row, at)..]);
        }
    }
}

/// `inner = x · downᵀ`.
///
/// # Shapes
/// `down: [rank, in]`, `x: [rows, in]`, `inner: [rows, rank]`.
#[cfg(feature = "training")]
pub struct Multiply<'a> {
    pub down: &'a [f32],
    pub inputs: usize,
    pub x: &'a [f32],
    pub inner: &'a mut [f32],
}

#[cfg(feature = "training")]
impl SimdOp for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Self { down, inputs, x, inner } = self;
        let (ops, rank) = (isa.f32(), down.len() / inputs);
        for (x, inner) in x.chunks(TILE * inputs).zip(inner.chunks_mut(TILE * rank)) {
            if x.len() == TILE * inputs {
                multiply_rows::<TILE>(ops, x, down, inner);
            } else {
                let rows = x.chunks(inputs).zip(inner.chunks_mut(rank));
                rows.for_each(|(x, inner)| multiply_rows::<1>(ops, x, down, inner));
            }
        }
    }
}

/// Adds `inner · up` to `y`.
///
/// # Shapes
/// `inner: [rows, rank]`, `up: [rank, out]`, `y: [rows, out]`.
#[cfg(feature = "training")]
pub struct Add<'a> {
    pub inner: &'a [f32],
    pub up: &'a [f32],
    pub outputs: usize,
    pub y: &'a mut [f32],
}

#[cfg(feature = "training")]
impl SimdOp for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Self { inner, up, outputs, y } = self;
        let (ops, rank) = (isa.f32(), up.len() / outputs);
        for (inner, y) in inner.chunks(TILE * rank).zip(y.chunks_mut(TILE * outputs)) {
            if y.len() == TILE * outputs {
                add_rows::<TILE>(ops, inner, up, y);
            } else {
                let rows = inner.chunks(rank).zip(y.chunks_mut(outputs));
                rows.for_each(|(inner, y)| add_rows::<1>(ops, inner, up, y));
            }
        }
    }
}
