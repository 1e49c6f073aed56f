//! The second source: the Hugging Face hub, or the mirror that `HF_ENDPOINT` names.

use std::fs;
use std::path::{Path, PathBuf};

use hf_hub::api::Progress as HubProgress;
use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Cache, Repo, RepoType};

use super::source::{HUB, Report, Source};
use super::{HubFile, NamedError, NamedModel, Progress};

/// A file of the hub. Models of the catalogue are public: no token is read or sent.
pub(super) struct Hub(pub(super) HubFile);

impl Source for Hub {
    fn label(&self) -> &'static str {
        HUB
    }

    fn fetch(&self, _model: &NamedModel, folder: &Path, report: Report<'_>) -> Result<PathBuf, NamedError> {
        let HubFile { repo, revision, file } = self.0;
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
            .download_with_progress(file, Bytes { done: 0, total: 0, report })
            .map_err(|error| failed(error.to_string()))?;
        // What comes back is a link into the client's store: the file behind it is what moves into our cache.
        fs::canonicalize(&path).map_err(|source| NamedError::Unreadable { path, source })
    }
}

/// Counts what comes in.
struct Bytes<'a> {
    done: u64,
    total: u64,
    report: Report<'a>,
}

impl HubProgress for Bytes<'_> {
    fn init(&mut self, size: usize, _filename: &str) {
        (self.done, self.total) = (0, size as u64);
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        (self.report)(Progress::Downloading { done: self.done, total: Some(self.total) });
    }

    fn finish(&mut self) {}
}
