use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::gguf_value::MetaValue;
use crate::Error;

/// Longest string or array payload that a header may hold in memory.
const MAX_PAYLOAD_BYTES: u64 = 64 << 20;

/// Most values of an array: many times the largest vocabulary in use.
const MAX_ARRAY_LEN: usize = 4 << 20;

/// Bytes that are read at a time.
const BUFFER: usize = 64 << 10;

/// Reads the header of a GGUF file front to back and never asks for more than the file has.
pub struct HeaderReader {
    path: PathBuf,
    reader: BufReader<File>,
    position: u64,
    len: u64,
}

impl HeaderReader {
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        let len = file.metadata().map_err(io)?.len();
        Ok(Self {
            path: path.to_path_buf(),
            reader: BufReader::with_capacity(BUFFER, file),
            position: 0,
            len,
        })
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn file_len(&self) -> u64 {
        self.len
    }

    pub fn malformed(&self, reason: impl Into<String>) -> Error {
        Error::Malformed { path: self.path.clone(), reason: reason.into() }
    }

    pub fn unsupported(&self, what: impl Into<String>, supported: &str) -> Error {
        Error::Unsupported { path: self.path.clone(), what: what.into(), supported: supported.into() }
    }

    /// Refuses a count or length whose `count · unit` bytes can't be in the rest of the file.
    fn claim(&self, count: u64, unit: u64, what: &str) -> Result<usize, Error> {
        let left = self.len - self.position;
        match count.checked_mul(unit) {
            Some(bytes) if bytes <= left && bytes <= MAX_PAYLOAD_BYTES => Ok(count as usize),
            _ => Err(self.malformed(format!(
                "byte {}: {what} claims {count} × {unit} bytes, {left} are left",
                self.position
            ))),
        }
    }

    pub fn bytes(&mut self, count: u64, what: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; self.claim(count, 1, what)?];
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.reader.read_exact(bytes).map_err(|source| Error::Io { path: self.path.clone(), source })?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Error> {
        // Large vocabularies have half a million numbers: no memory is asked for here.
        self.claim(N as u64, 1, what)?;
        let mut array = [0; N];
        self.read(&mut array)?;
        Ok(array)
    }

    pub fn u32(&mut self, what: &str) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub fn u64(&mut self, what: &str) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    pub fn string(&mut self, what: &str) -> Result<String, Error> {
        let len = self.u64(what)?;
        let at = self.position;
        let bytes = self.bytes(len, what)?;
        String::from_utf8(bytes).map_err(|_| self.malformed(format!("byte {at}: {what} is not UTF-8")))
    }

    /// A metadata value of type `kind`; `key` is for messages.
    pub fn value(&mut self, kind: u32, key: &str) -> Result<MetaValue, Error> {
        Ok(match kind {
            0 => MetaValue::Int(self.array::<1>(key)?[0].into()),
            1 => MetaValue::Int((self.array::<1>(key)?[0] as i8).into()),
            2 => MetaValue::Int(u16::from_le_bytes(self.array(key)?).into()),
            3 => MetaValue::Int(i16::from_le_bytes(self.array(key)?).into()),
            4 => MetaValue::Int(self.u32(key)?.into()),
            5 => MetaValue::Int(i32::from_le_bytes(self.array(key)?).into()),
            6 => MetaValue::Float(f32::from_le_bytes(self.array(key)?).into()),
            7 => MetaValue::Bool(self.array::<1>(key)?[0] != 0),
            8 => MetaValue::String(self.string(key)?),
            9 => {
                let element = self.u32(key)?;
                let count = self.u64(key)?;
                let unit = match element {
                    0 | 1 | 7 => 1,
                    2 | 3 => 2,
                    4..=6 => 4,
                    8 | 10..=12 => 8,
                    _ => return Err(self.malformed(format!("{key}: array of unknown type {element}"))),
                };
                let count = self.claim(count, unit, key)?;
                if count > MAX_ARRAY_LEN {
                    return Err(self.malformed(format!("{key}: array of {count} values")));
                }
                MetaValue::Array((0..count).map(|_| self.value(element, key)).collect::<Result<_, _>>()?)
            }
            10 => MetaValue::Int(self.u64(key)?.into()),
            11 => MetaValue::Int(i64::from_le_bytes(self.array(key)?).into()),
            12 => MetaValue::Float(f64::from_le_bytes(self.array(key)?)),
            _ => return Err(self.malformed(format!("{key}: unknown value type {kind}"))),
        })
    }
}
