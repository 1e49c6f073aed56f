//! Turns answers into the bytes of an output format.

use crate::encode::{Encode, OutputContent};
use crate::{Answer, Error, OutputFormat, output_formats};

/// Encodes answers in one format, one after the other; whoever holds it writes the bytes.
///
/// So an utterance that a format cannot hold leaves nothing half-written, and the next one follows.
pub struct AnswerEncoder {
    format: OutputFormat,
    inner: Box<dyn Encode>,
    bytes: Vec<u8>,
}

impl OutputFormat {
    /// Begins an output.
    pub fn encoder(self, content: OutputContent) -> AnswerEncoder {
        AnswerEncoder { format: self, inner: output_formats::encoder(self, content), bytes: Vec::new() }
    }
}

impl AnswerEncoder {
    /// The bytes to write for this answer, which may be none so far.
    ///
    /// # Errors
    /// [`Error::Unwritable`] if the format cannot hold the utterance; nothing of it will be written.
    pub fn encode(&mut self, answer: &Answer) -> Result<&[u8], Error> {
        self.bytes.clear();
        self.inner.encode(answer, &mut self.bytes)?;
        Ok(&self.bytes)
    }

    /// The bytes to write at the end.
    ///
    /// # Errors
    /// [`Error::Write`] if the format cannot be completed.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        self.bytes.clear();
        self.inner.finish(&mut self.bytes)?;
        Ok(self.bytes)
    }
}

impl std::fmt::Debug for AnswerEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerEncoder").field("format", &self.format).finish_non_exhaustive()
    }
}
