use std::path::PathBuf;
use std::sync::Arc;

use super::Error;

/// An adapter of a pool that can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// A name that nothing was registered under.
    #[error("there is no adapter {name:?}; register its folder, or ask for one that is registered")]
    Unknown {
        /// The name.
        name: String,
    },

    /// Files that can't be read, or that are not for the model.
    #[error("adapter {name:?} can't be loaded: {source}")]
    Unavailable {
        /// The name.
        name: String,
        /// The reason, which all who waited for the adapter get.
        source: Arc<Error>,
    },

    /// More memory than the pool may take.
    #[error(
        "adapter {name:?} takes {bytes} bytes, and the pool may take {allowed}; allow more, or train with fewer ranks"
    )]
    TooLarge {
        /// The name.
        name: String,
        /// What it takes.
        bytes: u64,
        /// What all adapters together may take.
        allowed: u64,
    },

    /// A folder without the files of an adapter.
    #[error("adapter {name:?}: {}: {source}; give the folder of an adapter", path.display())]
    Folder {
        /// The name.
        name: String,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}
