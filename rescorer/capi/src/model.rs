use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use rescorer::scoring::LanguageModel;
use rescorer::{DeviceRequest, Precision};
use rescorer_models::PrecisionRequest;

use crate::handle::{self, Behind};
use crate::sized::FromCaller;
use crate::status::{Failure, RescorerStatus, guarded};
use crate::text::text;
use crate::{abi, loading};

/// A language model. It never changes: all threads may use it at once.
pub struct RescorerModel {
    _private: [u8; 0],
}

impl Behind for RescorerModel {
    type Value = Arc<LanguageModel>;
    const NAME: &'static str = "the model";
}

/// Arithmetic of the forward pass.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescorerPrecision {
    /// The fastest that keeps the scores nearly the same: int8 on the CPU, 16-bit floats on a GPU that has them.
    Auto = 0,
    /// 32-bit floats.
    F32 = 1,
    /// Weights of at most 8 bits, on the CPU: a third of the memory, nearly the same scores.
    Int8 = 2,
    /// 16-bit floats, on a GPU that has them.
    F16 = 3,
}

/// Where to compute.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescorerDevice {
    /// A real GPU that passes the self-test, where the library was built for one, else the CPU.
    Auto = 0,
    /// The CPU.
    Cpu = 1,
    /// A GPU.
    Gpu = 2,
}

/// How a model is loaded. Begin with `RESCORER_MODEL_OPTIONS_INIT`: the device and the precision that fit best.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerModelOptions {
    /// Size of this struct, as `RESCORER_MODEL_OPTIONS_INIT` sets it.
    pub struct_size: usize,
    /// `RESCORER_ABI_VERSION` of the header that the program was compiled with, as `RESCORER_MODEL_OPTIONS_INIT` sets it.
    pub abi_version: u32,
    /// A value of `RescorerPrecision`.
    pub precision: i32,
    /// A value of `RescorerDevice`.
    pub device: i32,
    /// 0.
    pub reserved: i32,
}

// SAFETY: a size and integers; what they may be is checked when they are used.
unsafe impl FromCaller for RescorerModelOptions {
    const NAME: &'static str = "options (RescorerModelOptions)";
    const MACRO: &'static str = "RESCORER_MODEL_OPTIONS_INIT";
    const EARLIER: &'static [usize] = &[];
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            abi_version: abi::RESCORER_ABI_VERSION,
            precision: RescorerPrecision::Auto as i32,
            device: RescorerDevice::Auto as i32,
            reserved: 0,
        }
    }
}

/// Loads a model: a `.gguf` file or a Hugging Face folder. The file is read, not mapped: it may be replaced afterwards, which the next
/// load sees. A program that was compiled with the header of another interface is refused with `RESCORER_STATUS_ABI_VERSION`.
///
/// # Safety
/// `path` ends with a NUL; `options` was begun with `RESCORER_MODEL_OPTIONS_INIT`; `model` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_model_load(
    path: *const c_char,
    options: *const RescorerModelOptions,
    model: *mut *mut RescorerModel,
) -> RescorerStatus {
    guarded(|| {
        let place = "model, where the handle is to be written,";
        // SAFETY: the caller promised a place for the handle, and options that begin with their size.
        let (model, options) =
            unsafe { loading::begin(model, place, options, |options| options.abi_version) }?;
        // SAFETY: the caller promised a path that ends with a NUL.
        let path = unsafe { text(&path, "path") }?;
        let (device, precision) = (device(options.device)?, precision(options.precision)?);
        if options.reserved != 0 {
            let reason = format!("reserved is {}; leave it at 0", options.reserved);
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        let loaded = LanguageModel::load(Path::new(path), device, precision)?;
        model.write(handle::keep(Arc::new(loaded))?);
        Ok(())
    })
}

/// The request that a value of [`RescorerPrecision`] stands for.
pub fn precision(number: i32) -> Result<PrecisionRequest, Failure> {
    const F32: i32 = RescorerPrecision::F32 as i32;
    const INT8: i32 = RescorerPrecision::Int8 as i32;
    const F16: i32 = RescorerPrecision::F16 as i32;
    match number {
        0 => Ok(PrecisionRequest::Auto),
        F32 => Ok(Precision::F32.into()),
        INT8 => Ok(Precision::Quantized.into()),
        F16 => Ok(Precision::F16.into()),
        other => Err(Failure::outside("precision", other, "RescorerPrecision", F16)),
    }
}

/// The request that a value of [`RescorerDevice`] stands for.
pub fn device(number: i32) -> Result<DeviceRequest, Failure> {
    const CPU: i32 = RescorerDevice::Cpu as i32;
    const GPU: i32 = RescorerDevice::Gpu as i32;
    match number {
        0 => Ok(DeviceRequest::Auto),
        CPU => Ok(DeviceRequest::Cpu),
        GPU => Ok(DeviceRequest::Gpu(None)),
        other => Err(Failure::outside("device", other, "RescorerDevice", GPU)),
    }
}

/// Frees a model. Rescorers and adapters made from it keep what they need. NULL is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_model_free(model: *mut RescorerModel) -> RescorerStatus {
    guarded(|| handle::free(model))
}
