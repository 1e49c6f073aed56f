use std::path::PathBuf;

use crate::Precision;

/// What can go wrong between a path and a loaded model, or between a batch and its scores.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened or read.
    #[error("{path}: {source}; check that the file exists and is readable", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },

    /// A file could not be written.
    #[error("{path}: {source}; choose a folder that can be written, on a disk with room", path = path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },

    /// The path is neither a GGUF file nor a Hugging Face folder.
    #[error("{path}: {found}; give a .gguf file, or a folder with config.json, tokenizer.json and model.safetensors", path = path.display())]
    NotAModel {
        /// The path that was given.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },

    /// The bytes of a file contradict its format.
    #[error("{path}: {reason}; the file is damaged or cut short, download it again", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The place and the contradiction.
        reason: String,
    },

    /// A part of a model in several files, without the others or of another model.
    #[error(
        "{path}: part {number} of {count} of a split model: {reason}; \
         keep all parts in one folder under their own names, or join them with llama-gguf-split --merge",
        path = path.display()
    )]
    Split {
        /// The part.
        path: PathBuf,
        /// Which part it is, from 1.
        number: usize,
        /// Parts of the model.
        count: usize,
        /// What is wrong with it.
        reason: String,
    },

    /// The file is sound but asks for something this version does not do.
    #[error("{path}: {what} is not supported; supported: {supported}", path = path.display())]
    Unsupported {
        /// The file that asks for it.
        path: PathBuf,
        /// The architecture, tensor type or setting, by its name in the file.
        what: String,
        /// What would be accepted in its place.
        supported: String,
    },

    /// Tensors do not match the configuration. All differences are listed.
    #[error("{path}: the tensors do not fit the configuration:\n{problems}\nuse weights and a configuration of the same model", path = path.display())]
    Tensors {
        /// The file or folder.
        path: PathBuf,
        /// One line for each missing, unexpected or mis-shaped tensor.
        problems: String,
    },

    /// The weights are larger than the memory that can be had.
    #[error(
        "{path}: the weights take {} MB in {precision}, and {} MB of memory can be had; \
         close other programs, choose a smaller model{}", needed / 1_000_000, obtainable / 1_000_000,
        if *precision == Precision::Quantized { "" } else { ", or compute in int8" }, path = path.display()
    )]
    Memory {
        /// The file or folder.
        path: PathBuf,
        /// Bytes of the weights.
        needed: u64,
        /// Bytes that can be had.
        obtainable: u64,
        /// Arithmetic that was asked for.
        precision: Precision,
    },

    /// The tokenizer could not be built.
    #[error("{path}: tokenizer: {reason}", path = path.display())]
    Tokenizer {
        /// The file that describes it.
        path: PathBuf,
        /// The reason.
        reason: String,
    },

    /// No device of the asked kind.
    #[error("{requested}: {reason}; compute on the CPU, or install a Vulkan, Metal or DirectX 12 driver")]
    Device {
        /// The request, as it is written on the command line.
        requested: String,
        /// What was found.
        reason: String,
    },

    /// No precision of this name.
    #[error("unknown precision {requested:?}; a precision is auto, f32, int8 or f16")]
    PrecisionName {
        /// What was given.
        requested: String,
    },

    /// The device is there, but not with this arithmetic.
    #[error("{device} can't compute in {precision}: {reason}; {remedy}")]
    Precision {
        /// The device or the request.
        device: String,
        /// What was asked for.
        precision: Precision,
        /// Why not.
        reason: String,
        /// What to ask for instead.
        remedy: String,
    },

    /// A GPU computes something else than the CPU. Its driver or its kernels are faulty.
    #[error("{device} failed the self-test: {found}; compute on the CPU, or update the driver")]
    SelfTest {
        /// The device.
        device: String,
        /// What it computed and what it should have.
        found: String,
    },

    /// A batch that no model may be asked to run.
    #[error("invalid batch: {reason}")]
    Batch {
        /// The node and the rule it breaks.
        reason: String,
    },

    /// A device failed while computing.
    #[error("{device}: computing failed: {reason}; compute on the CPU")]
    Compute {
        /// The device.
        device: String,
        /// Its message.
        reason: String,
    },

    /// A named model could not be had.
    #[error(transparent)]
    Named(#[from] crate::named::NamedError),
}
