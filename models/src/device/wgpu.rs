//! Adapters of Vulkan, Metal and DirectX 12.

use burn::tensor::wgpu::wgpu;
use burn::tensor::{Device, DeviceKind};

use super::gpu_info::{GpuInfo, Interface};

/// The adapters of the best graphics interface.
pub fn adapters() -> Vec<GpuInfo> {
    let mut found = Vec::new();
    for backend in [wgpu::Backends::VULKAN, wgpu::Backends::METAL, wgpu::Backends::DX12] {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = backend;
        let instance = wgpu::Instance::new(descriptor);
        let infos: Vec<_> = pollster::block_on(instance.enumerate_adapters(backend))
            .iter()
            .map(wgpu::Adapter::get_info)
            .collect();
        if !infos.is_empty() {
            found = infos;
            break;
        }
    }
    let (mut discrete, mut integrated, mut virtual_) = (0, 0, 0);
    let next = |counter: &mut usize| {
        *counter += 1;
        *counter - 1
    };
    let adapter = |info: wgpu::AdapterInfo| {
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(next(&mut discrete)),
            wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(next(&mut integrated)),
            wgpu::DeviceType::VirtualGpu => DeviceKind::VirtualGpu(next(&mut virtual_)),
            wgpu::DeviceType::Cpu => DeviceKind::Cpu,
            wgpu::DeviceType::Other => DeviceKind::DefaultDevice,
        };
        let is_software = info.device_type == wgpu::DeviceType::Cpu;
        let note = if is_software { ", software" } else { "" };
        let description = format!("{} ({}{note})", info.name, info.backend);
        GpuInfo { description, is_software, interface: Interface::Wgpu(kind) }
    };
    found.into_iter().map(adapter).collect()
}

/// Sets up the runtime of an adapter, once in a process.
pub fn open(kind: DeviceKind) -> Result<Device, String> {
    Device::wgpu_options().device_kind(kind).init().map_err(|error| error.to_string())
}
