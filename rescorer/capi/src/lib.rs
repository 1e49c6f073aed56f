//! C interface of the rescorer, version 2: the header `include/rescorer.h` is made from this crate.
//!
//! Handles are numbers in a table, not addresses: one that was freed, or never was one, is found out and refused. Structs that a caller
//! fills begin with their size and are copied before anything in them is looked at; flags and enums come in as `int32_t` and are
//! checked. A panic ends as [`RescorerStatus::Internal`], never in the caller's stack.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod abi;
mod adapter;
mod answer;
mod handle;
mod input;
mod model;
mod output;
mod rescore;
mod result;
mod second_pass;
mod sized;
mod status;
mod table;
mod texts;
mod threads;

pub use abi::{RESCORER_ABI_VERSION, rescorer_abi_version, rescorer_version};
pub use adapter::{RescorerAdapter, rescorer_adapter_free, rescorer_adapter_load};
pub use answer::{RescorerAnswer, RescorerScored, RescorerWord};
pub use input::{RescorerHypothesis, RescorerList};
pub use model::{
    RescorerDevice, RescorerModel, RescorerModelOptions, RescorerPrecision, rescorer_model_free,
    rescorer_model_load,
};
pub use rescore::{RescorerProgress, rescorer_rescore, rescorer_rescore_batch, rescorer_rescore_json};
pub use result::{RescorerResult, rescorer_result_answer, rescorer_result_free, rescorer_result_json};
pub use second_pass::{
    Rescorer, RescorerWeights, rescorer_free, rescorer_from_policy, rescorer_from_policy_after, rescorer_new,
    rescorer_prepare_context,
};
pub use status::{RescorerStatus, rescorer_last_error};
pub use threads::rescorer_set_threads;
