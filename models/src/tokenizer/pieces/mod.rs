//! SentencePiece vocabularies: pieces with scores, and the bytes for whatever has no piece.

mod encode;
mod export;
mod gguf;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

/// How a space is spelled in pieces.
const SPACE: char = '▁';

/// A SentencePiece vocabulary of the kind BPE, as the GGUF files of Llama 2, TinyLlama, Mistral and Gemma
/// have it (`tokenizer.ggml.model` is `llama`).
///
/// Text is cut into characters, and of all neighbours that together spell a piece those with the highest
/// score are joined, the leftmost where scores are equal, until none are left. A character that is no piece
/// becomes its UTF-8 bytes. User-defined pieces are found first, the longest at each place, and stay whole.
///
/// # Reference
/// `bpe::Model::Encode` of the sentencepiece library 0.2, whose ids these are for models without a
/// normaliser. Pieces marked as unused never come out of a text; there, they are taken apart again.
pub struct Pieces {
    /// Spellings, by id.
    tokens: Vec<Arc<str>>,
    kinds: Vec<Kind>,
    /// By id. Not NaN, and zero is positive.
    scores: Vec<f32>,
    /// The pieces that characters are joined to: the normal ones.
    ids: HashMap<Arc<str>, u32>,
    /// Bytes of the longest of them.
    longest: usize,
    /// User-defined pieces by their first character, longest first.
    fixed: HashMap<char, Vec<(String, u32)>>,
    fallback: Fallback,
    /// Whether a text begins with a space that it doesn't have.
    space_prefix: bool,
}

/// `tokenizer.ggml.token_type`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// What becomes of a character that is no piece.
enum Fallback {
    /// A token for every value of a byte.
    Bytes(Box<[u32; 256]>),
    /// One token for each run of such characters.
    Unknown(u32),
}

impl Pieces {
    /// The spelling of a token.
    pub fn piece(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize).map(|token| &**token)
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }
}
