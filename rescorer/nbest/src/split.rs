//! Cuts an input into the pieces that hold one utterance each.
//!
//! The cut needs no parsing: a line ends at its newline, an element of a document at its matching brace. So
//! the lines of the pieces are exact, and a bad utterance does not spoil the ones after it.

use crate::formats::Layout;
use crate::source::Source;
use crate::{Error, Format};

/// The bytes of one utterance.
pub(crate) struct Piece {
    /// The JSON text.
    pub(crate) bytes: Vec<u8>,
    /// The line on which it begins.
    pub(crate) line: u64,
    /// Its key, in a document that is an object.
    pub(crate) key: Option<String>,
}

/// Cuts pieces off a source.
pub(crate) struct Splitter {
    format: Format,
    layout: Layout,
    inside: bool,
    first: bool,
}

impl Splitter {
    pub(crate) fn new(format: Format, layout: Layout) -> Self {
        Self { format, layout, inside: false, first: true }
    }

    /// The next piece; `None` at the end of the input.
    pub(crate) fn next(&mut self, source: &mut Source) -> Result<Option<Piece>, Error> {
        match self.layout {
            Layout::Lines => next_line(source),
            Layout::Objects => match source.peek()? {
                None => Ok(None),
                Some(b'{') => self.element(source, None).map(Some),
                Some(_) => Err(self.broken(source, "an utterance", None)),
            },
            Layout::Array => self.next_element(source, b'[', b']'),
            Layout::Object => self.next_element(source, b'{', b'}'),
        }
    }

    fn next_element(&mut self, source: &mut Source, open: u8, close: u8) -> Result<Option<Piece>, Error> {
        if !self.inside {
            self.expect(source, open, "the document")?;
            self.inside = true;
        }
        if self.at_close(source, close)? {
            return self.end(source);
        }
        if !self.first {
            self.expect(source, b',', "the next utterance or the end of the document")?;
        }
        self.first = false;
        let mut key = None;
        if open == b'{' {
            key = Some(self.key(source)?);
            self.expect(source, b':', "the utterance of the key")?;
        }
        self.element(source, key).map(Some)
    }

