//! Ids from the names of files.

use std::path::Path;

/// What ids begin with where utterances have none: the name of the file without its folder and its end.
pub(crate) fn stem(name: &str) -> String {
    let stem = Path::new(name.strip_suffix(".gz").unwrap_or(name)).file_stem();
    stem.unwrap_or_default().to_string_lossy().into_owned()
}
