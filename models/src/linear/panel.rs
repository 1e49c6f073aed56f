#[cfg(feature = "training")]
use std::ops::Range;

#[cfg(feature = "training")]
use super::block_row::steps;
use super::block_row::{BLOCK, BlockRow};
use super::dot::PANEL;
use super::kernel::Kernel;
use super::spread::BlockQuants;

/// The weights of [`PANEL`] outputs, block by block of inputs.
pub struct Panel {
    quants: Quants,
    /// `D: [block, PANEL]`
    scales: Vec<i16>,
    /// `M: [block, PANEL]`
    minima: Vec<i16>,
}

enum Quants {
    Nibbles(Vec<u8>),
    Bytes(Vec<i8>),
    /// The integers that are multiplied, without scales of blocks.
    #[cfg(feature = "training")]
    Spread(Vec<i16>),
}

impl Panel {
    /// Takes over a row for each output.
    pub fn new(rows: &[BlockRow], blocks: usize) -> Self {
        let mut scales = vec![0; blocks * PANEL];
        let mut minima = vec![0; blocks * PANEL];
        let is_nibbles = rows.iter().all(|row| row.bits == 4);
        let mut quants = vec![0i8; blocks * if is_nibbles { BLOCK / 2 } else { BLOCK } * PANEL];
        for (output, row) in rows.iter().enumerate() {
            for (block, values) in row.blocks.iter().enumerate() {
                (scales[block * PANEL + output], minima[block * PANEL + output]) = row.integers(values);
                let width = quants.len() / blocks;
                let quants = &mut quants[block * width..(block + 1) * width];
                for (pair, quants) in quants.chunks_exact_mut(2 * PANEL).enumerate() {
                    for (half, quant) in quants[2 * output..2 * output + 2].iter_mut().enumerate() {
                        let low = values.quants[2 * pair + half];
                        *quant =
                            if is_nibbles { low | values.quants[2 * pair + half + 16] << 4 } else { low };
                    }
                }
            }
        }
        let quants = if is_nibbles {
            Quants::Nibbles(quants.into_iter().map(|quant| quant as u8).collect())
        } else {
            Quants::Bytes(quants)
        };
        Self { quants, scales, minima }
    }

    /// Some columns of a row-major matrix of rows of `width`, padded to `depth` rows; with the scale of each and a bound of the norms of
    /// their integers.
    #[cfg(feature = "training")]
    pub fn of_columns(
        weight: &[f32],
        width: usize,
        columns: Range<usize>,
        depth: usize,
    ) -> (Self, [f32; PANEL], f32) {
        let mut quants = vec![0; depth * PANEL];
        let (mut scales, mut largest) = ([0.0; PANEL], 1.0f32);
        for (output, column) in columns.enumerate() {
            let column = || weight[column..].iter().step_by(width);
            let (scale, norm) = steps(column());
            scales[output] = scale;
            largest = largest.max(norm);
            for (input, value) in column().enumerate() {
                // The weights of two neighbouring inputs lie side by side.
                quants[input / 2 * 2 * PANEL + 2 * output + input % 2] = (value / scale).round() as i16;
            }
        }
        (Self { quants: Quants::Spread(quants), scales: Vec::new(), minima: Vec::new() }, scales, largest)
    }

    /// Writes the integer weights, `[depth / 2, PANEL, 2]`.
    pub fn spread(&self, kernel: Kernel, weights: &mut [i16]) {
        #[cfg(feature = "training")]
        if let Quants::Spread(quants) = &self.quants {
            weights.copy_from_slice(quants);
            return;
        }
        let blocks = weights
            .chunks_exact_mut(BLOCK * PANEL)
            .zip(self.scales.as_chunks::<PANEL>().0.iter().zip(self.minima.as_chunks::<PANEL>().0));
        for (block, (weights, (scales, minima))) in blocks.enumerate() {
            kernel.spread(self.quants.block(block), scales, minima, weights);
        }
    }
}

impl Quants {
    fn block(&self, block: usize) -> BlockQuants<'_> {
        const NIBBLES: usize = BLOCK / 2 * PANEL;
        const BYTES: usize = BLOCK * PANEL;
        match self {
            Self::Nibbles(quants) => BlockQuants::Nibbles(&quants[block * NIBBLES..(block + 1) * NIBBLES]),
            Self::Bytes(quants) => BlockQuants::Bytes(&quants[block * BYTES..(block + 1) * BYTES]),
            #[cfg(feature = "training")]
            Self::Spread(_) => unreachable!("there is nothing to spread"),
        }
    }
}
