use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use crate::Error;

/// Where a user wants the model to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceRequest {
    /// A real GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A GPU through wgpu, by its number among the adapters; a software adapter counts.
    Gpu(Option<usize>),
}

impl FromStr for DeviceRequest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(None)),
            _ => match text.strip_prefix("gpu:").and_then(|number| number.parse().ok()) {
                Some(number) => Ok(Self::Gpu(Some(number))),
                None => Err(Error::Device {
                    requested: text.into(),
                    reason: "a device is auto, cpu, gpu or gpu:NUMBER".into(),
                }),
            },
        }
    }
}

impl fmt::Display for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(number)) => write!(f, "gpu:{number}"),
        }
    }
}

/// Arithmetic of the forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floating point throughout.
    #[default]
    F32,
    /// Weights of at most 8 bits (those of a quantised file keep their bits) times inputs of 16 bits, summed
    /// as integers. On the CPU.
    Int8,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Int8 => "int8",
        })
    }
}

/// An opened device, with the arithmetic of what is loaded onto it.
#[derive(Debug, Clone)]
pub struct ComputeDevice {
    burn: Device,
    is_cpu: bool,
    description: String,
    precision: Precision,
}

impl ComputeDevice {
    /// Opens what was asked for. With int8, `auto` is the CPU.
    ///
    /// # Errors
    /// A GPU was asked for by name and there is none, or not that many, or it can't compute so.
    pub fn open(request: DeviceRequest, precision: Precision) -> Result<Self, Error> {
        let device = match (request, precision) {
            (DeviceRequest::Gpu(_), Precision::Int8) => Err(Error::Device {
                requested: request.to_string(),
                reason: "int8 runs on the CPU; use f32 on a GPU".into(),
            }),
            (DeviceRequest::Cpu, _) | (DeviceRequest::Auto, Precision::Int8) => Ok(Self::cpu()),
            (DeviceRequest::Auto, Precision::F32) => Ok(open_real_gpu()),
            (DeviceRequest::Gpu(number), Precision::F32) => open_gpu(number),
        }?;
        Ok(Self { precision, ..device })
    }

    /// The processor, with the best kernels it has.
    pub fn cpu() -> Self {
        Self { burn: Device::flex(), is_cpu: true, description: "cpu".into(), precision: Precision::F32 }
    }

    /// The device as Burn knows it.
    pub fn burn(&self) -> &Device {
        &self.burn
    }

    /// The arithmetic.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Whether tensors lie in host memory.
    pub fn is_cpu(&self) -> bool {
        self.is_cpu
    }

    /// `cpu`, or the adapter's name, interface and kind.
    pub fn description(&self) -> &str {
        &self.description
    }
}

#[cfg(not(feature = "wgpu"))]
fn open_real_gpu() -> ComputeDevice {
    ComputeDevice::cpu()
}

#[cfg(not(feature = "wgpu"))]
fn open_gpu(number: Option<usize>) -> Result<ComputeDevice, Error> {
    Err(Error::Device {
        requested: DeviceRequest::Gpu(number).to_string(),
        reason: "this build has no GPU backend (feature `wgpu`)".into(),
    })
}

#[cfg(feature = "wgpu")]
use gpu::{open_gpu, open_real_gpu};

#[cfg(feature = "wgpu")]
mod gpu {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex};

    use burn::tensor::wgpu::wgpu;
    use burn::tensor::{Device, DeviceKind};

    use super::{ComputeDevice, DeviceRequest, Precision};
    use crate::Error;

    /// Devices that were opened: a runtime can be set up once in a process. The lock also keeps graphics
    /// instances from coming and going on several threads, which crashes Vulkan loaders.
    static OPENED: LazyLock<Mutex<HashMap<usize, ComputeDevice>>> = LazyLock::new(Mutex::default);

    struct Adapter {
        kind: DeviceKind,
        description: String,
        is_software: bool,
    }

    /// The adapters of the best graphics interface, numbered as `gpu:N` counts them: real ones first.
    fn adapters() -> Vec<Adapter> {
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
        let mut adapters: Vec<Adapter> = found
            .into_iter()
            .map(|info| {
                let kind = match info.device_type {
                    wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(next(&mut discrete)),
                    wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(next(&mut integrated)),
                    wgpu::DeviceType::VirtualGpu => DeviceKind::VirtualGpu(next(&mut virtual_)),
                    wgpu::DeviceType::Cpu => DeviceKind::Cpu,
                    wgpu::DeviceType::Other => DeviceKind::DefaultDevice,
                };
                let is_software = info.device_type == wgpu::DeviceType::Cpu;
                let note = if is_software { ", software" } else { "" };
                Adapter { kind, description: format!("{} ({}{note})", info.name, info.backend), is_software }
            })
            .collect();
        adapters.sort_by_key(|adapter| adapter.is_software);
        adapters
    }

    fn open(
        opened: &mut HashMap<usize, ComputeDevice>,
        number: usize,
        adapter: &Adapter,
    ) -> Result<ComputeDevice, Error> {
        if let Some(device) = opened.get(&number) {
            return Ok(device.clone());
        }
        let burn = Device::wgpu_options().device_kind(adapter.kind.clone()).init().map_err(|error| {
            Error::Device {
                requested: format!("gpu:{number} ({})", adapter.description),
                reason: error.to_string(),
            }
        })?;
        let device = ComputeDevice {
            burn,
            is_cpu: false,
            description: adapter.description.clone(),
            precision: Precision::F32,
        };
        opened.insert(number, device.clone());
        Ok(device)
    }

    /// The first real GPU, else the CPU; why a GPU that is there was not taken stands in the description.
    pub fn open_real_gpu() -> ComputeDevice {
        let mut opened = OPENED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match adapters().first().filter(|adapter| !adapter.is_software) {
            None => ComputeDevice::cpu(),
            Some(adapter) => open(&mut opened, 0, adapter).unwrap_or_else(|error| ComputeDevice {
                description: format!("cpu (not the GPU: {error})"),
                ..ComputeDevice::cpu()
            }),
        }
    }

    pub fn open_gpu(number: Option<usize>) -> Result<ComputeDevice, Error> {
        let mut opened = OPENED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let adapters = adapters();
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
        open(&mut opened, index, adapter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_as_they_are_written() {
        for text in ["auto", "cpu", "gpu", "gpu:3"] {
            assert_eq!(
                text.parse::<DeviceRequest>().map(|request| request.to_string()).ok().as_deref(),
                Some(text)
            );
        }
        assert!("tpu".parse::<DeviceRequest>().is_err());
        assert!("gpu:x".parse::<DeviceRequest>().is_err());
    }
}
