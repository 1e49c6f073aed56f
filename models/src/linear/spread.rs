//! Stored weights to the integers that are multiplied.

use super::block_row::BLOCK;
use super::dot::PANEL;
#[cfg(target_arch = "x86_64")]
use super::isa::Avx2Isa;

/// Pairs of neighbouring inputs for all outputs of a panel.
const LANES: usize = 2 * PANEL;

/// Weights of a block of inputs for the outputs of a panel.
#[derive(Clone, Copy)]
pub enum BlockQuants<'a> {
    /// `[8, PANEL, 2]`: a byte holds input `2p + e` of the block in its low half and `2p + e + 16` in its high
    /// half, as GGUF does. The integer is `(q·2¹¹ · D) / 2¹⁵ + M`.
    Nibbles(&'a [u8]),
    /// `[16, PANEL, 2]`. The integer is `(q·2⁸ · D) / 2¹⁵ + M`.
    Bytes(&'a [i8]),
}

/// Writes `[BLOCK / 2, PANEL, 2]` integers, with scales `D` and minima `M` of the outputs.
pub fn portable(quants: BlockQuants<'_>, scales: &[i16; PANEL], minima: &[i16; PANEL], weights: &mut [i16]) {
    let scaled = |quant: i16, lane: usize| {
        let product = i32::from(quant).wrapping_mul(i32::from(scales[lane / 2]));
        (((product >> 14).wrapping_add(1) >> 1) as i16).wrapping_add(minima[lane / 2])
    };
    match quants {
        BlockQuants::Nibbles(quants) => {
            let (low, high) = weights.split_at_mut(BLOCK / 2 * PANEL);
            let pairs = low.chunks_exact_mut(LANES).zip(high.chunks_exact_mut(LANES));
            for (quants, (low, high)) in quants.chunks_exact(LANES).zip(pairs) {
                for lane in 0..LANES {
                    low[lane] = scaled(i16::from(quants[lane] & 15) << 11, lane);
                    high[lane] = scaled(i16::from(quants[lane] >> 4) << 11, lane);
                }
            }
        }
        BlockQuants::Bytes(quants) => {
            for (quants, weights) in quants.chunks_exact(LANES).zip(weights.chunks_exact_mut(LANES)) {
                for lane in 0..LANES {
                    weights[lane] = scaled(i16::from(quants[lane]) << 8, lane);
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Avx2Isa {
    /// [`portable`] in vectors; the compiler takes six times the instructions.
    ///
    /// # Panics
    /// Fewer quants or weights than a block has.
    pub fn spread(
        self,
        quants: BlockQuants<'_>,
        scales: &[i16; PANEL],
        minima: &[i16; PANEL],
        weights: &mut [i16],
    ) {
        // SAFETY: `self` proves that the processor has AVX2.
        #[allow(unsafe_code, reason = "the caller is compiled without AVX2")]
        unsafe {
            avx2(quants, scales, minima, weights);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "vectors are read and written through pointers")]
#[target_feature(enable = "avx2")]
fn avx2(quants: BlockQuants<'_>, scales: &[i16; PANEL], minima: &[i16; PANEL], weights: &mut [i16]) {
    use std::arch::x86_64::*;

    const VECTOR: usize = 16;
    assert_eq!(weights.len(), BLOCK * PANEL);
    // SAFETY: an array of 16 numbers is a vector.
    let load = |values: &[i16; VECTOR]| unsafe { _mm256_loadu_si256(values.as_ptr().cast()) };
    // Every number twice, in order: [0 0 1 1 .. 7 7] and [8 8 .. 15 15].
    let twice = |values: &[i16; PANEL]| {
        let values = _mm256_permute4x64_epi64::<0b11_01_10_00>(load(values));
        [_mm256_unpacklo_epi16(values, values), _mm256_unpackhi_epi16(values, values)]
    };
    let (scales, minima) = (twice(scales), twice(minima));
    // Of a vector, which half of the outputs it holds.
    let store = |quant: __m256i, half: usize, weights: &mut [i16; VECTOR]| {
        let value = _mm256_add_epi16(_mm256_mulhrs_epi16(quant, scales[half]), minima[half]);
        // SAFETY: an array of 16 numbers is a vector.
        unsafe { _mm256_storeu_si256(weights.as_mut_ptr().cast(), value) };
    };
    let weights = weights.as_chunks_mut::<VECTOR>().0;
    match quants {
        BlockQuants::Nibbles(quants) => {
            assert_eq!(quants.len(), BLOCK / 2 * PANEL);
            let mask = _mm256_set1_epi16(0x7800);
            let (low, high) = weights.split_at_mut(BLOCK / 2 * PANEL / VECTOR);
            let vectors = quants.as_chunks::<VECTOR>().0.iter().zip(low.iter_mut().zip(high));
            for (number, (quants, (low, high))) in vectors.enumerate() {
                // SAFETY: 16 bytes are half a vector.
                let bytes = unsafe { _mm_loadu_si128(quants.as_ptr().cast()) };
                let wide = _mm256_cvtepu8_epi16(bytes);
                store(_mm256_and_si256(_mm256_slli_epi16::<11>(wide), mask), number % 2, low);
                store(_mm256_and_si256(_mm256_slli_epi16::<7>(wide), mask), number % 2, high);
            }
        }
        BlockQuants::Bytes(quants) => {
            assert_eq!(quants.len(), BLOCK * PANEL);
            let vectors = quants.as_chunks::<VECTOR>().0.iter().zip(weights);
            for (number, (quants, weights)) in vectors.enumerate() {
                // SAFETY: 16 bytes are half a vector.
                let bytes = unsafe { _mm_loadu_si128(quants.as_ptr().cast()) };
                store(_mm256_slli_epi16::<8>(_mm256_cvtepi8_epi16(bytes)), number % 2, weights);
            }
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn vectors_spread_as_plain_loops() {
        let Some(isa) = Avx2Isa::detect() else {
            println!("SKIPPED: this processor has no AVX2");
            return;
        };
        let bytes: Vec<u8> = (0..BLOCK * PANEL).map(|i| (i * 7919 % 257) as u8).collect();
        let signed: Vec<i8> = bytes.iter().map(|&byte| byte as i8).collect();
        let scales = std::array::from_fn(|i| (32_767 - 4099 * i as i32) as i16);
        let minima = std::array::from_fn(|i| (2047 - 311 * i as i32) as i16);
        for quants in [BlockQuants::Nibbles(&bytes[..BLOCK / 2 * PANEL]), BlockQuants::Bytes(&signed)] {
            let (mut found, mut expected) = (vec![1; BLOCK * PANEL], vec![2; BLOCK * PANEL]);
            isa.spread(quants, &scales, &minima, &mut found);
            portable(quants, &scales, &minima, &mut expected);
            assert_eq!(found, expected);
        }
    }
}
