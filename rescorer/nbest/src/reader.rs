//! Reads the utterances of one input.

use std::fs::File;
#[cfg(feature = "parquet")]
use std::io::Seek;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use crate::body::Body;
#[cfg(feature = "parquet")]
use crate::columns;
use crate::detect::{Found, detect};
use crate::formats;
use crate::json_body::JsonBody;
use crate::notice::{Listener, Notice, Notices};
use crate::order::Watched;
use crate::reading::Reading;
use crate::scores;
use crate::source::Source;
use crate::spec::Spec;
use crate::stem::stem;
use crate::{Error, FieldNames, Format, Place, SeenIds, Utterance};

/// How to read.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The format; detected from the content where it is `None`.
    pub format: Option<Format>,
    /// The names of fields and columns, where they are not the usual ones.
    pub names: FieldNames,
    listener: Option<Listener>,
}

impl ReadOptions {
    /// Reads this format, whatever the content looks like; `None` detects it.
    pub fn with_format(mut self, format: impl Into<Option<Format>>) -> Self {
        self.format = format.into();
        self
    }

    /// Finds fields, and columns of tables, under these names.
    pub fn with_names(mut self, names: FieldNames) -> Self {
        self.names = names;
        self
    }

    /// Tells `listener` what is no error but worth a look: once for each input, while it is read.
    pub fn with_notices(mut self, listener: Arc<dyn Fn(&Notice) + Send + Sync>) -> Self {
        self.listener = Some(listener);
        self
    }

    pub(crate) fn reading(&self) -> Arc<Reading> {
        Arc::new(Reading { names: self.names.clone(), notices: Notices::to(self.listener.clone()) })
    }
}

/// The utterances of one input, one at a time.
///
/// A line of the native format is yielded as soon as it is complete, so a pipe is answered line by line.
/// There is no limit on the length of a line; one utterance is held in memory. A byte order mark, CRLF and
/// blank lines are accepted, and gzip is unpacked. An utterance without an id gets `FILE-STEM:INDEX`, the index counted from 0
/// over all utterances of the file.
///
/// After an error that [`is_recoverable`](Error::is_recoverable) the next utterance follows, after any other
/// error the iterator ends.
pub struct Reader {
    body: Box<dyn Body>,
    name: String,
    format: Format,
    reading: Arc<Reading>,
    order: Watched,
    seen: SeenIds,
    done: bool,
}

impl Reader {
    /// Opens a file, or a folder of one of the formats that are folders; `-` is the standard input.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Folder`], and those of [`Reader::from_read`].
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, Error> {
        let path = path.as_ref();
        if path == Path::new("-") {
            return Self::from_read("stdin", io::stdin(), options);
        }
        check(path, options)?;
        let name = path.display().to_string();
        if path.is_dir() {
            return Self::open_folder(path, options);
        }
        let file = File::open(path).map_err(|source| Error::Open { path: name.clone(), source })?;
        #[cfg(feature = "parquet")]
        if file.metadata().is_ok_and(|known| known.is_file())
            && let Some(format) = options.format.or_else(|| begins_as(&file))
            && let Spec::Columns { open, .. } = formats::spec(format)
        {
            let reading = options.reading();
            let body = columns::open(&name, format, reading.clone(), file, *open)?;
            return Ok(Self::of(body, name, format, reading));
        }
        Self::from_read(&name, file, options)
    }

    fn open_folder(path: &Path, options: &ReadOptions) -> Result<Self, Error> {
        let name = path.display().to_string();
        let format = options.format.or_else(|| formats::of_folder(path));
        let Some((format, folder)) = format.and_then(|format| Some((format, formats::folder(format)?)))
        else {
            return Err(Error::Folder { path: name });
        };
        let reading = options.reading();
        check_names(&name, format, options)?;
        Ok(Self::of((folder.open)(path, reading.clone())?, name, format, reading))
    }

