//! The winners as the file `text` of a Kaldi data folder: `ID WORDS` a line, one blank between words.
//!
//! # Reference
//! Kaldi, "Data preparation": <https://kaldi-asr.org/doc/data_prep.html>.

use crate::encode::{Encode, check_id};
use crate::line::words;
use crate::{Answer, Error, OutputFormat};

pub(super) struct Kaldi;

impl Encode for Kaldi {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        check_id(answer, OutputFormat::Kaldi)?;
        to.extend(answer.utterance().id.bytes());
        for word in words(&answer.winner().text) {
            to.push(b' ');
            to.extend(word.bytes());
        }
        to.push(b'\n');
        Ok(())
    }
}
