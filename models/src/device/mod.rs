mod compute;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "cubecl")]
mod gpu;
#[cfg(feature = "cubecl")]
mod gpu_info;
#[cfg(feature = "cubecl")]
mod kernel_cache;
mod open;
pub mod precision;
mod precision_request;
mod request;
#[cfg(feature = "wgpu")]
mod wgpu;

pub use compute::ComputeDevice;
pub use precision::Precision;
pub use precision_request::PrecisionRequest;
pub use request::DeviceRequest;
