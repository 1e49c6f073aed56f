//! GGUF numbers and strings, little-endian.

/// Appends values in the order in which they are called.
#[derive(Clone, Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// `GGUF`, a version and both counts.
    pub fn header(version: u32, tensors: u64, values: u64) -> Self {
        Self(b"GGUF".to_vec()).u32(version).u64(tensors).u64(values)
    }

    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub fn string(self, text: &str) -> Self {
        self.u64(text.len() as u64).raw(text.as_bytes())
    }

    /// A tensor entry; `axes` innermost first, as the format has it.
    pub fn tensor(self, name: &str, axes: &[u64], kind: u32, offset: u64) -> Self {
        let bytes = self.string(name).u32(axes.len() as u32);
        axes.iter().fold(bytes, |bytes, &axis| bytes.u64(axis)).u32(kind).u64(offset)
    }
}

/// Reads what [`Bytes`] writes.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn take(&mut self, count: usize) -> &'a [u8] {
        self.at += count;
        &self.bytes[self.at - count..self.at]
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().unwrap())
    }

    pub fn string(&mut self) -> String {
        let len = self.u64() as usize;
        String::from_utf8(self.take(len).to_vec()).unwrap()
    }

    /// The bytes of a metadata value of type `kind`.
    pub fn value(&mut self, kind: u32) -> &'a [u8] {
        let start = self.at;
        match kind {
            0 | 1 | 7 => self.at += 1,
            2 | 3 => self.at += 2,
            4..=6 => self.at += 4,
            8 => drop(self.string()),
            9 => {
                let element = self.u32();
                for _ in 0..self.u64() {
                    self.value(element);
                }
            }
            _ => self.at += 8,
        }
        &self.bytes[start..self.at]
    }
}
