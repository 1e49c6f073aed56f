#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "cubecl")]
mod gpu;
#[cfg(feature = "cubecl")]
mod kernel_cache;
pub mod precision;
mod precision_request;
#[cfg(feature = "wgpu")]
mod wgpu;

use std::fmt;
use std::str::FromStr;

use burn::tensor::{DType, Device};

use crate::Error;

pub use precision::Precision;
pub use precision_request::PrecisionRequest;

/// Most nodes of a forward pass on the CPU: enough to keep the matrix kernels busy, few enough for the cache.
const CPU_NODES: usize = 1024;

/// The same on a GPU, which needs more rows to be busy and pays for every kernel that is started.
const GPU_NODES: usize = 4096;

/// Where a user wants the model to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceRequest {
    /// A real GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A GPU, by its number: CUDA devices (feature `cuda`) before the adapters of wgpu, real adapters before
    /// software ones.
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
    /// Opens what was asked for. On the device `auto`, int8 means the CPU, and f16 a real GPU or an error.
    ///
    /// # Errors
    /// A GPU was asked for by name and there is none, or not that many; or the device can't compute with this
    /// precision.
    pub fn open(request: DeviceRequest, precision: impl Into<PrecisionRequest>) -> Result<Self, Error> {
        match precision.into() {
            PrecisionRequest::Exactly(precision) => Self::open_exactly(request, precision),
            PrecisionRequest::Auto => {
                let device = Self::open_exactly(request, Precision::F32)?;
                let precision = device.fastest_precision();
                Ok(Self { precision, ..device })
            }
        }
    }

    /// What [`PrecisionRequest::Auto`] means here.
    fn fastest_precision(&self) -> Precision {
        match self.is_cpu {
            true => Precision::Quantized,
            false if self.burn.supports_dtype(DType::F16) => Precision::F16,
            false => Precision::F32,
        }
    }

    fn open_exactly(request: DeviceRequest, precision: Precision) -> Result<Self, Error> {
        let refused = |device: &str, reason: &str, remedy: &str| Error::Precision {
            device: device.into(),
            precision,
            reason: reason.into(),
            remedy: remedy.into(),
        };
        let device = match (request, precision) {
            (DeviceRequest::Gpu(_), Precision::Quantized) => Err(refused(
                &request.to_string(),
                "its kernels are for the CPU",
                "compute on the CPU, or in f32 or f16 on a GPU",
            )),
            (DeviceRequest::Cpu, Precision::F16) => Err(refused(
                "cpu",
                "its kernels are for GPUs",
                "compute in f32 or int8 on the CPU, or on a GPU",
            )),
            (DeviceRequest::Cpu, _) | (DeviceRequest::Auto, Precision::Quantized) => Ok(Self::cpu()),
            (DeviceRequest::Auto, Precision::F32) => Ok(match open_real_gpu() {
                Ok(Some(gpu)) => gpu,
                Ok(None) => Self::cpu(),
                Err(error) => Self::cpu_instead(&error, precision),
            }),
            (DeviceRequest::Auto, Precision::F16) => open_real_gpu()?.ok_or_else(|| {
                refused(
                    "auto",
                    "no GPU was found",
                    "compute in f32 or int8 on the CPU, or ask for a GPU, which may be a software adapter",
                )
            }),
            (DeviceRequest::Gpu(number), _) => open_gpu(number),
        }?;
        if precision == Precision::F16 && !device.burn.supports_dtype(DType::F16) {
            return Err(refused(
                &device.description,
                "it has no 16-bit arithmetic",
                "compute in f32, or on the CPU",
            ));
        }
        Ok(Self { precision, ..device })
    }

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
    pub(crate) fn cpu_for_training() -> Self {
        Self { trains: true, ..Self::cpu() }
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

    /// The first adapter, for tests; `None`, and a line about it, where there is none and `RESCORER_REQUIRE_GPU=1`
    /// does not ask for one.
    #[cfg(all(test, feature = "cubecl"))]
    pub(crate) fn gpu_of_tests() -> Option<Self> {
        use std::io::Write;
        let error = match Self::open(DeviceRequest::Gpu(None), Precision::F32) {
            Ok(device) => return Some(device),
            Err(error) => error,
        };
        let required = std::env::var("RESCORER_REQUIRE_GPU").is_ok_and(|value| value == "1");
        assert!(!required, "RESCORER_REQUIRE_GPU=1, but {error}");
        // Past the test harness, which hides what a passing test prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no adapter ({error})");
        None
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

#[cfg(feature = "cubecl")]
use gpu::{open_gpu, open_real_gpu};

#[cfg(not(feature = "cubecl"))]
fn open_real_gpu() -> Result<Option<ComputeDevice>, Error> {
    Ok(None)
}

#[cfg(not(feature = "cubecl"))]
fn open_gpu(number: Option<usize>) -> Result<ComputeDevice, Error> {
    Err(Error::Device {
        requested: DeviceRequest::Gpu(number).to_string(),
        reason: "this build has no GPU backend; build with `--features wgpu` (Vulkan, Metal, DirectX 12) or `--features cuda`".into(),
    })
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

    #[test]
    fn the_precision_is_chosen_by_the_device() {
        let chosen = |precision: PrecisionRequest| {
            ComputeDevice::open(DeviceRequest::Cpu, precision).unwrap().precision()
        };
        assert_eq!(chosen(PrecisionRequest::Auto), Precision::Quantized);
        assert_eq!(chosen(Precision::F32.into()), Precision::F32);
        // Tensors on Burn's CPU backend have no 16-bit products: a GPU like that computes in f32.
        let gpu = ComputeDevice::tensors_on_cpu();
        let has_f16 = gpu.burn().supports_dtype(DType::F16);
        assert_eq!(gpu.fastest_precision(), if has_f16 { Precision::F16 } else { Precision::F32 });
        assert_eq!(ComputeDevice::cpu().precision(), Precision::F32, "for whoever opens the CPU by hand");
    }

    #[test]
    fn a_precision_that_a_device_lacks_is_refused_with_the_remedy() {
        let refusal = |request, precision| ComputeDevice::open(request, precision).unwrap_err();
        for (error, remedy) in [
            (refusal(DeviceRequest::Gpu(Some(2)), Precision::Quantized), "gpu:2 can't compute in int8"),
            (refusal(DeviceRequest::Cpu, Precision::F16), "compute in f32 or int8 on the CPU"),
        ] {
            assert!(matches!(error, Error::Precision { .. }), "{error}");
            assert!(error.to_string().contains(remedy), "{error}");
        }
    }
}
