//! The files of Hugging Face PEFT.

mod config;
mod fields;
mod names;
mod read;
mod refuse;
mod tensors;
mod write;

use crate::adapter::LoraAdapter;

const CONFIG: &str = LoraAdapter::CONFIG_FILE;
const WEIGHTS: &str = LoraAdapter::WEIGHTS_FILE;

/// The matrices as older versions of PEFT wrote them.
const PICKLED: &str = "adapter_model.bin";

/// What PEFT puts before the path of a module.
const PREFIX: &str = "base_model.model.";

/// What the score head of an encoder is called, as in Hugging Face's classes for sequences.
const HEAD: &str = "score";

/// Key of the base model's fingerprint in the header of the matrices, which PEFT passes over.
const FINGERPRINT: &str = "rescorer.base_fingerprint";
