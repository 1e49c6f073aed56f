use burn::tensor::DType;

use super::compute::ComputeDevice;
#[cfg(feature = "cubecl")]
use super::gpu::{open_gpu, open_real_gpu};
use super::precision::Precision;
use super::precision_request::PrecisionRequest;
use super::request::DeviceRequest;
use crate::Error;

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
                Ok(device.with_precision(precision))
            }
        }
    }

    /// What [`PrecisionRequest::Auto`] means here.
    fn fastest_precision(&self) -> Precision {
        match self.is_cpu() {
            true => Precision::Quantized,
            false if self.burn().supports_dtype(DType::F16) => Precision::F16,
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
        if precision == Precision::F16 && !device.burn().supports_dtype(DType::F16) {
            return Err(refused(
                device.description(),
                "it has no 16-bit arithmetic",
                "compute in f32, or on the CPU",
            ));
        }
        Ok(device.with_precision(precision))
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
}

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
