//! A table with one hypothesis a row, whose first row names the columns, with commas or semicolons between them.
//!
//! `id` (or `utterance`) and `text` (or `hypothesis`) are needed; `score`, `reference`, `context` and
//! `position` are known; case and blanks around a name don't count. Where `score` is not there or empty, a column with
//! another usual name of a score is read, such as `am_score`, `logprob`, `confidence` or `cost` (`scores`). The user may
//! name the columns ([`FieldNames`]). Other columns are carried along in the hypothesis, as strings; so is one without a
//! name, as pandas writes its index.
//!
//! The rows of an utterance stand together, in first-pass order; a `position` has to say the same, from 0. A field with a
//! separator or a line break stands in quotes, a quote inside it is doubled. An empty score is none. An empty
//! reference or context is none, but in quotes (`""`) it is an empty text; it may stand in one row of the
//! utterance or in all. `extra` and `utterance_extra` may be JSON objects of fields, `first_pass_position`, `lm_score`,
//! `total` and `confidence` are numbers: so our own tables come back as they were.
//!
//! Numbers have a decimal point. Where semicolons stand between the columns, a decimal comma is read too.
//!
//! One utterance is held in memory; it ends where the next begins, so it is answered one row late.

use std::io::Cursor;
use std::sync::Arc;

use crate::reading::Reading;
use crate::rows::{Row, RowStream, Rows};
use crate::source::Source;
use crate::spec::{Opened, Spec};
use crate::{Error, FieldNames, Format};

mod columns;
mod number;
mod table;

use columns::Columns;
use table::Table;

pub(super) const SPEC: Spec = Spec::Text {
    marker: |line, names| DELIMITERS.iter().any(|of| has_columns(line, names, Format::Csv, *of)),
    open: |mut source, reading| {
        let line = source.first_line()?;
        let fits = |of: &u8| has_columns(&line, &reading.names, Format::Csv, *of);
        let count = |of: &u8| line.iter().filter(|byte| *byte == of).count();
        let delimiter = DELIMITERS.into_iter().find(fits);
        let delimiter = delimiter.or_else(|| DELIMITERS.into_iter().rev().max_by_key(count)).unwrap_or(b',');
        open(source, &reading, Format::Csv, delimiter)
    },
    folder: None,
};

/// What may stand between the columns of this format.
const DELIMITERS: [u8; 2] = [b',', b';'];

/// The row of names that a line is.
fn header(line: &[u8], format: Format, delimiter: u8) -> Option<Row> {
    Rows::new(Source::new("", Cursor::new(line.to_vec())), format, delimiter).next().ok().flatten()
}

/// Whether a line names the columns that are needed.
pub(super) fn has_columns(line: &[u8], names: &FieldNames, format: Format, delimiter: u8) -> bool {
    header(line, format, delimiter).is_some_and(|header| Columns::are_in(&header, names))
}

/// Why a line that looks like the names of columns is not read as a table; `None` if it doesn't look like that.
pub(crate) fn refusal(line: &[u8], names: &FieldNames) -> Option<String> {
    let found = [b'\t', b';', b','].into_iter().filter_map(|delimiter| {
        let header = header(line, Format::Csv, delimiter)?;
        (columns::look_like_names(&header)).then_some((header, delimiter))
    });
    let (header, delimiter) = found.max_by_key(|(header, _)| header.cells.len())?;
    Columns::find(&header, names, delimiter).err()
}

/// Reads a table.
pub(super) fn open(source: Source, reading: &Arc<Reading>, format: Format, delimiter: u8) -> Opened {
    let mut rows = Rows::new(source, format, delimiter);
    let path = rows.name().to_string();
    let Some(header) = rows.next()? else { return Err(Error::Empty { path }) };
    match Columns::find(&header, &reading.names, delimiter) {
        Ok(columns) => Ok(Box::new(Table::new(Box::new(rows), columns, delimiter, reading.clone()))),
        Err(reason) => Err(Error::Header { path, line: header.line, reason }),
    }
}

/// Reads rows from elsewhere as a table, if its header names the columns that are needed; else, or where the columns cannot
/// be read, says why.
#[cfg(feature = "parquet")]
pub(crate) fn table(
    rows: Box<dyn RowStream>,
    header: &Row,
    reading: &Arc<Reading>,
) -> Result<Box<dyn crate::body::Body>, String> {
    let columns = Columns::find(header, &reading.names, 0)?;
    Ok(Box::new(Table::new(rows, columns, 0, reading.clone())))
}

/// Whether a header names the columns that a table needs.
#[cfg(feature = "parquet")]
pub(crate) fn is_table(header: &Row, names: &FieldNames) -> bool {
    Columns::are_in(header, names)
}
