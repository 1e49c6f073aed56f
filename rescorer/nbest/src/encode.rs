//! What writes the answers of one output, whatever its format.

use crate::line::is_break;
use crate::{Answer, Error, OutputFormat, jsonl_writer};

/// Encodes the answers of one output.
pub(crate) trait Encode: Send {
    /// Appends an answer. After an error the bytes are not written, and it is as if the answer never came.
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error>;

    /// Appends what stands at the end.
    fn finish(&mut self, _to: &mut Vec<u8>) -> Result<(), Error> {
        Ok(())
    }
}

/// What the answers of an output hold, known before the first of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputContent {
    /// Lists, not winners alone.
    pub lists: bool,
    /// Scores of a second pass.
    pub second_pass: bool,
}

/// The error for an utterance that a format cannot hold.
pub(crate) fn unwritable(answer: &Answer, format: OutputFormat, reason: String) -> Error {
    Error::Unwritable { utterance: answer.utterance().id.clone(), format: format.name(), reason }
}

/// Refuses an id that cannot begin a line of words.
pub(crate) fn check_id(answer: &Answer, format: OutputFormat) -> Result<(), Error> {
    let what = match answer.utterance().id.as_str() {
        "" => "is empty",
        id if id.contains(|c: char| c.is_whitespace() || is_break(c)) => "holds white space",
        _ => return Ok(()),
    };
    Err(unwritable(answer, format, format!("its id {what}, but words follow it; rename it")))
}

/// Refuses fields that would be taken for others when they are read back.
pub(crate) fn check_fields(answer: &Answer, format: OutputFormat) -> Result<(), Error> {
    jsonl_writer::collision(answer.utterance())
        .map_or(Ok(()), |reason| Err(unwritable(answer, format, reason)))
}
