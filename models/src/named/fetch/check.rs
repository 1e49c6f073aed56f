//! Compares files with the catalogue.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::source::{Progress, Report};
use crate::named::{ModelFile, NamedError};

/// Remedy for a wrong file that a source delivered.
pub(super) const FETCHED: &str =
    "it was removed; pull the model again, and if that repeats place the file by hand";

/// Remedy for a wrong file in the cache.
pub(super) const CACHED: &str = "delete it and pull the model again";

const BUFFER: usize = 256 * 1024;

/// A file that shall be one of the catalogue's.
pub(super) struct Found<'a> {
    pub(super) file: &'a ModelFile,
    pub(super) path: PathBuf,
    /// What an error calls it.
    pub(super) label: String,
    pub(super) remedy: &'static str,
}

/// Compares the size of every file, and with `sums` every SHA-256, which takes a while.
///
/// # Errors
/// [`NamedError::Size`], [`NamedError::Checksum`] or [`NamedError::Unreadable`] for the first wrong file.
pub(super) fn check(found: &[Found<'_>], sums: bool, report: Report<'_>) -> Result<(), NamedError> {
    // All sizes first: what is cut short is found before anything is summed.
    found.iter().try_for_each(Found::has_size)?;
    if !sums {
        return Ok(());
    }
    let total = found.iter().map(|one| one.file.size).sum();
    let mut done = 0;
    let mut summed = |count: u64| {
        done += count;
        report(Progress::Verifying { done, total });
    };
    found.iter().try_for_each(|one| one.has_sum(&mut summed))
}

impl Found<'_> {
    fn has_size(&self) -> Result<(), NamedError> {
        let found = self.path.metadata().map_err(|source| self.unreadable(source))?.len();
        if found == self.file.size {
            return Ok(());
        }
        Err(NamedError::Size {
            file: self.label.clone(),
            expected: self.file.size,
            found,
            remedy: self.remedy,
        })
    }

    fn has_sum(&self, summed: &mut dyn FnMut(u64)) -> Result<(), NamedError> {
        let found = self.sum(summed).map_err(|source| self.unreadable(source))?;
        if found == self.file.sha256 {
            return Ok(());
        }
        let (file, expected) = (self.label.clone(), self.file.sha256.to_owned());
        Err(NamedError::Checksum { file, expected, found, remedy: self.remedy })
    }

    fn sum(&self, summed: &mut dyn FnMut(u64)) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            summed(count as u64);
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn unreadable(&self, source: io::Error) -> NamedError {
        NamedError::Unreadable { path: self.path.clone(), source }
    }
}
