//! What a list will cost, before it is tokenised.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use rescorer_nbest::Utterance;

/// Tokens of a word, about.
const TOKENS: f64 = 1.3;

/// What a rank of an adapter on all linear layers adds to the cost of a node: `speech`, of rank 4, takes 9% more.
const RANK: f64 = 0.09 / 4.0;

/// Trie nodes that a list will take, about: its words, those that texts begin with alike counted once.
pub fn nodes(list: &Utterance) -> usize {
    let mut seen = HashSet::new();
    let texts = list.nbest.hypotheses().iter().map(|hypothesis| hypothesis.text.as_str());
    for text in texts {
        let mut hasher = DefaultHasher::new();
        for word in text.split_whitespace() {
            word.hash(&mut hasher);
            seen.insert(hasher.finish());
        }
    }
    let context = list.context.as_deref().map_or(0, |context| context.split_whitespace().count());
    ((seen.len() + context) as f64 * TOKENS) as usize + 1
}

/// Nodes with the share of an adapter of this rank.
pub fn with_rank(nodes: usize, rank: usize) -> f64 {
    nodes as f64 * (1.0 + RANK * rank as f64)
}

#[cfg(test)]
mod tests {
    use rescorer_nbest::NBest;

    use super::*;

    #[test]
    fn shared_beginnings_count_once() {
        let list = |texts: &[&str]| Utterance::new("u", NBest::from_texts(texts.iter().copied()).unwrap());
        // 10 words, 13 tokens, and the beginning.
        let alone = nodes(&list(&["a b c d e f g h i j"]));
        assert_eq!(alone, 14);
        assert_eq!(nodes(&list(&["a b c d e f g h i j", "a b c d e f g h i j"])), alone);
        // One word more.
        assert_eq!(nodes(&list(&["a b c d e f g h i j", "a b c d e f g h i k"])), 15);
        assert!((with_rank(100, 4) - 109.0).abs() < 1e-9);
    }
}
