//! Reads the utterances of several files.

use std::path::{Path, PathBuf};
use std::vec;

use crate::reader::check;
use crate::{Error, ReadOptions, Reader, SeenIds, Utterance};

/// The utterances of several files, one file after the other; ids are unique over all of them.
///
/// Each file may have its own format. After an error that is not [recoverable](Error::is_recoverable) the
/// iterator ends: the files behind it are not read.
#[derive(Debug)]
pub struct Readers {
    paths: vec::IntoIter<PathBuf>,
    options: ReadOptions,
    current: Option<Reader>,
    seen: SeenIds,
    done: bool,
}

impl Readers {
    /// Takes the files to read; `-` is the standard input. A file is opened when its turn comes.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::Folder`] at once if a path does not exist, or is a folder of none of the formats.
    pub fn new<P: Into<PathBuf>>(
        paths: impl IntoIterator<Item = P>,
        options: &ReadOptions,
    ) -> Result<Self, Error> {
        let paths: Vec<PathBuf> = paths.into_iter().map(Into::into).collect();
        paths
            .iter()
            .filter(|path| path.as_path() != Path::new("-"))
            .try_for_each(|path| check(path, options))?;
        let (paths, options) = (paths.into_iter(), options.clone());
        Ok(Self { paths, options, current: None, seen: SeenIds::default(), done: false })
    }

    fn step(&mut self) -> Option<Result<Utterance, Error>> {
        loop {
            if let Some(item) = self.current.as_mut().and_then(Iterator::next) {
                return Some(item);
            }
            if let Some(reader) = self.current.take() {
                self.seen = reader.into_seen();
            }
            match Reader::open(self.paths.next()?, &self.options) {
                Ok(reader) => self.current = Some(reader.with_seen(std::mem::take(&mut self.seen))),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Iterator for Readers {
    type Item = Result<Utterance, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        self.done = match &step {
            None => true,
            Some(Err(error)) => !error.is_recoverable(),
            Some(Ok(_)) => false,
        };
        step
    }
}

impl std::iter::FusedIterator for Readers {}
