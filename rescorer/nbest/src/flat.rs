//! Columns with one hypothesis a row, as pandas writes tables: the rows of a table of text, only typed.
//!
//! All is as in CSV: which columns are read, that the rows of an utterance stand together, that fields are carried along as
//! strings. A null, and NaN among numbers, is an empty field.

use std::sync::Arc;

use arrow_schema::Fields;
use serde_json::Value;

use crate::batches::Steps;
use crate::rows::{Cell, Row, RowStream};
use crate::{Error, cells, json};

/// The names of the columns as a row.
pub(crate) fn header(columns: &Fields) -> Row {
    let cell = |name: &String| Cell { text: name.clone(), quoted: true };
    Row { line: 1, cells: columns.iter().map(|column| cell(column.name())).collect(), flaw: None }
}

/// The rows.
pub(crate) struct FlatRows(pub(crate) Steps);

impl RowStream for FlatRows {
    fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    fn next(&mut self) -> Result<Option<Row>, Error> {
        let Some((batch, index)) = self.0.step()? else { return Ok(None) };
        self.0.row += 1;
        // A map with a key twice has no value that could be carried along.
        let cells =
            batch.columns().iter().map(|column| cell(cells::value(column, index).unwrap_or_default()));
        Ok(Some(Row { line: self.0.row, cells: cells.collect(), flaw: None }))
    }
}

fn cell(value: Option<Value>) -> Cell {
    let Some(mut value) = value else { return Cell { text: String::new(), quoted: false } };
    match json::not_finite(&value) {
        // So pandas writes a number that is not there.
        Some("NaN") => return cell(None),
        Some(_) => return Cell { text: "inf".to_owned(), quoted: false },
        None => json::nulled(&mut value),
    }
    match value {
        Value::Null => cell(None),
        Value::String(text) => Cell { text, quoted: true },
        other => Cell { text: other.to_string(), quoted: false },
    }
}
