//! Where an adapter comes from.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rescorer_lora::LoraAdapter;
use rescorer_models::{Adapter, LanguageModel};

use crate::error::Error;
use crate::fusion::model_identity::ModelIdentity;
use crate::scoring::adapters::AdapterSet;

/// An adapter for a rescorer: its folder, or an adapter that is attached to the model already.
#[derive(Clone)]
pub enum AdapterSource {
    /// Folder in the format of Hugging Face PEFT, with a `policy.toml` perhaps. Where no folder of that name holds an adapter,
    /// `speech` is the adapter in this library, and `none` stands for no adapter.
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

/// Stands for no adapter.
const NONE: &str = "none";

impl AdapterSource {
    /// Whether it says that there is to be no adapter.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::Folder(folder) if is_name(folder, NONE))
    }
}

/// Whether this is no folder with an adapter, but one of the names that mean something else.
fn is_name(folder: &Path, name: &str) -> bool {
    folder == Path::new(name) && !folder.join(LoraAdapter::CONFIG_FILE).exists()
}

/// The adapter in this library: of `smollm2-135m`, for speech of any domain.
pub(crate) struct BuiltIn {
    adapter: LoraAdapter,
    fingerprint: String,
}

impl BuiltIn {
    pub(crate) const NAME: &str = "speech";

    /// It, where it was compiled in.
    pub(crate) fn get() -> Option<&'static Self> {
        static BUILT_IN: OnceLock<Option<BuiltIn>> = OnceLock::new();
        let read = || {
            let adapter = Self::read()?.ok()?;
            Some(Self { fingerprint: adapter.fingerprint(), adapter })
        };
        BUILT_IN.get_or_init(read).as_ref()
    }

    #[cfg(feature = "speech")]
    fn read() -> Option<Result<LoraAdapter, Error>> {
        let config = include_bytes!("../adapters/speech/adapter_config.json");
        let weights = include_bytes!("../adapters/speech/adapter_model.safetensors");
        Some(LoraAdapter::from_bytes(Path::new(Self::NAME), config, weights).map_err(Error::from))
    }

    #[cfg(not(feature = "speech"))]
    fn read() -> Option<Result<LoraAdapter, Error>> {
        None
    }

    /// Whether it was trained on this model.
    pub(crate) fn is_for(&self, model: &LanguageModel) -> bool {
        self.adapter.base_fingerprint.as_deref() == Some(model.fingerprint())
    }

    /// Its adapter, for a model that it was trained on.
    #[cfg(feature = "training")]
    pub(crate) fn adapter_for(model: &LanguageModel) -> Option<LoraAdapter> {
        Self::get().filter(|built_in| built_in.is_for(model)).map(|built_in| built_in.adapter.clone())
    }

    /// It, where it is the adapter of this identity.
    pub(crate) fn of(adapter: Option<&ModelIdentity>) -> Option<&'static Self> {
        let adapter = adapter?;
        Self::get().filter(|built_in| built_in.fingerprint == adapter.fingerprint)
    }

    /// Whether an adapter is this one, or has its name.
    pub(crate) fn is_it(&self, name: &str, adapter: &dyn Adapter) -> bool {
        name == Self::NAME || adapter.fingerprint() == Some(&self.fingerprint)
    }

    /// Attaches it to a model, for all lists, whatever they name.
    pub(crate) fn attach(&self, model: &LanguageModel) -> Result<AdapterSet, Error> {
        Ok(AdapterSet::new(vec![self.attached(model)?])?.for_all_lists())
    }

    /// Attaches it to a model as the last of several adapters.
    pub(crate) fn attach_beside(
        &self,
        others: AdapterSet,
        model: &LanguageModel,
    ) -> Result<AdapterSet, Error> {
        others.and(self.attached(model)?)
    }

    fn attached(&self, model: &LanguageModel) -> Result<(String, Arc<dyn Adapter>), Error> {
        Ok((Self::NAME.to_owned(), self.adapter.attach(model)?))
    }
}

/// The adapter of a folder, or the built-in one.
pub(crate) fn read(folder: &Path) -> Result<LoraAdapter, Error> {
    if is_name(folder, BuiltIn::NAME)
        && let Some(built_in) = BuiltIn::read()
    {
        return built_in;
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
        let adapter = read(Path::new(BuiltIn::NAME)).unwrap();
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
