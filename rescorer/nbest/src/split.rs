//! Cuts an input into the pieces that hold one list each.
//!
//! The cut needs no parsing: a line ends at its newline, an element of a document at its matching brace. So
//! the lines of the pieces are exact, a bad utterance does not spoil the ones after it, and of a document with many lists
//! one is held in memory.

use crate::path::{Step, steps};
use crate::scan::{Depth, Quotes};
use crate::shape::Layout;
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

/// What stands next in an input.
pub(crate) enum Cut {
    /// The bytes of a list.
    Piece(Piece),
    /// A document that has no place for lists: the keys that it has.
    Missing { line: u64, keys: Vec<String> },
    /// A document with something else in the place for lists: the key, what is needed, what stands there.
    Wrong { line: u64, key: &'static str, expected: &'static str, found: &'static str },
}

/// Cuts pieces off a source.
pub(crate) struct Splitter {
    format: Format,
    layout: Layout,
    steps: Vec<Step>,
    frames: Vec<Frame>,
    /// Whether lists stand in lines; known with the first.
    lines: Option<bool>,
    /// Whether a list of documents has ended.
    ended: bool,
}

/// An object or a list that is being read.
struct Frame {
    kind: Kind,
    /// The step that leads to what is inside.
    step: usize,
    first: bool,
}

enum Kind {
    /// A list of documents.
    Documents,
    /// An object of which one key is looked for.
    Object { key: &'static str, found: bool, line: u64, keys: Vec<String> },
    /// A list of the next step.
    List,
    /// An object of the next step.
    Values,
}

/// Keys of a document without lists that are remembered.
const KEYS: usize = 16;

impl Splitter {
    pub(crate) fn new(format: Format, layout: Layout) -> Self {
        let (steps, lines) = (steps(layout.path), (!layout.lines).then_some(false));
        Self { format, layout, steps, frames: Vec::new(), lines, ended: false }
    }

    /// Whether a list stands in a line.
    pub(crate) fn is_in_lines(&self) -> bool {
        self.lines == Some(true)
    }

    /// The next piece; `None` at the end of the input.
    pub(crate) fn next(&mut self, source: &mut Source) -> Result<Option<Cut>, Error> {
        let lines = match self.lines {
            Some(lines) => lines,
            None => *self.lines.insert(begins_in_lines(source)?),
        };
        if lines {
            return Ok(next_line(source)?.map(Cut::Piece));
        }
        loop {
            let cut = match self.frames.last() {
                None => match source.peek()? {
                    None => return Ok(None),
                    Some(b'[') if !self.layout.lists => {
                        source.skip(1);
                        self.frames.push(Frame { kind: Kind::Documents, step: 0, first: true });
                        None
                    }
                    Some(_) if self.ended => return Err(self.broken(source, "the end of the file", None)),
                    Some(b'{' | b'[') => self.descend(source, 0, None)?,
                    Some(_) => return Err(self.broken(source, "an utterance", None)),
                },
                Some(_) => self.inside(source)?,
            };
            if cut.is_some() {
                return Ok(cut);
            }
        }
    }

    /// Goes on in the innermost frame.
    fn inside(&mut self, source: &mut Source) -> Result<Option<Cut>, Error> {
        let Some(frame) = self.frames.last() else { return Ok(None) };
        let is_list = matches!(frame.kind, Kind::Documents | Kind::List);
        let (step, first) = (frame.step, frame.first);
        if source.peek()? == Some(if is_list { b']' } else { b'}' }) {
            source.skip(1);
            let closed = self.frames.pop();
            return Ok(closed.and_then(|frame| self.close(frame)));
        }
        if !first {
            self.expect(source, b',', "the next utterance or the end of the document")?;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.first = false;
        }
        if is_list {
            return self.descend(source, step, None);
        }
        let key = self.key(source)?;
        self.expect(source, b':', "the utterance of the key")?;
        let Some(Frame { kind: Kind::Object { key: wanted, found, keys, .. }, .. }) = self.frames.last_mut()
        else {
            return self.descend(source, step, Some(key));
        };
        if key == *wanted {
            *found = true;
            return self.descend(source, step, None);
        }
        if keys.len() < KEYS {
            keys.push(key);
        }
        self.pass_over(source)?;
        Ok(None)
    }

    /// What there is to say at the end of a frame.
    fn close(&mut self, frame: Frame) -> Option<Cut> {
        match frame.kind {
            Kind::Object { found: false, line, keys, .. } => Some(Cut::Missing { line, keys }),
            Kind::Documents => {
                self.ended = true;
                None
            }
            _ => None,
        }
    }

    /// Goes into the value that begins here, or takes it.
    fn descend(
        &mut self,
        source: &mut Source,
        step: usize,
        key: Option<String>,
    ) -> Result<Option<Cut>, Error> {
        let Some(&next) = self.steps.get(step) else {
            return self.element(source, key).map(|piece| Some(Cut::Piece(piece)));
        };
        let first = source.peek()?;
        let line = source.line();
        let (open, expected, kind) = match next {
            Step::Key(key) => (b'{', "an object", Kind::Object { key, found: false, line, keys: Vec::new() }),
            Step::Each => (b'[', "a list", Kind::List),
            Step::Values => (b'{', "an object", Kind::Values),
        };
        if first == Some(open) {
            source.skip(1);
            self.frames.push(Frame { kind, step: step + 1, first: true });
            return Ok(None);
        }
        let found = match first {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "true or false",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ => "null",
        };
        self.pass_over(source)?;
        let name = self.steps[..step].iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(*key),
            _ => None,
        });
        match (found, name) {
            ("null", Some(_)) => Ok(None),
            (_, name) => Ok(Some(Cut::Wrong { line, key: name.unwrap_or("utterance"), expected, found })),
        }
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

    /// Consumes the value that begins here without keeping it.
    fn pass_over(&self, source: &mut Source) -> Result<(), Error> {
        let next = source.peek()?;
        let line = source.line();
        if !matches!(next, Some(b'{' | b'[')) {
            return self.element(source, None).map(|_| ());
        }
        let mut depth = Depth::default();
        match source.skip_to(|byte| depth.closed_by(byte))? {
            true => Ok(()),
            false => Err(self.broken(source, "the end of the value", Some(line))),
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

/// Whether the first list stands in a line. One that goes on in the next line ends its first where an object is open.
fn begins_in_lines(source: &mut Source) -> Result<bool, Error> {
    if source.peek()? == Some(b'[') {
        let mut seen = 0;
        source.find(|byte| {
            seen += usize::from(!byte.is_ascii_whitespace());
            seen > 1
        })?;
        // A list of objects is a document; any other is for the reader of lines to refuse.
        let next = source.unread()[1..].trim_ascii_start().first();
        return Ok(!matches!(next, Some(b'{' | b']')));
    }
    let Some(length) = source.find(|byte| byte == b'\n')? else { return Ok(true) };
    let line = source.unread()[..length].trim_ascii_end();
    Ok(!line.ends_with(b"{") && !line.ends_with(b"[") && !line.ends_with(b","))
}

/// The next line that is not blank.
pub(crate) fn next_line(source: &mut Source) -> Result<Option<Piece>, Error> {
    loop {
        let line = source.line();
        let Some(mut bytes) = source.take_line()? else { return Ok(None) };
        bytes.truncate(bytes.trim_ascii_end().len());
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

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
