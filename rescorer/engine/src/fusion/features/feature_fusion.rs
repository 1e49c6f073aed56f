use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::feature::{Feature, FeatureRow};
use crate::fusion::weights::Candidate;

/// Weights of features: `total = Σ weight · feature`, where the first-pass best has the total 0.
///
/// In a policy file it is a table of names and weights; a feature that is not there has the weight 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeatureFusion {
    weights: FeatureRow,
}

impl FeatureFusion {
    /// Fusion by these weights. Negative weights of [`Feature::OF_MODEL`] become 0.
    pub fn new(weights: impl IntoIterator<Item = (Feature, f64)>) -> Self {
        let mut row = [0.0; Feature::COUNT];
        weights.into_iter().for_each(|(feature, weight)| row[feature.index()] = weight);
        Self::of_row(row)
    }

    pub(crate) fn of_row(mut weights: FeatureRow) -> Self {
        for feature in Feature::OF_MODEL {
            weights[feature.index()] = weights[feature.index()].max(0.0);
        }
        Self { weights }
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
        values.iter().zip(&self.weights).map(|(value, weight)| value * weight).sum()
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

impl Serialize for FeatureFusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let weights = Feature::ALL.into_iter().map(|feature| (feature.name(), self.weight(feature)));
        serializer.collect_map(weights.filter(|(_, weight)| *weight != 0.0))
    }
}

impl<'de> Deserialize<'de> for FeatureFusion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut row = [0.0; Feature::COUNT];
        for (name, weight) in BTreeMap::<String, f64>::deserialize(deserializer)? {
            let feature = Feature::of(&name).ok_or_else(|| {
                D::Error::custom(format!("feature {name:?} is not known; update the program, or tune again"))
            })?;
            if !weight.is_finite() || (weight < 0.0 && Feature::OF_MODEL.contains(&feature)) {
                let what = "a finite number, and of a model's feature not negative";
                return Err(D::Error::custom(format!("weight of {name} is {weight}, expected {what}")));
            }
            row[feature.index()] = weight;
        }
        Ok(Self { weights: row })
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
        for (bad, expected) in [("lm_weight = 1.0", "not known"), ("lm_5 = -1.0", "expected a finite number")]
        {
            let error = toml::from_str::<FeatureFusion>(bad).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
