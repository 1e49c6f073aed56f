use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::gguf_reader::HeaderReader;
use super::{TensorInfo, WeightStore, WeightType};
use crate::Error;

/// A value of GGUF metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum MetaValue {
    /// Any of the integer types.
    Int(i128),
    /// f32 or f64.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// UTF-8 text.
    String(String),
    /// Values of one type.
    Array(Vec<MetaValue>),
}

/// A GGUF file: metadata and tensors.
///
/// # Reference
/// The GGUF specification, versions 2 and 3 (`docs/gguf.md` of ggml), little-endian.
pub struct Gguf {
    path: PathBuf,
    metadata: HashMap<String, MetaValue>,
    /// The tensors, by their GGUF names, shapes outermost axis first.
    pub store: WeightStore,
}

impl Gguf {
    /// Reads the header; tensors are read when they are asked for.
    ///
    /// # Errors
    /// Lengths or offsets that leave the file, unknown value types, unsupported tensor types
    /// (all of them listed), a big-endian or an old file.
    pub fn open(path: &Path) -> Result<Self, Error> {
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
        let tensors = place(&reader, &metadata, entries)?;
        let file = File::open(path).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
        let store = WeightStore {
            path: path.to_path_buf(),
            files: vec![(path.to_path_buf(), Mutex::new(file))],
            tensors,
        };
        Ok(Self { path: path.to_path_buf(), metadata, store })
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

    /// An array of texts; `None` where the key is absent.
    ///
    /// # Errors
    /// A value of another type.
    pub fn strings(&self, key: &str) -> Result<Option<Vec<&str>>, Error> {
        self.typed(key, "an array of strings", |value| match value {
            MetaValue::Array(values) => values
                .iter()
                .map(|value| match value {
                    MetaValue::String(s) => Some(s.as_str()),
                    _ => None,
                })
                .collect(),
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

/// A tensor as the header lists it.
struct Entry {
    name: String,
    shape: Vec<usize>,
    kind: u32,
    offset: u64,
}

fn read_entries(reader: &mut HeaderReader, count: u64) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for _ in 0..count {
        let name = reader.string("tensor name")?;
        let rank = reader.u32(&name)?;
        if !(1..=4).contains(&rank) {
            return Err(reader.malformed(format!("tensor {name} has {rank} axes")));
        }
        let mut shape = Vec::new();
        for _ in 0..rank {
            let extent = reader.u64(&name)?;
            shape.push(
                usize::try_from(extent)
                    .map_err(|_| reader.malformed(format!("tensor {name}: axis of {extent}")))?,
            );
        }
        shape.reverse();
        let kind = reader.u32(&name)?;
        let offset = reader.u64(&name)?;
        entries.push(Entry { name, shape, kind, offset });
    }
    Ok(entries)
}

fn place(
    reader: &HeaderReader,
    metadata: &HashMap<String, MetaValue>,
    entries: Vec<Entry>,
) -> Result<BTreeMap<String, TensorInfo>, Error> {
    let alignment = match metadata.get("general.alignment") {
        None => 32,
        Some(MetaValue::Int(a)) if (1..=1 << 20).contains(a) => *a as u64,
        Some(other) => return Err(reader.malformed(format!("general.alignment is {other:?}"))),
    };
    let data_start = reader.position().next_multiple_of(alignment);
    let mut tensors = BTreeMap::new();
    let mut unsupported = Vec::new();
    for Entry { name, shape, kind, offset } in entries {
        let dtype = match weight_type(kind) {
            Ok(dtype) => dtype,
            Err(type_name) => {
                unsupported.push(format!("{name}: {type_name}"));
                continue;
            }
        };
        let row = shape.last().copied().unwrap_or(0);
        let values = shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
        let byte_len = values
            .filter(|_| row.is_multiple_of(dtype.block_len()))
            .and_then(|values| dtype.byte_len(values));
        let Some(byte_len) = byte_len else {
            return Err(reader.malformed(format!("tensor {name}: shape {shape:?} does not fit {dtype:?}")));
        };
        let start = data_start.checked_add(offset);
        let end = start.and_then(|start| start.checked_add(byte_len as u64));
        match (start, end) {
            (Some(start), Some(end)) if end <= reader.file_len() => {
                let info = TensorInfo { shape, dtype, file: 0, offset: start, byte_len };
                if tensors.insert(name.clone(), info).is_some() {
                    return Err(reader.malformed(format!("tensor {name} stands twice")));
                }
            }
            _ => {
                return Err(reader.malformed(format!(
                    "tensor {name}: offset {offset} with {byte_len} bytes leaves the file of {} bytes",
                    reader.file_len()
                )));
            }
        }
    }
    if unsupported.is_empty() {
        return Ok(tensors);
    }
    Err(reader.unsupported(format!("tensor type of {}", unsupported.join(", ")), WeightType::SUPPORTED))
}

/// The type behind a GGML type number, or its name where it is not supported.
fn weight_type(kind: u32) -> Result<WeightType, String> {
    const OTHERS: [(u32, &str); 16] = [
        (6, "Q5_0"),
        (7, "Q5_1"),
        (9, "Q8_1"),
        (10, "Q2_K"),
        (11, "Q3_K"),
        (12, "Q4_K"),
        (13, "Q5_K"),
        (14, "Q6_K"),
        (15, "Q8_K"),
        (16, "IQ2_XXS"),
        (17, "IQ2_XS"),
        (18, "IQ3_XXS"),
        (19, "IQ1_S"),
        (20, "IQ4_NL"),
        (21, "IQ3_S"),
        (28, "F64"),
    ];
    Ok(match kind {
        0 => WeightType::F32,
        1 => WeightType::F16,
        2 => WeightType::Q4_0,
        3 => WeightType::Q4_1,
        8 => WeightType::Q8_0,
        30 => WeightType::BF16,
        _ => {
            let name = OTHERS.iter().find(|(number, _)| *number == kind).map(|(_, name)| (*name).to_string());
            return Err(name.unwrap_or_else(|| format!("GGML type {kind}")));
        }
    })
}
