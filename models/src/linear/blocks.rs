use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;

use super::block_row::{BLOCK, BlockRow};
use super::columns::Columns;
use super::dot::{PANEL, Product};
use super::integer_rows::IntegerRows;
use super::kernel::Kernel;
use super::panel::Panel;
use crate::weights::RawTensor;

/// Rows and panels that are multiplied with each other at a time: both fit the cache of a core.
const ROW_CHUNK: usize = 64;
const GROUP_PANELS: usize = 4;

/// Tasks for every thread, where a matrix has so many panels: none waits long for the last one.
const TASKS: usize = 4;

/// Weights of at most 8 bits with a scale for every block of 32, multiplied in integer arithmetic.
///
/// GGUF weights with scales for 32 values (`Q4_0`, `Q4_1`, `Q4_K` in 4 bits; `Q5_0`, `Q5_1`, `Q5_K`, `Q8_0` in
/// 8) keep their quants; anything else, `Q6_K` with scales for 16 too, becomes 8 bits with a block's largest
/// magnitude as 127. For a multiplication the blocks are spread out to 12-bit integers with one
/// scale for each output, `w ≈ r_j · (q·D + M)`, which is exact to half a step of that scale. Inputs are
/// [`IntegerRows`], sums are exact 32-bit integers, results f32.
///
/// Why not 8-bit products: with a scale for each row of weights and each token they move the
/// log-probability of a token of SmolLM2-135M by 0.37 on average, 8-bit inputs with a scale for every block
/// still by 0.1, these here by 0.011. On AVX2 both kinds of product take the same time.
pub struct BlockMatrix {
    outputs: usize,
    depth: usize,
    panels: Vec<Panel>,
    /// `r: [panels, PANEL]`
    output_scales: Vec<f32>,
    norm: f32,
    kernel: Kernel,
}

thread_local! {
    /// Integer weights of the panels that a thread is multiplying by.
    static SPREAD: Cell<Vec<i16>> = const { Cell::new(Vec::new()) };
}

impl BlockMatrix {
    /// Takes over rows of `tensor: [rows, in]`; output `j` is row `row(j)`.
    pub fn new(tensor: &RawTensor, outputs: usize, row: impl Fn(usize) -> usize + Sync) -> Self {
        let depth = tensor.shape[1].next_multiple_of(BLOCK);
        Self::of_panels([outputs, depth], |outputs| {
            let rows: Vec<BlockRow> = outputs.map(|output| BlockRow::new(tensor, row(output))).collect();
            let scales = std::array::from_fn(|output| rows.get(output).map_or(0.0, |row| row.scale));
            let norm = rows.iter().map(BlockRow::norm).fold(1.0, f32::max);
            (Panel::new(&rows, depth / BLOCK), scales, norm)
        })
    }

    /// The way back, in 12 bits: `weight` is row-major `[in, out]`. Blocks along the rows are none along the columns, and 8 bits
    /// would turn the gradients of SmolLM2-135M by an angle of 4 degrees.
    #[cfg(feature = "training")]
    pub fn reversed(weight: &[f32], [inputs, outputs]: [usize; 2]) -> Self {
        let depth = inputs.next_multiple_of(BLOCK);
        Self::of_panels([outputs, depth], |columns| Panel::of_columns(weight, outputs, columns, depth))
    }

    /// Makes the panels, each of some outputs, with their scales and the bound of their norms.
    fn of_panels(
        [outputs, depth]: [usize; 2],
        panel: impl Fn(Range<usize>) -> (Panel, [f32; PANEL], f32) + Sync,
    ) -> Self {
        let panels: Vec<(Panel, [f32; PANEL], f32)> = (0..outputs.div_ceil(PANEL))
            .into_par_iter()
            .map(|number| panel(number * PANEL..outputs.min((number + 1) * PANEL)))
            .collect();
        let norm = panels.iter().map(|(_, _, norm)| *norm).fold(1.0, f32::max);
        let output_scales = panels.iter().flat_map(|(_, scales, _)| *scales).collect();
        let panels = panels.into_iter().map(|(panel, ..)| panel).collect();
        Self { outputs, depth, panels, output_scales, norm, kernel: Kernel::best() }
    }

