//! Cuts text into rows of fields, with quotes as CSV has them (RFC 4180).
//!
//! It is stricter than readers of CSV are, since a row that swallows the next shifts a list: text behind a
//! closing quote is a flaw of its row, and a quote that is never closed ends the reading. A quote inside a field
//! that does not begin with one is a character like any other.

use std::sync::Arc;

use crate::source::Source;
use crate::{Error, Format};

/// One row.
pub(crate) struct Row {
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    /// Its fields.
    pub(crate) cells: Vec<Cell>,
    /// What is wrong with it.
    pub(crate) flaw: Option<Flaw>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Its text, without the quotes around it.
    pub(crate) text: String,
    /// Whether it stands in quotes.
    pub(crate) quoted: bool,
}

/// What yields the rows of a table, one after the other.
pub(crate) trait RowStream: Send {
    /// The input, as it was named.
    fn name(&self) -> &Arc<str>;

    /// The next row; `None` at the end.
    fn next(&mut self) -> Result<Option<Row>, Error>;
}

impl RowStream for Rows {
    fn name(&self) -> &Arc<str> {
        self.source.name()
    }

    fn next(&mut self) -> Result<Option<Row>, Error> {
        self.row()
    }
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not UTF-8.
    Encoding,
    /// Text stands behind the closing quote of a field.
    Quote,
}

/// The rows of a text; blank lines are none.
pub(crate) struct Rows {
    source: Source,
    format: Format,
    delimiter: u8,
}

impl Rows {
    pub(crate) fn new(source: Source, format: Format, delimiter: u8) -> Self {
        Self { source, format, delimiter }
    }

    /// The next row; `None` at the end. It reads no further than the end of the row.
    fn row(&mut self) -> Result<Option<Row>, Error> {
        loop {
            let line = self.source.line();
            let mut cut = Cut::new(self.delimiter);
            match self.source.find(|byte| cut.ends_with(byte))? {
                Some(length) => self.source.skip(length),
                None if self.source.unread().is_empty() => return Ok(None),
                None if cut.at == At::Quoted => return Err(self.unclosed(line)),
                None => {
                    self.source.skip(self.source.unread().len());
                    cut.end_cell();
                }
            }
            if !cut.is_blank() {
                return Ok(Some(cut.row(line)));
            }
        }
    }

    fn unclosed(&self, line: u64) -> Error {
        Error::Document {
            path: self.source.name().to_string(),
            line,
            format: self.format,
            expected: "the closing quote of a field of the row that begins here".to_owned(),
            found: "the end of the file: it is cut short, or a quote is missing".to_owned(),
        }
    }
}

/// Where in a row the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the start of a field.
    Start,
    /// Inside a field without quotes.
    Plain,
    /// Inside quotes.
    Quoted,
    /// Behind a closing quote.
    Closed,
    /// Behind a flaw: the rest of the line is passed over.
    Flawed,
}

/// A row as it is cut, byte by byte.
struct Cut {
    delimiter: u8,
    cells: Vec<(Vec<u8>, bool)>,
    cell: Vec<u8>,
    at: At,
}

impl Cut {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, cells: Vec::new(), cell: Vec::new(), at: At::Start }
    }

    /// Whether the row ends with this byte.
    fn ends_with(&mut self, byte: u8) -> bool {
        match (self.at, byte) {
            (At::Quoted, b'"') => self.at = At::Closed,
            (At::Quoted, _) => self.cell.push(byte),
            (At::Start, b'"') => self.at = At::Quoted,
            (At::Closed, b'"') => {
                self.cell.push(byte);
                self.at = At::Quoted;
            }
            (At::Flawed, b'\n') => return true,
            (_, b'\n') => {
                self.end_cell();
                return true;
            }
            (At::Flawed, _) | (At::Closed, b'\r') => {}
            (_, byte) if byte == self.delimiter => {
                self.end_cell();
                self.at = At::Start;
            }
            (At::Closed, _) => {
                self.end_cell();
                self.at = At::Flawed;
            }
            (At::Start | At::Plain, _) => {
                self.cell.push(byte);
                self.at = At::Plain;
            }
        }
        false
    }

    fn end_cell(&mut self) {
        if self.at == At::Flawed {
            return;
        }
        let quoted = self.at == At::Closed;
        if !quoted && self.cell.last() == Some(&b'\r') {
            self.cell.pop();
        }
        self.cells.push((std::mem::take(&mut self.cell), quoted));
    }

    fn is_blank(&self) -> bool {
        matches!(self.cells.as_slice(), [(text, false)] if text.is_empty())
    }

    fn row(self, line: u64) -> Row {
        let mut flaw = (self.at == At::Flawed).then_some(Flaw::Quote);
        let cell = |(bytes, quoted): (Vec<u8>, bool)| match String::from_utf8(bytes) {
            Ok(text) => Cell { text, quoted },
            Err(error) => {
                flaw = Some(Flaw::Encoding);
                Cell { text: String::from_utf8_lossy(error.as_bytes()).into_owned(), quoted }
            }
        };
        let cells = self.cells.into_iter().map(cell).collect();
        Row { line, cells, flaw }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static [u8]) -> Vec<(u64, String, Option<Flaw>)> {
        let mut rows = Rows::new(Source::new("x.csv", text), Format::Csv, b',');
        let mut found = Vec::new();
        while let Some(Row { line, cells, flaw }) = rows.next().unwrap() {
            let cells: Vec<_> = cells
                .iter()
                .map(|cell| format!("{}{}", cell.text, if cell.quoted { "*" } else { "" }))
                .collect();
            found.push((line, cells.join("|"), flaw));
        }
        found
    }

    fn row(line: u64, cells: &str) -> (u64, String, Option<Flaw>) {
        (line, cells.to_owned(), None)
    }

    #[test]
    fn quotes_hold_commas_line_breaks_and_quotes() {
        let found = rows(b"a,\"b,\r\n\"\"c\"\"\",d\r\n\r\n5\" disk,\"\",\"x\"\r\n,\n\n,\"e\"");
        let expected = [row(1, "a|b,\r\n\"c\"*|d"), row(4, "5\" disk|*|x*"), row(5, "|"), row(7, "|e*")];
        assert_eq!(found, expected);
        assert_eq!(rows(b"a\rb,c\r\n\"\"\r\n"), [row(1, "a\rb|c"), row(2, "*")]);
    }

    #[test]
    fn a_flaw_is_one_rows() {
        let found = rows(b"\"a\"b,c\nd,e\n\xFF,f\n\"g\" ,h");
        let flawed = |line, cells: &str, flaw| (line, cells.to_owned(), Some(flaw));
        let encoding = flawed(3, "\u{FFFD}|f", Flaw::Encoding);
        assert_eq!(
            found,
            [flawed(1, "a*", Flaw::Quote), row(2, "d|e"), encoding, flawed(4, "g*", Flaw::Quote)]
        );
    }
}
