//! The folder that a pull works in.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::named::{Cache, NamedError};

/// Prefix of the folders that a running [`pull`](super::pull()) works in.
const WORK_PREFIX: &str = ".pull-";

/// Age at which such a folder belongs to a pull that was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

impl Cache {
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
    use crate::named::HOME_VARIABLE;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

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
