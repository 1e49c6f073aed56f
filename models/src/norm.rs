use burn::tensor::Tensor;

use crate::backend::Backend;
use crate::layer_norm::LayerNorm;
use crate::rms_norm::RmsNorm;

/// The norm of a family.
pub enum Norm<B: Backend> {
    /// Of Llama and its kin.
    Rms(RmsNorm<B>),
    /// Of GPT-2.
    Layer(LayerNorm<B>),
}

impl<B: Backend> Norm<B> {
    /// Normalises every row.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Rms(norm) => norm.forward(x),
            Self::Layer(norm) => norm.forward(x),
        }
    }
}
