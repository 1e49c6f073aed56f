//! What an input of a format is, and how it is read.

#[cfg(feature = "parquet")]
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "parquet")]
use crate::batches::Batches;
use crate::body::Body;
use crate::reading::Reading;
use crate::shape::Json;
use crate::source::Source;
use crate::{Error, FieldNames};

/// The utterances of an input that was opened.
pub(crate) type Opened = Result<Box<dyn Body>, Error>;

/// What an input of a format is.
pub(crate) enum Spec {
    /// JSON text.
    Json(&'static [Json]),
    /// Text of another kind.
    Text {
        /// Whether the first line tells that a text is of this format; tables may have columns of other names.
        marker: fn(&[u8], &FieldNames) -> bool,
        /// Reads it.
        open: fn(Source, Arc<Reading>) -> Opened,
        /// Folders of such files, where they are read too.
        folder: Option<Folder>,
    },
    /// A file of columns, in which one jumps to and fro.
    #[cfg(feature = "parquet")]
    Columns {
        /// Whether a file begins like this format.
        marker: fn(&[u8]) -> bool,
        /// Opens the file; errors are those of the file.
        open: fn(File) -> Result<Batches, String>,
    },
    /// A folder of files that belong together.
    Folder(Folder),
}

/// A folder of a format.
pub(crate) struct Folder {
    /// Whether a folder is of this format.
    pub(crate) marker: fn(&Path) -> bool,
    /// Opens it.
    pub(crate) open: fn(&Path, Arc<Reading>) -> Opened,
}
