use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use rescorer::scoring::Adapter;
use rescorer_lora::LoraAdapter;

use crate::handle::{self, Behind};
use crate::model::RescorerModel;
use crate::output::Output;
use crate::status::{RescorerStatus, guarded};
use crate::text::text;

/// An adapter of one model. It never changes: all threads may use it at once.
pub struct RescorerAdapter {
    _private: [u8; 0],
}

impl Behind for RescorerAdapter {
    type Value = Arc<dyn Adapter>;
    const NAME: &'static str = "the adapter";
}

/// Reads an adapter for a model from a folder in the files of Hugging Face PEFT.
///
/// # Safety
/// `folder` ends with a NUL; `adapter` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_adapter_load(
    model: *const RescorerModel,
    folder: *const c_char,
    adapter: *mut *mut RescorerAdapter,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: the caller promised a place for the handle.
        let adapter = unsafe { Output::new(adapter, "adapter, where the handle is to be written,") }?;
        let model = handle::find(model)?;
        // SAFETY: the caller promised a path that ends with a NUL.
        let folder = unsafe { text(&folder, "folder") }?;
        let attached: Arc<dyn Adapter> = LoraAdapter::read(Path::new(folder))?.attach(&model)?;
        adapter.write(handle::keep(attached)?);
        Ok(())
    })
}

/// Frees an adapter. NULL is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_adapter_free(adapter: *mut RescorerAdapter) -> RescorerStatus {
    guarded(|| handle::free(adapter))
}
