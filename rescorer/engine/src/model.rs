//! What a model is called by.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rescorer_models::{DeviceRequest, LanguageModel, PrecisionRequest, named};

use crate::error::Error;

/// The model of a rescorer: a name or a path, which is loaded, or a model that is loaded and may be shared.
#[derive(Clone)]
pub enum Model {
    /// A named model such as `smollm2-135m`, a `.gguf` file, or a Hugging Face folder.
    Name(String),
    /// A loaded one.
    Loaded(Arc<LanguageModel>),
}

impl Model {
    /// Loads a model, so that several rescorers share it: clones share the weights.
    ///
    /// # Errors
    /// A model that can't be found, fetched or loaded.
    pub fn load(
        name: impl AsRef<Path>,
        device: DeviceRequest,
        precision: impl Into<PrecisionRequest>,
    ) -> Result<Self, Error> {
        let path = Self::locate(&name.as_ref().to_string_lossy(), false)?;
        Ok(Self::Loaded(Arc::new(LanguageModel::load(&path, device, precision)?)))
    }

    /// Path of a model that has to be loaded, fetched where it is not there and `offline` does not forbid it.
    pub(crate) fn locate(name: &str, offline: bool) -> Result<PathBuf, Error> {
        Ok(named::locate(name, offline).map_err(rescorer_models::Error::from)?)
    }
}

impl From<&str> for Model {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Model {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<&Path> for Model {
    fn from(path: &Path) -> Self {
        Self::Name(path.display().to_string())
    }
}

impl From<PathBuf> for Model {
    fn from(path: PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<Arc<LanguageModel>> for Model {
    fn from(model: Arc<LanguageModel>) -> Self {
        Self::Loaded(model)
    }
}
