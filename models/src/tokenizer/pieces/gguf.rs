use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Fallback, Kind, Pieces, SPACE};
use crate::Error;
use crate::weights::Gguf;

/// Steps before the pieces that we do not take. The sentencepiece models in question have none.
const REFUSED: [&str; 2] = ["tokenizer.ggml.precompiled_charsmap", "tokenizer.ggml.remove_extra_whitespaces"];

impl Pieces {
    /// Reads the vocabulary of a GGUF file.
    ///
    /// `tokenizer.ggml.add_space_prefix` is true where the key is absent, as in llama.cpp.
    ///
    /// # Errors
    /// Arrays that are missing or differ in length, kinds of token that don't exist, scores that are no
    /// numbers, a vocabulary that can't spell every text, a normaliser.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, Error> {
        let path = gguf.store.path();
        let fail = |reason: String| Error::Tokenizer { path: path.into(), reason };
        for key in REFUSED {
            if gguf.get(key).is_some_and(|value| *value != crate::weights::MetaValue::Bool(false)) {
                let supported = "SentencePiece vocabularies without a normaliser".into();
                return Err(Error::Unsupported { path: path.into(), what: key.into(), supported });
            }
        }
        let tokens =
            gguf.strings("tokenizer.ggml.tokens")?.ok_or_else(|| fail("no tokenizer.ggml.tokens".into()))?;
        let scores =
            gguf.floats("tokenizer.ggml.scores")?.ok_or_else(|| fail("no tokenizer.ggml.scores".into()))?;
        let kinds = gguf
            .ints("tokenizer.ggml.token_type")?
            .ok_or_else(|| fail("no tokenizer.ggml.token_type".into()))?;
        let space_prefix = gguf.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
        let unknown = gguf.uint("tokenizer.ggml.unknown_token_id")?;
        Self::new(&tokens, scores, &kinds, unknown, space_prefix).map_err(fail)
    }

    pub(super) fn new(
        tokens: &[&str],
        mut scores: Vec<f32>,
        kinds: &[i128],
        unknown: Option<usize>,
        space_prefix: bool,
    ) -> Result<Self, String> {
        for (what, len) in [("scores", scores.len()), ("token types", kinds.len())] {
            if len != tokens.len() {
                return Err(format!("{len} {what} for {} tokens", tokens.len()));
            }
        }
        let kinds = kinds
            .iter()
            .enumerate()
            .map(|(id, number)| kind(*number).ok_or_else(|| format!("token {id} has the type {number}")))
            .collect::<Result<Vec<_>, String>>()?;
        if let Some(id) = scores.iter().position(|score| score.is_nan()) {
            return Err(format!("the score of token {id} is not a number"));
        }
        // −0 and 0 are equal as scores.
        scores.iter_mut().for_each(|score| *score += 0.0);
        let spellings: Vec<Arc<str>> = tokens.iter().map(|token| Arc::from(*token)).collect();
        let normal = || kinds.iter().enumerate().filter(|(_, kind)| **kind == Kind::Normal);
        let mut ids = HashMap::with_capacity(normal().count());
        for (id, _) in normal() {
            ids.entry(Arc::clone(&spellings[id])).or_insert(id as u32);
        }
        let longest = ids.keys().map(|piece| piece.len()).max().unwrap_or(0);
        let fixed = user_defined(tokens, &kinds)?;
        let fallback = fallback(tokens, &kinds, unknown)?;
        Ok(Self { tokens: spellings, kinds, scores, ids, longest, fixed, fallback, space_prefix })
    }
}

fn kind(number: i128) -> Option<Kind> {
    Some(match number {
        1 => Kind::Normal,
        2 => Kind::Unknown,
        3 => Kind::Control,
        4 => Kind::UserDefined,
        5 => Kind::Unused,
        6 => Kind::Byte,
        _ => return None,
    })
}

/// Files spell spaces in user-defined pieces either way.
fn user_defined(tokens: &[&str], kinds: &[Kind]) -> Result<HashMap<char, Vec<(String, u32)>>, String> {
    let mut fixed: HashMap<char, Vec<(String, u32)>> = HashMap::new();
    for (id, (token, kind)) in tokens.iter().zip(kinds).enumerate() {
        if *kind == Kind::UserDefined {
            let piece = token.replace(' ', SPACE.encode_utf8(&mut [0; 4]));
            let first =
                piece.chars().next().ok_or_else(|| format!("token {id} is user-defined and empty"))?;
            fixed.entry(first).or_default().push((piece, id as u32));
        }
    }
    fixed.values_mut().for_each(|pieces| pieces.sort_by_key(|(piece, _)| Reverse(piece.len())));
    Ok(fixed)
}

fn fallback(tokens: &[&str], kinds: &[Kind], unknown: Option<usize>) -> Result<Fallback, String> {
    let of_kind = |kind: Kind| kinds.iter().enumerate().filter(move |(_, found)| **found == kind);
    let mut bytes = [None; 256];
    for (id, _) in of_kind(Kind::Byte) {
        let digits = tokens[id].strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
        let value = digits
            .filter(|digits| digits.len() == 2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or_else(|| format!("byte token {id} is {:?}; it should be like <0x0A>", tokens[id]))?;
        bytes[usize::from(value)].get_or_insert(id as u32);
    }
    if let Some(bytes) = bytes.iter().copied().collect::<Option<Vec<u32>>>() {
        let mut table = Box::new([0; 256]);
        table.copy_from_slice(&bytes);
        return Ok(Fallback::Bytes(table));
    }
    let unknown = match unknown {
        Some(id) if id >= tokens.len() => {
            return Err(format!(
                "tokenizer.ggml.unknown_token_id is {id}, there are {} tokens",
                tokens.len()
            ));
        }
        Some(id) => Some(id),
        None => of_kind(Kind::Unknown).next().map(|(id, _)| id),
    };
    let unknown = unknown.ok_or("neither tokens for all 256 bytes nor one for unknown characters")?;
    Ok(Fallback::Unknown(unknown as u32))
}
