//! Models in several GGUF files, `NAME-00001-of-00003.gguf` and so on.
//!
//! # Reference
//! `llama_split_path` and `llama_model_loader` of llama.cpp: the first file has the metadata, each has its tensors.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::gguf_value::MetaValue;
use crate::Error;

/// Number of the file, from 0.
const NUMBER: &str = "split.no";
/// How many files there are.
const COUNT: &str = "split.count";
/// How many tensors they have together.
const TENSORS: &str = "split.tensors.count";

/// What a file says of the model that it is a part of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Which part it is, from 0.
    pub number: usize,
    /// Parts of the model.
    pub count: usize,
    /// Tensors of the model, where the file says so.
    pub tensors: Option<usize>,
}

impl Split {
    /// Reads what the metadata of a file says; `None` where the model is in one file.
    ///
    /// # Errors
    /// Numbers that can't be.
    pub fn read(path: &Path, metadata: &HashMap<String, MetaValue>) -> Result<Option<Self>, Error> {
        let number = |key: &str| match metadata.get(key) {
            None => Ok(None),
            // The files state at most 16 bits of parts and 32 of tensors.
            Some(MetaValue::Int(number)) if (0..1 << 32).contains(number) => Ok(Some(*number as usize)),
            Some(other) => Err(Error::Malformed { path: path.into(), reason: format!("{key} is {other:?}") }),
        };
        let count = number(COUNT)?.unwrap_or(0);
        if count < 2 {
            return Ok(None);
        }
        let split = Self { number: number(NUMBER)?.unwrap_or(0), count, tensors: number(TENSORS)? };
        if split.number >= count {
            let reason = format!("{NUMBER} is {}, counted from 0, of {COUNT} {count}", split.number);
            return Err(Error::Malformed { path: path.into(), reason });
        }
        Ok(Some(split))
    }

    /// The path of another part, beside the one at `path`.
    ///
    /// # Errors
    /// A file whose name is not that of its part.
    pub fn sibling(&self, path: &Path, number: usize) -> Result<PathBuf, Error> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let ending = self.ending(self.number);
        let Some(stem) = name.strip_suffix(&ending) else {
            return Err(
                self.error(path, format!("its name does not end in {ending}, so the others are not found"))
            );
        };
        Ok(path.with_file_name(format!("{stem}{}", self.ending(number))))
    }

    fn ending(&self, number: usize) -> String {
        format!("-{:05}-of-{:05}.gguf", number + 1, self.count)
    }

    /// Checks that the file at `path` is part `number` of this model.
    ///
    /// # Errors
    /// Another part, or a part of a model in another number of files.
    pub fn check_part(&self, path: &Path, number: usize, found: Option<Self>) -> Result<(), Error> {
        let part = Self { number, ..*self };
        match found {
            Some(found) if (found.number, found.count) == (number, self.count) => Ok(()),
            Some(found) => {
                let (number, count) = (found.number + 1, found.count);
                Err(part.error(path, format!("the file says that it is part {number} of {count}")))
            }
            None => Err(part.error(path, "the file says that its model is in one file".into())),
        }
    }

    /// An error about this part.
    pub fn error(&self, path: &Path, reason: String) -> Error {
        Error::Split { path: path.into(), number: self.number + 1, count: self.count, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, i128)]) -> Result<Option<Split>, Error> {
        let metadata = pairs.iter().map(|(key, value)| ((*key).to_owned(), MetaValue::Int(*value)));
        Split::read(Path::new("m.gguf"), &metadata.collect())
    }

    #[test]
    fn a_model_in_one_file_has_no_parts() {
        for pairs in [&[][..], &[(COUNT, 0)], &[(COUNT, 1), (NUMBER, 0)]] {
            assert_eq!(read(pairs).unwrap(), None);
        }
        let split = read(&[(COUNT, 3), (NUMBER, 1), (TENSORS, 21)]).unwrap().unwrap();
        assert_eq!(split, Split { number: 1, count: 3, tensors: Some(21) });
        for pairs in [&[(COUNT, 3), (NUMBER, 3)][..], &[(COUNT, -1)], &[(COUNT, 2), (NUMBER, 1 << 40)]] {
            assert!(read(pairs).unwrap_err().to_string().contains("split."));
        }
    }

    #[test]
    fn parts_are_found_by_their_names() {
        let split = Split { number: 1, count: 12, tensors: None };
        let path = Path::new("folder/a-b-00002-of-00012.gguf");
        assert_eq!(split.sibling(path, 11).unwrap(), Path::new("folder/a-b-00012-of-00012.gguf"));
        for name in ["a.gguf", "a-00001-of-00012.gguf", "a-2-of-12.gguf"] {
            let error = split.sibling(Path::new(name), 0).unwrap_err().to_string();
            assert!(error.contains("part 2 of 12") && error.contains("-00002-of-00012.gguf"), "{error}");
        }
    }
}
