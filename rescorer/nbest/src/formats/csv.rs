//! A table with one hypothesis a row and commas between its columns, which the first row names.
//!
//! `id` (or `utterance`) and `text` (or `hypothesis`) are needed; `score`, `reference`, `context` and
//! `position` are known; other columns are carried along in the hypothesis, as strings. The rows of an
//! utterance stand together, in first-pass order; a `position` has to say the same, from 0. A field with a
//! comma or a line break stands in quotes, a quote inside it is doubled. An empty score is none. An empty
//! reference or context is none, but in quotes (`""`) it is an empty text; it may stand in one row of the
//! utterance or in all. `extra` and `utterance_extra` may be JSON objects of fields, `first_pass_position`, `lm_score`, `total` and
//! `confidence` are numbers: so our own tables come back as they were.
//!
//! One utterance is held in memory; it ends where the next begins, so it is answered one row late.

use std::io::Cursor;

use serde_json::{Map, Number, Value};

use super::{Kind, Spec};
use crate::body::Body;
use crate::output_formats::OF_SECOND_PASS;
use crate::rows::{Cell, Flaw, Row, Rows};
use crate::source::Source;
use crate::{Error, Format, Hypothesis, NBest, Place, SeenIds, Utterance, extra, json};

pub(super) const SPEC: Spec = Spec {
    name: "csv",
    kind: Kind::Text {
        marker: |line| has_columns(line, Format::Csv, b','),
        open: |source, _| open(source, Format::Csv, b','),
    },
};

/// The columns that are known, each with its names.
const KNOWN: [&[&str]; 6] =
    [&["id", "utterance"], &["text", "hypothesis"], &["score"], &["reference"], &["context"], &["position"]];

/// The columns in which our own tables keep fields that we don't know, as JSON.
const OF_HYPOTHESIS: &str = "extra";
const OF_UTTERANCE: &str = "utterance_extra";

/// Whether a line names the columns that are needed.
pub(super) fn has_columns(line: &[u8], format: Format, delimiter: u8) -> bool {
    let mut rows = Rows::new(Source::new("", Cursor::new(line.to_vec())), format, delimiter);
    let names = rows.next().ok().flatten().map(|row| names(&row)).unwrap_or_default();
    KNOWN[..2].iter().all(|known| known.iter().any(|known| names.iter().any(|name| name == known)))
}

/// Reads a table.
pub(super) fn open(source: Source, format: Format, delimiter: u8) -> Result<Box<dyn Body>, Error> {
    let mut rows = Rows::new(source, format, delimiter);
    let path = rows.source().name().to_string();
    let Some(header) = rows.next()? else { return Err(Error::Empty { path }) };
    match Columns::find(&header, delimiter) {
        Ok(columns) => Ok(Box::new(Table {
            rows,
            columns,
            next: None,
            stray: None,
            begun: false,
            seen: SeenIds::default(),
        })),
        Err(reason) => Err(Error::Header { path, line: header.line, reason }),
    }
}

fn names(header: &Row) -> Vec<String> {
    header.cells.iter().map(|cell| cell.text.trim().to_owned()).collect()
}

/// Which column is what.
struct Columns {
    names: Vec<String>,
    id: usize,
    text: usize,
    score: Option<usize>,
    reference: Option<usize>,
    context: Option<usize>,
    position: Option<usize>,
}

impl Columns {
    fn find(header: &Row, delimiter: u8) -> Result<Self, String> {
        if header.flaw.is_some() {
            return Err("the row that names the columns is broken; mend its quotes and its UTF-8".to_owned());
        }
        let names = names(header);
        let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        if let Some((_, name)) = twice {
            return Err(format!("the column `{name}` stands twice; rename or remove one"));
        }
        let place = |known: &[&str]| -> Result<Option<usize>, String> {
            let mut found = known.iter().filter_map(|known| names.iter().position(|name| name == known));
            match (found.next(), found.next()) {
                (Some(one), Some(other)) => Err(format!(
                    "the columns `{}` and `{}` mean the same; rename or remove one",
                    names[one], names[other]
                )),
                (found, _) => Ok(found),
            }
        };
        let needed = |known: &[&str]| {
            place(known)?.ok_or_else(|| {
                let found: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                let all: Vec<_> = KNOWN.iter().map(|known| known.join(" or ")).collect();
                format!(
                    "no column is `{}`: {} between them, the columns are {}; known are {}, so rename one",
                    known.join("` or `"),
                    if delimiter == b'\t' { "with tabs" } else { "with commas" },
                    found.join(", "),
                    all.join(", ")
                )
            })
        };
        let [id, text, score, reference, context, position] = KNOWN;
        Ok(Self {
            id: needed(id)?,
            text: needed(text)?,
            score: place(score)?,
            reference: place(reference)?,
            context: place(context)?,
            position: place(position)?,
            names,
        })
    }

