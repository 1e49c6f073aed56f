use std::path::PathBuf;

/// What can go wrong between a file and an adapter in use, or in its training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{path}: {source}; an adapter is a folder with adapter_config.json and adapter_model.safetensors", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },

    /// A file could not be written, or the model failed.
    #[error(transparent)]
    Model(#[from] rescorer_models::Error),

    /// A file whose contents contradict its format.
    #[error("{path}: {reason}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The place, the contradiction and the remedy.
        reason: String,
    },

    /// An adapter that computes something that this version does not.
    #[error("{path}: {what} is not supported; supported: {supported}", path = path.display())]
    Unsupported {
        /// The file that asks for it.
        path: PathBuf,
        /// The kind or setting, by its name in the file.
        what: String,
        /// What would be accepted.
        supported: &'static str,
    },

    /// Settings that change what an adapter computes and are not read. All of them are listed.
    #[error("{path}: settings that change the scores are not supported:\n{what}\n{remedy}", path = path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// One line for each: name, value and what it does.
        what: String,
        /// What to do.
        remedy: String,
    },

    /// Tensors that fit neither each other nor the base model. All of them are listed.
    #[error("{path}: the tensors do not fit:\n{problems}\n{remedy}", path = path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// One line for each.
        problems: String,
        /// What to do.
        remedy: String,
    },

    /// An adapter of another model.
    #[error(
        "{path}: the adapter was trained on the model {trained_on:.16}, this is {given:.16}; load that model",
        path = path.display()
    )]
    OtherBase {
        /// The adapter.
        path: PathBuf,
        /// Fingerprint of the model it was trained on.
        trained_on: String,
        /// Fingerprint of the loaded model.
        given: String,
    },

    /// Settings that contradict each other.
    #[error("adapter: {reason}")]
    Settings {
        /// The setting and the remedy.
        reason: String,
    },
}
