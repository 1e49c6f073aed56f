//! The words that may be triggers: those that are one token of the vocabulary.

use rescorer_models::LanguageModel;

/// A word and the token that it is behind another word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub token: u32,
}

/// Marks of tokens that begin a word: byte-level and SentencePiece vocabularies.
const MARKS: [char; 2] = ['Ġ', '▁'];

/// Words of at least `shortest` letters in the order of the vocabulary, which is about that of their frequency; at most `most`.
pub(super) fn of_vocabulary(model: &LanguageModel, shortest: usize, most: usize) -> Vec<Word> {
    let tokenizer = model.tokenizer();
    let tokens = 0..model.vocab_size().min(tokenizer.vocab_size()) as u32;
    let words =
        tokens.filter_map(|token| Some(Word { text: word(&tokenizer.piece(token)?)?.to_owned(), token }));
    words.filter(|word| word.text.len() >= shortest).take(most).collect()
}

/// The word of a piece, in lower case as recognisers write; nothing where the piece goes on inside a word.
fn word(piece: &str) -> Option<&str> {
    let word = piece.strip_prefix(MARKS)?;
    word.chars().all(|letter| letter.is_ascii_lowercase()).then_some(word).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_begin_a_word() {
        assert_eq!(word("Ġtiger"), Some("tiger"));
        assert_eq!(word("▁tiger"), Some("tiger"));
        assert_eq!([word("tiger"), word("ĠTiger"), word("Ġ3"), word("Ġ")], [None; 4]);
    }
}
