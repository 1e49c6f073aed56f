use half::bf16;

use super::blocks::{Affine, K_BLOCK, SUB_BLOCK, five_bits, iq4_nl, nibbles, q4_k, q5_k, q6_k};
use super::half_at::half_at;

/// Storage of a tensor's numbers, with what is needed to turn it into f32.
///
/// The quantised types come in blocks along the last axis. With scale `d` and minimum `m` (f16), quants
/// `q`, and in the K types a small integer `s`, `t` for every 16 or 32 values:
///
/// | type | values | block | value |
/// |---|---|---|---|
/// | `Q8_0` | 32 | `d`, 32 × i8 | `d·q` |
/// | `Q4_0` | 32 | `d`, 16 bytes | `d·(q − 8)` |
/// | `Q4_1` | 32 | `d`, `m`, 16 bytes | `d·q + m` |
/// | `IQ4_NL` | 32 | `d`, 16 bytes | `d·step(q)`, 16 steps of −127 to 113 |
/// | `Q5_0` | 32 | `d`, 4 + 16 bytes | `d·(q − 16)` |
/// | `Q5_1` | 32 | `d`, `m`, 4 + 16 bytes | `d·q + m` |
/// | `Q4_K` | 256 | `d`, `m`, 12 bytes of `s` and `t`, 128 bytes | `d·s·q − m·t` |
/// | `Q5_K` | 256 | `d`, `m`, 12 bytes of `s` and `t`, 32 + 128 bytes | `d·s·q − m·t` |
/// | `Q6_K` | 256 | 128 + 64 bytes, 16 × `s`, `d` | `d·s·(q − 32)` |
///
/// # Reference
/// The GGML block layouts (`ggml-common.h`), as the `gguf` Python package 0.19 dequantises them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
#[allow(non_camel_case_types)]
pub enum WeightType {
    F32,
    F16,
    BF16,
    Q8_0,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_NL,
}

impl WeightType {
    /// The supported types, for error messages.
    pub const SUPPORTED: &'static str =
        "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, IQ4_NL";

    /// Its name, which fingerprints of models contain.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q8_0 => "Q8_0",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q4_K => "Q4_K",
            Self::Q5_K => "Q5_K",
            Self::Q6_K => "Q6_K",
            Self::IQ4_NL => "IQ4_NL",
        }
    }

    /// Values in a block; rows must be a multiple of it.
    pub fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q8_0 | Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::IQ4_NL => SUB_BLOCK,
            Self::Q4_K | Self::Q5_K | Self::Q6_K => K_BLOCK,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q8_0 => 34,
            Self::Q4_0 | Self::IQ4_NL => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q4_K => 144,
            Self::Q5_K => 176,
            Self::Q6_K => 210,
        }
    }

    /// Bytes of `values` numbers; `None` where they do not fill whole blocks or overflow.
    pub fn byte_len(self, values: usize) -> Option<usize> {
        if !values.is_multiple_of(self.block_len()) {
            return None;
        }
        (values / self.block_len()).checked_mul(self.block_bytes())
    }

    /// Appends the values of whole blocks of `bytes` to `out`.
    pub fn dequantize(self, bytes: &[u8], out: &mut Vec<f32>) {
        let blocks = bytes.chunks_exact(self.block_bytes());
        out.reserve(blocks.len() * self.block_len());
        match self {
            Self::F32 => out.extend(blocks.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
            Self::F16 => out.extend(blocks.map(half_at)),
            Self::BF16 => out.extend(blocks.map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32())),
            Self::Q8_0 => {
                for block in blocks {
                    let d = half_at(block);
                    out.extend(block[2..].iter().map(|&q| f32::from(q as i8) * d));
                }
            }
            Self::Q4_0 => {
                for block in blocks {
                    let d = half_at(block);
                    out.extend(nibbles(&block[2..]).map(|q| (f32::from(q) - 8.0) * d));
                }
            }
            Self::Q4_1 => {
                for block in blocks {
                    let (d, m) = (half_at(block), half_at(&block[2..]));
                    out.extend(nibbles(&block[4..]).map(|q| f32::from(q) * d + m));
                }
            }
            Self::IQ4_NL => {
                for block in blocks {
                    let d = half_at(block);
                    out.extend(iq4_nl(&block[2..]).map(|step| f32::from(step) * d));
                }
            }
            Self::Q5_0 => {
                for block in blocks {
                    let d = half_at(block);
                    out.extend(five_bits(&block[2..]).map(|q| (f32::from(q) - 16.0) * d));
                }
            }
            Self::Q5_1 => {
                for block in blocks {
                    let (d, m) = (half_at(block), half_at(&block[2..]));
                    out.extend(five_bits(&block[4..]).map(|q| f32::from(q) * d + m));
                }
            }
            Self::Q4_K => blocks.for_each(|block| extend_affine(out, q4_k(block))),
            Self::Q5_K => blocks.for_each(|block| extend_affine(out, q5_k(block))),
            Self::Q6_K => blocks.for_each(|block| out.extend(q6_k(block))),
        }
    }
}

/// The product is rounded before the minimum is taken away, as in the reference.
fn extend_affine(out: &mut Vec<f32>, parts: [Affine; 8]) {
    for Affine { scale, min, quants } in parts {
        out.extend(quants.map(|q| scale * f32::from(q) - min));
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn a_q4_1_block_by_hand() {
        let mut block = Vec::new();
        block.extend(f16::from_f32(0.5).to_le_bytes());
        block.extend(f16::from_f32(-1.0).to_le_bytes());
        block.extend((0..16).map(|i| i as u8 | 0xF0));
        let mut values = Vec::new();
        WeightType::Q4_1.dequantize(&block, &mut values);
        assert_eq!(values.len(), 32);
        assert_eq!(values[3], 0.5);
        assert_eq!(values[20], 6.5);
    }

    #[test]
    fn lengths_that_do_not_fill_blocks_are_refused() {
        assert_eq!(WeightType::Q8_0.byte_len(33), None);
        assert_eq!(WeightType::Q8_0.byte_len(64), Some(68));
        assert_eq!(WeightType::Q4_K.byte_len(64), None);
        assert_eq!(WeightType::Q6_K.byte_len(512), Some(420));
        assert_eq!(WeightType::F32.byte_len(usize::MAX), None);
    }
}
