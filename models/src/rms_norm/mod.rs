//! The norm of Llama-type models.

pub mod device;
pub mod host;
#[cfg(all(feature = "cubecl", not(feature = "fusion")))]
mod kernel;
mod layer;

pub use layer::RmsNorm;
