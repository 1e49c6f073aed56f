//! Low-rank adapters for frozen language models: vanilla LoRA and rank-allocated LoRA.
//!
//! A [`LoraAdapter`] is read from the files of Hugging Face PEFT or comes out of training, and is attached to a
//! loaded model. It changes what the model computes for the trees that ask for it, never the model:
//!
//! ```no_run
//! use rescorer_lora::LoraAdapter;
//! use rescorer_models::{DeviceRequest, Edge, LanguageModel, Precision, TreeBatch};
//!
//! let model = LanguageModel::load("model.gguf".as_ref(), DeviceRequest::Cpu, Precision::F32)?;
//! let adapter = LoraAdapter::read("adapter".as_ref())?.attach(&model)?;
//! let mut batch = TreeBatch::default();
//! batch.set_adapter(Some(adapter));
//! batch.push_tree(&[1], &[None], &[Edge { node: 0, token: 2 }]);
//! println!("{}", model.edge_log_probs(&batch)?[0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod adapter;
#[cfg(feature = "training")]
mod allocation;
mod attached;
mod average;
mod error;
mod low_rank;
mod pattern;
mod peft;
mod settings;
#[cfg(feature = "training")]
mod step_adapter;
mod svd;
#[cfg(feature = "training")]
mod trainable;

pub use adapter::LoraAdapter;
#[cfg(feature = "training")]
pub use allocation::{Allocation, AllocationSettings};
pub use attached::AttachedAdapter;
pub use error::Error;
pub use low_rank::LowRank;
pub use settings::{Kind, LoraSettings, Targets};
#[cfg(feature = "training")]
pub use step_adapter::{StepAdapter, StepOptions};
pub use svd::truncated_svd;
#[cfg(feature = "training")]
pub use trainable::{Parameter, Trainable};
