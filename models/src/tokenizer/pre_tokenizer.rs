//! How byte-level vocabularies of GGUF files cut text into words, by `tokenizer.ggml.pre`.

use tokenizers::normalizers::unicode::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior};

use crate::decoder::Family;

/// Llama 3 (`tokenizer.json` of Llama-3-8B): up to three digits are a word.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Qwen 2 to 3 (`tokenizer.json` of Qwen2-0.5B): every digit is a word.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// What llama.cpp does where a file does not say: each pattern cuts what those before it have left.
const UNSTATED: [&str; 4] = [
    r"[\p{P}\$\+<=>\^~\|]+",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
    r"\p{N}+",
    "[0-9][0-9][0-9]",
];

/// A token that only vocabularies of Llama 3 have.
const OF_LLAMA3: &str = "<|begin_of_text|>";

/// A way to cut text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Gpt2,
    /// Digits one by one, then as GPT-2.
    Digits,
    Llama3,
    /// Llama 3 with merges for every word, whole tokens or not.
    Llama3Merged,
    Qwen2,
    Unstated,
}

/// Names that files have for the rules.
///
/// # Reference
/// `llama_vocab::impl::load` of llama.cpp (`src/llama-vocab.cpp`, commit 00ad355), of its names those of the families
/// that are read here.
const NAMES: &[(&str, Rule)] = &[
    ("gpt-2", Rule::Gpt2),
    ("smollm", Rule::Digits),
    ("starcoder", Rule::Digits),
    ("refact", Rule::Digits),
    ("llama-bpe", Rule::Llama3),
    ("llama3", Rule::Llama3),
    ("llama-v3", Rule::Llama3),
    ("falcon3", Rule::Llama3),
    ("smaug-bpe", Rule::Llama3Merged),
    ("qwen2", Rule::Qwen2),
    ("deepseek-r1-qwen", Rule::Qwen2),
    ("megrez", Rule::Qwen2),
];

/// The steps before the merges.
pub struct Steps {
    /// Before the text is cut.
    pub normalizer: Option<NormalizerWrapper>,
    /// Cuts it.
    pub pre_tokenizer: PreTokenizerWrapper,
    /// Whether a word that is a token is not built from merges.
    pub ignore_merges: bool,
}

/// The steps of a file, by its `tokenizer.ggml.pre` and, where that is missing or `default`, by its architecture.
///
/// Llama is one architecture with several vocabularies: a file that does not say which has Llama 3's where its tokens
/// are those, and else what llama.cpp takes.
///
/// # Errors
/// A name that is not known, or a pattern that the library does not read.
pub fn steps(pre: Option<&str>, architecture: &str, tokens: &[&str]) -> Result<Steps, Unknown> {
    rule(pre, architecture, tokens)?.steps().map_err(Unknown::Library)
}

/// Why there are no steps.
#[derive(Debug)]
pub enum Unknown {
    /// No rule has this name.
    Name(String),
    /// The reason of the tokenizer's library.
    Library(String),
}

