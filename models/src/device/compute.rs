use burn::tensor::Device;

use super::precision::Precision;
#[cfg(feature = "training")]
use super::precision_request::PrecisionRequest;
#[cfg(feature = "training")]
use super::request::DeviceRequest;
use crate::Error;

/// Most nodes of a forward pass on the CPU: enough to keep the matrix kernels busy, few enough for the cache.
const CPU_NODES: usize = 1024;

/// The same on a GPU, which needs more rows to be busy and pays for every kernel that is started.
const GPU_NODES: usize = 4096;

/// An opened device, with the arithmetic of what is loaded onto it.
#[derive(Debug, Clone)]
pub struct ComputeDevice {
    burn: Device,
    is_cpu: bool,
    is_software: bool,
    description: String,
    precision: Precision,
    #[cfg_attr(not(feature = "training"), allow(dead_code))]
    trains: bool,
    warning: Option<String>,
}

impl ComputeDevice {
    /// The processor, with the best kernels it has.
    pub fn cpu() -> Self {
        Self {
            burn: Device::flex(),
            is_cpu: true,
            is_software: true,
            description: "cpu".into(),
            precision: Precision::F32,
            trains: false,
            warning: None,
        }
    }

    /// The processor, with weights for the way back too.
    #[cfg(feature = "training")]
    pub(crate) fn cpu_for_training(precision: PrecisionRequest) -> Result<Self, Error> {
        Ok(Self { trains: true, ..Self::open(DeviceRequest::Cpu, precision)? })
    }

    /// The processor in place of a GPU that is there but can't be used.
    pub(crate) fn cpu_instead(error: &Error, precision: Precision) -> Self {
        let warning = Some(format!("computing on the CPU, not on the GPU: {error}"));
        Self { warning, precision, ..Self::cpu() }
    }

    /// The operations of a GPU, carried out by Burn's CPU backend: for tests that need no adapter.
    #[cfg(test)]
    pub(crate) fn tensors_on_cpu() -> Self {
        Self { is_cpu: false, description: "tensors on the CPU".into(), ..Self::cpu() }
    }

    /// A GPU, computing in 32-bit floats.
    #[cfg(feature = "cubecl")]
    pub(super) fn gpu(burn: Device, description: String, is_software: bool) -> Self {
        Self { burn, description, is_software, is_cpu: false, ..Self::cpu() }
    }

    /// The same device with another arithmetic.
    pub(super) fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The device as Burn knows it.
    pub fn burn(&self) -> &Device {
        &self.burn
    }

    /// The arithmetic.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Whether weights are kept for the way back too.
    pub(crate) fn trains(&self) -> bool {
        self.trains
    }

    /// Whether tensors lie in host memory.
    pub fn is_cpu(&self) -> bool {
        self.is_cpu
    }

    /// `cpu`, or the adapter's name, interface and kind.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Why this is the CPU although there is a GPU; `None` if nothing is amiss. Show it to the user.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Whether the fastest kernels are found by trial. On an imitation of a GPU that takes minutes and gains nothing.
    pub(crate) fn tunes_kernels(&self) -> bool {
        !self.is_software
    }

    /// Most nodes that a forward pass should have, so that the device is busy and its memory suffices.
    pub fn node_budget(&self) -> usize {
        if self.is_cpu { CPU_NODES } else { GPU_NODES }
    }
}
