//! Lines of plain text.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::vec;

use memchr::memchr;

use crate::Error;
use crate::source::Source;

/// Bytes that a line has at most.
const MAX_LINE: usize = 1 << 20;

/// A line of a text file, without white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// The text; never empty.
    pub text: String,
    /// The file, as it was named.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
}

/// The lines of several text files, plain or gzip, one at a time. Empty lines are passed over.
///
/// ```
/// use std::io::Write;
/// use rescorer_nbest::TextLines;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("text.txt");
/// std::fs::File::create(&path)?.write_all(b"One sentence.\n\nAnother one.\n")?;
/// let lines = TextLines::new([path]).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(lines.len(), 2);
/// assert_eq!((&*lines[1].text, lines[1].line), ("Another one.", 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TextLines {
    paths: vec::IntoIter<PathBuf>,
    current: Option<Source>,
    done: bool,
}

impl TextLines {
    /// Takes the files to read. A file is opened when its turn comes.
    ///
    /// An item is [`Error::Open`], [`Error::Read`], or [`Error::Text`]: a line that is not UTF-8, is binary, or is longer than 1 MB.
    /// After an error the iterator ends.
    pub fn new<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths: Vec<PathBuf> = paths.into_iter().map(Into::into).collect();
        Self { paths: paths.into_iter(), current: None, done: false }
    }

    fn step(&mut self) -> Result<Option<TextLine>, Error> {
        loop {
            let source = match &mut self.current {
                Some(source) => source,
                None => match self.paths.next() {
                    Some(path) => self.current.insert(open(&path)?),
                    None => return Ok(None),
                },
            };
            let line = source.line();
            let Some(bytes) = take_line(source)? else {
                self.current = None;
                continue;
            };
            let path = source.name().to_string();
            let text = match checked(bytes) {
                Ok(text) => text,
                Err(reason) => return Err(Error::Text { path, line, reason: reason.into() }),
            };
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Some(TextLine { text: text.to_owned(), path, line }));
            }
        }
    }
}

impl Iterator for TextLines {
    type Item = Result<TextLine, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.step().transpose();
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

fn open(path: &Path) -> Result<Source, Error> {
    let name = path.display().to_string();
    let fail = |source| Error::Open { path: name.clone(), source };
    if path.is_dir() {
        return Err(fail(std::io::ErrorKind::IsADirectory.into()));
    }
    let mut source = Source::new(&name, File::open(path).map_err(fail)?);
    source.unpack()?;
    source.skip_byte_order_mark()?;
    Ok(source)
}

/// The next line, read no further than the longest one goes.
fn take_line(source: &mut Source) -> Result<Option<Vec<u8>>, Error> {
    while memchr(b'\n', source.unread()).is_none() && source.unread().len() <= MAX_LINE && source.fill()? {}
    let end = memchr(b'\n', source.unread()).map_or(source.unread().len(), |end| end + 1);
    if end > MAX_LINE {
        let (path, line) = (source.name().to_string(), source.line());
        let reason = "the line is longer than 1 MB; put a sentence or a paragraph on each line".into();
        return Err(Error::Text { path, line, reason });
    }
    Ok((end > 0).then(|| source.take(end)))
}

fn checked(bytes: Vec<u8>) -> Result<String, &'static str> {
    // White space and the marks of terminals occur in text, other control characters do not.
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31);
    if bytes.iter().any(is_binary) {
        return Err("the file is not text, or it is UTF-16; give plain text in UTF-8, or gzip of it");
    }
    String::from_utf8(bytes).map_err(
        |_| "the line is not valid UTF-8; convert the file, as with `iconv -f WINDOWS-1252 -t UTF-8`",
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;

    use super::*;

    fn lines(content: &[u8]) -> Vec<Result<String, String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.txt");
        std::fs::write(&path, content).unwrap();
        let name = path.display().to_string();
        TextLines::new([path])
            .map(|item| item.map(|line| line.text).map_err(|e| e.to_string().replace(&name, "x.txt")))
            .collect()
    }

    #[test]
    fn lines_are_trimmed_and_empty_ones_passed_over() {
        let found = lines(b"\xEF\xBB\xBFone\r\n \n\n two words \nlast");
        assert_eq!(found, ["one", "two words", "last"].map(|text| Ok(text.to_owned())));
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn gzip_is_unpacked() {
        let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all("eins\nzwei\n".as_bytes()).unwrap();
        assert_eq!(lines(&packed.finish().unwrap()), [Ok("eins".to_owned()), Ok("zwei".to_owned())]);
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        let message = |content: &[u8]| lines(content).pop().unwrap().unwrap_err();
        let latin = message(b"one\ncaf\xE9\nthree");
        assert!(latin.starts_with("x.txt:2: the line is not valid UTF-8; convert"), "{latin}");
        assert!(message(b"a\0b").starts_with("x.txt:1: the file is not text"));
        assert!(message(&[0xFF, 0xFE, b'a', 0]).starts_with("x.txt:1: the file is not text"));
        let long = message(&vec![b'a'; 10 << 20]);
        assert!(long.starts_with("x.txt:1: the line is longer than 1 MB"), "{long}");
        let almost = vec![b'a'; MAX_LINE];
        assert_eq!(lines(&almost).len(), 1);
        assert!(lines(&almost)[0].is_ok());
    }
}
