//! The linear layer and the kernels behind it.

mod block_row;
mod blocks;
mod columns;
mod device;
mod dot;
#[cfg(target_arch = "x86_64")]
mod dot_x86;
pub mod frozen;
mod host;
mod integer_rows;
#[cfg(target_arch = "x86_64")]
mod isa;
mod kernel;
mod layer;
pub mod low_rank;
mod packed;
mod panel;
mod product;
mod spread;

pub use device::DeviceMatrix;
pub use host::HostMatrix;
pub use layer::Linear;
pub use product::product;
