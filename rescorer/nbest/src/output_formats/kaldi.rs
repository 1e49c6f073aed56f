//! The winners as the file `text` of a Kaldi data folder: `ID WORDS` a line, one blank between words.
//!
//! # Reference
//! Kaldi, "Data preparation": <https://kaldi-asr.org/doc/data_prep.html>.

use super::{Encode, OutputSpec, check_id};
use crate::line::words;
use crate::{Answer, Error};

pub(super) const SPEC: OutputSpec = OutputSpec {
    name: "kaldi",
    extension: None,
    about: "winners as Kaldi's text, ID WORDS",
    lists: false,
    encoder: |_| Box::new(Kaldi),
};

struct Kaldi;

impl Encode for Kaldi {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        check_id(answer, SPEC.name)?;
        to.extend(answer.utterance().id.bytes());
        for word in words(&answer.winner().text) {
            to.push(b' ');
            to.extend(word.bytes());
        }
        to.push(b'\n');
        Ok(())
    }
}
