//! How the blocks of the quantised types of GGUF pack their quants.
//!
//! # Reference
//! The GGML block layouts (`ggml-common.h`), as the `gguf` Python package 0.19 reads them.

use super::half_at::half_at;

/// Values that share a scale in all types but `Q6_K`.
pub const SUB_BLOCK: usize = 32;

/// Values in a block of the K types.
pub const K_BLOCK: usize = 256;

/// Bytes of the scales and minima of `Q4_K` and `Q5_K`: sixteen numbers of 6 bits.
const K_SCALES: usize = 12;

/// 4-bit quants: byte `j` holds value `j` in its low and value `j + 16` in its high half.
pub fn nibbles(bytes: &[u8]) -> [u8; SUB_BLOCK] {
    std::array::from_fn(|i| if i < 16 { bytes[i] & 15 } else { bytes[i - 16] >> 4 })
}

/// The steps of `IQ4_NL`: closer to each other around zero.
const IQ4_NL_STEPS: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// The steps that [`nibbles`] name in a block of `IQ4_NL`.
pub fn iq4_nl(bytes: &[u8]) -> [i8; SUB_BLOCK] {
    nibbles(bytes).map(|quant| IQ4_NL_STEPS[usize::from(quant)])
}

/// 5-bit quants: bit `i` of the first four bytes is the fifth of value `i`, [`nibbles`] follow.
pub fn five_bits(bytes: &[u8]) -> [u8; SUB_BLOCK] {
    let low = nibbles(&bytes[4..]);
    std::array::from_fn(|i| low[i] | (bytes[i / 8] >> (i % 8) & 1) << 4)
}

/// 32 values of a `Q4_K` or `Q5_K` block: `scale·q − min`.
pub struct Affine {
    /// `d·s`
    pub scale: f32,
    /// `dmin·m`
    pub min: f32,
    /// Quants of 4 or 5 bits.
    pub quants: [u8; SUB_BLOCK],
}

/// The eight parts of a `Q4_K` block: `d`, `dmin`, scales, then 32 bytes for every two parts, the
/// first in the low halves.
pub fn q4_k(block: &[u8]) -> [Affine; 8] {
    let quants = &block[4 + K_SCALES..];
    affine(block, |part, i| quants[part / 2 * 32 + i] >> (4 * (part % 2)) & 15)
}

/// The eight parts of a `Q5_K` block: as [`q4_k`], with 32 bytes before the quants whose bit `p` is the
/// fifth of part `p`.
pub fn q5_k(block: &[u8]) -> [Affine; 8] {
    let (high, quants) = block[4 + K_SCALES..].split_at(32);
    affine(block, |part, i| quants[part / 2 * 32 + i] >> (4 * (part % 2)) & 15 | (high[i] >> part & 1) << 4)
}

fn affine(block: &[u8], quant: impl Fn(usize, usize) -> u8) -> [Affine; 8] {
    let (d, d_min) = (half_at(block), half_at(&block[2..]));
    let scales = &block[4..4 + K_SCALES];
    std::array::from_fn(|part| {
        let (scale, min) = scale_and_min(scales, part);
        Affine {
            scale: d * f32::from(scale),
            min: d_min * f32::from(min),
            quants: std::array::from_fn(|i| quant(part, i)),
        }
    })
}

/// Scale and minimum of a part. The first four have 6 bits of a byte each, the upper 2 of which belong
/// to the last four, whose lower 4 stand together behind them.
fn scale_and_min(scales: &[u8], part: usize) -> (u8, u8) {
    if part < 4 {
        return (scales[part] & 63, scales[part + 4] & 63);
    }
    let low = scales[part + 4];
    (low & 15 | scales[part - 4] >> 6 << 4, low >> 4 | scales[part] >> 6 << 4)
}

/// The values of a `Q6_K` block, `d·s·(q − 32)`: 128 bytes with the lower 4 bits, 64 with the upper 2, a
/// signed scale for every 16 values, and `d`.
///
/// Each half of the block has four runs of 32 values: lower bits in two times 32 bytes, whose low
/// halves are the first two runs, and upper bits in 32 bytes, run `r` in bits `2r`.
pub fn q6_k(block: &[u8]) -> impl Iterator<Item = f32> {
    let (low, rest) = block.split_at(128);
    let (high, rest) = rest.split_at(64);
    let (scales, d) = rest.split_at(16);
    let d = half_at(d);
    (0..K_BLOCK).map(move |value| {
        let (half, run, i) = (value / 128, value / 32 % 4, value % 32);
        let low = low[half * 64 + run % 2 * 32 + i] >> (run / 2 * 4) & 15;
        let high = high[half * 32 + i] >> (run * 2) & 3;
        let scale = d * f32::from(scales[value / 16] as i8);
        scale * f32::from((low | high << 4) as i8 - 32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_bit_scales_by_hand() {
        // Part 5: scale 0b11_0101 from bytes 1 and 9, minimum 0b10_1010 from bytes 5 and 9.
        let mut scales = [0; K_SCALES];
        (scales[1], scales[5], scales[9]) = (0b1100_0111, 0b1000_0001, 0b1010_0101);
        assert_eq!(scale_and_min(&scales, 5), (0b11_0101, 0b10_1010));
        assert_eq!(scale_and_min(&scales, 1), (7, 1));
    }

    #[test]
    fn the_fifth_bit_of_a_value_by_hand() {
        let mut bytes = [0; 20];
        (bytes[2], bytes[4 + 3]) = (0b0000_1000, 0xA0);
        let quants = five_bits(&bytes);
        assert_eq!(quants[19], 16 + 10);
        assert_eq!(quants.iter().filter(|quant| **quant > 0).count(), 1);
    }
}
