use std::path::Path;

use crate::backend::{Backend, Host, Tensors};
use crate::device::{ComputeDevice, DeviceRequest, PrecisionRequest};
use crate::model::LanguageModel;
use crate::model_file::{family_of_encoder, require_gguf};
use crate::network::Network;
use crate::self_test::load_tested;
use crate::tokenizer::{self, Tokenizer};
use crate::weights::Gguf;
use crate::{Error, decoder, encoder};

impl LanguageModel {
    /// Loads a `.gguf` file or a Hugging Face folder onto a device.
    ///
    /// A GPU first scores a few tokens, and the CPU the same ones from the same file. Where they disagree, `Auto`
    /// takes the CPU, and [`ComputeDevice::warning`] says why; a device or f16 that was asked for is an error.
    ///
    /// # Errors
    /// A path that is no model, a damaged file, an unsupported architecture or tensor type, no such device, one
    /// that can't compute with this precision or fails the test.
    pub fn load(
        path: &Path,
        request: DeviceRequest,
        precision: impl Into<PrecisionRequest>,
    ) -> Result<Self, Error> {
        let precision = precision.into();
        let device = ComputeDevice::open(request, precision)?;
        // Whoever asked for a device or for f16 gets it or hears why not.
        let fallback = if request == DeviceRequest::Auto { precision.on_cpu() } else { None };
        load_tested(&device, fallback, |device| Self::load_onto(path, device))
    }

    /// Loads a model onto the CPU with its weights in both directions, for [`LanguageModel::training_pass`].
    ///
    /// In int8, which is what `Auto` means, a step computes the scores that the adapter is used with, in three quarters of the time of
    /// f32. The cosine of its gradients with those of f32 is above 0.999.
    ///
    /// # Errors
    /// As [`LanguageModel::load`]; f16, which the CPU can't compute in.
    #[cfg(feature = "training")]
    pub fn load_for_training(path: &Path, precision: impl Into<PrecisionRequest>) -> Result<Self, Error> {
        Self::load_onto(path, ComputeDevice::cpu_for_training(precision.into())?)
    }

    /// Loads a model onto an opened device. Here it is decided what computes its layers.
    pub(crate) fn load_onto(path: &Path, device: ComputeDevice) -> Result<Self, Error> {
        match device.is_cpu() {
            true => Self::load_for::<Host>(path, &device),
            false => Self::load_for::<Tensors>(path, &device),
        }
    }

    fn load_for<B: Backend>(path: &Path, device: &ComputeDevice) -> Result<Self, Error> {
        let (network, fingerprint, tokenizer): (Box<dyn Network>, _, _) = match family_of_encoder(path)? {
            Some((family, config)) => {
                let (encoder, fingerprint) = encoder::load::<B>(path, &config, family, device)?;
                (Box::new(encoder), fingerprint, Tokenizer::of_encoder(path)?)
            }
            None if path.is_dir() => {
                let (decoder, fingerprint) = decoder::load_safetensors::<B>(path, device)?;
                (Box::new(decoder), fingerprint, Tokenizer::from_folder(path)?)
            }
            None => {
                require_gguf(path)?;
                let gguf = Gguf::open(path)?;
                // The tokenizer of a large vocabulary takes as long to build as the weights to pack.
                let (loaded, tokenizer) =
                    rayon::join(|| decoder::load_gguf::<B>(&gguf, device), || tokenizer::from_gguf(&gguf));
                let (decoder, fingerprint) = loaded?;
                (Box::new(decoder), fingerprint, tokenizer?)
            }
        };
        let model = Self::new(network, tokenizer, fingerprint);
        let (tokens, rows) = (model.tokenizer().vocab_size(), model.vocab_size());
        if tokens > rows {
            let reason = format!("{tokens} tokens, the model has embeddings for {rows}");
            return Err(Error::Tokenizer { path: path.into(), reason });
        }
        Ok(model)
    }
}
