/// Activation of a feed-forward layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + exp(−x))`
    #[default]
    Silu,
    /// `x/2 · (1 + tanh(sqrt(2/π)·(x + 0.044715·x³)))`
    GeluTanh,
    /// `x/2 · (1 + erf(x/√2))`
    Gelu,
    /// `max(x, 0)`
    Relu,
}

impl Activation {
    /// The name in fingerprints of models.
    pub fn canonical_name(self) -> &'static str {
        match self {
            Self::Silu => "silu",
            Self::GeluTanh => "gelu_tanh",
            Self::Gelu => "gelu",
            Self::Relu => "relu",
        }
    }

    /// The name in fingerprints that have no version.
    pub fn legacy_name(self) -> &'static str {
        match self {
            Self::Silu => "Silu",
            Self::GeluTanh => "GeluTanh",
            Self::Gelu => "Gelu",
            Self::Relu => "Relu",
        }
    }

    /// What Hugging Face calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silu => "silu",
            Self::GeluTanh => "gelu_pytorch_tanh",
            Self::Gelu => "gelu",
            Self::Relu => "relu",
        }
    }
}
