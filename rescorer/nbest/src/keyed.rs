//! Files of lines `ID TEXT`, as Kaldi and ESPnet write them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use crate::{Error, Place};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyedLine {
    /// The id.
    pub(crate) key: String,
    /// What stands behind the id and the white space after it; may be empty.
    pub(crate) text: String,
    /// The line, from 1.
    pub(crate) line: u64,
}

/// A file of such lines, in its order.
#[derive(Debug)]
pub(crate) struct KeyedLines {
    path: String,
    lines: Vec<KeyedLine>,
    index: HashMap<String, usize>,
}

impl KeyedLines {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| Error::Open { path: name.clone(), source })?;
        let fail = |reason: String| Error::Parts { path: name.clone(), reason };
        let text = String::from_utf8(bytes)
            .map_err(|_| fail("is not valid UTF-8; convert it (iconv -t UTF-8)".to_owned()))?;
        let mut found = Self { path: name.clone(), lines: Vec::new(), index: HashMap::new() };
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim();
            if content.is_empty() {
                continue;
            }
            let (key, text) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
            match found.index.entry(key.to_owned()) {
                Entry::Occupied(first) => {
                    let first = found.lines[*first.get()].line;
                    return Err(fail(format!(
                        "{key:?} stands on lines {first} and {line}; keep one of them"
                    )));
                }
                Entry::Vacant(entry) => entry.insert(found.lines.len()),
            };
            found.lines.push(KeyedLine { key: key.to_owned(), text: text.trim_start().to_owned(), line });
        }
        Ok(found)
    }

    /// The file, for messages.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The lines in their order.
    pub(crate) fn lines(&self) -> &[KeyedLine] {
        &self.lines
    }

    /// The line of an id.
    pub(crate) fn get(&self, key: &str) -> Option<&KeyedLine> {
        self.index.get(key).map(|&index| &self.lines[index])
    }

    /// The text of an utterance that has to be here, as references have.
    pub(crate) fn reference(&self, id: &str, place: &Place) -> Result<String, Error> {
        self.get(id).map(|line| line.text.clone()).ok_or_else(|| Error::Part {
            place: place.clone(),
            reason: format!("{} has no line for it; add one", self.path),
        })
    }
}

/// The folders inside a folder whose names are a number between two words, in the order of the numbers.
pub(crate) fn numbered(path: &Path, before: &str, behind: &str) -> Vec<(u64, PathBuf)> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let digits = name.to_str()?.strip_prefix(before)?.strip_suffix(behind)?;
            let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
            Some((number, entry.path()))
        })
        .collect();
    found.sort();
    found
}
