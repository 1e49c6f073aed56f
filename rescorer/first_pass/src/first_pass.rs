use rescorer_nbest::Hypothesis;
use serde_json::{Map, Value};

use crate::Error;

/// A recogniser. To add one: a file that implements this, and its lines in `registry.rs`.
pub trait FirstPass {
    /// What it is, for people: `whisper (tiny.en)`.
    fn name(&self) -> &str;

    /// The longest stretch that it takes in one piece, in seconds.
    fn max_seconds(&self) -> f64;

    /// The hypotheses for a stretch of sound.
    ///
    /// # Shapes
    /// `samples` are one channel at [`RATE`](crate::RATE), from −1 to 1.
    ///
    /// # Errors
    /// [`Error::Refused`] where it can't do this stretch but others; [`Error::Broken`] where nothing more will come.
    fn recognize(&mut self, samples: &[f32]) -> Result<Recognition, Error>;
}

/// What a recogniser heard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recognition {
    /// Hypotheses, best first; none where nothing was heard. Scores are natural logarithms, higher is better. A field
    /// `words` of a hypothesis, a list of `{word, start, end}`, counts seconds from the beginning of the stretch.
    pub hypotheses: Vec<Hypothesis>,
    /// What else there is to say; it becomes fields of the utterance.
    pub extra: Map<String, Value>,
}

impl Recognition {
    /// Hypotheses, best first.
    pub fn new(hypotheses: Vec<Hypothesis>) -> Self {
        Self { hypotheses, extra: Map::new() }
    }
}
