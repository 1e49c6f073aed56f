//! Text to tokens, from `tokenizer.json` or from GGUF metadata.

mod gguf;

use std::panic::catch_unwind;
use std::path::Path;

use serde::Deserialize;

pub use gguf::from_gguf;

use crate::Error;

/// A tokenizer with the ids that begin and end a sentence.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    bos: Option<u32>,
    eos: Option<u32>,
}

impl Tokenizer {
    /// Text that looks like a special token is text: a recogniser's output has no control tokens.
    fn new(mut inner: tokenizers::Tokenizer, bos: Option<u32>, eos: Option<u32>) -> Self {
        inner.set_encode_special_tokens(true);
        Self { inner, bos, eos }
    }

    /// From a Hugging Face folder: `tokenizer.json`, and BOS and EOS from `config.json`.
    ///
    /// # Errors
    /// A file that is missing or not what it should be.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("tokenizer.json");
        let fail = |reason: String| Error::Tokenizer { path: path.clone(), reason };
        let text = std::fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        // The tokenizer library panics on some files that contradict themselves.
        let inner = catch_unwind(|| tokenizers::Tokenizer::from_bytes(text))
            .map_err(|_| fail("the file contradicts itself; download it again".into()))?
            .map_err(|e| fail(e.to_string()))?;
        let config = folder.join("config.json");
        let text = std::fs::read(&config).map_err(|source| Error::Io { path: config.clone(), source })?;
        let ids: SpecialIds = serde_json::from_slice(&text)
            .map_err(|e| Error::Malformed { path: config.clone(), reason: e.to_string() })?;
        Ok(Self::new(
            inner,
            ids.bos_token_id.and_then(OneOrMany::first),
            ids.eos_token_id.and_then(OneOrMany::first),
        ))
    }

    /// The text of a `tokenizer.json`.
    ///
    /// # Errors
    /// The tokenizer's own reason.
    pub fn to_json(&self) -> Result<String, Error> {
        let fail = |reason: String| Error::Tokenizer { path: "tokenizer.json".into(), reason };
        self.inner.to_string(true).map_err(|e| fail(e.to_string()))
    }

    /// Tokens of `text` alone, without BOS and EOS.
    ///
    /// # Errors
    /// The tokenizer's own reason.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(|e| Error::Tokenizer { path: "(text)".into(), reason: format!("{e}, in {text:?}") })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The written form of a token, as the vocabulary spells it.
    pub fn piece(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Number of tokens, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Beginning of a sentence, where the model has one.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// End of a sentence, where the model has one.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }
}

#[derive(Deserialize)]
struct SpecialIds {
    bos_token_id: Option<OneOrMany>,
    eos_token_id: Option<OneOrMany>,
}

/// Chat models list several ends; the first is the sentence's.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u32),
    Many(Vec<u32>),
}

impl OneOrMany {
    fn first(self) -> Option<u32> {
        match self {
            Self::One(id) => Some(id),
            Self::Many(ids) => ids.first().copied(),
        }
    }
}
