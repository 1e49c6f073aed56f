//! The native format; `lm_score` and `total` of a second pass are fields of the hypotheses.

use crate::encode::Encode;
use crate::{Answer, Error, JsonlWriter, OutputFormat};

pub(super) struct Jsonl;

impl Encode for Jsonl {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        JsonlWriter::new(OutputFormat::Jsonl.name(), to).write(&answer.to_utterance()?)
    }
}
