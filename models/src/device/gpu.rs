//! The GPUs of this machine, in the order in which `gpu:N` counts them.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard};

use super::compute::ComputeDevice;
use super::gpu_info::{GpuInfo, Interface};
use super::request::DeviceRequest;
use crate::Error;

/// Devices that were opened: a runtime can be set up once in a process. The lock also keeps graphics
/// instances from coming and going on several threads, which crashes Vulkan loaders.
static OPENED: LazyLock<Mutex<HashMap<usize, ComputeDevice>>> = LazyLock::new(Mutex::default);

/// All GPUs: CUDA before wgpu, real before software.
fn all() -> Vec<GpuInfo> {
    let mut adapters = Vec::new();
    #[cfg(feature = "cuda")]
    adapters.extend(super::cuda::adapters());
    #[cfg(feature = "wgpu")]
    adapters.extend(super::wgpu::adapters());
    adapters.sort_by_key(|adapter: &GpuInfo| adapter.is_software);
    adapters
}

fn open(
    adapter: &GpuInfo,
    opened: &mut HashMap<usize, ComputeDevice>,
    number: usize,
) -> Result<ComputeDevice, Error> {
    if let Some(device) = opened.get(&number) {
        return Ok(device.clone());
    }
    super::kernel_cache::configure();
    let (burn, description) = match &adapter.interface {
        #[cfg(feature = "cuda")]
        Interface::Cuda(index) => super::cuda::open(*index),
        #[cfg(feature = "wgpu")]
        Interface::Wgpu(kind) => {
            super::wgpu::open(kind.clone()).map(|burn| (burn, adapter.description.clone()))
        }
    }
    .map_err(|reason| Error::Device {
        requested: format!("gpu:{number} ({})", adapter.description),
        reason,
    })?;
    let device = ComputeDevice::gpu(burn, description, adapter.is_software);
    opened.insert(number, device.clone());
    Ok(device)
}

fn opened() -> MutexGuard<'static, HashMap<usize, ComputeDevice>> {
    OPENED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The first real GPU, `None` where there is none.
///
/// # Errors
/// There is one, but it can't be opened.
pub fn open_real_gpu() -> Result<Option<ComputeDevice>, Error> {
    let mut opened = opened();
    match all().first().filter(|adapter| !adapter.is_software) {
        None => Ok(None),
        Some(adapter) => open(adapter, &mut opened, 0).map(Some),
    }
}

/// The GPU with this number, else the first.
///
/// # Errors
/// There are not that many, or it can't be opened.
pub fn open_gpu(number: Option<usize>) -> Result<ComputeDevice, Error> {
    let mut opened = opened();
    let adapters = all();
    let index = number.unwrap_or(0);
    let Some(adapter) = adapters.get(index) else {
        let names: Vec<&str> = adapters.iter().map(|adapter| adapter.description.as_str()).collect();
        return Err(Error::Device {
            requested: DeviceRequest::Gpu(number).to_string(),
            reason: match names.as_slice() {
                [] => "no GPU adapter was found".into(),
                names => format!("the adapters are {}", names.join(", ")),
            },
        });
    };
    open(adapter, &mut opened, index)
}
