use serde::{Deserialize, Serialize};

/// How near a sound must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VocabularyOptions {
    /// The greatest distance of a match, from 0 to 1; see [`crate::Vocabulary::find`]. 0.25 unless something else is said.
    ///
    /// Of 1,000 rare words, a list of ten hypotheses is near six that were not said at 0.25, near two at 0.2, and near 20 at 0.3.
    pub max_distance: f32,
}

impl Default for VocabularyOptions {
    fn default() -> Self {
        Self { max_distance: 0.25 }
    }
}
