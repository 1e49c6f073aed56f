//! Self-attention of token trees: the projections, and the kernels of the CPU and of GPUs.

pub mod blocks;
pub mod heads;
pub mod host;
mod kernel;
pub mod key_values;
mod layer;
pub mod mask;
pub mod recorded;
pub mod rope;
#[cfg(test)]
mod tests;

pub use heads::Heads;
pub use key_values::{KeyValues, LayerKeyValues};
pub use layer::Attention;
pub use mask::AttentionMask;
pub use rope::Angles;