    /// The value that begins here.
    fn element(&self, source: &mut Source, key: Option<String>) -> Result<Piece, Error> {
        let next = source.peek()?;
        let line = source.line();
        let bytes = match next {
            Some(b'{' | b'[') => {
                let mut depth = Depth::default();
                match source.find(|byte| depth.closed_by(byte))? {
                    Some(length) => source.take(length),
                    None => return Err(self.broken(source, "the end of the utterance", Some(line))),
                }
            }
            Some(b'"' | b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => scalar(source)?,
            _ => return Err(self.broken(source, "an utterance", None)),
        };
        Ok(Piece { bytes, line, key })
    }

    fn at_close(&self, source: &mut Source, close: u8) -> Result<bool, Error> {
        Ok(source.peek()? == Some(close))
    }

    fn end(&self, source: &mut Source) -> Result<Option<Piece>, Error> {
        source.skip(1);
        match source.peek()? {
            None => Ok(None),
            Some(_) => Err(self.broken(source, "the end of the file", None)),
        }
    }

    fn expect(&self, source: &mut Source, byte: u8, before: &str) -> Result<(), Error> {
        if source.peek()? != Some(byte) {
            return Err(self.broken(source, &format!("`{}` before {before}", char::from(byte)), None));
        }
        source.skip(1);
        Ok(())
    }

    fn key(&self, source: &mut Source) -> Result<String, Error> {
        if source.peek()? != Some(b'"') {
            return Err(self.broken(source, "the id of an utterance in double quotes", None));
        }
        let line = source.line();
        let bytes = scalar(source)?;
        serde_json::from_slice(&bytes)
            .map_err(|_| self.broken(source, "a valid id in double quotes", Some(line)))
    }

    fn broken(&self, source: &Source, expected: &str, line: Option<u64>) -> Error {
        let rest = source.unread();
        let found = match String::from_utf8_lossy(&rest[..rest.len().min(4)]).chars().next() {
            _ if line.is_some() => "the end of the file: it is cut short, or a quote is missing".to_owned(),
            None => "the end of the file: it is cut short".to_owned(),
            Some(character) => format!("`{character}`"),
        };
        Error::Document {
            path: source.name().to_string(),
            line: line.unwrap_or(source.line()),
            format: self.format,
            expected: expected.to_owned(),
            found,
        }
    }
}

/// The next line that is not blank.
pub(crate) fn next_line(source: &mut Source) -> Result<Option<Piece>, Error> {
    loop {
        let line = source.line();
        let length = source.find(|byte| byte == b'\n')?.unwrap_or(source.unread().len());
        if length == 0 {
            return Ok(None);
        }
        let bytes = source.take(length).trim_ascii_end().to_vec();
        if !bytes.is_empty() {
            return Ok(Some(Piece { bytes, line, key: None }));
        }
    }
}

/// The bytes of a string, or of a word such as a number.
fn scalar(source: &mut Source) -> Result<Vec<u8>, Error> {
    if source.unread().first() == Some(&b'"') {
        let mut string = Quotes::default();
        let mut begun = false;
        let length = source.find(|byte| std::mem::replace(&mut begun, true) & !string.inside_after(byte))?;
        return Ok(source.take(length.unwrap_or(source.unread().len())));
    }
    let length = source.find(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}'))?;
    Ok(source.take(length.map_or(source.unread().len(), |length| length - 1)))
}

/// Follows the quotes of JSON text byte by byte.
#[derive(Default)]
struct Quotes {
    inside: bool,
    escaped: bool,
}

impl Quotes {
    /// Whether the text is inside a string after this byte.
    fn inside_after(&mut self, byte: u8) -> bool {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'"' {
            self.inside = !self.inside;
        } else if self.inside && byte == b'\\' {
            self.escaped = true;
        }
        self.inside
    }
}

/// Follows the braces and brackets of JSON text byte by byte.
#[derive(Default)]
struct Depth {
    quotes: Quotes,
    open: u64,
}

impl Depth {
    /// Whether the outermost brace closes with this byte.
    fn closed_by(&mut self, byte: u8) -> bool {
        if self.quotes.inside_after(byte) {
            return false;
        }
        match byte {
            b'{' | b'[' => self.open += 1,
            b'}' | b']' => {
                self.open -= 1;
                return self.open == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(format: Format, layout: Layout, text: &'static str) -> Vec<(Option<String>, String, u64)> {
        let mut source = Source::new("x.json", text.as_bytes());
        let mut splitter = Splitter::new(format, layout);
        let mut found = Vec::new();
        while let Some(piece) = splitter.next(&mut source).unwrap() {
            found.push((piece.key, String::from_utf8(piece.bytes).unwrap(), piece.line));
        }
        found
    }

    #[test]
    fn elements_end_at_their_own_brace() {
        let text = "[ {\"a\": \"}\\\"]\"} ,\n[[1], {}],\n7\n, \"b,\\\\\"]\n";
        let found = pieces(Format::HyporadiseJson, Layout::Array, text);
        let found: Vec<_> = found.iter().map(|(_, text, line)| (text.as_str(), *line)).collect();
        assert_eq!(found, [("{\"a\": \"}\\\"]\"}", 1), ("[[1], {}]", 2), ("7", 3), ("\"b,\\\\\"", 4)]);
    }

    #[test]
    fn keys_are_unescaped() {
        let found = pieces(Format::EspnetJson, Layout::Object, "{\"a\\\"\\u0062\"\n: {}, \"\": {\n}}");
        assert_eq!(found[0], (Some("a\"b".to_owned()), "{}".to_owned(), 2));
        assert_eq!(found[1], (Some(String::new()), "{\n}".to_owned(), 2));
    }

    #[test]
    fn lines_may_be_blank_and_the_last_unended() {
        let found = pieces(Format::Jsonl, Layout::Lines, "\r\n1\r\n  \n2");
        assert_eq!(found, [(None, "1".to_owned(), 2), (None, "2".to_owned(), 4)]);
    }
}
