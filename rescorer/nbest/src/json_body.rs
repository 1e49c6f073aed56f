//! The utterances of JSON text.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::body::Body;
use crate::fields::{self, Fields};
use crate::json::{self, Flaw};
use crate::notice::Notice;
use crate::reading::Reading;
use crate::shape::{Json, Unfinished};
use crate::source::Source;
use crate::split::{Cut, Piece, Splitter};
use crate::{Error, Format, Place, Utterance, mapped, object, plain};

/// JSON text, cut into the pieces that hold one utterance each.
pub(crate) struct JsonBody {
    source: Source,
    splitter: Splitter,
    format: Format,
    json: &'static Json,
    reading: Arc<Reading>,
    stem: String,
    /// Whether lists may be [plain](plain::utterance).
    plain: bool,
    /// Lists so far.
    index: u64,
    /// Further lists of the object that was read last.
    waiting: VecDeque<Waiting>,
    partial: u64,
    silent: u64,
}

/// A list that is not yet an utterance.
struct Waiting {
    value: Value,
    place: Place,
    id: Option<String>,
    /// Whether numbers in it are not finite.
    spoilt: bool,
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
        let (waiting, partial, silent, index) = (VecDeque::new(), 0, 0, 0);
        let plain = format == Format::Jsonl && reading.names.is_empty();
        Self { source, splitter, format, json, reading, stem, plain, index, waiting, partial, silent }
    }

    /// Reads plain lists as all others, to compare.
    #[cfg(test)]
    pub(crate) fn without_plain(self) -> Self {
        Self { plain: false, ..self }
    }

    /// The error for JSON text that cannot be parsed. In a document the break may reach beyond this
    /// utterance.
    fn error(&self, flaw: Flaw, piece: &Piece, place: Place) -> Error {
        match flaw {
            Flaw::Encoding => Error::Encoding { place },
            Flaw::DuplicateKey(key) => Error::DuplicateKey { place, key },
            Flaw::NotFinite { value } => Error::NotFinite { place, value },
            Flaw::Syntax { column, mut reason, .. } if self.splitter.is_in_lines() => {
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

    fn place(&self, line: u64, key: Option<&String>) -> Place {
        Place { path: Some(self.source.name().clone()), line: Some(line), utterance: key.cloned() }
    }

    /// The utterance of a piece that holds a list of the native format and no more.
    fn plain(&mut self, piece: &Piece) -> Option<(Utterance, Place)> {
        if !self.plain {
            return None;
        }
        let utterance = plain::utterance(&piece.bytes, || format!("{}:{}", self.stem, self.index))?;
        self.index += 1;
        Some((utterance, self.place(piece.line, None)))
    }

    /// Takes the lists of a piece.
    fn take(&mut self, piece: Piece) -> Result<(), Error> {
        let place = self.place(piece.line, piece.key.as_ref());
        let (value, spoilt) = match json::parse_any(&piece.bytes) {
            Ok((value, first)) => (value, first.is_some()),
            Err(flaw) => {
                self.index += 1;
                return Err(self.error(flaw, &piece, place));
            }
        };
        if let Value::Object(object) = &value {
            match self.json.unfinished.iter().find(|one| one.is(object)) {
                Some(Unfinished::Partial(..)) => {
                    self.partial += 1;
                    return Ok(());
                }
                Some(Unfinished::Silent(..)) => {
                    self.silent += 1;
                    return Ok(());
                }
                None => {}
            }
        }
        let stated = value.get("id").and_then(fields::id);
        let lists = mapped::lists(self.json, value, &place)?;
        let several = lists.len() > 1;
        self.silent += u64::from(lists.is_empty());
        for (at, value) in lists.into_iter().enumerate() {
            let id = match &stated {
                Some(id) if several => Some(format!("{id}:{at}")),
                _ => piece.key.clone(),
            };
            self.waiting.push_back(Waiting { value, place: place.clone(), id, spoilt });
        }
        Ok(())
    }

    /// The utterance of a list.
    fn utterance(&mut self, list: Waiting) -> Result<(Utterance, Place), Error> {
        let Waiting { value, place, id, spoilt } = list;
        let id = id.unwrap_or_else(|| format!("{}:{}", self.stem, self.index));
        self.index += 1;
        let value = match value {
            Value::Array(_) if self.json.layout.lists => {
                Value::Object(Map::from_iter([("hypotheses".to_owned(), value)]))
            }
            value => value,
        };
        let fields = Fields::new(value, place.clone(), id, self.reading.clone())?;
        let mut utterance = object::read(self.json, self.format, fields)?;
        if spoilt {
            utterance.extra.values_mut().for_each(json::nulled);
            utterance.nbest = utterance.nbest.mapped(|one| one.extra.values_mut().for_each(json::nulled));
        }
        Ok((utterance, place))
    }

    /// Says at the end what was left out.
    fn end(&mut self) -> Result<(), Error> {
        let notices = &self.reading.notices;
        let path = self.source.name();
        let (partial, silent) = (self.partial, self.silent);
        if partial > 0 {
            notices.once(|| Notice::PartialResults { path: path.to_string(), count: partial });
        }
        if silent > 0 {
            notices.once(|| Notice::WithoutLists { path: path.to_string(), count: silent });
        }
        match self.index {
            0 => Err(Error::Empty { path: path.to_string() }),
            _ => Ok(()),
        }
    }
}

impl Body for JsonBody {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        loop {
            if let Some(list) = self.waiting.pop_front() {
                return self.utterance(list).map(Some);
            }
            match self.splitter.next(&mut self.source)? {
                None => return self.end().map(|()| None),
                Some(Cut::Piece(piece)) => match self.plain(&piece) {
                    Some(found) => return Ok(Some(found)),
                    None => self.take(piece)?,
                },
                Some(Cut::Missing { keys, .. }) if keys.iter().all(|key| AROUND.contains(&key.as_str())) => {
                    self.silent += 1;
                }
                Some(Cut::Missing { line, .. }) => {
                    let place = self.place(line, None);
                    return Err(Error::MissingField { place, field: self.json.layout.path.to_owned() });
                }
                Some(Cut::Wrong { line, key, expected, found }) => {
                    let (place, field) = (self.place(line, None), key.to_owned());
                    return Err(Error::FieldType { place, field, expected, found });
                }
            }
        }
    }
}

/// What a document has beside its lists, and alone where nothing was heard.
const AROUND: &[&str] = &[
    "requestId",
    "request_id",
    "totalBilledTime",
    "total_billed_time",
    "totalBilledDuration",
    "speechEventType",
    "speech_event_type",
    "speechEventTime",
    "speechAdaptationInfo",
    "usingLegacyModels",
    "metadata",
    "name",
    "done",
    "result_index",
    "@type",
];
