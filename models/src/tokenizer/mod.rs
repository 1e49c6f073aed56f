//! Text to tokens, from `tokenizer.json` or from GGUF metadata.

mod gguf;
mod pieces;
mod pre_tokenizer;

use std::panic::catch_unwind;
use std::path::Path;

use serde::Deserialize;

pub use gguf::from_gguf;

use crate::Error;
use pieces::Pieces;

/// A tokenizer with the ids that begin and end a sentence.
///
/// Text that looks like a special token is text: a recogniser's output has no control tokens.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    bos: Option<u32>,
    eos: Option<u32>,
    mask: Option<u32>,
}

enum Vocabulary {
    Library(Box<tokenizers::Tokenizer>),
    Pieces(Pieces),
}

impl Tokenizer {
    fn new(mut library: tokenizers::Tokenizer, bos: Option<u32>, eos: Option<u32>) -> Self {
        library.set_encode_special_tokens(true);
        // What a file says of lengths is about batches of its own program: nothing is cut here, nor filled up.
        _ = library.with_truncation(None);
        library.with_padding(None);
        Self { vocabulary: Vocabulary::Library(Box::new(library)), bos, eos, mask: None }
    }

    fn from_pieces(pieces: Pieces, bos: Option<u32>, eos: Option<u32>) -> Self {
        Self { vocabulary: Vocabulary::Pieces(pieces), bos, eos, mask: None }
    }

    /// From a Hugging Face folder: `tokenizer.json`, and BOS and EOS from `config.json`.
    ///
    /// # Errors
    /// A file that is missing or not what it should be.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        let inner = library(folder)?;
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

    /// That of an encoder: the tokens that begin and end a sequence and the one that stands for any other, by the names that BERT or
    /// RoBERTa gives them.
    ///
    /// # Errors
    /// A file that is missing or not what it should be; a vocabulary without these tokens.
    pub fn of_encoder(folder: &Path) -> Result<Self, Error> {
        let inner = library(folder)?;
        let found = ENCODER_TOKENS.iter().find_map(|[first, last, mask]| {
            Some((inner.token_to_id(first)?, inner.token_to_id(last)?, inner.token_to_id(mask)))
        });
        let Some((first, last, mask)) = found else {
            let reason = "the vocabulary has neither [CLS] and [SEP] nor <s> and </s>".to_owned();
            return Err(Error::Tokenizer { path: folder.join("tokenizer.json"), reason });
        };
        Ok(Self { mask, ..Self::new(inner, Some(first), Some(last)) })
    }

    /// The text of a `tokenizer.json`.
    ///
    /// # Errors
    /// The tokenizer's own reason.
    pub fn to_json(&self) -> Result<String, Error> {
        let fail = |reason: String| Error::Tokenizer { path: "tokenizer.json".into(), reason };
        match &self.vocabulary {
            Vocabulary::Library(library) => library.to_string(true).map_err(|e| fail(e.to_string())),
            Vocabulary::Pieces(pieces) => {
                pieces.to_library().map_err(fail)?.to_string(true).map_err(|e| fail(e.to_string()))
            }
        }
    }

    /// Tokens of `text` alone, without BOS and EOS.
    ///
    /// # Errors
    /// The tokenizer's own reason.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        match &self.vocabulary {
            Vocabulary::Library(library) => {
                let encoding = library.encode_fast(text, false).map_err(|e| Error::Tokenizer {
                    path: "(text)".into(),
                    reason: format!("{e}, in {text:?}"),
                })?;
                Ok(encoding.get_ids().to_vec())
            }
            Vocabulary::Pieces(pieces) => Ok(pieces.encode(text)),
        }
    }

    /// The written form of a token, as the vocabulary spells it.
    pub fn piece(&self, id: u32) -> Option<String> {
        match &self.vocabulary {
            Vocabulary::Library(library) => library.id_to_token(id),
            Vocabulary::Pieces(pieces) => pieces.piece(id).map(str::to_string),
        }
    }

    /// Number of tokens, added ones included.
    pub fn vocab_size(&self) -> usize {
        match &self.vocabulary {
            Vocabulary::Library(library) => library.get_vocab_size(true),
            Vocabulary::Pieces(pieces) => pieces.len(),
        }
    }

    /// Beginning of a sentence, where the model has one.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// End of a sentence, where the model has one.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// What an encoder sees in place of a token that it is asked for.
    pub fn mask(&self) -> Option<u32> {
        self.mask
    }
}

/// What begins a sequence, ends it and stands for any token: BERT's names, and RoBERTa's.
const ENCODER_TOKENS: [[&str; 3]; 2] = [["[CLS]", "[SEP]", "[MASK]"], ["<s>", "</s>", "<mask>"]];

fn library(folder: &Path) -> Result<tokenizers::Tokenizer, Error> {
    let path = folder.join("tokenizer.json");
    let fail = |reason: String| Error::Tokenizer { path: path.clone(), reason };
    let text = std::fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
    // The tokenizer library panics on some files that contradict themselves.
    catch_unwind(|| tokenizers::Tokenizer::from_bytes(text))
        .map_err(|_| fail("the file contradicts itself; download it again".into()))?
        .map_err(|e| fail(e.to_string()))
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
