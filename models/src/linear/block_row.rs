use crate::weights::{Affine, RawTensor, WeightType, five_bits, half_at, iq4_nl, nibbles, q4_k, q5_k};

/// Inputs that share a scale and a minimum, as in the quantised types of GGUF.
pub const BLOCK: usize = 32;

/// Largest magnitude of an integer weight.
const WEIGHT_MAX: f32 = 2047.0;

/// The weights of one output in blocks of 32, with the step of its integers.
pub struct BlockRow {
    /// The blocks, the last one padded with zeros.
    pub blocks: Vec<Block>,
    /// Bits of the quants: 4 (0 to 15) or 8 (−127 to 127).
    pub bits: u32,
    /// What an integer of 1 stands for: the largest magnitude of the row is 2047 of it.
    pub scale: f32,
}

/// 32 weights: `w = d·q + m`.
pub struct Block {
    d: f32,
    m: f32,
    /// The quants `q`.
    pub quants: [i8; BLOCK],
}

impl BlockRow {
    /// Reads a row of a matrix. Quants of 4 bits stay, those of 5 and 8 bits become 8; types with other
    /// blocks or none are quantised to 8 bits.
    pub fn new(tensor: &RawTensor, row: usize) -> Self {
        let bytes = tensor.row_bytes(row);
        let blocks = bytes.chunks_exact(tensor.dtype.block_bytes());
        let (bits, blocks): (u32, Vec<Block>) = match tensor.dtype {
            WeightType::Q4_0 => {
                let block = |b: &[u8]| {
                    let d = half_at(b);
                    Block::four_bits(d, -8.0 * d, nibbles(&b[2..]))
                };
                (4, blocks.map(block).collect())
            }
            WeightType::Q4_1 => {
                let block = |b: &[u8]| Block::four_bits(half_at(b), half_at(&b[2..]), nibbles(&b[4..]));
                (4, blocks.map(block).collect())
            }
            WeightType::Q4_K => {
                let block = |part: Affine| Block::four_bits(part.scale, -part.min, part.quants);
                (4, blocks.flat_map(q4_k).map(block).collect())
            }
            WeightType::Q5_0 => {
                let block = |b: &[u8]| {
                    let d = half_at(b);
                    Block::five_bits(d, -16.0 * d, five_bits(&b[2..]))
                };
                (8, blocks.map(block).collect())
            }
            WeightType::Q5_1 => {
                let block = |b: &[u8]| Block::five_bits(half_at(b), half_at(&b[2..]), five_bits(&b[4..]));
                (8, blocks.map(block).collect())
            }
            WeightType::Q5_K => {
                let block = |part: Affine| Block::five_bits(part.scale, -part.min, part.quants);
                (8, blocks.flat_map(q5_k).map(block).collect())
            }
            WeightType::IQ4_NL => {
                let block = |b: &[u8]| Block { d: half_at(b), m: 0.0, quants: iq4_nl(&b[2..]) };
                (8, blocks.map(block).collect())
            }
            WeightType::Q8_0 => (8, blocks.map(|b| Block::bytes(half_at(b), &b[2..])).collect()),
            WeightType::F32 | WeightType::F16 | WeightType::BF16 | WeightType::Q6_K => {
                let mut values = Vec::new();
                tensor.dtype.dequantize(bytes, &mut values);
                (8, values.chunks(BLOCK).map(Block::quantize).collect())
            }
        };
        let largest = blocks.iter().map(|block| block.largest(bits)).fold(0.0f32, |a, b| {
            // `f32::max` would lose a weight that is not a number.
            if a.is_nan() || b <= a { a } else { b }
        });
        Self { blocks, bits, scale: largest / WEIGHT_MAX }
    }

    /// Scale `D` and minimum `M` of a block in the integers of the row: a weight is `q·D + M` with `D` in
    /// 1/16 (4 bits) or 1/128 (8 bits) of a step.
    pub fn integers(&self, block: &Block) -> (i16, i16) {
        if self.scale == 0.0 {
            return (0, 0);
        }
        let unit = if self.bits == 4 { 16.0 } else { 128.0 };
        ((block.d / self.scale * unit).round() as i16, (block.m / self.scale).round() as i16)
    }

    /// Bound of the norm of the row of integers.
    pub fn norm(&self) -> f32 {
        if self.scale == 0.0 || !self.scale.is_finite() {
            return 0.0;
        }
        // One more than the largest of the block, for rounding.
        let largest = self.blocks.iter().map(|block| block.largest(self.bits) / self.scale + 1.0);
        largest.map(|largest| BLOCK as f32 * largest * largest).sum::<f32>().sqrt()
    }
}

/// The step of integers for values of a row without blocks, and the norm of these integers.
#[cfg(feature = "training")]
pub fn steps<'a>(values: impl Iterator<Item = &'a f32>) -> (f32, f32) {
    let (mut largest, mut squares, mut count) = (0.0f32, 0.0f32, 0.0f32);
    for value in values {
        // `f32::max` would lose a weight that is not a number.
        largest = if largest.is_nan() || value.abs() <= largest { largest } else { value.abs() };
        squares += value * value;
        count += 1.0;
    }
    let scale = largest / WEIGHT_MAX;
    match scale > 0.0 && scale.is_finite() {
        // Rounding adds at most one half to each.
        true => (scale, squares.sqrt() / scale + count.sqrt() / 2.0),
        false => (scale, 0.0),
    }
}

impl Block {
    fn four_bits(d: f32, m: f32, quants: [u8; BLOCK]) -> Self {
        Self { d, m, quants: quants.map(|quant| quant as i8) }
    }

    /// The 32 steps of `d·q + m` in the range of 8 bits, with the same values.
    fn five_bits(d: f32, m: f32, quants: [u8; BLOCK]) -> Self {
        Self { d: d / 8.0, m: m + 16.0 * d, quants: quants.map(|quant| (quant as i8 - 16) * 8) }
    }

    fn bytes(d: f32, bytes: &[u8]) -> Self {
        Self { d, m: 0.0, quants: std::array::from_fn(|i| bytes[i] as i8) }
    }

    fn quantize(values: &[f32]) -> Self {
        let largest = values.iter().fold(0.0f32, |largest, value| {
            let value = value.abs();
            if largest.is_nan() || value <= largest { largest } else { value }
        });
        let d = largest / 127.0;
        let quant = |value: &f32| if d == 0.0 { 0 } else { (value / d).round() as i8 };
        Self { d, m: 0.0, quants: std::array::from_fn(|i| values.get(i).map_or(0, quant)) }
    }

    /// Bound of the magnitude of its weights.
    fn largest(&self, bits: u32) -> f32 {
        let [low, high] = if bits == 4 { [0.0, 15.0] } else { [-128.0, 127.0] };
        let (low, high) = ((self.d * low + self.m).abs(), (self.d * high + self.m).abs());
        if low.is_nan() || low > high { low } else { high }
    }
}
