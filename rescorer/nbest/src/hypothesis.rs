//! One hypothesis of a recogniser.

use serde_json::{Map, Value};

/// One hypothesis: its text, its first-pass score if it has one, and what else came with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hypothesis {
    /// The text as the recogniser wrote it; may be empty.
    pub text: String,
    /// The first-pass score: higher is better. Natural logarithm where the recogniser gives log
    /// probabilities.
    pub score: Option<f64>,
    /// Fields that are carried to the output unread. Their numbers are kept to 64 bits.
    pub extra: Map<String, Value>,
}

impl Hypothesis {
    /// A hypothesis without a score.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), score: None, extra: Map::new() }
    }

    /// A hypothesis with a first-pass score.
    pub fn scored(text: impl Into<String>, score: f64) -> Self {
        Self { score: Some(score), ..Self::new(text) }
    }
}

impl From<&str> for Hypothesis {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Hypothesis {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Text and first-pass score.
impl<T: Into<String>> From<(T, f64)> for Hypothesis {
    fn from((text, score): (T, f64)) -> Self {
        Self::scored(text, score)
    }
}
