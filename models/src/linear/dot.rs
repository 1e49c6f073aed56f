//! Integer matrix tiles: the inner loop of the int8 path.

use std::marker::PhantomData;

/// Outputs of a panel of weights: the width of a tile.
pub const PANEL: usize = 16;

/// Inputs that are summed up at a time: the weights of a panel for so many fit the innermost cache.
const DEPTH_CHUNK: usize = 576;

/// The instructions that a tile is computed with, the best that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// 512-bit vectors with the dot product of 16-bit pairs (`vpdpwssd`).
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// 256-bit vectors (`vpmaddwd`).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Whatever the compiler makes of plain loops.
    Portable,
}

impl Kernel {
    /// The kernels that this processor can run, the best first.
    pub fn available() -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                kernels.push(Self::Avx512Vnni);
            }
            if is_x86_feature_detected!("avx2") {
                kernels.push(Self::Avx2);
            }
        }
        kernels.push(Self::Portable);
        kernels
    }

    /// The best of them.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Computes the columns of a panel.
    ///
    /// # Safety
    /// Nobody else touches these columns of `y` meanwhile.
    ///
    /// # Panics
    /// Lengths that do not fit.
    pub unsafe fn multiply(self, product: &Product<'_>, y: &Columns<'_>) {
        product.check(y);
        // SAFETY: a kernel is only made where the processor has its instructions; the rest is the caller's.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512Vnni => x86_64::multiply_avx512(product, y),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => x86_64::multiply_avx2(product, y),
                Self::Portable => multiply::<Portable>(product, y),
            }
        }
    }
}

/// `y[row + r][first + j] = scales[r] · output_scales[j] · Σ_k x[r][k] · w[k][j]` for the outputs of a panel.
///
/// The sums fit 32 bits: the caller scales the inputs so that they do.
pub struct Product<'a> {
    /// `[rows, depth]`
    pub x: &'a [i16],
    /// `[rows]`
    pub scales: &'a [f32],
    /// `[depth / 2, PANEL, 2]`: the weights of two neighbouring inputs side by side.
    pub weights: &'a [i16],
    /// One for every output that there is: at most [`PANEL`].
    pub output_scales: &'a [f32],
    /// Row of the first result.
    pub row: usize,
    /// Column of the first output.
    pub first: usize,
}

impl Product<'_> {
    fn depth(&self) -> usize {
        self.weights.len() / PANEL
    }

    fn check(&self, y: &Columns<'_>) {
        let (rows, depth) = (self.scales.len(), self.depth());
        assert!(
            depth.is_multiple_of(2)
                && self.weights.len() == PANEL * depth
                && self.x.len() == rows * depth
                && self.output_scales.len() <= PANEL
                && self.first + self.output_scales.len() <= y.width
                && (self.row + rows) * y.width <= y.len
        );
    }
}

/// A matrix of results, some columns of which each thread writes.
pub struct Columns<'a> {
    start: *mut f32,
    len: usize,
    width: usize,
    matrix: PhantomData<&'a mut [f32]>,
}

// SAFETY: stands for a `&mut [f32]`; that threads write apart is the promise of who calls `Kernel::multiply`.
unsafe impl Sync for Columns<'_> {}

impl<'a> Columns<'a> {
    /// Rows of `width` numbers.
    pub fn new(y: &'a mut [f32], width: usize) -> Self {
        Self { start: y.as_mut_ptr(), len: y.len(), width, matrix: PhantomData }
    }

    /// # Safety
    /// The row and the columns are inside, and nobody else touches them.
    #[allow(clippy::mut_from_ref)]
    unsafe fn part(&self, row: usize, first: usize, len: usize) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.width + first), len) }
    }
}

/// The inner loop in the instructions of a kernel.
trait Tile {
    /// Rows of a full tile.
    const ROWS: usize;

    /// Adds `Σ_k x[r][k] · w[k][j]` to `sums[r][j]` for `R` rows that lie `stride` apart.
    ///
    /// # Safety
    /// The processor has the instructions, and `x` holds `R` rows of as many values as `weights` has for
    /// an output, an even number.
    unsafe fn add<const R: usize>(x: &[i16], stride: usize, weights: &[i16], sums: &mut [[i32; PANEL]; R]);
}

