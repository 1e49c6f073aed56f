//! Integer matrix tiles: the inner loop of the int8 path.

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

    /// Rows of a tile: as many as the registers hold. Parts of a job should be multiples of it.
    pub fn rows(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => x86_64::Avx512Vnni::ROWS,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86_64::Avx2::ROWS,
            Self::Portable => Portable::ROWS,
        }
    }

    /// Computes a product.
    ///
    /// # Panics
    /// Lengths that do not fit.
    pub fn multiply(self, product: &Product<'_>, y: &mut [f32]) {
        product.check(y.len());
        match self {
            // SAFETY: a kernel is only made where the processor has its instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => unsafe { x86_64::multiply_avx512(product, y) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86_64::multiply_avx2(product, y) },
            Self::Portable => multiply::<Portable>(product, y),
        }
    }
}

/// `y[r][j] = scales[r] · output_scales[j] · Σ_k x[r][k] · w[k][j]`.
///
/// The sums fit 32 bits: the caller scales the inputs so that they do.
pub struct Product<'a> {
    /// `[rows, depth]`
    pub x: &'a [i16],
    /// `[rows]`
    pub scales: &'a [f32],
    /// `[panels, depth / 2, PANEL, 2]`: the weights of two neighbouring inputs side by side.
    pub weights: &'a [i16],
    /// `[panels, PANEL]`
    pub output_scales: &'a [f32],
    /// Length of a row of `x`, an even number.
    pub depth: usize,
    /// Length of a row of `y`.
    pub outputs: usize,
}

impl Product<'_> {
    fn check(&self, y_len: usize) {
        let (rows, panels) = (self.scales.len(), self.outputs.div_ceil(PANEL));
        assert!(
            self.depth.is_multiple_of(2)
                && self.x.len() == rows * self.depth
                && self.weights.len() == panels * PANEL * self.depth
                && self.output_scales.len() == panels * PANEL
                && y_len == rows * self.outputs
        );
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

#[inline(always)]
fn multiply<T: Tile>(product: &Product<'_>, y: &mut [f32]) {
    let rows = product.scales.len();
    for panel in 0..product.outputs.div_ceil(PANEL) {
        let full = rows - rows % T::ROWS;
        match T::ROWS {
            4 => (0..full).step_by(4).for_each(|row| tile::<T, 4>(product, row, panel, y)),
            _ => (0..full).step_by(8).for_each(|row| tile::<T, 8>(product, row, panel, y)),
        }
        (full..rows).for_each(|row| tile::<T, 1>(product, row, panel, y));
    }
}

/// `R` rows of the result in the columns of a panel.
#[inline(always)]
fn tile<T: Tile, const R: usize>(product: &Product<'_>, row: usize, panel: usize, y: &mut [f32]) {
    let Product { x, scales, weights, output_scales, depth, outputs } = product;
    let x = &x[row * depth..(row + R) * depth];
    let weights = &weights[panel * depth * PANEL..(panel + 1) * depth * PANEL];
    let mut sums = [[0; PANEL]; R];
    for (part, weights) in weights.chunks(DEPTH_CHUNK * PANEL).enumerate() {
        // SAFETY: who calls has the instructions of `T`; the last row goes on for as long as the weights.
        unsafe { T::add(&x[part * DEPTH_CHUNK..], *depth, weights, &mut sums) };
    }
    let width = PANEL.min(outputs - panel * PANEL);
    let output_scales = &output_scales[panel * PANEL..panel * PANEL + width];
    for (at, sums) in sums.iter().enumerate() {
        let start = (row + at) * outputs + panel * PANEL;
        let scale = scales[row + at];
        for ((y, sum), output_scale) in y[start..start + width].iter_mut().zip(sums).zip(output_scales) {
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

    use super::{PANEL, Product, Tile, multiply};

    /// # Safety
    /// The processor has AVX-512 F, BW and VNNI.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub unsafe fn multiply_avx512(product: &Product<'_>, y: &mut [f32]) {
        multiply::<Avx512Vnni>(product, y);
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2")]
    pub unsafe fn multiply_avx2(product: &Product<'_>, y: &mut [f32]) {
        multiply::<Avx2>(product, y);
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
                let product = Product {
                    x: &x,
                    scales: &scales,
                    weights: &weights,
                    output_scales: &output_scales,
                    depth,
                    outputs,
                };
                kernel.multiply(&product, &mut y);
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
