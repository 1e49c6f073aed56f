//! The native format; `lm_score` and `total` of a second pass are fields of the hypotheses.

use super::{Encode, OutputSpec};
use crate::{Answer, Error, JsonlWriter};

pub(super) const SPEC: OutputSpec = OutputSpec {
    name: "jsonl",
    extension: Some("jsonl"),
    about: "native lists with all fields of the input",
    lists: true,
    encoder: |_| Box::new(Jsonl),
};

struct Jsonl;

impl Encode for Jsonl {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        JsonlWriter::new(SPEC.name, to).write(&answer.to_utterance()?)
    }
}