    /// Whether the column at this index is read, and so not carried along.
    fn is_read(&self, index: usize) -> bool {
        let optional = [self.score, self.reference, self.context, self.position];
        index == self.id || index == self.text || optional.contains(&Some(index))
    }
}

/// The utterances of a table.
struct Table {
    rows: Rows,
    columns: Columns,
    /// The row behind the last utterance.
    next: Option<Row>,
    /// The line of a row between two utterances that may be of either.
    stray: Option<u64>,
    begun: bool,
    seen: SeenIds,
}

impl Table {
    /// The id that a row states; `None` if the row is broken in such a way that another field may stand there.
    fn id<'a>(&self, row: &'a Row) -> Option<&'a str> {
        let id = self.columns.id;
        let sure = match row.flaw {
            Some(Flaw::Quote) => id + 1 < row.cells.len(),
            _ => id == 0 || row.cells.len() == self.columns.names.len(),
        };
        row.cells.get(id).filter(|_| sure).map(|cell| cell.text.as_str())
    }

    fn place(&self, line: u64, id: Option<&str>) -> Place {
        let path = Some(self.rows.source().name().clone());
        Place { path, line: Some(line), utterance: id.filter(|id| !id.is_empty()).map(str::to_owned) }
    }

    /// The utterance of these rows, of which there is at least one.
    fn utterance(&mut self, rows: Vec<Row>) -> Result<(Utterance, Place), Error> {
        let first = self.place(rows[0].line, self.id(&rows[0]));
        let id = self.id(&rows[0]).unwrap_or_default().to_owned();
        let fresh = id.is_empty() || self.seen.insert(&id);
        let stray = self.stray.take();
        let (mut reference, mut context, mut of_utterance) = (None, None, None);
        let mut hypotheses = Vec::with_capacity(rows.len());
        for (position, row) in rows.into_iter().enumerate() {
            let place = self.place(row.line, Some(&id));
            self.check(&row, &place)?;
            let columns = &self.columns;
            if let Some(column) = columns.position {
                let found = &row.cells[column].text;
                if found.trim().parse() != Ok(position) {
                    let reason = format!(
                        "`position` is {found:?} where {position} should be; sort its rows by position, numbered from 0"
                    );
                    return Err(Error::Part { place, reason });
                }
            }
            let score = columns.score.map(|column| score(&row.cells[column], &place)).transpose()?.flatten();
            for (column, known) in [(columns.reference, &mut reference), (columns.context, &mut context)] {
                let Some(column) = column else { continue };
                agree(known, &row.cells[column], &columns.names[column], &place)?;
            }
            let mut hypothesis = Hypothesis { text: String::new(), score, extra: Map::new() };
            for (index, (cell, name)) in row.cells.into_iter().zip(&columns.names).enumerate() {
                if index == columns.text {
                    hypothesis.text = cell.text;
                } else if name == OF_UTTERANCE && is_object(&cell.text) {
                    agree(&mut of_utterance, &cell, name, &place)?;
                } else if !columns.is_read(index) && !is_absent(&cell, name) {
                    hypothesis.extra.insert(name.clone(), carried(cell.text, name));
                }
            }
            let twice = |key| Error::DuplicateKey { place: place.clone(), key };
            extra::spread(&mut hypothesis.extra, OF_HYPOTHESIS).map_err(twice)?;
            hypotheses.push(hypothesis);
        }
        if !fresh {
            let reason =
                "its rows do not stand together, others come between; sort the rows by id".to_owned();
            return Err(Error::Part { place: first, reason });
        }
        if let Some(line) = stray {
            let reason = format!(
                "the row before it, on line {line}, is broken and may be one of its own; mend that row"
            );
            return Err(Error::Part { place: first, reason });
        }
        let nbest = NBest::checked(hypotheses, &first)?;
        let mut utterance = Utterance { reference, context, ..Utterance::new(id, nbest) };
        if let Some(text) = of_utterance {
            utterance.extra.insert(OF_UTTERANCE.to_owned(), Value::String(text));
            let twice = |key| Error::DuplicateKey { place: first.clone(), key };
            extra::spread(&mut utterance.extra, OF_UTTERANCE).map_err(twice)?;
        }
        Ok((utterance, first))
    }

    /// Whether a row can be read at all.
    fn check(&self, row: &Row, place: &Place) -> Result<(), Error> {
        let (fields, columns) = (row.cells.len(), self.columns.names.len());
        let reason = match row.flaw {
            Some(Flaw::Encoding) => return Err(Error::Encoding { place: place.clone() }),
            Some(Flaw::Quote) => {
                "text stands behind the closing quote of a field; double the quotes inside a quoted field"
                    .to_owned()
            }
            None if fields != columns => format!(
                "its row has {fields} fields, but there are {columns} columns; mend it, a field with a separator in \
                 quotes"
            ),
            None if self.id(row).is_none_or(str::is_empty) => "its row has no id; add it".to_owned(),
            None => return Ok(()),
        };
        Err(Error::Part { place: place.clone(), reason })
    }
}

