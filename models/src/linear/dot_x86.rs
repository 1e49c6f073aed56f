//! Tiles in the vector instructions of x86-64.

#![allow(
    unsafe_code,
    reason = "vector instructions are unsafe to call; the tokens prove that they are there"
)]

use std::arch::x86_64::*;

use super::columns::Columns;
use super::dot::{PANEL, Product, Tile, multiply};
use super::isa::{Avx2Isa, Avx512VnniIsa};

impl Avx512VnniIsa {
    /// Computes the columns of a panel.
    pub fn multiply(self, product: &Product<'_>, y: &mut Columns<'_>) {
        // SAFETY: `self` proves that the processor has the instructions.
        unsafe { multiply_avx512(self, product, y) };
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn multiply_avx512(isa: Avx512VnniIsa, product: &Product<'_>, y: &mut Columns<'_>) {
    multiply(isa, product, y);
}

impl Tile for Avx512VnniIsa {
    const ROWS: usize = 8;

    #[inline(always)]
    fn add<const R: usize, const P: usize>(
        self,
        x: &[i16],
        stride: usize,
        weights: [&[i16]; P],
        sums: &mut [[[i32; PANEL]; P]; R],
    ) {
        let pairs = weights[0].len() / (2 * PANEL);
        assert!(weights.iter().all(|weights| weights.len() >= 2 * PANEL * pairs));
        let rows: [&[i16]; R] = std::array::from_fn(|row| &x[row * stride..][..2 * pairs]);
        // SAFETY: `self` proves that the processor has the instructions. A pair of inputs has 2 · PANEL weights in each panel,
        // one vector of 32; the rows hold as many pairs; PANEL sums are one vector of 16. Loops in place of closures: those are
        // compiled without these instructions, and each vector that they load would be a call.
        unsafe {
            let mut acc = [[_mm512_setzero_si512(); P]; R];
            for (acc, sums) in acc.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
                *acc = _mm512_loadu_si512(sums.as_ptr().cast());
            }
            let rows = rows.map(|row| row.as_ptr().cast::<i32>());
            let panels = weights.map(|weights| weights.as_ptr().cast::<__m512i>());
            let mut weights = [_mm512_setzero_si512(); P];
            // Pointers that count in whole pairs: the loop has no arithmetic that could be checked.
            for pair in 0..pairs {
                for (weights, panel) in weights.iter_mut().zip(&panels) {
                    *weights = _mm512_loadu_si512(panel.add(pair));
                }
                for (row, acc) in rows.iter().zip(&mut acc) {
                    let values = _mm512_set1_epi32(row.add(pair).read_unaligned());
                    for (acc, weights) in acc.iter_mut().zip(&weights) {
                        *acc = _mm512_dpwssd_epi32(*acc, values, *weights);
                    }
                }
            }
            for (acc, sums) in acc.as_flattened().iter().zip(sums.as_flattened_mut()) {
                _mm512_storeu_si512(sums.as_mut_ptr().cast(), *acc);
            }
        }
    }
}

impl Avx2Isa {
    /// Computes the columns of a panel.
    pub fn multiply(self, product: &Product<'_>, y: &mut Columns<'_>) {
        // SAFETY: `self` proves that the processor has the instructions.
        unsafe { multiply_avx2(self, product, y) };
    }
}

#[target_feature(enable = "avx2")]
fn multiply_avx2(isa: Avx2Isa, product: &Product<'_>, y: &mut Columns<'_>) {
    multiply(isa, product, y);
}

impl Tile for Avx2Isa {
    const ROWS: usize = 4;

    #[inline(always)]
    fn add<const R: usize, const P: usize>(
        self,
        x: &[i16],
        stride: usize,
        weights: [&[i16]; P],
        sums: &mut [[[i32; PANEL]; P]; R],
    ) {
        for (panel, weights) in weights.into_iter().enumerate() {
            add_avx2::<R>(self, x, stride, weights, sums.each_mut().map(|sums| &mut sums[panel]));
        }
    }
}

/// The sums of one panel: there are registers for no more.
#[inline(always)]
fn add_avx2<const R: usize>(_: Avx2Isa, x: &[i16], stride: usize, w: &[i16], sums: [&mut [i32; PANEL]; R]) {
    let pairs = w.len() / (2 * PANEL);
    let rows: [&[i16]; R] = std::array::from_fn(|row| &x[row * stride..][..2 * pairs]);
    // SAFETY: the token proves that the processor has the instructions. A pair of inputs has 2 · PANEL weights,
    // two vectors of 16; the rows hold as many pairs; PANEL sums are two vectors of 8.
    unsafe {
        let mut acc = [[_mm256_setzero_si256(); 2]; R];
        for (acc, sums) in acc.iter_mut().zip(&sums) {
            let sums = sums.as_ptr().cast::<__m256i>();
            *acc = [_mm256_loadu_si256(sums), _mm256_loadu_si256(sums.add(1))];
        }
        let rows = rows.map(|row| row.as_ptr().cast::<i32>());
        let vectors = w.as_ptr().cast::<[__m256i; 2]>();
        // Pointers that count in whole pairs: the loop has no arithmetic that could be checked.
        for pair in 0..pairs {
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
