//! The utterances of a table.

use std::sync::Arc;

use serde_json::{Number, Value};

use super::columns::{Columns, OF_HYPOTHESIS, OF_UTTERANCE};
use super::number;
use crate::answer::OF_SECOND_PASS;
use crate::body::Body;
use crate::reading::Reading;
use crate::rows::{Cell, Flaw, Row, RowStream};
use crate::scores::{self, Beside};
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, SeenIds, Utterance, extra, json};

/// The utterances of a table.
pub(super) struct Table {
    rows: Box<dyn RowStream>,
    columns: Columns,
    delimiter: u8,
    reading: Arc<Reading>,
    /// The row behind the last utterance.
    next: Option<Row>,
    /// The line of a row between two utterances that may be of either.
    stray: Option<u64>,
    begun: bool,
    seen: SeenIds,
}

impl Table {
    /// The rows behind the one that names the columns.
    pub(super) fn new(
        rows: Box<dyn RowStream>,
        columns: Columns,
        delimiter: u8,
        reading: Arc<Reading>,
    ) -> Self {
        let (next, stray, begun, seen) = (None, None, false, SeenIds::default());
        Self { rows, columns, delimiter, reading, next, stray, begun, seen }
    }

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
        let path = Some(self.rows.name().clone());
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
                        "`{}` is {found:?} where {position} should be; sort its rows by position, numbered from 0",
                        columns.names[column]
                    );
                    return Err(Error::Part { place, reason });
                }
            }
            for (column, known) in [(columns.reference, &mut reference), (columns.context, &mut context)] {
                let Some(column) = column else { continue };
                agree(known, &row.cells[column], &columns.names[column], &place)?;
            }
            if let Some(column) = columns.names.iter().position(|name| name == OF_UTTERANCE)
                && is_object(&row.cells[column].text)
            {
                agree(&mut of_utterance, &row.cells[column], OF_UTTERANCE, &place)?;
            }
            hypotheses.push(self.hypothesis(row, &place)?);
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
        let scale = self.score(&mut hypotheses, &first)?;
        let nbest = NBest::checked(hypotheses, &first)?.with_score_scale(scale);
        let mut utterance = Utterance { reference, context, ..Utterance::new(id, nbest) };
        if let Some(text) = of_utterance {
            utterance.extra.insert(OF_UTTERANCE.to_owned(), Value::String(text));
            let twice = |key| Error::DuplicateKey { place: first.clone(), key };
            extra::spread(&mut utterance.extra, OF_UTTERANCE).map_err(twice)?;
        }
        Ok((utterance, first))
    }

    /// The hypothesis of a row.
    fn hypothesis(&self, row: Row, place: &Place) -> Result<Hypothesis, Error> {
        let columns = &self.columns;
        let mut hypothesis = Hypothesis::new("");
        for (index, (cell, name)) in row.cells.into_iter().zip(&columns.names).enumerate() {
            let of_utterance = name == OF_UTTERANCE && is_object(&cell.text);
            if index == columns.text {
                hypothesis.text = cell.text;
            } else if Some(index) == columns.score {
                hypothesis.score = self.number(&cell, name, true, place)?;
            } else if !columns.is_read(index) && !of_utterance && !is_absent(&cell, name) {
                let value = self.carried(cell, index, place)?;
                hypothesis.extra.insert(name.clone(), value);
            }
        }
        let twice = |key| Error::DuplicateKey { place: place.clone(), key };
        extra::spread(&mut hypothesis.extra, OF_HYPOTHESIS).map_err(twice)?;
        Ok(hypothesis)
    }

    /// A field that is carried along: a number of a second pass, a number with a decimal comma, else a string.
    fn carried(&self, cell: Cell, index: usize, place: &Place) -> Result<Value, Error> {
        let name = &self.columns.names[index];
        if OF_SECOND_PASS.contains(&name.as_str())
            && let Ok(number) = cell.text.parse::<Number>()
        {
            return Ok(Value::Number(number));
        }
        if self.columns.may_score(index) && cell.text.trim().parse::<f64>().is_err() {
            let number = self.number(&cell, name, self.columns.is_named_score(index), place);
            // Beside a column of scores nobody reads it.
            let number = if self.columns.score.is_some() { number.ok().flatten() } else { number? };
            if let Some(number) = number {
                return Ok(Value::from(number));
            }
        }
        Ok(Value::String(cell.text))
    }

    /// The number of a cell; where it `must` be one, another text is an error.
    fn number(&self, cell: &Cell, name: &str, must: bool, place: &Place) -> Result<Option<f64>, Error> {
        match number::parse(&cell.text, self.delimiter) {
            Ok(Some(number)) if must && !number.is_finite() => {
                Err(Error::NotFinite { place: place.clone(), value: cell.text.trim().to_owned() })
            }
            Ok(number) => Ok(number.filter(|number| number.is_finite())),
            Err(number::Flaw::Text) if !must => Ok(None),
            Err(flaw) => {
                let reason = format!("`{name}` is {:?}, {}", cell.text.trim(), flaw.remedy());
                Err(Error::Part { place: place.clone(), reason })
            }
        }
    }

    /// Gives hypotheses without scores those that other columns hold.
    fn score(&self, hypotheses: &mut [Hypothesis], place: &Place) -> Result<ScoreScale, Error> {
        let at = Beside { place, notices: &self.reading.notices, prefix: &|_| String::new() };
        let named: Vec<_> = self.columns.scores.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        match named.as_slice() {
            [] => scores::attach(hypotheses, &at),
            named => scores::attach_from(hypotheses, named, &at),
        }
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
            None if fields != columns => {
                let count = format!("its row has {fields} fields, but there are {columns} columns");
                match self.cut_number(row) {
                    Some(number) => format!(
                        "{count}: `{number}` looks like a number with a decimal comma; write a point, or put semicolons \
                         between the columns"
                    ),
                    None => format!("{count}; mend it, a field with a separator in quotes"),
                }
            }
            None if self.id(row).is_none_or(str::is_empty) => "its row has no id; add it".to_owned(),
            None => return Ok(()),
        };
        Err(Error::Part { place: place.clone(), reason })
    }

    /// The number that its decimal comma has cut into two fields of a row.
    fn cut_number(&self, row: &Row) -> Option<String> {
        let of_numbers = (0..self.columns.names.len())
            .filter(|index| self.columns.score == Some(*index) || self.columns.may_score(*index));
        let index = of_numbers.into_iter().next().filter(|_| self.delimiter == b',')?;
        let [whole, rest] = row.cells.get(index..index + 2)? else { return None };
        let is_cut = row.cells.len() > self.columns.names.len() && number::is_cut(&whole.text, &rest.text);
        is_cut.then(|| format!("{},{}", whole.text.trim(), rest.text.trim()))
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
                None => return Err(Error::Empty { path: self.rows.name().to_string() }),
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
