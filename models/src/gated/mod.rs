//! Gated activations of feed-forward layers.

mod activation;
pub mod device;
pub mod host;

pub use activation::Activation;
