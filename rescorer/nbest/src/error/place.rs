//! What an error is about: one utterance, or the input as a whole.

use std::io;

use super::Error;
use crate::Place;

impl Error {
    /// Whether a reader goes on with the next utterance: true if one utterance is bad, false if the input as
    /// a whole cannot be read on.
    pub fn is_recoverable(&self) -> bool {
        self.place().is_some()
    }

    /// The utterance at fault, if the error is one utterance's.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Syntax { place, .. }
            | Self::Encoding { place }
            | Self::DuplicateKey { place, .. }
            | Self::OtherFormat { place, .. }
            | Self::MissingField { place, .. }
            | Self::UnknownFields { place, .. }
            | Self::FieldType { place, .. }
            | Self::NoHypotheses { place }
            | Self::MixedScores { place, .. }
            | Self::NotFinite { place, .. }
            | Self::Score { place, .. }
            | Self::ScoreCount { place, .. }
            | Self::HypothesisNumber { place, .. }
            | Self::Part { place, .. }
            | Self::DuplicateId { place } => Some(place),
            Self::Open { .. }
            | Self::Folder { .. }
            | Self::NoFolder { .. }
            | Self::Columns { .. }
            | Self::Parts { .. }
            | Self::Header { .. }
            | Self::Read { .. }
            | Self::Empty { .. }
            | Self::UnknownFormat { .. }
            | Self::FormatName { .. }
            | Self::FieldNames { .. }
            | Self::Document { .. }
            | Self::OutputFormatName { .. }
            | Self::AnswerLine { .. }
            | Self::Unwritable { .. }
            | Self::Text { .. }
            | Self::Write { .. } => None,
        }
    }

    /// Whether the reader of the output went away, which a command line takes for success.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
