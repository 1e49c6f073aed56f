use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::gguf_reader::HeaderReader;
use super::gguf_split::Split;
use super::gguf_tensors::{place, read_entries};
use super::gguf_value::MetaValue;
use super::{TensorInfo, WeightStore};
use crate::Error;

/// A GGUF file, or several that are one model: metadata and tensors.
///
/// # Reference
/// The GGUF specification, versions 2 and 3 (`docs/gguf.md` of ggml), little-endian.
pub struct Gguf {
    path: PathBuf,
    metadata: HashMap<String, MetaValue>,
    /// The tensors, by their GGUF names, shapes outermost axis first.
    pub store: WeightStore,
}

/// The header of one file.
struct Header {
    metadata: HashMap<String, MetaValue>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl Header {
    /// Reads the header of a file, which is number `file` of its model.
    fn read(path: &Path, file: usize) -> Result<Self, Error> {
        let mut reader = HeaderReader::open(path)?;
        if reader.bytes(4, "magic")? != b"GGUF" {
            return Err(reader.malformed("the file does not begin with GGUF"));
        }
        let version = reader.u32("version")?;
        if !(2..=3).contains(&version) {
            return Err(reader.unsupported(format!("GGUF version {version}"), "little-endian GGUF 2 and 3"));
        }
        let tensor_count = reader.u64("tensor count")?;
        let value_count = reader.u64("metadata count")?;
        let mut metadata = HashMap::new();
        for _ in 0..value_count {
            let key = reader.string("metadata key")?;
            let kind = reader.u32(&key)?;
            let value = reader.value(kind, &key)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(reader.malformed(format!("metadata key {key} stands twice")));
            }
        }
        let entries = read_entries(&mut reader, tensor_count)?;
        let tensors = place(&reader, &metadata, entries, file)?;
        Ok(Self { metadata, tensors })
    }
}

impl Gguf {
    /// Reads the header; tensors are read when they are asked for. Of a model in several files any part may be given.
    ///
    /// # Errors
    /// Lengths or offsets that leave the file, unknown value types, unsupported tensor types
    /// (all of them listed), a big-endian or an old file; a part without the others.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let given = Header::read(path, 0)?;
        match Split::read(path, &given.metadata)? {
            Some(split) => Self::open_parts(path, split),
            None => {
                let files = vec![opened(path)?];
                Ok(Self::new(path, given.metadata, files, given.tensors))
            }
        }
    }

    /// Opens all parts of the model that the file at `path` is one of.
    fn open_parts(path: &Path, split: Split) -> Result<Self, Error> {
        let (mut metadata, mut files, mut tensors) = (HashMap::new(), Vec::new(), BTreeMap::new());
        let mut stated = None;
        for number in 0..split.count {
            let part = split.sibling(path, number)?;
            if !part.exists() {
                let split = Split { number, ..split };
                return Err(split.error(&part, "the file is missing".into()));
            }
            let header = Header::read(&part, number)?;
            let found = Split::read(&part, &header.metadata)?;
            split.check_part(&part, number, found)?;
            if let Some(twice) = header.tensors.keys().find(|name| tensors.contains_key(*name)) {
                let split = Split { number, ..split };
                return Err(split.error(&part, format!("tensor {twice} is in an earlier part too")));
            }
            tensors.extend(header.tensors);
            files.push(opened(&part)?);
            stated = stated.or(found.and_then(|found| found.tensors));
            if number == 0 {
                metadata = header.metadata;
            }
        }
        let first = split.sibling(path, 0)?;
        if let Some(stated) = stated.filter(|stated| *stated != tensors.len()) {
            let split = Split { number: 0, ..split };
            let reason = format!("the parts have {} tensors, the first one says {stated}", tensors.len());
            return Err(split.error(&first, reason));
        }
        Ok(Self::new(&first, metadata, files, tensors))
    }

    fn new(
        path: &Path,
        metadata: HashMap<String, MetaValue>,
        files: Vec<(PathBuf, Mutex<File>)>,
        tensors: BTreeMap<String, TensorInfo>,
    ) -> Self {
        let store = WeightStore { path: path.to_path_buf(), files, tensors, unreadable: Vec::new() };
        Self { path: path.to_path_buf(), metadata, store }
    }

    /// The raw value of a key.
    pub fn get(&self, key: &str) -> Option<&MetaValue> {
        self.metadata.get(key)
    }

    /// A non-negative integer; `None` where the key is absent.
    ///
    /// # Errors
    /// A value of another type.
    pub fn uint(&self, key: &str) -> Result<Option<usize>, Error> {
        self.typed(key, "a non-negative integer", |value| match value {
            MetaValue::Int(i) => usize::try_from(*i).ok(),
            _ => None,
        })
    }

    /// A number; `None` where the key is absent.
    ///
    /// # Errors
    /// A value of another type.
    pub fn float(&self, key: &str) -> Result<Option<f64>, Error> {
        self.typed(key, "a number", |value| match value {
            MetaValue::Float(f) => Some(*f),
            MetaValue::Int(i) => Some(*i as f64),
            _ => None,
        })
    }

    /// A text; `None` where the key is absent.
    ///
    /// # Errors
    /// A value of another type.
    pub fn string(&self, key: &str) -> Result<Option<&str>, Error> {
        self.typed(key, "a string", |value| match value {
            MetaValue::String(s) => Some(s.as_str()),
            _ => None,
        })
    }

    /// A truth value; `None` where the key is absent.
    ///
    /// # Errors
    /// A value of another type.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, Error> {
        self.typed(key, "a truth value", |value| match value {
            MetaValue::Bool(b) => Some(*b),
            _ => None,
        })
    }

    /// An array of texts; `None` where the key is absent.
    ///
    /// # Errors
    /// A value of another type.
    pub fn strings(&self, key: &str) -> Result<Option<Vec<&str>>, Error> {
        self.array(key, "an array of strings", |value| match value {
            MetaValue::String(s) => Some(s.as_str()),
            _ => None,
        })
    }

    /// An array of whole numbers; `None` where the key is absent.
    ///
    /// # Errors
    /// A value of another type.
    pub fn ints(&self, key: &str) -> Result<Option<Vec<i128>>, Error> {
        self.array(key, "an array of whole numbers", |value| match value {
            MetaValue::Int(i) => Some(*i),
            _ => None,
        })
    }

    /// An array of numbers; `None` where the key is absent.
    ///
    /// # Errors
    /// A value of another type.
    pub fn floats(&self, key: &str) -> Result<Option<Vec<f32>>, Error> {
        self.array(key, "an array of numbers", |value| match value {
            MetaValue::Float(f) => Some(*f as f32),
            _ => None,
        })
    }

    fn array<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        convert: impl Fn(&'a MetaValue) -> Option<T>,
    ) -> Result<Option<Vec<T>>, Error> {
        self.typed(key, expected, |value| match value {
            MetaValue::Array(values) => values.iter().map(&convert).collect(),
            _ => None,
        })
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        convert: impl Fn(&'a MetaValue) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(value) => convert(value).map(Some).ok_or_else(|| Error::Malformed {
                path: self.path.clone(),
                reason: format!("metadata {key} is not {expected}"),
            }),
        }
    }
}

fn opened(path: &Path) -> Result<(PathBuf, Mutex<File>), Error> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    Ok((path.to_path_buf(), Mutex::new(file)))
}
