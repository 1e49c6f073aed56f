//! The folder that keeps fetched models.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::NamedError;

/// The environment variable that moves the cache.
pub const HOME_VARIABLE: &str = "RESCORER_HOME";

/// Prefix of the folders that a running [`pull`](super::pull) works in.
const WORK_PREFIX: &str = ".pull-";

/// Age at which such a folder belongs to a pull that was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A cache folder; models, files or folders, lie in its subfolder `models`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache at `root`, which need not exist yet. A relative folder is made absolute here: pip runs
    /// elsewhere, and messages name the folder to who may read them elsewhere.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// The user's cache: `RESCORER_HOME`, else `rescorer` in the platform's folder for caches
    /// (`$XDG_CACHE_HOME` or `~/.cache` on Linux, `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows).
    ///
    /// # Errors
    /// [`NamedError::NoCacheFolder`] where neither exists: a user without a home folder.
    pub fn from_env() -> Result<Self, NamedError> {
        Self::resolve(std::env::var_os(HOME_VARIABLE), dirs::cache_dir())
    }

    fn resolve(home: Option<OsString>, platform: Option<PathBuf>) -> Result<Self, NamedError> {
        let home = home.filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = home.or_else(|| platform.map(|folder| folder.join("rescorer")));
        root.map(Self::new).ok_or(NamedError::NoCacheFolder)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the models.
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// A fresh folder next to the models, so that a finished one can be renamed into place; it goes when the
    /// value is dropped. Folders that killed processes left behind go first.
    pub(super) fn work_folder(&self) -> Result<TempDir, NamedError> {
        let models = self.models();
        let failed = |source| NamedError::CacheFolder { path: models.clone(), source };
        fs::create_dir_all(&models).map_err(failed)?;
        sweep(&models, STALE);
        tempfile::Builder::new().prefix(WORK_PREFIX).tempdir_in(&models).map_err(failed)
    }
}

/// Removes work folders that have not changed for `age`. What cannot be read or removed stays: it is only in
/// the way of disk space, and the pull itself will say what is wrong with the folder.
fn sweep(models: &Path, age: Duration) {
    let Ok(entries) = fs::read_dir(models) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(WORK_PREFIX);
        let changed = entry.metadata().and_then(|data| data.modified());
        let old =
            changed.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|past| past >= age));
        if ours && old {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn the_variable_wins_over_the_platform() -> Outcome {
        let platform = std::env::temp_dir();
        let chosen = platform.join("chosen");
        let cache = Cache::resolve(Some(chosen.clone().into()), Some(platform.clone()))?;
        assert_eq!(cache.models(), chosen.join("models"));
        let cache = Cache::resolve(Some(OsString::new()), Some(platform.clone()))?;
        assert_eq!(cache.root(), platform.join("rescorer"));
        Ok(())
    }

    #[test]
    fn a_relative_folder_becomes_absolute() -> Outcome {
        assert!(Cache::resolve(Some("here".into()), None)?.root().is_absolute());
        assert!(Cache::new("here").root().is_absolute());
        Ok(())
    }

    #[test]
    fn without_a_home_the_error_names_the_variable() {
        let error = Cache::resolve(None, None).expect_err("no folder is known");
        assert!(error.to_string().contains(HOME_VARIABLE), "{error}");
    }

    #[test]
    fn only_old_work_folders_are_swept() -> Outcome {
        let home = tempfile::tempdir()?;
        let cache = Cache::new(home.path());
        let running = cache.work_folder()?;
        let other = cache.models().join("kept");
        fs::create_dir(&other)?;
        sweep(&cache.models(), STALE);
        assert!(running.path().exists());
        sweep(&cache.models(), Duration::ZERO);
        assert!(!running.path().exists() && other.exists());
        Ok(())
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_with_the_remedy() -> Outcome {
        let home = tempfile::tempdir()?;
        let file = home.path().join("file");
        fs::write(&file, "in the way")?;
        let error = Cache::new(&file).work_folder().expect_err("a file is no folder").to_string();
        assert!(error.contains(&file.display().to_string()) && error.contains(HOME_VARIABLE), "{error}");
        Ok(())
    }
}
