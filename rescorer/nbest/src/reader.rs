//! Reads the utterances of one input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::detect::detect;
use crate::fields::Fields;
use crate::formats::Layout;
use crate::json::{self, Flaw};
use crate::source::Source;
use crate::split::{Piece, Splitter};
use crate::{Error, Format, Place, SeenIds, Utterance};

/// How to read.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The format; detected from the content where it is `None`.
    pub format: Option<Format>,
}

impl ReadOptions {
    /// Reads this format, whatever the content looks like; `None` detects it.
    pub fn with_format(mut self, format: impl Into<Option<Format>>) -> Self {
        self.format = format.into();
        self
    }
}

/// The utterances of one file, one at a time.
///
/// A line of the native format is yielded as soon as it is complete, so a pipe is answered line by line.
/// There is no limit on the length of a line; one utterance is held in memory. A byte order mark, CRLF and
/// blank lines are accepted. An utterance without an id gets `FILE-STEM:INDEX`, the index counted from 0 over
/// all utterances of the file.
///
/// After an error that [`is_recoverable`](Error::is_recoverable) the next utterance follows, after any other
/// error the iterator ends.
pub struct Reader {
    source: Source,
    splitter: Splitter,
    format: Format,
    stem: String,
    index: u64,
    seen: SeenIds,
    done: bool,
}

impl Reader {
    /// Opens a file; `-` is the standard input.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Folder`], and those of [`Reader::from_read`].
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, Error> {
        let path = path.as_ref();
        if path == Path::new("-") {
            return Self::from_read("stdin", io::stdin(), options);
        }
        let name = path.display().to_string();
        let file = check(path)
            .and_then(|()| File::open(path).map_err(|source| Error::Open { path: name.clone(), source }));
        Self::from_read(&name, file?, options)
    }

    /// Reads from anything; `name` stands for it in messages, its file stem in ids.
    ///
    /// # Errors
    /// Where the format is detected: [`Error::Empty`], [`Error::UnknownFormat`], [`Error::Read`].
    pub fn from_read(
        name: &str,
        input: impl Read + Send + 'static,
        options: &ReadOptions,
    ) -> Result<Self, Error> {
        let mut source = Source::new(name, input);
        source.skip_byte_order_mark()?;
        let format = match options.format {
            Some(format) => format,
            None => detect(&mut source)?,
        };
        let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let splitter = Splitter::new(format);
        Ok(Self { source, splitter, format, stem, index: 0, seen: SeenIds::default(), done: false })
    }

    /// The format that is read.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Takes these ids as read before.
    pub fn with_seen(mut self, seen: SeenIds) -> Self {
        self.seen = seen;
        self
    }

    /// The ids read so far, to pass on to another reader.
    pub fn into_seen(self) -> SeenIds {
        self.seen
    }

    fn step(&mut self) -> Result<Option<Utterance>, Error> {
        let Some(piece) = self.splitter.next(&mut self.source)? else {
            return match self.index {
                0 => Err(Error::Empty { path: self.source.name().to_string() }),
                _ => Ok(None),
            };
        };
        let default_id = piece.key.clone().unwrap_or_else(|| format!("{}:{}", self.stem, self.index));
        self.index += 1;
        let (path, line) = (Some(self.source.name().clone()), Some(piece.line));
        let mut place = Place { path, line, utterance: piece.key.clone() };
        let value = json::parse(&piece.bytes).map_err(|flaw| self.error(flaw, &piece, place.clone()))?;
        let utterance = (self.format.spec().parse)(Fields::new(value, place.clone(), default_id)?)?;
        if !self.seen.insert(&utterance.id) {
            place.utterance = Some(utterance.id);
            return Err(Error::DuplicateId { place });
        }
        Ok(Some(utterance))
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
            Flaw::Syntax { column, mut reason, .. } if self.format.spec().layout == Layout::Lines => {
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

impl Iterator for Reader {
    type Item = Result<Utterance, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step().transpose();
        self.done = match &step {
            None => true,
            Some(Err(error)) => !error.is_recoverable(),
            Some(Ok(_)) => false,
        };
        step
    }
}

impl std::iter::FusedIterator for Reader {}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.source.name();
        f.debug_struct("Reader").field("name", name).field("format", &self.format).finish_non_exhaustive()
    }
}

/// Whether a path can be a file of lists.
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    let name = || path.display().to_string();
    match path.metadata() {
        Ok(data) if data.is_dir() => Err(Error::Folder { path: name() }),
        Ok(_) => Ok(()),
        Err(source) => Err(Error::Open { path: name(), source }),
    }
}
