use burn::tensor::Tensor;

use crate::adapter_rows::AdapterRows;
use crate::backend::Backend;
use crate::gated::Activation;
use crate::head::Head;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;

/// What comes before the vocabulary in a masked-language-model head: `norm(act(W·h + b))`.
pub struct MaskedHead<B: Backend> {
    pub(super) linear: Linear<B>,
    pub(super) norm: LayerNorm<B>,
    pub(super) activation: Activation,
    pub(super) vocabulary: Head<B>,
}

impl<B: Backend> MaskedHead<B> {
    /// The states that the vocabulary is multiplied with.
    ///
    /// # Shapes
    /// `hidden` and the result `[nodes, d_model]`.
    pub fn transform(&self, hidden: Tensor<2>) -> Tensor<2> {
        let adapters = AdapterRows::none();
        self.norm.forward(B::activated(self.linear.forward(hidden, &adapters), self.activation))
    }

    /// The vocabulary, with its bias.
    pub fn vocabulary(&self) -> &Head<B> {
        &self.vocabulary
    }
}
