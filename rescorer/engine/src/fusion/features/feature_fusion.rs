use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::feature::{Feature, FeatureRow};
use super::word_weights::WordWeights;
use crate::fusion::weights::Candidate;

/// Weights of features: `total = Σ weight · feature`, where the first-pass best has the total 0.
///
/// In a policy file it is a table of names and weights, and under `learned_words` a table of [`WordWeights`]; a feature that is not there has the
/// weight 0.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureFusion {
    weights: Box<FeatureRow>,
    words: WordWeights,
}

impl FeatureFusion {
    /// Fusion by these weights. Negative weights of [`Feature::OF_MODEL`] become 0; [`Feature::LearnedWords`] takes its weight from
    /// [`with_words`](Self::with_words).
    pub fn new(weights: impl IntoIterator<Item = (Feature, f64)>) -> Self {
        let mut row = [0.0; Feature::COUNT];
        weights.into_iter().for_each(|(feature, weight)| row[feature.index()] = weight);
        Self::of_row(row)
    }

    pub(crate) fn of_row(mut weights: FeatureRow) -> Self {
        for feature in Feature::OF_MODEL {
            weights[feature.index()] = weights[feature.index()].max(0.0);
        }
        weights[Feature::LearnedWords.index()] = 0.0;
        Self { weights: Box::new(weights), words: WordWeights::default() }
    }

    /// Weighs single words too.
    #[must_use]
    pub fn with_words(mut self, words: WordWeights) -> Self {
        self.weights[Feature::LearnedWords.index()] = if words.is_empty() { 0.0 } else { 1.0 };
        Self { words, ..self }
    }

    /// The weights of single words.
    pub fn words(&self) -> &WordWeights {
        &self.words
    }

    /// The weight of a feature.
    pub fn weight(&self, feature: Feature) -> f64 {
        self.weights[feature.index()]
    }

    pub(crate) fn weights(&self) -> &FeatureRow {
        &self.weights
    }

    /// Whether a list has to be tokenised and scored: features of the first pass count tokens too.
    pub(crate) fn asks_model(&self) -> bool {
        self.weights.iter().any(|weight| *weight != 0.0)
    }

    /// The total of a hypothesis of a list with this first-pass best. It rises with the hypothesis's language-model score.
    pub(crate) fn total(&self, candidate: &Candidate, first: &Candidate) -> f64 {
        let values = candidate.values(first);
        values.iter().zip(self.weights()).map(|(value, weight)| value * weight).sum()
    }
}

impl Candidate {
    /// The values of all features, those of the model too.
    pub(crate) fn values(&self, first: &Candidate) -> FeatureRow {
        let mut values = self.features;
        let mean = |candidate: &Candidate| candidate.lm_score / candidate.tokens.max(1) as f64;
        let lead = self.lm_score - first.lm_score;
        values[Feature::Lm5.index()] = (lead / 5.0).tanh();
        values[Feature::Lm20.index()] = (lead / 20.0).tanh();
        values[Feature::LmMean.index()] = (3.0 * (mean(self) - mean(first))).tanh();
        values[Feature::ChangeSurprise.index()] *= (mean(first) + 4.0) / 2.0;
        values
    }
}

/// Key of the table of words.
const WORDS: &str = "learned_words";

/// An entry of the table in a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Weight(f64),
    Words(WordWeights),
}

impl Serialize for FeatureFusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let of_row = Feature::ALL.into_iter().filter(|feature| *feature != Feature::LearnedWords);
        for feature in of_row.filter(|feature| self.weight(*feature) != 0.0) {
            map.serialize_entry(feature.name(), &self.weight(feature))?;
        }
        if !self.words.is_empty() {
            map.serialize_entry(WORDS, &self.words)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FeatureFusion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut row, mut words) = ([0.0; Feature::COUNT], WordWeights::default());
        for (name, entry) in BTreeMap::<String, Entry>::deserialize(deserializer)? {
            let weight = match entry {
                Entry::Words(found) if name == WORDS => {
                    words = found;
                    continue;
                }
                Entry::Words(_) => {
                    return Err(D::Error::custom(format!("weight of {name} is a table, expected a number")));
                }
                Entry::Weight(weight) => weight,
            };
            let known = Feature::of(&name).filter(|feature| *feature != Feature::LearnedWords);
            let feature = known.ok_or_else(|| {
                D::Error::custom(format!("feature {name:?} is not known; update the program, or tune again"))
            })?;
            if !weight.is_finite() || (weight < 0.0 && Feature::OF_MODEL.contains(&feature)) {
                let what = "a finite number, and of a model's feature not negative";
                return Err(D::Error::custom(format!("weight of {name} is {weight}, expected {what}")));
            }
            row[feature.index()] = weight;
        }
        Ok(Self::of_row(row).with_words(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_go_through_a_file() {
        let fusion = FeatureFusion::new([(Feature::Lm5, 0.5), (Feature::Change, -0.25)]);
        let text = toml::to_string(&fusion).unwrap();
        assert_eq!(text, "lm_5 = 0.5\nchange = -0.25\n");
        assert_eq!(toml::from_str::<FeatureFusion>(&text).unwrap(), fusion);
        let fusion = FeatureFusion::new([(Feature::Words, 2.0)])
            .with_words(WordWeights::new([("mister".to_owned(), -0.5)]));
        let text = toml::to_string(&fusion).unwrap();
        assert_eq!(text, "words = 2.0\n\n[learned_words]\nmister = -0.5\n");
        assert_eq!(toml::from_str::<FeatureFusion>(&text).unwrap(), fusion);
        for (bad, expected) in [("lm_weight = 1.0", "not known"), ("lm_5 = -1.0", "expected a finite number")]
        {
            let error = toml::from_str::<FeatureFusion>(bad).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