/// Whether a cell of one of our own columns has nothing to say.
fn is_absent(cell: &Cell, name: &str) -> bool {
    let ours = [OF_HYPOTHESIS, OF_UTTERANCE].contains(&name) || OF_SECOND_PASS.contains(&name);
    ours && cell.text.is_empty() && !cell.quoted
}

fn is_object(text: &str) -> bool {
    matches!(json::parse(text.as_bytes()), Ok(Value::Object(_)))
}

/// A field that is carried along: a number of a second pass, else a string.
fn carried(text: String, name: &str) -> Value {
    let number = OF_SECOND_PASS.contains(&name).then(|| text.parse::<Number>().ok()).flatten();
    number.map_or(Value::String(text), Value::Number)
}

fn score(cell: &Cell, place: &Place) -> Result<Option<f64>, Error> {
    let text = cell.text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(score) if score.is_finite() => Ok(Some(score)),
        Ok(_) => Err(Error::NotFinite { place: place.clone(), value: text.to_owned() }),
        Err(_) => {
            let reason = format!("`score` is {text:?}, expected a number; mend it");
            Err(Error::Part { place: place.clone(), reason })
        }
    }
}

/// Takes what a row says of its utterance; the rows may not say different things.
fn agree(known: &mut Option<String>, cell: &Cell, name: &str, place: &Place) -> Result<(), Error> {
    if cell.text.is_empty() && !cell.quoted {
        return Ok(());
    }
    match known {
        Some(known) if *known != cell.text => {
            let reason =
                format!("`{name}` is {:?}, but {known:?} in a row before; keep one of them", cell.text);
            Err(Error::Part { place: place.clone(), reason })
        }
        _ => {
            *known = Some(cell.text.clone());
            Ok(())
        }
    }
}

impl Body for Table {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        let first = match self.next.take() {
            Some(row) => row,
            None => match self.rows.next()? {
                Some(row) => row,
                None if self.begun => return Ok(None),
                None => return Err(Error::Empty { path: self.rows.source().name().to_string() }),
            },
        };
        self.begun = true;
        let mut rows = vec![first];
        let mut stray = None;
        while let Some(row) = self.rows.next()? {
            // A broken row spoils the utterance that it stands in: without it the list would be another.
            let id = self.id(&row);
            if id.is_some() && id != self.id(&rows[0]) {
                stray = rows.last().filter(|last| self.id(last).is_none()).map(|last| last.line);
                self.next = Some(row);
                break;
            }
            rows.push(row);
        }
        let utterance = self.utterance(rows);
        self.stray = stray;
        utterance.map(Some)
    }
}
