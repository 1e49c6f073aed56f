//! One utterance: what a reader yields.

use serde_json::{Map, Value};

use crate::NBest;

/// One utterance with its N-best list.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// The id, unique over all files that are read together.
    pub id: String,
    /// The hypotheses in first-pass order.
    pub nbest: NBest,
    /// What was said, where it is known; may be empty.
    pub reference: Option<String>,
    /// What the language model reads before every hypothesis: earlier turns of a conversation, names the user knows.
    pub context: Option<String>,
    /// Fields that are carried to the output unread. Their numbers are kept to 64 bits.
    pub extra: Map<String, Value>,
}

impl Utterance {
    /// An utterance of which only the list is known.
    pub fn new(id: impl Into<String>, nbest: NBest) -> Self {
        Self { id: id.into(), nbest, reference: None, context: None, extra: Map::new() }
    }
}
