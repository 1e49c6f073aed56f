//! What the tests that cross crates share: fixtures, batches without a trie, and numbers to compare.
//!
//! Helpers panic with a message: they run inside tests only.
#![allow(clippy::unwrap_used, clippy::panic)]

mod batches;
mod close;
mod fixtures;
mod heads;
#[cfg(doctest)]
mod pages;
mod skipped;
mod wide;

pub use batches::{chain, chain_log_probs};
pub use close::{MaxDifference, log_softmax, relative};
pub use fixtures::{
    Expected, GoldenText, TINY_ENCODERS, TINY_GPU_MODELS, TINY_MODELS, fixture, load_tiny, texts,
};
pub use heads::adapter_with_head;
pub use skipped::skipped;
pub use wide::write_wide_model;
