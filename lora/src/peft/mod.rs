//! The files of Hugging Face PEFT.

mod config;
mod fields;
mod names;
mod read;
mod refuse;
mod tensors;
mod write;

/// File of the settings.
const CONFIG: &str = "adapter_config.json";

/// File of the matrices.
const WEIGHTS: &str = "adapter_model.safetensors";

/// The matrices as older versions of PEFT wrote them.
const PICKLED: &str = "adapter_model.bin";

/// What PEFT puts before the path of a module.
const PREFIX: &str = "base_model.model.";

/// What the score head of an encoder is called, as in Hugging Face's classes for sequences.
const HEAD: &str = "score";

/// Key of the base model's fingerprint in the header of the matrices, which PEFT passes over.
const FINGERPRINT: &str = "rescorer.base_fingerprint";
