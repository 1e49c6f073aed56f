use std::path::Path;

use super::tensors::Contents;
use super::{CONFIG, PICKLED, WEIGHTS, config, tensors};
use crate::adapter::LoraAdapter;
use crate::error::Error;
use crate::settings::LoraSettings;

impl LoraAdapter {
    /// Reads a folder of Hugging Face PEFT: `adapter_config.json` and `adapter_model.safetensors`, of type LORA or
    /// ADALORA.
    ///
    /// # Errors
    /// Files that are missing, damaged or contradict each other, numbers that are not finite; another type of adapter
    /// or a setting that changes what it computes.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let config = read_config(folder)?;
        if !folder.join(WEIGHTS).exists() && folder.join(PICKLED).exists() {
            return Err(pickled(folder));
        }
        Self::with_weights(folder, config, &read_file(&folder.join(WEIGHTS))?)
    }

    /// Reads the contents of both files. `folder` stands for them in messages.
    ///
    /// # Errors
    /// As for [`Self::read`], but for missing files.
    pub fn from_bytes(folder: &Path, config: &[u8], weights: &[u8]) -> Result<Self, Error> {
        Self::with_weights(folder, config::parse(&folder.join(CONFIG), config)?, weights)
    }

    fn with_weights(folder: &Path, config: config::Config, weights: &[u8]) -> Result<Self, Error> {
        let config::Config { settings, kept_ranks, has_head } = config;
        let Contents { modules, head, base_fingerprint } =
            tensors::parse(&folder.join(WEIGHTS), weights, &settings, &kept_ranks, has_head)?;
        Ok(Self { settings, modules, kept_ranks, head, base_fingerprint, path: folder.into() })
    }
}

impl LoraSettings {
    /// Reads how the adapter of a folder was set up, and none of its matrices.
    ///
    /// # Errors
    /// A file that is missing or damaged; as [`LoraAdapter::read`].
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Ok(read_config(folder)?.settings)
    }
}

fn read_config(folder: &Path) -> Result<config::Config, Error> {
    let path = folder.join(CONFIG);
    config::parse(&path, &read_file(&path)?)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Io { path: path.into(), source })
}

/// A pickle can run any program when it is read, so it is left to PyTorch.
fn pickled(folder: &Path) -> Error {
    let [from, to] = [PICKLED, WEIGHTS].map(|name| folder.join(name));
    let reason = format!(
        "a pickle of PyTorch is not read; convert it with python -c 'import torch; from safetensors.torch import save_file; \
         tensors = torch.load(\"{}\", map_location=\"cpu\", weights_only=True); \
         save_file({{name: tensor.contiguous() for name, tensor in tensors.items()}}, \"{}\")'",
        from.display(),
        to.display()
    );
    Error::Malformed { path: from, reason }
}
