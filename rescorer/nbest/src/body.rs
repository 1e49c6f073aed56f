//! What yields the utterances of one input, whatever its format.

use std::sync::Arc;

use crate::fields::Fields;
use crate::formats::{Json, Layout};
use crate::json::{self, Flaw};
use crate::reading::Reading;
use crate::source::Source;
use crate::split::{Piece, Splitter};
use crate::{Error, Format, Place, Utterance};

/// The utterances of one input, one after the other, each with its place.
///
/// After a [recoverable](Error::is_recoverable) error the next one follows.
pub(crate) trait Body: Send {
    /// The next utterance; `None` at the end.
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error>;
}

/// JSON text, cut into the pieces that hold one utterance each.
pub(crate) struct JsonBody {
    source: Source,
    splitter: Splitter,
    format: Format,
    json: &'static Json,
    reading: Arc<Reading>,
    stem: String,
    index: u64,
}

impl JsonBody {
    /// `stem` is what ids begin with where utterances have none.
    pub(crate) fn new(
        source: Source,
        format: Format,
        json: &'static Json,
        reading: Arc<Reading>,
        stem: String,
    ) -> Self {
        let splitter = Splitter::new(format, json.layout);
        Self { source, splitter, format, json, reading, stem, index: 0 }
    }

    /// The error for JSON text that cannot be parsed. In a document the break may reach beyond this
    /// utterance.
    fn error(&self, flaw: Flaw, piece: &Piece, mut place: Place) -> Error {
        match flaw {
            Flaw::Encoding => Error::Encoding { place },
            Flaw::DuplicateKey(key) => Error::DuplicateKey { place, key },
            Flaw::NotFinite { value, id } => {
                place.utterance = place.utterance.or(id);
                Error::NotFinite { place, value }
            }
            Flaw::Syntax { column, mut reason, .. } if self.json.layout == Layout::Lines => {
                if reason.starts_with("EOF") {
                    reason = "the line ends inside the utterance, but one line is to hold it all".to_owned();
                }
                Error::Syntax { place, column, reason }
            }
            Flaw::Syntax { line, column, reason } => Error::Document {
                path: self.source.name().to_string(),
                line: piece.line + line as u64 - 1,
                format: self.format,
                expected: "valid JSON".to_owned(),
                found: format!("an error in column {column} ({reason})"),
            },
        }
    }
}

impl Body for JsonBody {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        let Some(piece) = self.splitter.next(&mut self.source)? else {
            return match self.index {
                0 => Err(Error::Empty { path: self.source.name().to_string() }),
                _ => Ok(None),
            };
        };
        let default_id = piece.key.clone().unwrap_or_else(|| format!("{}:{}", self.stem, self.index));
        self.index += 1;
        let (path, line) = (Some(self.source.name().clone()), Some(piece.line));
        let place = Place { path, line, utterance: piece.key.clone() };
        let value = json::parse(&piece.bytes).map_err(|flaw| self.error(flaw, &piece, place.clone()))?;
        let utterance =
            (self.json.parse)(Fields::new(value, place.clone(), default_id, self.reading.clone())?)?;
        Ok(Some((utterance, place)))
    }
}
