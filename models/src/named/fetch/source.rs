//! What a source of models has to offer.

use std::path::Path;

use crate::named::{NamedError, NamedModel};

/// News of a running [`pull`](super::pull), enough for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A source is asked.
    Trying {
        /// The source, in words.
        source: &'a str,
    },
    /// Bytes come in. pip does not tell how far it is: then `done` is the size of the file it is writing.
    /// Sent several times a second even if nothing moves.
    Downloading {
        /// Bytes so far.
        done: u64,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// The model is taken out of its archive.
    Extracting {
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The sums of the files are computed.
    Verifying {
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A source did not deliver; the next one, if any, is tried.
    Failed {
        /// The source, in words.
        source: &'a str,
        /// Why, in words.
        reason: &'a str,
    },
}

/// Where the news goes.
pub(super) type Report<'a> = &'a mut dyn FnMut(Progress<'_>);

/// A place that models come from.
pub(super) trait Source {
    /// The source in words, for progress and errors.
    fn label(&self) -> &'static str;

    /// Brings the model's files into the empty `folder`, each under its name in the catalogue. The caller checks
    /// sizes and sums, and throws away what else is left there.
    fn fetch(&self, model: &NamedModel, folder: &Path, report: Report<'_>) -> Result<(), NamedError>;
}
