//! The norm of GPT-2 and of encoders.

pub mod device;
pub mod host;
mod layer;

pub use layer::LayerNorm;
