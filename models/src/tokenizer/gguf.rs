use tokenizers::AddedToken;
use tokenizers::models::bpe::BPE;

use super::Tokenizer;
use super::pieces::Pieces;
use super::pre_tokenizer::{self, Steps, Unknown};
use crate::Error;
use crate::weights::{Gguf, MetaValue};

/// Kinds of token in `tokenizer.ggml.token_type`.
const CONTROL: i128 = 3;
const USER_DEFINED: i128 = 4;

/// Rebuilds the tokenizer of a GGUF file: byte-level BPE or SentencePiece.
///
/// `tokenizer.ggml.add_bos_token` is not asked: what begins a sentence is the caller's convention.
///
/// # Errors
/// Another kind of vocabulary, an unknown pre-tokenizer, tokens or merges that do not fit.
pub fn from_gguf(gguf: &Gguf) -> Result<Tokenizer, Error> {
    let ends = || Ok::<_, Error>((special(gguf, "bos_token_id")?, special(gguf, "eos_token_id")?));
    match gguf.string("tokenizer.ggml.model")? {
        Some("gpt2") => {
            let library = byte_level(gguf)?;
            let (bos, eos) = ends()?;
            Ok(Tokenizer::new(library, bos, eos))
        }
        Some("llama") => {
            let pieces = Pieces::from_gguf(gguf)?;
            let (bos, eos) = ends()?;
            Ok(Tokenizer::from_pieces(pieces, bos, eos))
        }
        other => Err(Error::Unsupported {
            path: gguf.store.path().into(),
            what: format!("tokenizer model {}", other.unwrap_or("(none)")),
            supported: "gpt2 (byte-level BPE), llama (SentencePiece)".into(),
        }),
    }
}

/// A token that the metadata names by its id.
fn special(gguf: &Gguf, name: &str) -> Result<Option<u32>, Error> {
    let tokens = match gguf.get("tokenizer.ggml.tokens") {
        Some(MetaValue::Array(tokens)) => tokens.len(),
        _ => 0,
    };
    match gguf.uint(&format!("tokenizer.ggml.{name}"))? {
        Some(id) if id >= tokens => {
            let reason = format!("tokenizer.ggml.{name} is {id}, there are {tokens} tokens");
            Err(Error::Tokenizer { path: gguf.store.path().into(), reason })
        }
        id => Ok(id.map(|id| id as u32)),
    }
}

fn byte_level(gguf: &Gguf) -> Result<tokenizers::Tokenizer, Error> {
    let path = gguf.store.path();
    let fail = |reason: String| Error::Tokenizer { path: path.into(), reason };
    let tokens =
        gguf.strings("tokenizer.ggml.tokens")?.ok_or_else(|| fail("no tokenizer.ggml.tokens".into()))?;
    let merges =
        gguf.strings("tokenizer.ggml.merges")?.ok_or_else(|| fail("no tokenizer.ggml.merges".into()))?;
    let merges: Vec<(String, String)> = merges
        .iter()
        .map(|merge| {
            let (left, right) =
                merge.split_once(' ').ok_or_else(|| fail(format!("merge {merge:?} is not a pair")))?;
            Ok((left.into(), right.into()))
        })
        .collect::<Result<_, Error>>()?;
    let architecture = gguf.string("general.architecture")?.unwrap_or("");
    let steps = pre_tokenizer::steps(gguf.string("tokenizer.ggml.pre")?, architecture, &tokens);
    let steps = steps.map_err(|unknown| match unknown {
        Unknown::Name(name) => Error::Unsupported {
            path: path.into(),
            what: format!("tokenizer.ggml.pre {name}"),
            supported: format!(
                "{}; or the model's Hugging Face folder, whose tokenizer.json says how text is cut",
                pre_tokenizer::names()
            ),
        },
        Unknown::Library(reason) => fail(reason),
    })?;
    let mut tokenizer = assemble(&tokens, merges, steps).map_err(fail)?;
    add_special(&mut tokenizer, gguf, &tokens).map_err(fail)?;
    Ok(tokenizer)
}

/// Byte-level BPE of a vocabulary.
pub(super) fn assemble(
    tokens: &[&str],
    merges: Vec<(String, String)>,
    steps: Steps,
) -> Result<tokenizers::Tokenizer, String> {
    let vocab = tokens.iter().enumerate().map(|(id, token)| ((*token).to_string(), id as u32)).collect();
    let bpe = BPE::builder()
        .vocab_and_merges::<tokenizers::models::bpe::Vocab>(vocab, merges)
        .ignore_merges(steps.ignore_merges)
        .build()
        .map_err(|e| e.to_string())?;
    let mut tokenizer = tokenizers::Tokenizer::new(bpe);
    tokenizer.with_normalizer(steps.normalizer).map_err(|e| e.to_string())?;
    tokenizer.with_pre_tokenizer(Some(steps.pre_tokenizer));
    Ok(tokenizer)
}

fn add_special(tokenizer: &mut tokenizers::Tokenizer, gguf: &Gguf, tokens: &[&str]) -> Result<(), String> {
    let kinds = match gguf.get("tokenizer.ggml.token_type") {
        None => return Ok(()),
        Some(MetaValue::Array(kinds)) => kinds,
        Some(_) => return Err("tokenizer.ggml.token_type is not an array".into()),
    };
    if kinds.len() != tokens.len() {
        return Err(format!("{} token types for {} tokens", kinds.len(), tokens.len()));
    }
    let of_kind = |kind: i128, special: bool| {
        tokens
            .iter()
            .zip(kinds)
            .filter(move |(_, found)| **found == MetaValue::Int(kind))
            .map(move |(token, _)| AddedToken::from((*token).to_string(), special))
            .collect::<Vec<_>>()
    };
    tokenizer.add_special_tokens(of_kind(CONTROL, true)).map_err(|e| e.to_string())?;
    tokenizer.add_tokens(of_kind(USER_DEFINED, false)).map_err(|e| e.to_string())?;
    Ok(())
}