/// All names, for messages.
pub fn names() -> String {
    NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn rule(pre: Option<&str>, architecture: &str, tokens: &[&str]) -> Result<Rule, Unknown> {
    let Some(name) = pre.filter(|name| !name.is_empty() && *name != "default") else {
        return Ok(match Family::ALL.into_iter().find(|family| family.architecture() == architecture) {
            Some(Family::Qwen2 | Family::Qwen3) => Rule::Qwen2,
            Some(Family::Gpt2) => Rule::Gpt2,
            Some(Family::Llama) if tokens.contains(&OF_LLAMA3) => Rule::Llama3,
            Some(Family::Llama | Family::Gemma3) | None => Rule::Unstated,
        });
    };
    let known = NAMES.iter().find(|(known, _)| *known == name);
    known.map(|(_, rule)| *rule).ok_or_else(|| Unknown::Name(name.to_owned()))
}

impl Rule {
    fn steps(self) -> Result<Steps, String> {
        let byte_level = |regex: bool| PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, true, regex));
        let pre_tokenizer = match self {
            Self::Gpt2 => byte_level(true),
            Self::Digits => {
                let digits = PreTokenizerWrapper::Digits(Digits::new(true));
                PreTokenizerWrapper::Sequence(Sequence::new(vec![digits, byte_level(true)]))
            }
            Self::Llama3 | Self::Llama3Merged => {
                PreTokenizerWrapper::Sequence(Sequence::new(vec![split(LLAMA3)?, byte_level(false)]))
            }
            Self::Qwen2 => {
                PreTokenizerWrapper::Sequence(Sequence::new(vec![split(QWEN2)?, byte_level(false)]))
            }
            Self::Unstated => {
                let mut steps = UNSTATED.into_iter().map(split).collect::<Result<Vec<_>, String>>()?;
                steps.push(byte_level(false));
                PreTokenizerWrapper::Sequence(Sequence::new(steps))
            }
        };
        let normalizer = (self == Self::Qwen2).then(|| NormalizerWrapper::NFC(NFC));
        Ok(Steps { normalizer, pre_tokenizer, ignore_merges: self == Self::Llama3 })
    }
}

fn split(pattern: &str) -> Result<PreTokenizerWrapper, String> {
    let split = Split::new(SplitPattern::Regex(pattern.into()), SplitDelimiterBehavior::Isolated, false);
    split.map(PreTokenizerWrapper::Split).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::*;
    use crate::tokenizer::gguf::assemble;

    #[derive(Deserialize)]
    struct Fixture {
        tokens: Vec<String>,
        merges: Vec<(String, String)>,
        texts: Vec<String>,
        ids: std::collections::BTreeMap<String, Vec<Vec<u32>>>,
    }

    fn fixture() -> Fixture {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/pre-tokenizers.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn check(pre: Option<&str>, architecture: &str, expected: &str) {
        let Fixture { tokens, merges, texts, ids } = fixture();
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let steps = steps(pre, architecture, &tokens).unwrap_or_else(|unknown| panic!("{unknown:?}"));
        let tokenizer = assemble(&tokens, merges, steps).unwrap();
        for (text, expected) in texts.iter().zip(&ids[expected]) {
            let found = tokenizer.encode_fast(text.as_str(), false).unwrap().get_ids().to_vec();
            assert_eq!(found, *expected, "{pre:?} of {architecture}, {text:?}");
        }
    }

    #[test]
    fn ids_are_those_of_the_models_own_tokenizers() {
        for (pre, expected) in [
            ("gpt-2", "gpt-2"),
            ("smollm", "smollm"),
            ("starcoder", "smollm"),
            ("refact", "smollm"),
            ("llama-bpe", "llama-bpe"),
            ("llama3", "llama-bpe"),
            ("llama-v3", "llama-bpe"),
            ("falcon3", "llama-bpe"),
            ("smaug-bpe", "smaug-bpe"),
            ("qwen2", "qwen2"),
            ("deepseek-r1-qwen", "qwen2"),
            ("megrez", "qwen2"),
        ] {
            // The name counts, whatever the architecture.
            check(Some(pre), "llama", expected);
            check(Some(pre), "qwen2", expected);
        }
    }

    #[test]
    fn what_a_file_does_not_say_its_family_says() {
        for pre in [None, Some(""), Some("default")] {
            check(pre, "qwen2", "qwen2");
            check(pre, "qwen3", "qwen2");
            check(pre, "gpt2", "gpt-2");
            check(pre, "llama", "default");
            assert_eq!(rule(pre, "llama", &["a", OF_LLAMA3]).unwrap(), Rule::Llama3);
        }
    }

    #[test]
    fn names_that_are_not_known_are_told() {
        for name in ["tekken", "gpt-4o", "QWEN2", "qwen35"] {
            assert!(matches!(rule(Some(name), "qwen2", &[]), Err(Unknown::Name(found)) if found == name));
        }
        assert!(names().contains("qwen2"));
    }
}
