use std::path::Path;

use crate::adapter::ScoreHead;
use crate::model::LanguageModel;
use crate::model_file::{family_of_encoder, require_gguf};
use crate::module_path::ModulePath;
use crate::{Error, decoder, encoder};

impl LanguageModel {
    /// Writes the model at `path`, a `.gguf` file or a Hugging Face folder, as a folder in f32, each linear layer as
    /// `change` leaves it: its weight is `[out, in]`, row-major. So an adapter is merged.
    ///
    /// # Errors
    /// What loading reports; a folder that can't be written; what `change` returns.
    pub fn export<E: From<Error>>(
        path: &Path,
        folder: &Path,
        change: impl FnMut(ModulePath, &mut Vec<f32>) -> Result<(), E>,
    ) -> Result<(), E> {
        Self::export_with_head(path, folder, None, change)
    }

    /// Writes the model as [`LanguageModel::export`] does, an encoder with a score head.
    ///
    /// # Errors
    /// As [`LanguageModel::export`]; a head for a decoder.
    pub fn export_with_head<E: From<Error>>(
        path: &Path,
        folder: &Path,
        head: Option<&ScoreHead>,
        change: impl FnMut(ModulePath, &mut Vec<f32>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some((family, config)) = family_of_encoder(path)? {
            return encoder::export(path, &config, family, folder, head, change);
        }
        if head.is_some() {
            let (what, supported) = ("a score head in a decoder".to_owned(), "encoders".to_owned());
            return Err(E::from(Error::Unsupported { path: path.into(), what, supported }));
        }
        if !path.is_dir() {
            require_gguf(path)?;
        }
        decoder::export(path, folder, change)
    }
}
