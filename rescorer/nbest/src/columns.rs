//! Rows of columns as utterances.
//!
//! A row becomes the object that the JSON formats read, and the names of the columns say which of them reads it:
//! `hypotheses` (a list of structs with `text`, `score`) the native one, `input` (a list of strings) with
//! `output` HyPoradise, and so on. So every shape that is known in JSON is known in columns. All rows have the
//! same columns, so a null is a field that is not there. A column `extra`, or such a field of a hypothesis,
//! whose text is a JSON object stands for the fields of that object: so our own writers keep fields that they
//! don't know.
//!
//! Where no column says so, but two are `id` and `text`, a row is one hypothesis, as in a table of text ([`flat`]).

use std::fs::File;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Fields};
use serde_json::{Map, Value};

use crate::batches::{Batches, Steps};
use crate::body::Body;
use crate::cells::{self, Flaw};
use crate::flat;
use crate::formats::{self, is_table, table};
use crate::reading::Reading;
use crate::shape::Json;
use crate::stem::stem;
use crate::{Error, Format, Place, Utterance, extra, fields, object, path};

/// Opens a file, and looks whether its columns can be read.
pub(crate) fn open(
    name: &str,
    format: Format,
    reading: Arc<Reading>,
    file: File,
    open: fn(File) -> Result<Batches, String>,
) -> Result<Box<dyn Body>, Error> {
    let fail = |reason: String| Error::Columns { path: name.to_owned(), format, reason };
    let steps = Steps::open(name, format, || open(file))?;
    let columns = steps.columns();
    if let Some((column, kind)) = columns.iter().find_map(|column| cells::unreadable(column)) {
        return Err(fail(format!(
            "its column `{column}` is of the type {kind}, which cannot be carried along; leave it out, or make it text or numbers"
        )));
    }
    let marked = formats::of_marks(|mark| has(columns, mark));
    let header = flat::header(columns);
    match marked {
        Some((shape, json)) => Ok(Box::new(ColumnsBody { stem: stem(name), shape, json, reading, steps })),
        None if is_table(&header, &reading.names) => {
            table(Box::new(flat::FlatRows(steps)), &header, &reading).map_err(fail)
        }
        None => {
            let columns = columns.iter();
            let names: Vec<_> = columns.map(|column| format!("`{}`", column.name())).collect();
            Err(fail(format!(
                "none of its columns ({}) tells what a row is; name one `hypotheses` (lists of structs with `text` and \
                 `score`) or `input` (lists of strings), or two `id` and `text`, where a row is one hypothesis",
                names.join(", ")
            )))
        }
    }
}

/// Rows that hold a list each.
struct ColumnsBody {
    stem: String,
    /// The format whose fields the columns are.
    shape: Format,
    json: &'static Json,
    reading: Arc<Reading>,
    steps: Steps,
}

impl Body for ColumnsBody {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        let Some((batch, index)) = self.steps.step()? else { return Ok(None) };
        let id = format!("{}:{}", self.stem, self.steps.row);
        self.steps.row += 1;
        let (path, line) = (Some(self.steps.name.clone()), Some(self.steps.row));
        let mut place = Place { path, line, utterance: None };
        let row = row(&batch, index).map_err(|flaw| {
            place.utterance = stated_id(&batch, index);
            let place = place.clone();
            let Flaw::DuplicateKey(key) = flaw;
            Error::DuplicateKey { place, key }
        })?;
        Ok(Some((object::utterance((self.shape, self.json), row, place.clone(), id, &self.reading)?, place)))
    }
}

/// Whether columns have what stands at a path of keys.
fn has(columns: &Fields, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (key, lists) = (first.trim_end_matches("[]"), first.matches("[]").count());
    columns.iter().filter(|column| path::is_at(column.name(), key)).any(|column| {
        let mut kind = column.data_type();
        for _ in 0..lists {
            kind = match kind {
                DataType::List(inner)
                | DataType::LargeList(inner)
                | DataType::ListView(inner)
                | DataType::LargeListView(inner)
                | DataType::FixedSizeList(inner, _) => inner.data_type(),
                _ => return false,
            };
        }
        match (rest, kind) {
            (None, _) => true,
            (Some(rest), DataType::Struct(fields)) => has(fields, rest),
            _ => false,
        }
    })
}

/// A row as an object.
fn row(batch: &RecordBatch, index: usize) -> Result<Map<String, Value>, Flaw> {
    let fields = batch.schema_ref().fields().iter().zip(batch.columns());
    let mut row = cells::object(fields.map(|(field, column)| (field.name().clone(), column, index)))?;
    if let Some(Value::Array(hypotheses)) = row.get_mut("hypotheses") {
        for hypothesis in hypotheses.iter_mut().filter_map(Value::as_object_mut) {
            spread(hypothesis)?;
        }
    }
    spread(&mut row)?;
    Ok(row)
}

fn spread(object: &mut Map<String, Value>) -> Result<(), Flaw> {
    extra::spread(object, "extra").map_err(Flaw::DuplicateKey)
}

/// The id of a row that cannot be read as a whole.
fn stated_id(batch: &RecordBatch, index: usize) -> Option<String> {
    let id = cells::value(batch.column_by_name("id")?, index).ok()??;
    fields::id(&id)
}