    /// Length of a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Bound of the norm of a row of integer weights; what [`IntegerRows::new`] needs to know.
    pub fn norm(&self) -> f32 {
        self.norm
    }

    /// `x · Wᵀ` for some rows of `x`.
    ///
    /// # Shapes
    /// `x: [.., in]`, `y: [rows.len(), out]`.
    pub fn multiply_into(&self, x: &IntegerRows, rows: Range<usize>, y: &mut [f32]) {
        let shared = self.panels.len() / (TASKS * rayon::current_num_threads());
        let group = shared.clamp(1, GROUP_PANELS);
        let columns = Columns::divide(y, self.outputs, group * PANEL);
        let parts = self.panels.par_chunks(group).zip_eq(columns).enumerate();
        parts.for_each(|(number, (panels, mut columns))| {
            let first = number * group * PANEL;
            self.multiply_panels(panels, first, x, rows.clone(), &mut columns);
        });
    }

    /// The columns of neighbouring panels, of which `first` is the first output.
    fn multiply_panels(
        &self,
        panels: &[Panel],
        first: usize,
        x: &IntegerRows,
        rows: Range<usize>,
        y: &mut Columns<'_>,
    ) {
        let panel_len = self.depth * PANEL;
        let mut spread = SPREAD.take();
        spread.resize(panels.len() * panel_len, 0);
        for (panel, weights) in panels.iter().zip(spread.chunks_exact_mut(panel_len)) {
            panel.spread(self.kernel, weights);
        }
        for start in rows.clone().step_by(ROW_CHUNK) {
            let (x, scales) = x.part(start, ROW_CHUNK.min(rows.end - start));
            let together = self.kernel.panels();
            for (number, weights) in spread.chunks(together * panel_len).enumerate() {
                let column = number * together * PANEL;
                let first = first + column;
                let (row, panels) = (start - rows.start, weights.len() / panel_len);
                let output_scales = &self.output_scales[first..self.outputs.min(first + panels * PANEL)];
                let product = Product { x, scales, weights, panels, output_scales, row, column };
                self.kernel.multiply(&product, y);
            }
        }
        SPREAD.set(spread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::WeightType;

    fn noise(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from((state >> 16) as u16) / 65536.0 - 0.5
        };
        (0..len).map(|_| next()).collect()
    }

    /// Where a block has the upper bytes of its f16 numbers.
    fn halves(dtype: WeightType) -> &'static [usize] {
        match dtype {
            WeightType::Q4_0 | WeightType::Q5_0 | WeightType::Q8_0 | WeightType::IQ4_NL => &[1],
            WeightType::Q6_K => &[209],
            _ => &[1, 3],
        }
    }

    fn tensor(dtype: WeightType, shape: [usize; 2]) -> RawTensor {
        let blocks = shape[0] * shape[1] / dtype.block_len();
        let bytes = match dtype {
            WeightType::F32 => noise(blocks, 1).iter().flat_map(|value| value.to_le_bytes()).collect(),
            // Scales and minima of about 0.1, of either sign, and any quants.
            _ => (0..blocks * dtype.block_bytes())
                .map(|i| match i % dtype.block_bytes() {
                    place if halves(dtype).contains(&place) => {
                        [0x2E, 0xAD, 0x20][i / dtype.block_bytes() % 3]
                    }
                    _ => (i * 7919 % 251) as u8,
                })
                .collect(),
        };
        RawTensor { shape: shape.to_vec(), dtype, bytes }
    }

