//! A GGUF file taken apart, to be changed in one place and written again.

use super::fixture;
use super::gguf_bytes::{Bytes, Cursor};

const ALIGNMENT: usize = 32;

/// Type number of a string, and of an array.
pub const STRING: u32 = 8;
pub const ARRAY: u32 = 9;

pub struct Tensor {
    pub name: String,
    /// Innermost first, as in the file.
    pub axes: Vec<u64>,
    pub kind: u32,
    pub data: Vec<u8>,
}

pub struct GgufFile {
    /// Key, type, and the value's bytes.
    pub values: Vec<(String, u32, Vec<u8>)>,
    pub tensors: Vec<Tensor>,
}

impl GgufFile {
    /// The fixture.
    pub fn tiny() -> Self {
        Self::parse(&std::fs::read(fixture("tiny-llama.gguf")).unwrap()).0
    }

    /// The file, where its header ends, and where its data ends.
    pub fn parse(bytes: &[u8]) -> (Self, usize, usize) {
        let mut cursor = Cursor::new(bytes);
        assert_eq!((cursor.take(4), cursor.u32()), (&b"GGUF"[..], 3));
        let (tensors, values) = (cursor.u64(), cursor.u64());
        let values = (0..values)
            .map(|_| {
                let (key, kind) = (cursor.string(), cursor.u32());
                (key, kind, cursor.value(kind).to_vec())
            })
            .collect();
        let entries: Vec<(String, Vec<u64>, u32, usize)> = (0..tensors)
            .map(|_| {
                let (name, rank) = (cursor.string(), cursor.u32());
                let axes = (0..rank).map(|_| cursor.u64()).collect();
                (name, axes, cursor.u32(), cursor.u64() as usize)
            })
            .collect();
        let (header, data) = (cursor.at, cursor.at.next_multiple_of(ALIGNMENT));
        let mut end = data;
        let tensors = entries
            .into_iter()
            .map(|(name, axes, kind, offset)| {
                let start = data + offset;
                let stop = start + byte_len(&axes, kind);
                end = end.max(stop);
                Tensor { name, axes, kind, data: bytes[start..stop].to_vec() }
            })
            .collect();
        (Self { values, tensors }, header, end)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Bytes::header(3, self.tensors.len() as u64, self.values.len() as u64);
        for (key, kind, value) in &self.values {
            bytes = bytes.string(key).u32(*kind).raw(value);
        }
        let mut data = Vec::new();
        for Tensor { name, axes, kind, data: values } in &self.tensors {
            bytes = bytes.tensor(name, axes, *kind, data.len() as u64);
            data.extend(values);
            data.resize(data.len().next_multiple_of(ALIGNMENT), 0);
        }
        let mut bytes = bytes.0;
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes.extend(data);
        bytes
    }

    /// Writes a file whose tensors are as large as their axes say, and holes.
    #[cfg(unix)]
    pub fn write_sparse(&self, path: &std::path::Path) {
        let mut bytes = Bytes::header(3, self.tensors.len() as u64, self.values.len() as u64);
        for (key, kind, value) in &self.values {
            bytes = bytes.string(key).u32(*kind).raw(value);
        }
        let mut end = 0;
        for Tensor { name, axes, kind, .. } in &self.tensors {
            bytes = bytes.tensor(name, axes, *kind, end as u64);
            end += byte_len(axes, *kind).next_multiple_of(ALIGNMENT);
        }
        std::fs::write(path, &bytes.0).unwrap();
        let len = bytes.0.len().next_multiple_of(ALIGNMENT) + end;
        std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(len as u64).unwrap();
    }

    pub fn tensor(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name).unwrap()
    }

    pub fn remove(&mut self, key: &str) {
        self.values.retain(|(found, ..)| found != key);
    }

    /// Sets a value of any type.
    pub fn set(&mut self, key: &str, kind: u32, value: Bytes) {
        self.remove(key);
        self.values.push((key.into(), kind, value.0));
    }

    pub fn set_u32(&mut self, key: &str, value: u32) {
        self.set(key, 4, Bytes::default().u32(value));
    }

    pub fn set_f32(&mut self, key: &str, value: f32) {
        self.set(key, 6, Bytes::default().u32(value.to_bits()));
    }

    pub fn set_string(&mut self, key: &str, value: &str) {
        self.set(key, STRING, Bytes::default().string(value));
    }

    pub fn set_strings(&mut self, key: &str, values: &[&str]) {
        let array = Bytes::default().u32(STRING).u64(values.len() as u64);
        self.set(key, ARRAY, values.iter().fold(array, |bytes, value| bytes.string(value)));
    }
}

fn byte_len(axes: &[u64], kind: u32) -> usize {
    let values = axes.iter().product::<u64>() as usize;
    match kind {
        0 => values * 4,
        1 | 30 => values * 2,
        2 => values / 32 * 18,
        3 => values / 32 * 20,
        8 => values / 32 * 34,
        _ => panic!("type {kind} is not in the fixture"),
    }
}