/// # Safety
/// The processor has the instructions of `T`; the product has been checked; nobody else touches its columns.
#[inline(always)]
unsafe fn multiply<T: Tile>(product: &Product<'_>, y: &Columns<'_>) {
    let rows = product.scales.len();
    let mut row = 0;
    // SAFETY: as above, and the rows are inside.
    unsafe {
        while T::ROWS == 8 && row + 8 <= rows {
            tile::<T, 8>(product, row, y);
            row += 8;
        }
        while row + 4 <= rows {
            tile::<T, 4>(product, row, y);
            row += 4;
        }
        if row + 2 <= rows {
            tile::<T, 2>(product, row, y);
            row += 2;
        }
        if row < rows {
            tile::<T, 1>(product, row, y);
        }
    }
}

/// `R` rows of the result in the columns of a panel.
///
/// # Safety
/// As [`multiply`].
#[inline(always)]
unsafe fn tile<T: Tile, const R: usize>(product: &Product<'_>, row: usize, y: &Columns<'_>) {
    let Product { x, scales, weights, output_scales, row: start, first } = product;
    let depth = product.depth();
    let x = &x[row * depth..(row + R) * depth];
    let mut sums = [[0; PANEL]; R];
    for (part, weights) in weights.chunks(DEPTH_CHUNK * PANEL).enumerate() {
        // SAFETY: who calls has the instructions of `T`; the last row goes on for as long as the weights.
        unsafe { T::add(&x[part * DEPTH_CHUNK..], depth, weights, &mut sums) };
    }
    for (at, sums) in sums.iter().enumerate() {
        let scale = scales[row + at];
        // SAFETY: the product has been checked against `y`, and the columns are the caller's.
        let y = unsafe { y.part(start + row + at, *first, output_scales.len()) };
        for ((y, sum), output_scale) in y.iter_mut().zip(sums).zip(*output_scales) {
            *y = *sum as f32 * (scale * output_scale);
        }
    }
}

/// Plain loops.
struct Portable;

impl Tile for Portable {
    const ROWS: usize = 4;

