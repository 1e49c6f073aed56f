//! The winners for sclite.

use super::{Encode, OutputSpec};
use crate::{Answer, Error, TrnWriter};

pub(super) const SPEC: OutputSpec = OutputSpec {
    name: "trn",
    extension: Some("trn"),
    about: "winners for sclite",
    lists: false,
    encoder: |_| Box::new(Trn),
};

struct Trn;

impl Encode for Trn {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        TrnWriter::new(SPEC.name, to).write(&answer.utterance().id, &answer.winner().text)
    }
}
