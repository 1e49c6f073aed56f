//! NVIDIA cards, through the vendor's driver.

use std::panic::catch_unwind;

use burn::tensor::{Device, DeviceType};

use super::gpu_info::{GpuInfo, Interface};

/// The cards that the driver lists; none where there is no driver.
pub fn adapters() -> Vec<GpuInfo> {
    let count = Device::enumerate(DeviceType::Cuda).into_vec().len();
    let adapter = |index| GpuInfo {
        description: format!("CUDA device {index}"),
        is_software: false,
        interface: Interface::Cuda(index),
    };
    (0..count).map(adapter).collect()
}

/// Opens a card, and says what it is called. The runtime panics where the driver refuses.
pub fn open(index: usize) -> Result<(Device, String), String> {
    let open = || {
        let device = Device::cuda(index);
        let name = device.identity().map_or_else(|| format!("device {index}"), |identity| identity.name);
        (device, format!("{name} (CUDA)"))
    };
    catch_unwind(open).map_err(|panic| crate::guard::reason(&*panic))
}
