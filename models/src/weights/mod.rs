//! Files of weights: where a tensor is, what type it has, and its values.

mod blocks;
mod dtype;
mod gguf;
mod gguf_reader;
mod gguf_split;
mod gguf_tensors;
mod gguf_value;
mod half_at;
mod safetensors;
mod write;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub use blocks::{Affine, five_bits, iq4_nl, nibbles, q4_k, q5_k};
pub use dtype::WeightType;
pub use gguf::Gguf;
pub use gguf_value::MetaValue;
pub use half_at::half_at;
pub use safetensors::open_folder as open_safetensors;
pub use write::{Stored, write_safetensors};

use crate::Error;

/// Where one tensor lies.
#[derive(Debug, Clone)]
pub struct TensorInfo {
    /// Outermost axis first: a linear layer is `[out, in]`.
    pub shape: Vec<usize>,
    /// Storage type.
    pub dtype: WeightType,
    file: usize,
    offset: u64,
    byte_len: usize,
}

impl TensorInfo {
    /// Bytes as stored.
    pub fn byte_len(&self) -> usize {
        self.byte_len
    }
}

/// Bytes of one tensor as stored.
#[derive(Debug, Clone)]
pub struct RawTensor {
    /// Outermost axis first.
    pub shape: Vec<usize>,
    /// Storage type.
    pub dtype: WeightType,
    /// The stored blocks.
    pub bytes: Vec<u8>,
}

impl RawTensor {
    /// The transpose of a matrix, in f32.
    pub fn transposed(&self) -> Self {
        let [rows, columns] = [self.shape[0], self.shape[1]];
        let values = self.to_f32();
        let turned = (0..columns).flat_map(|column| (0..rows).map(move |row| (row, column)));
        let bytes = turned.flat_map(|(row, column)| values[row * columns + column].to_le_bytes()).collect();
        Self { shape: vec![columns, rows], dtype: WeightType::F32, bytes }
    }

    /// All values, row-major.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut values = Vec::new();
        self.dtype.dequantize(&self.bytes, &mut values);
        values
    }

    /// The values of some rows of a matrix, in the order that is asked for.
    pub fn rows_f32(&self, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let mut values = Vec::with_capacity(rows.len() * self.shape[1]);
        rows.for_each(|row| self.row_f32(row, &mut values));
        values
    }

    /// A matrix without its rows before `first`.
    pub fn rows_from(mut self, first: usize) -> Self {
        self.bytes.drain(..first * (self.bytes.len() / self.shape[0]));
        self.shape[0] -= first;
        self
    }

    /// The stored blocks of row `index` of a matrix.
    pub fn row_bytes(&self, index: usize) -> &[u8] {
        let row_bytes = self.bytes.len() / self.shape[0];
        &self.bytes[index * row_bytes..(index + 1) * row_bytes]
    }

    /// Appends the values of row `index` of a matrix to `out`.
    pub fn row_f32(&self, index: usize, out: &mut Vec<f32>) {
        self.dtype.dequantize(self.row_bytes(index), out);
    }
}

/// The tensors of a checkpoint, in one file or several.
///
/// Tensors are read one at a time with ordinary reads: memory holds no second copy of the file,
/// and a file that shrinks meanwhile is an error, not a crash.
pub struct WeightStore {
    path: PathBuf,
    files: Vec<(PathBuf, Mutex<File>)>,
    tensors: BTreeMap<String, TensorInfo>,
    /// What no model can be made of.
    unreadable: Vec<Unreadable>,
}

/// A tensor of a type that is not read.
struct Unreadable {
    name: String,
    dtype: String,
    file: usize,
}

impl WeightStore {
    /// The file or folder the tensors come from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names and places, sorted by name.
    pub fn tensors(&self) -> &BTreeMap<String, TensorInfo> {
        &self.tensors
    }

    /// Number of tensors in the files, those that can't be read too.
    pub fn count(&self) -> usize {
        self.tensors.len() + self.unreadable.len()
    }

    /// Takes a prefix off the names that have it.
    pub fn without_prefix(self, prefix: &str) -> Self {
        self.renamed(|name| name.strip_prefix(prefix).map(str::to_owned).unwrap_or(name))
    }

    /// Gives the tensors other names.
    pub fn renamed(mut self, rename: impl Fn(String) -> String) -> Self {
        let tensors = std::mem::take(&mut self.tensors).into_iter();
        self.tensors = tensors.map(|(name, info)| (rename(name), info)).collect();
        self.unreadable.iter_mut().for_each(|tensor| tensor.name = rename(std::mem::take(&mut tensor.name)));
        self
    }

    /// The stored bytes of a tensor.
    ///
    /// # Errors
    /// A name that is not in the store, or a file that can't be read.
    pub fn read(&self, name: &str) -> Result<RawTensor, Error> {
        let info = self.tensors.get(name).ok_or_else(|| Error::Tensors {
            path: self.path.clone(),
            problems: format!("  missing: {name}"),
        })?;
        let (path, file) = &self.files[info.file];
        let mut bytes = vec![0; info.byte_len];
        let mut file = file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        file.seek(SeekFrom::Start(info.offset))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|source| Error::Io { path: path.clone(), source })?;
        Ok(RawTensor { shape: info.shape.clone(), dtype: info.dtype, bytes })
    }

    /// Compares with the tensors that a model wants and lists every difference at once.
    ///
    /// # Errors
    /// [`Error::Tensors`] with one line for each missing, mis-shaped or unexpected tensor; before that [`Error::Unsupported`] with the
    /// types that can't be read of those that are not ignored.
    pub fn check(
        &self,
        wanted: &[(String, Vec<usize>)],
        ignored: &dyn Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let unreadable = || self.unreadable.iter().filter(|tensor| !ignored(&tensor.name));
        if let Some(first) = unreadable().next() {
            let mut all: Vec<String> =
                unreadable().map(|Unreadable { name, dtype, .. }| format!("{name}: {dtype}")).collect();
            all.sort();
            return Err(Error::Unsupported {
                path: self.files[first.file].0.clone(),
                what: format!("tensor type of {}", all.join(", ")),
                supported: "F32, F16, BF16".into(),
            });
        }
        let mut problems = Vec::new();
        for (name, shape) in wanted {
            match self.tensors.get(name) {
                None => problems.push(format!("  missing: {name} {shape:?}")),
                Some(info) if &info.shape != shape => {
                    problems.push(format!("  shape: {name} is {:?}, expected {shape:?}", info.shape));
                }
                Some(_) => {}
            }
        }
        let names: std::collections::HashSet<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
        for name in self.tensors.keys() {
            if !names.contains(name.as_str()) && !ignored(name) {
                problems.push(format!("  unexpected: {name}"));
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::Tensors { path: self.path.clone(), problems: problems.join("\n") })
    }
}
