//! The vocabulary head.

mod chunk;
pub mod device;
mod edges;
mod fold;
mod folded;
pub mod host;
#[cfg(all(feature = "cubecl", not(feature = "fusion")))]
mod kernel;
mod layer;
#[cfg(feature = "training")]
pub mod training;

pub use layer::Head;
