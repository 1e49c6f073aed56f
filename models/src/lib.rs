//! Pretrained language models on Burn: weights, tokenizers, forward passes over token trees.
//!
//! A [`LanguageModel`] is loaded from a GGUF file or a Hugging Face folder onto the CPU or a GPU, and
//! answers one question: the log-probabilities of the edges of a [`TreeBatch`]. Of a decoder these are of the tokens that come next, of
//! an encoder, which sees the whole sequence, of the tokens that stand there.
//!
//! ```no_run
//! use rescorer_models::{DeviceRequest, Edge, LanguageModel, Precision, TreeBatch};
//!
//! let model = LanguageModel::load("model.gguf".as_ref(), DeviceRequest::Cpu, Precision::F32)?;
//! let mut batch = TreeBatch::default();
//! batch.push_tree(&[1], &[None], &[Edge { node: 0, token: 2 }]);
//! println!("ln p(2 | 1) = {}", model.edge_log_probs(&batch)?[0]);
//! # Ok::<(), rescorer_models::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod adapter;
mod adapter_rows;
mod attention;
mod backend;
mod buckets;
#[cfg(all(feature = "cubecl", not(feature = "fusion")))]
mod cube;
mod decoder;
mod device;
mod embedding;
mod encoder;
mod error;
mod export;
mod fingerprint;
mod gated;
mod gradient;
mod guard;
mod head;
mod layer_norm;
mod linear;
mod load;
mod memory;
mod model;
mod model_file;
mod module_path;
pub mod named;
mod network;
mod norm;
mod normalised;
mod quantized_folder;
mod rms_norm;
mod self_test;
mod softmax;
mod to_host;
mod tokenizer;
#[cfg(feature = "training")]
mod training;
mod tree;
mod weights;
mod write_file;

pub use adapter::{Adapter, ScoreHead};
pub use attention::KeyValues;
pub use device::{ComputeDevice, DeviceRequest, Precision, PrecisionRequest};
pub use error::Error;
pub use linear::low_rank::LowRankTerm;
#[cfg(feature = "training")]
pub use linear::low_rank::add_low_rank;
pub use model::LanguageModel;
pub use module_path::{ModuleNaming, ModulePath, TargetModule};
pub use tokenizer::Tokenizer;
#[cfg(feature = "training")]
pub use training::{StatesPass, TrainingPass};
pub use tree::{Edge, TreeBatch};
pub use weights::WeightType;
pub use write_file::write_file;