    #[inline(always)]
    unsafe fn add<const R: usize>(x: &[i16], stride: usize, weights: &[i16], sums: &mut [[i32; PANEL]; R]) {
        for (row, sums) in x.chunks(stride).zip(sums) {
            for (pair, weights) in row.chunks_exact(2).zip(weights.chunks_exact(2 * PANEL)) {
                let (first, second) = (i32::from(pair[0]), i32::from(pair[1]));
                for (sum, weights) in sums.iter_mut().zip(weights.chunks_exact(2)) {
                    let product = first * i32::from(weights[0]) + second * i32::from(weights[1]);
                    *sum = sum.wrapping_add(product);
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::*;

    use super::{Columns, PANEL, Product, Tile, multiply};

    /// # Safety
    /// The processor has AVX-512 F, BW and VNNI; else as [`multiply`].
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub unsafe fn multiply_avx512(product: &Product<'_>, y: &Columns<'_>) {
        // SAFETY: the caller's.
        unsafe { multiply::<Avx512Vnni>(product, y) };
    }

    /// # Safety
    /// The processor has AVX2; else as [`multiply`].
    #[target_feature(enable = "avx2")]
    pub unsafe fn multiply_avx2(product: &Product<'_>, y: &Columns<'_>) {
        // SAFETY: the caller's.
        unsafe { multiply::<Avx2>(product, y) };
    }

    pub struct Avx512Vnni;

    impl Tile for Avx512Vnni {
        const ROWS: usize = 8;

        #[inline(always)]
        unsafe fn add<const R: usize>(x: &[i16], stride: usize, w: &[i16], sums: &mut [[i32; PANEL]; R]) {
            // SAFETY: a pair of inputs has 2 · PANEL weights, one vector of 32; the rows hold as many
            // pairs; PANEL sums are one vector of 16.
            unsafe {
                let mut acc = sums.each_ref().map(|sums| _mm512_loadu_si512(sums.as_ptr().cast()));
                let rows: [*const i32; R] = std::array::from_fn(|row| x[row * stride..].as_ptr().cast());
                let vectors = w.as_ptr().cast::<__m512i>();
                // Pointers that count in whole pairs: the loop has no arithmetic that could be checked.
                for pair in 0..w.len() / (2 * PANEL) {
                    let weights = _mm512_loadu_si512(vectors.add(pair));
                    for (row, acc) in rows.iter().zip(&mut acc) {
                        let values = _mm512_set1_epi32(row.add(pair).read_unaligned());
                        *acc = _mm512_dpwssd_epi32(*acc, values, weights);
                    }
                }
                for (acc, sums) in acc.iter().zip(sums) {
                    _mm512_storeu_si512(sums.as_mut_ptr().cast(), *acc);
                }
            }
        }
    }

    pub struct Avx2;

    impl Tile for Avx2 {
        const ROWS: usize = 4;

        #[inline(always)]
        unsafe fn add<const R: usize>(x: &[i16], stride: usize, w: &[i16], sums: &mut [[i32; PANEL]; R]) {
            // SAFETY: a pair of inputs has 2 · PANEL weights, two vectors of 16; the rows hold as many
            // pairs; PANEL sums are two vectors of 8.
            unsafe {
                let mut acc = sums.each_ref().map(|sums| {
                    let sums = sums.as_ptr().cast::<__m256i>();
                    [_mm256_loadu_si256(sums), _mm256_loadu_si256(sums.add(1))]
                });
                let rows: [*const i32; R] = std::array::from_fn(|row| x[row * stride..].as_ptr().cast());
                let vectors = w.as_ptr().cast::<[__m256i; 2]>();
                // Pointers that count in whole pairs: the loop has no arithmetic that could be checked.
                for pair in 0..w.len() / (2 * PANEL) {
                    let weights = vectors.add(pair).cast::<__m256i>();
                    let (left, right) = (_mm256_loadu_si256(weights), _mm256_loadu_si256(weights.add(1)));
                    for (row, acc) in rows.iter().zip(&mut acc) {
                        let values = _mm256_set1_epi32(row.add(pair).read_unaligned());
                        acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(values, left));
                        acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(values, right));
                    }
                }
                for (acc, sums) in acc.iter().zip(sums) {
                    let sums = sums.as_mut_ptr().cast::<__m256i>();
                    _mm256_storeu_si256(sums, acc[0]);
                    _mm256_storeu_si256(sums.add(1), acc[1]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small numbers, so that f32 holds the sums exactly.
    fn integers(len: usize, step: usize) -> Vec<i16> {
        (0..len).map(|i| (i * step % 101) as i16 - 50).collect()
    }

    #[test]
    fn every_kernel_of_this_processor_multiplies_exactly() {
        for (depth, outputs) in [(2usize, 16usize), (32, 5), (96, 33), (576, 16), (1536, 40)] {
            let panels = outputs.div_ceil(PANEL);
            let weights = integers(panels * depth * PANEL, 7919);
            let output_scales = vec![2.0; panels * PANEL];
            for (kernel, rows) in Kernel::available().into_iter().flat_map(|k| (1..=13).map(move |r| (k, r)))
            {
                let (x, scales) = (integers(rows * depth, 6971), vec![0.5; rows]);
                let mut y = vec![f32::NAN; rows * outputs];
                let columns = Columns::new(&mut y, outputs);
                for (panel, weights) in weights.chunks(depth * PANEL).enumerate() {
                    let first = panel * PANEL;
                    let output_scales = &output_scales[first..outputs.min(first + PANEL)];
                    let product = Product { x: &x, scales: &scales, weights, output_scales, row: 0, first };
                    // SAFETY: one panel after the other.
                    unsafe { kernel.multiply(&product, &columns) };
                }
                for (at, y) in y.iter().enumerate() {
                    let (row, output) = (at / outputs, at % outputs);
                    let weight = |k: usize| {
                        let panel = &weights[output / PANEL * depth * PANEL..];
                        i32::from(panel[k / 2 * 2 * PANEL + 2 * (output % PANEL) + k % 2])
                    };
                    let sum: i32 = (0..depth).map(|k| i32::from(x[row * depth + k]) * weight(k)).sum();
                    assert_eq!(*y, sum as f32, "{kernel:?}, depth {depth}, row {row}, output {output}");
                }
            }
        }
    }
}
