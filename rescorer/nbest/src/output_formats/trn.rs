//! The winners for sclite.

use crate::encode::Encode;
use crate::{Answer, Error, OutputFormat, TrnWriter};

pub(super) struct Trn;

impl Encode for Trn {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        TrnWriter::new(OutputFormat::Trn.name(), to).write(&answer.utterance().id, &answer.winner().text)
    }
}