    /// Reads from anything, gzip unpacked; `name` stands for it in messages, its file stem in ids.
    ///
    /// # Errors
    /// Where the format is detected: [`Error::Empty`], [`Error::UnknownFormat`], [`Error::Read`]; of a table:
    /// [`Error::Header`].
    pub fn from_read(
        name: &str,
        input: impl Read + Send + 'static,
        options: &ReadOptions,
    ) -> Result<Self, Error> {
        let mut source = Source::new(name, input);
        source.unpack()?;
        source.skip_byte_order_mark()?;
        let found = match options.format {
            Some(format) if formats::json(format).len() > 1 => {
                let first = || Found { format, json: formats::json(format).first() };
                detect(&mut source, Some(format), &options.names).or_else(|error| match error {
                    Error::UnknownFormat { .. } => Ok(first()),
                    error => Err(error),
                })?
            }
            Some(format) => Found { format, json: formats::json(format).first() },
            None => match detect(&mut source, None, &options.names) {
                // The user says where its fields are.
                Err(Error::UnknownFormat { .. }) if options.names.names_json(source.unread()) => {
                    Found { format: Format::Jsonl, json: formats::json(Format::Jsonl).first() }
                }
                found => found?,
            },
        };
        let format = found.format;
        check_names(name, format, options)?;
        let reading = options.reading();
        let body: Box<dyn Body> = match (formats::spec(format), found.json) {
            (Spec::Json(_), Some(json)) => {
                Box::new(JsonBody::new(source, format, json, reading.clone(), stem(name)))
            }
            (Spec::Text { open, .. }, _) => open(source, reading.clone())?,
            (Spec::Folder(_) | Spec::Json(_), _) => {
                return Err(Error::NoFolder { path: name.to_owned(), format });
            }
            #[cfg(feature = "parquet")]
            (Spec::Columns { .. }, _) => {
                let reason = "it is read from a file alone, neither from a stream nor packed: write it to a file, and name that";
                return Err(Error::Columns { path: name.to_owned(), format, reason: reason.to_owned() });
            }
        };
        Ok(Self::of(body, name.to_owned(), format, reading))
    }

    fn of(body: Box<dyn Body>, name: String, format: Format, reading: Arc<Reading>) -> Self {
        let order = Watched::new(&name, format, reading.clone());
        Self { body, name, format, reading, order, seen: SeenIds::default(), done: false }
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
        let Some((utterance, mut place)) = self.body.next()? else {
            self.order.end();
            return Ok(None);
        };
        if !self.seen.insert(&utterance.id) {
            place.utterance = Some(utterance.id);
            return Err(Error::DuplicateId { place });
        }
        self.look(&utterance, place);
        Ok(Some(utterance))
    }

    /// Says what is worth a look in a list that was read.
    fn look(&mut self, utterance: &Utterance, mut place: Place) {
        let notices = &self.reading.notices;
        if !notices.are_heard() {
            return;
        }
        if utterance.nbest.is_scored() {
            return self.order.see(utterance);
        }
        if let Some(field) = scores::unused(utterance.nbest.hypotheses()) {
            let field = field.to_owned();
            place.utterance = Some(utterance.id.clone());
            notices.once(|| Notice::UnusedNumber { place, field });
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

impl std::fmt::Debug for ReadOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOptions")
            .field("format", &self.format)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("name", &self.name)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// Refuses names for what has neither fields nor columns.
fn check_names(path: &str, format: Format, options: &ReadOptions) -> Result<(), Error> {
    if options.names.is_empty() || format.takes_names() {
        return Ok(());
    }
    let reason =
        format!("it is read as {format}, which has no fields or columns to name; leave the names out");
    Err(Error::Parts { path: path.to_owned(), reason })
}

/// The format of columns that a file begins with.
#[cfg(feature = "parquet")]
fn begins_as(mut file: &File) -> Option<Format> {
    let mut start = [0; 8];
    let length = file.read(&mut start).ok()?;
    file.rewind().ok()?;
    formats::of_start(&start[..length])
}

/// Whether a path can be lists: a file, or a folder of a format that is one.
pub(crate) fn check(path: &Path, options: &ReadOptions) -> Result<(), Error> {
    let name = || path.display().to_string();
    let is_dir = path.metadata().map_err(|source| Error::Open { path: name(), source })?.is_dir();
    let is_folder = |format: Format| formats::folder(format).is_some();
    match options.format.map(is_folder) {
        None if is_dir && formats::of_folder(path).is_none() => Err(Error::Folder { path: name() }),
        Some(false) if is_dir => Err(Error::Folder { path: name() }),
        _ => Ok(()),
    }
}
