//! C interface of the rescorer, version 1: the header `include/rescorer.h` is made from this crate.
//!
//! Handles are numbers in a table, not addresses: one that was freed, or never was one, is found out and refused. A panic ends as
//! [`RescorerStatus::Internal`], never in the caller's stack.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod adapter;
mod handle;
mod input;
mod model;
mod request;
mod result;
mod status;

pub use adapter::{RescorerAdapter, rescorer_adapter_free, rescorer_adapter_load};
pub use input::{RescorerHypothesis, RescorerList};
pub use model::{
    RescorerDevice, RescorerModel, RescorerPrecision, rescorer_model_free, rescorer_model_load,
    rescorer_set_threads,
};
pub use request::{
    Rescorer, RescorerProgress, RescorerWeights, rescorer_free, rescorer_from_policy, rescorer_new,
    rescorer_prepare_context, rescorer_rescore, rescorer_rescore_batch, rescorer_rescore_json,
};
pub use result::{
    RescorerAnswer, RescorerResult, RescorerScored, RescorerWord, rescorer_result_answer,
    rescorer_result_free, rescorer_result_json,
};
pub use status::{RescorerStatus, rescorer_last_error};

use std::ffi::c_char;

/// Version of this interface. It is raised when something that is there changes; what is new does not change it.
pub const RESCORER_ABI_VERSION: u32 = 1;

/// Version of the interface that the library was built with: compare it with `RESCORER_ABI_VERSION` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_abi_version() -> u32 {
    RESCORER_ABI_VERSION
}

/// Version of the library, as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
