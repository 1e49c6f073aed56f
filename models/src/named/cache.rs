//! The folder that keeps fetched models.

#[cfg(any(feature = "fetch", feature = "cubecl"))]
use std::ffi::OsString;
use std::path::{Path, PathBuf};

#[cfg(any(feature = "fetch", feature = "cubecl"))]
use super::NamedError;

/// The environment variable that moves the cache.
pub const HOME_VARIABLE: &str = "RESCORER_HOME";

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
    #[cfg(any(feature = "fetch", feature = "cubecl"))]
    pub fn from_env() -> Result<Self, NamedError> {
        Self::resolve(std::env::var_os(HOME_VARIABLE), dirs::cache_dir())
    }

    #[cfg(any(feature = "fetch", feature = "cubecl"))]
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
}

#[cfg(all(test, any(feature = "fetch", feature = "cubecl")))]
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
}
