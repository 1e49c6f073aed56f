//! Inputs of the benches: seeded, made here, the same on every machine.
#![allow(clippy::unwrap_used)]

mod lists;
mod random_adapter;
mod random_model;

pub use lists::{sequences, texts};
pub use random_adapter::random_adapter;
pub use random_model::RandomModel;

/// Numbers from 0 to 1: a linear congruential generator (Knuth's MMIX).
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((self.next() * bound as f32) as usize).min(bound - 1)
    }
}
