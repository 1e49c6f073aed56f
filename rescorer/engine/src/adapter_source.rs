//! Where an adapter comes from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rescorer_lora::LoraAdapter;
use rescorer_models::{Adapter, LanguageModel};

use crate::error::Error;
use crate::scoring::adapters::AdapterSet;

/// An adapter for a rescorer: its folder, or an adapter that is attached to the model already.
#[derive(Clone)]
pub enum AdapterSource {
    /// Folder in the format of Hugging Face PEFT, with a `policy.toml` perhaps; or `speech`, the adapter in this library, where
    /// no folder of that name holds an adapter.
    Folder(PathBuf),
    /// An attached adapter.
    Attached(Arc<dyn Adapter>),
}

impl From<&str> for AdapterSource {
    fn from(folder: &str) -> Self {
        Self::Folder(folder.into())
    }
}

impl From<&Path> for AdapterSource {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.into())
    }
}

impl From<PathBuf> for AdapterSource {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl From<&PathBuf> for AdapterSource {
    fn from(folder: &PathBuf) -> Self {
        Self::Folder(folder.clone())
    }
}

impl From<Arc<dyn Adapter>> for AdapterSource {
    fn from(adapter: Arc<dyn Adapter>) -> Self {
        Self::Attached(adapter)
    }
}

/// Name of the adapter in this library: of `smollm2-135m`, for speech of any domain.
#[cfg(feature = "speech")]
const BUILT_IN: &str = "speech";

/// The adapter of a folder, or the built-in one.
pub(crate) fn read(folder: &Path) -> Result<LoraAdapter, Error> {
    #[cfg(feature = "speech")]
    if folder == Path::new(BUILT_IN) && !folder.join("adapter_config.json").exists() {
        let config = include_bytes!("../adapters/speech/adapter_config.json");
        let weights = include_bytes!("../adapters/speech/adapter_model.safetensors");
        return Ok(LoraAdapter::from_bytes(folder, config, weights)?);
    }
    Ok(LoraAdapter::read(folder)?)
}

/// Adapters that are read and wait for their model.
pub(crate) struct ReadAdapters(Vec<(String, Waiting)>);

enum Waiting {
    Read(Box<LoraAdapter>),
    Attached(Arc<dyn Adapter>),
}

impl ReadAdapters {
    pub(crate) fn new(sources: &[(String, AdapterSource)]) -> Result<Self, Error> {
        let taken = |(name, source): &(String, AdapterSource)| {
            let waiting = match source {
                AdapterSource::Folder(folder) => Waiting::Read(Box::new(read(folder)?)),
                AdapterSource::Attached(adapter) => Waiting::Attached(adapter.clone()),
            };
            Ok((name.clone(), waiting))
        };
        Ok(Self(sources.iter().map(taken).collect::<Result<_, Error>>()?))
    }

    /// Attaches them to a model, and says what has to be said of them: an adapter that does not name the model it was trained on may
    /// be for another one of the same shapes.
    pub(crate) fn attach(
        self,
        model: &LanguageModel,
        warnings: &mut Vec<String>,
    ) -> Result<AdapterSet, Error> {
        let attach = |(name, waiting): (String, Waiting)| {
            let adapter: Arc<dyn Adapter> = match waiting {
                Waiting::Attached(adapter) => adapter,
                Waiting::Read(adapter) => {
                    if adapter.base_fingerprint.is_none() {
                        warnings.push(format!(
                            "adapter {name} does not say which model it was trained on; its shapes fit this one"
                        ));
                    }
                    adapter.attach(model)?
                }
            };
            Ok((name, adapter))
        };
        AdapterSet::new(self.0.into_iter().map(attach).collect::<Result<_, Error>>()?)
    }
}

#[cfg(all(test, feature = "speech"))]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_adapter_is_whole() {
        let adapter = read(Path::new(BUILT_IN)).unwrap();
        assert_eq!((adapter.settings.rank, adapter.modules.len()), (4, 30 * 7));
        assert!(adapter.base_fingerprint.is_some());
        assert!(read(Path::new("no such folder")).is_err());
        // 16 bits are enough: nothing overflows.
        assert!(
            adapter
                .modules
                .values()
                .all(|module| module.rank() == 4 && module.a.iter().all(|a| a.is_finite()))
        );
    }
}
