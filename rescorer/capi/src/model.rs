use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use rescorer::{DeviceRequest, LanguageModel, Precision};

use crate::handle::{self, Behind};
use crate::input::text;
use crate::status::{Failure, RescorerStatus, guarded};

/// A language model. It never changes: all threads may use it at once.
pub struct RescorerModel {
    _private: [u8; 0],
}

impl Behind for RescorerModel {
    type Value = Arc<LanguageModel>;
    const NAME: &'static str = "the model";
}

/// Arithmetic of the forward pass.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescorerPrecision {
    /// 32-bit floats.
    F32 = 0,
    /// Weights of at most 8 bits, on the CPU: a third of the memory, nearly the same scores.
    Int8 = 1,
    /// 16-bit floats, on a GPU that has them.
    F16 = 2,
}

/// Where to compute.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescorerDevice {
    /// A real GPU that passes the self-test, where the library was built for one, else the CPU.
    Auto = 0,
    /// The CPU.
    Cpu = 1,
    /// A GPU.
    Gpu = 2,
}

/// Loads a model: a `.gguf` file or a Hugging Face folder. `precision` and `device` are values of `RescorerPrecision` and
/// `RescorerDevice`. The file is read, not mapped: it may be replaced afterwards, which the next load sees.
///
/// # Safety
/// `path` ends with a NUL; `model` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_model_load(
    path: *const c_char,
    precision: u32,
    device: u32,
    model: *mut *mut RescorerModel,
) -> RescorerStatus {
    guarded(|| {
        if model.is_null() {
            return Err(Failure::null("where the model is to be written"));
        }
        // SAFETY: what the caller promised.
        let path = unsafe { text(path, "path") }?;
        let outside = |what: &str, value| {
            Failure::new(RescorerStatus::InvalidArgument, format!("{what} {value} is none"))
        };
        let precision = match precision {
            0 => Precision::F32,
            1 => Precision::Int8,
            2 => Precision::F16,
            other => return Err(outside("precision", other)),
        };
        let device = match device {
            0 => DeviceRequest::Auto,
            1 => DeviceRequest::Cpu,
            2 => DeviceRequest::Gpu(None),
            other => return Err(outside("device", other)),
        };
        let loaded = LanguageModel::load(Path::new(path), device, precision)
            .map_err(|error| Failure::new(RescorerStatus::Model, error.to_string()))?;
        // SAFETY: not NULL, and what the caller promised.
        unsafe { model.write(handle::keep(Arc::new(loaded))) };
        Ok(())
    })
}

/// Frees a model. Rescorers and adapters made from it keep what they need. NULL is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_model_free(model: *mut RescorerModel) -> RescorerStatus {
    guarded(|| handle::free(model))
}

/// Sets the number of threads that all models together compute with on the CPU. Before the first model is loaded, once; without it
/// there are as many as cores.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_set_threads(threads: u32) -> RescorerStatus {
    guarded(|| {
        if threads == 0 || threads > u32::from(u16::MAX) {
            let reason = format!("{threads} threads; give a number from 1 to {}", u16::MAX);
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        let built = rayon::ThreadPoolBuilder::new().num_threads(threads as usize).build_global();
        built.map_err(|_| {
            let reason =
                "the threads are there already; set their number once, before the first model is loaded";
            Failure::new(RescorerStatus::InvalidArgument, reason)
        })
    })
}
