//! Downloads a file from the Hugging Face hub, or from the mirror that `HF_ENDPOINT` names.

use std::fs;
use std::path::Path;

use hf_hub::api::Progress;
use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Cache, Repo, RepoType};

use super::{HubFile, NamedError};

/// Brings the file to `target`; `folder`, on the same disk, is where the client works. `arrived` hears how many
/// bytes of the file are there. Models of the catalogue are public: no token is read or sent.
///
/// # Errors
/// [`NamedError::Hub`], and [`NamedError::CacheFolder`] if `target` cannot be written.
pub(super) fn download(
    HubFile { repo, revision, file }: HubFile,
    folder: &Path,
    target: &Path,
    arrived: &mut dyn FnMut(u64),
) -> Result<(), NamedError> {
    let failed = |reason: String| NamedError::Hub { repo: repo.to_owned(), reason };
    // `ApiBuilder::new` panics for a user without a home folder; this way it does not ask for one.
    let mut builder = ApiBuilder::from_cache(Cache::new(folder.join("hub")));
    if let Ok(endpoint) = std::env::var("HF_ENDPOINT") {
        builder = builder.with_endpoint(endpoint);
    }
    let api = builder.build().map_err(|error| failed(error.to_string()))?;
    let at = Repo::with_revision(repo.to_owned(), RepoType::Model, revision.to_owned());
    let path = api
        .repo(at)
        .download_with_progress(file, Bytes { done: 0, arrived })
        .map_err(|error| failed(error.to_string()))?;
    // What comes back is a link into the client's store: the file behind it is what moves into our cache.
    let file = fs::canonicalize(&path).map_err(|source| NamedError::Unreadable { path, source })?;
    fs::rename(file, target).map_err(|source| NamedError::CacheFolder { path: target.to_owned(), source })
}

/// Counts what comes in.
struct Bytes<'a> {
    done: u64,
    arrived: &'a mut dyn FnMut(u64),
}

impl Progress for Bytes<'_> {
    fn init(&mut self, _size: usize, _filename: &str) {
        self.done = 0;
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        (self.arrived)(self.done);
    }

    fn finish(&mut self) {}
}
