use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most occurrences of a word that count as a difference: a hypothesis that repeats itself says nothing more.
const MOST: f64 = 2.0;

/// What single words are worth, as learned from lists with references: how a recogniser spells, and what it hears too often.
///
/// A hypothesis gets `Σ weight(word) · (count(word) − count₀(word))`, where count₀ is that of the first-pass best and no word counts more
/// than twice. A word that is not there has the weight 0.
///
/// # Reference
/// The unigram features of Roark, Saraclar and Collins 2007, "Discriminative n-gram language modeling".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WordWeights {
    weights: Arc<HashMap<String, f64>>,
}

/// Words that a hypothesis has more or fewer of than the first-pass best, and how many, in alphabetical order.
pub(crate) type WordChanges = Vec<(String, f64)>;

impl WordWeights {
    /// Weights of words.
    pub fn new(weights: impl IntoIterator<Item = (String, f64)>) -> Self {
        let weights = weights.into_iter().filter(|(_, weight)| *weight != 0.0);
        Self { weights: Arc::new(weights.collect()) }
    }

    /// The weight of a word.
    pub fn weight(&self, word: &str) -> f64 {
        self.weights.get(word).copied().unwrap_or(0.0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The words with their weights, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        let sorted: BTreeMap<&str, f64> =
            self.weights.iter().map(|(word, weight)| (word.as_str(), *weight)).collect();
        sorted.into_iter()
    }

    /// What a change of words is worth.
    pub(crate) fn total(&self, changes: &WordChanges) -> f64 {
        changes.iter().map(|(word, count)| self.weight(word) * count).sum()
    }
}

/// How the words of a hypothesis differ from those of the first-pass best.
pub(crate) fn word_changes(words: &[&str], first: &[&str]) -> WordChanges {
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    words.iter().for_each(|word| *counts.entry(word).or_default() += 1.0);
    first.iter().for_each(|word| *counts.entry(word).or_default() -= 1.0);
    let changed = counts.into_iter().filter(|(_, count)| *count != 0.0);
    changed.map(|(word, count)| (word.to_owned(), count.clamp(-MOST, MOST))).collect()
}

impl Serialize for WordWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for WordWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let weights = BTreeMap::<String, f64>::deserialize(deserializer)?;
        if let Some((word, weight)) = weights.iter().find(|(_, weight)| !weight.is_finite()) {
            let reason = format!("weight of the word {word:?} is {weight}, expected a finite number");
            return Err(serde::de::Error::custom(reason));
        }
        Ok(Self::new(weights))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_by_their_difference() {
        let first = ["um", "i", "d", "like", "um", "um"];
        let changes = word_changes(&["i'd", "like"], &first);
        let expected = [("d", -1.0), ("i", -1.0), ("i'd", 1.0), ("um", -2.0)];
        assert_eq!(changes, expected.map(|(word, count)| (word.to_owned(), count)));
        let weights = WordWeights::new([("um".to_owned(), -0.5), ("i'd".to_owned(), 0.25)]);
        assert_eq!(weights.total(&changes), 1.25);
        assert_eq!(word_changes(&first, &first), []);
    }

    #[test]
    fn weights_go_through_a_file() {
        let weights = WordWeights::new([("o'clock".to_owned(), 0.5), ("été".to_owned(), -1.0)]);
        let text = toml::to_string(&weights).unwrap();
        assert_eq!(text, "\"o'clock\" = 0.5\n\"été\" = -1.0\n");
        assert_eq!(toml::from_str::<WordWeights>(&text).unwrap(), weights);
        assert!(toml::from_str::<WordWeights>("a = inf").unwrap_err().to_string().contains("\"a\""));
    }
}
