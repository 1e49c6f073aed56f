//! C interface of the rescorer, version 3: the header `include/rescorer.h` is made from this crate.
//!
//! Handles are numbers in a table, not addresses: one that was freed, or never was one, is found out and refused. Structs that a caller
//! fills begin with their size and are copied before anything in them is looked at; flags and enums come in as `int32_t` and are
//! checked. A panic ends as [`RescorerStatus::Internal`], never in the caller's stack.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

#[allow(unsafe_code, reason = "exports symbols")]
mod abi;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod adapter;
#[allow(unsafe_code, reason = "what C reads points into the answer itself")]
mod answer;
mod handle;
#[allow(unsafe_code, reason = "reads memory of the caller")]
mod input;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod loading;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod model;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod options;
#[allow(unsafe_code, reason = "writes to memory of the caller")]
mod output;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod pool;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod rescore;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod result;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod second_pass;
#[allow(unsafe_code, reason = "reads memory of the caller")]
mod sized;
#[allow(unsafe_code, reason = "exports symbols")]
mod status;
mod table;
#[allow(unsafe_code, reason = "reads memory of the caller")]
mod text;
mod texts;
#[allow(unsafe_code, reason = "exports symbols")]
mod threads;
#[allow(unsafe_code, reason = "C hands over pointers")]
mod tune;

pub use abi::{RESCORER_ABI_VERSION, rescorer_abi_version, rescorer_version};
pub use adapter::{RescorerAdapter, rescorer_adapter_free, rescorer_adapter_load};
pub use answer::{RescorerAnswer, RescorerScored, RescorerWord};
pub use input::{RescorerHypothesis, RescorerJsonOptions, RescorerList, RescorerWant};
pub use model::{
    RescorerDevice, RescorerModel, RescorerModelOptions, RescorerPrecision, rescorer_model_free,
    rescorer_model_load,
};
pub use options::{RescorerNamedAdapter, RescorerOptions, rescorer_load};
pub use pool::{
    RescorerPool, RescorerPoolOptions, RescorerPoolStats, rescorer_pool_free, rescorer_pool_load,
    rescorer_pool_new, rescorer_pool_pin, rescorer_pool_register, rescorer_pool_remove, rescorer_pool_stats,
};
pub use rescore::{
    RescorerProgress, rescorer_rescore, rescorer_rescore_batch, rescorer_rescore_json,
    rescorer_rescore_json_with,
};
pub use result::{RescorerResult, rescorer_result_answer, rescorer_result_free, rescorer_result_json};
pub use second_pass::{
    Rescorer, RescorerWeights, rescorer_free, rescorer_from_cascade_policy, rescorer_from_policy,
    rescorer_new, rescorer_prepare_context, rescorer_warnings,
};
pub use status::{RescorerStatus, rescorer_last_error};
pub use threads::rescorer_set_threads;
pub use tune::{RescorerTuneOptions, rescorer_tune};
