use std::fmt;

/// Arithmetic of the forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floating point throughout.
    #[default]
    F32,
    /// 16-bit weights and inputs of matrix products, summed in 32 bits; everything else in 32 bits. On a GPU.
    F16,
    /// Weights of at most 8 bits (those of a quantised file keep their bits) times inputs of 16 bits, summed
    /// as integers. On the CPU. On the command line and in files it is called `int8`.
    Quantized,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Quantized => "int8",
        })
    }
}
