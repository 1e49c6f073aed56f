use super::g711;
use super::layout::{Coding, Layout};

/// Turns stored samples into numbers from −1 to 1.
pub struct Decoder {
    layout: Layout,
    /// Bits below the valid ones that were not 0, in any sample.
    below: u32,
    /// Samples fit into the lower valid bits.
    low: bool,
}

impl Decoder {
    pub fn new(layout: Layout) -> Self {
        Self { layout, below: 0, low: true }
    }

    /// Appends the samples of whole frames.
    ///
    /// # Errors
    /// A sample that is no number, with its place.
    pub fn push(&mut self, bytes: &[u8], samples: &mut Vec<f32>) -> Result<(), String> {
        let big = self.layout.big_endian;
        match self.layout.coding {
            Coding::MuLaw => {
                samples.extend(bytes.iter().map(|&code| f32::from(g711::mu_law(code)) / 32_768.0))
            }
            Coding::ALaw => samples.extend(bytes.iter().map(|&code| f32::from(g711::a_law(code)) / 32_768.0)),
            Coding::Int { bytes: 1, .. } => {
                samples.extend(bytes.iter().map(|&byte| (f32::from(byte) - 128.0) / 128.0));
            }
            Coding::Int { bytes: count, bits } => {
                for sample in bytes.chunks_exact(count) {
                    let value = integer(sample, big);
                    self.look(value, count, bits);
                    samples.push(value as f32 / 2f32.powi(31));
                }
            }
            Coding::Float { bytes: count } => {
                for sample in bytes.chunks_exact(count) {
                    let value = float(sample, big);
                    if !value.is_finite() {
                        return Err(self.no_number(value, samples.len()));
                    }
                    samples.push(value);
                }
            }
        }
        Ok(())
    }

    /// Keeps in mind where the valid bits of a container lie.
    fn look(&mut self, value: i32, bytes: usize, bits: u16) {
        let spare = 8 * bytes as u32 - u32::from(bits);
        if spare > 0 {
            let value = value >> (32 - 8 * bytes as u32);
            self.below |= value as u32 & ((1 << spare) - 1);
            self.low &= (value << (32 - bits) >> (32 - bits)) == value;
        }
    }

    /// Turns samples up whose valid bits lie at the bottom of their containers, where they don't belong, and says so. A file that
    /// keeps to the rule has zeros there.
    pub fn finish(self, samples: &mut [f32]) -> Option<String> {
        let Coding::Int { bytes, bits } = self.layout.coding else { return None };
        if !self.low || self.below == 0 {
            return None;
        }
        let spare = 8 * bytes as i32 - i32::from(bits);
        samples.iter_mut().for_each(|sample| *sample *= 2f32.powi(spare));
        let container = 8 * bytes;
        Some(format!(
            "its {bits} valid bits lie at the bottom of {container}, not at the top; they were read there"
        ))
    }

    fn no_number(&self, value: f32, sample: usize) -> String {
        let frame = sample / usize::from(self.layout.channels);
        let seconds = frame as f64 / f64::from(self.layout.sample_rate);
        format!(
            "sample {sample} (at {seconds:.3} s) is {value}, which is no sound; export the recording again"
        )
    }
}

/// A whole number at the top of 32 bits.
fn integer(sample: &[u8], big_endian: bool) -> i32 {
    let mut bytes = [0; 4];
    let start = 4 - sample.len();
    bytes[start..].copy_from_slice(sample);
    if big_endian {
        bytes.rotate_left(start);
        i32::from_be_bytes(bytes)
    } else {
        i32::from_le_bytes(bytes)
    }
}

/// Infinite where 32 bits can't hold it.
fn float(sample: &[u8], big_endian: bool) -> f32 {
    let mut bytes = [0; 8];
    let size = sample.len();
    bytes[..size].copy_from_slice(sample);
    if big_endian {
        bytes[..size].reverse();
    }
    let [a, b, c, d, ..] = bytes;
    if size == 4 { f32::from_le_bytes([a, b, c, d]) } else { f64::from_le_bytes(bytes) as f32 }
}
