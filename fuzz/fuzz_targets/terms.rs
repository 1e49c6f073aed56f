//! The lines up to an empty one are a vocabulary, the rest is text to look for its terms in. Each match lies in the text, is near enough
//! and is a term of the file.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use rescorer_perturb::{LetterToSound, Lexicon, Vocabulary, VocabularyOptions};

static ENGLISH: LazyLock<(Arc<Lexicon>, Arc<LetterToSound>)> =
    LazyLock::new(|| (Lexicon::english(), LetterToSound::english()));

fuzz_target!(|text: &str| {
    let (terms, text) = text.split_once("\n\n").unwrap_or((text, ""));
    let vocabulary = match Vocabulary::parse("fuzz", terms, &ENGLISH.0, &ENGLISH.1) {
        Ok(vocabulary) => vocabulary,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let classes: Vec<String> = vocabulary.terms().iter().filter_map(|term| term.class.clone()).collect();
    for found in vocabulary.find(&words, Some(&classes)) {
        assert!(found.start < found.end && found.end <= words.len(), "{found:?}");
        assert!(found.distance <= VocabularyOptions::default().max_distance, "{found:?}");
        assert!(found.term < vocabulary.terms().len(), "{found:?}");
    }
});