    /// Against the product in f64 of the weights as the file has them, in units of `‖x‖ · max ‖w‖`.
    fn largest_error(dtype: WeightType, shape: [usize; 2], kernel: Kernel) -> f64 {
        let tensor = tensor(dtype, shape);
        let [outputs, inputs] = shape;
        let reversed = |row: usize| outputs - 1 - row;
        let matrix = BlockMatrix { kernel, ..BlockMatrix::new(&tensor, outputs, reversed) };
        let mut x = noise(70 * inputs, 2);
        x[3] = 40.0; // an outlier
        let mut y = vec![f32::NAN; 68 * outputs];
        matrix.multiply_into(&IntegerRows::new(&x, inputs, matrix.norm()), 1..69, &mut y);
        let weights = tensor.to_f32();
        let norm = |v: &[f32]| v.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        let largest = weights.chunks(inputs).map(norm).fold(0.0, f64::max);
        let rows = x.chunks(inputs).skip(1).zip(y.chunks(outputs));
        rows.flat_map(|(x, y)| y.iter().enumerate().map(move |(output, y)| (x, output, *y)))
            .map(|(x, output, y)| {
                let row = reversed(output) * inputs;
                let products = x.iter().zip(&weights[row..row + inputs]);
                let sum: f64 = products.map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
                (f64::from(y) - sum).abs() / (norm(x) * largest)
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn products_are_those_of_the_stored_weights() {
        for kernel in Kernel::available() {
            let types = [WeightType::Q4_0, WeightType::Q4_1, WeightType::Q5_0, WeightType::Q5_1];
            for dtype in types.into_iter().chain([WeightType::Q8_0, WeightType::IQ4_NL]) {
                let error = largest_error(dtype, [37, 96], kernel);
                assert!(error < 5e-4, "{dtype:?}, {kernel:?}: {error}");
            }
            for dtype in [WeightType::Q4_K, WeightType::Q5_K] {
                let error = largest_error(dtype, [19, 512], kernel);
                assert!(error < 5e-4, "{dtype:?}, {kernel:?}: {error}");
            }
            // Here the weights are rounded to 8 bits; the last block of F32 is not full.
            for (dtype, shape) in [(WeightType::F32, [16, 40]), (WeightType::Q6_K, [19, 512])] {
                let error = largest_error(dtype, shape, kernel);
                assert!(error < 5e-3, "{dtype:?}, {kernel:?}: {error}");
            }
        }
    }

    #[cfg(feature = "training")]
    #[test]
    fn the_way_back_is_exact_to_12_bits() {
        let (rows, inputs, outputs) = (5, 40, 37);
        let (weight, y) = (noise(inputs * outputs, 4), noise(rows * inputs, 5));
        for kernel in Kernel::available() {
            let matrix = BlockMatrix { kernel, ..BlockMatrix::reversed(&weight, [inputs, outputs]) };
            let mut x = vec![f32::NAN; rows * outputs];
            matrix.multiply_into(&IntegerRows::new(&y, inputs, matrix.norm()), 0..rows, &mut x);
            for (at, found) in x.iter().enumerate() {
                let (row, column) = (at / outputs, at % outputs);
                let products = (0..inputs).map(|k| y[row * inputs + k] * weight[k * outputs + column]);
                let expected: f32 = products.sum();
                assert!((found - expected).abs() < 2e-3, "{kernel:?} {at}: {found} {expected}");
            }
        }
        let mut weight = weight;
        weight[3] = f32::NAN;
        let matrix = BlockMatrix::reversed(&weight, [inputs, outputs]);
        let mut x = vec![0.0; outputs];
        matrix.multiply_into(&IntegerRows::new(&y[..inputs], inputs, matrix.norm()), 0..1, &mut x);
        assert!(x.iter().enumerate().all(|(column, x)| x.is_finite() == (column != 3)));
    }

    #[test]
    fn a_weight_that_is_not_finite_shows_in_its_output_only() {
        let mut tensor = tensor(WeightType::F32, [3, 32]);
        tensor.bytes[4 * 40..4 * 41].copy_from_slice(&f32::NAN.to_le_bytes());
        let matrix = BlockMatrix::new(&tensor, 3, |row| row);
        let mut y = vec![0.0; 3];
        matrix.multiply_into(&IntegerRows::new(&noise(32, 3), 32, matrix.norm()), 0..1, &mut y);
        assert_eq!(y.iter().map(|y| y.is_finite()).collect::<Vec<_>>(), [true, false, true]);
    }
}
