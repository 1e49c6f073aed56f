use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rescorer_lora::{LoraAdapter, LoraSettings};
use serde::Serialize;

use crate::error::{Error, PoolError};
use crate::routes::Route;

/// A loaded adapter of a pool, for [`Request::pooled`](crate::Request::pooled). It stays as it is, whatever the pool does.
#[derive(Clone)]
pub struct PooledAdapter {
    pub(crate) name: Arc<str>,
    pub(crate) route: Arc<Route>,
    pub(super) rank: usize,
    pub(super) bytes: u64,
    pub(super) fingerprint: Arc<str>,
}

impl PooledAdapter {
    /// Its name in the pool.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The policy that answers its lists.
    pub fn policy(&self) -> Option<&str> {
        self.route.origin.policy.as_deref()
    }

    /// Most ranks of a layer.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Bytes of its matrices.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it computes: equal for equal adapters wherever they lie.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl std::fmt::Debug for PooledAdapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PooledAdapter")
            .field("name", &self.name)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// What is known of an adapter in a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdapterStatus {
    /// Its name.
    pub name: String,
    /// Most ranks of a layer.
    pub rank: usize,
    /// Bytes that it takes in memory; before it was loaded those of its file.
    pub bytes: u64,
    /// What it computes, known once it was loaded.
    pub fingerprint: Option<String>,
    /// The policy that answers its lists, known once it was loaded.
    pub policy: Option<String>,
    /// Whether it is in memory.
    pub resident: bool,
    /// Whether it stays there.
    pub pinned: bool,
    /// Why it could not be loaded.
    pub error: Option<String>,
}

/// What is registered.
pub struct Entry {
    pub folder: PathBuf,
    pub rank: usize,
    pub bytes: u64,
    pub fingerprint: Option<Arc<str>>,
    pub policy: Option<String>,
    pub is_pinned: bool,
    /// Why its files could not be loaded, and when they were written.
    pub failure: Option<(Arc<Error>, Stamp)>,
    /// Tells it from what had its name before.
    pub generation: u64,
}

/// When files were written, and their lengths.
pub type Stamp = [Option<(SystemTime, u64)>; 2];

impl Entry {
    /// Reads what is known of an adapter without its matrices.
    pub fn read(name: &str, folder: &Path) -> Result<Self, Error> {
        let io = |path: PathBuf| move |source| PoolError::Folder { name: name.to_owned(), path, source };
        let (config, weights) =
            (folder.join(LoraAdapter::CONFIG_FILE), folder.join(LoraAdapter::WEIGHTS_FILE));
        let bytes = std::fs::metadata(&weights).map_err(io(weights))?.len();
        std::fs::metadata(&config).map_err(io(config))?;
        let settings = LoraSettings::read(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            rank: settings.most_ranks(),
            bytes,
            fingerprint: None,
            policy: None,
            is_pinned: false,
            failure: None,
            generation: 0,
        })
    }

    /// When its files were written.
    pub fn stamp(&self) -> Stamp {
        [LoraAdapter::CONFIG_FILE, LoraAdapter::WEIGHTS_FILE].map(|name| {
            let data = std::fs::metadata(self.folder.join(name)).ok()?;
            Some((data.modified().ok()?, data.len()))
        })
    }

    pub fn status(&self, name: &str, resident: bool) -> AdapterStatus {
        AdapterStatus {
            name: name.to_owned(),
            rank: self.rank,
            bytes: self.bytes,
            fingerprint: self.fingerprint.as_deref().map(str::to_owned),
            policy: self.policy.clone(),
            resident,
            pinned: self.is_pinned,
            error: self.failure.as_ref().map(|(error, _)| error.to_string()),
        }
    }
}
