use burn::tensor::Tensor;

use crate::adapter::AdapterRows;
use crate::device::ComputeDevice;
use crate::gated::{Activation, activated};
use crate::head::Head;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;

/// What comes before the vocabulary in a masked-language-model head: `norm(act(W·h + b))`.
pub struct MaskedHead {
    pub(super) linear: Linear,
    pub(super) norm: LayerNorm,
    pub(super) activation: Activation,
    pub(super) vocabulary: Head,
}

impl MaskedHead {
    /// The states that the vocabulary is multiplied with.
    ///
    /// # Shapes
    /// `hidden` and the result `[nodes, d_model]`.
    pub fn transform(&self, hidden: Tensor<2>, device: &ComputeDevice) -> Tensor<2> {
        let adapters = AdapterRows::none();
        self.norm.forward(activated(self.linear.forward(hidden, &adapters), self.activation, device))
    }

    /// The vocabulary, with its bias.
    pub fn vocabulary(&self) -> &Head {
        &self.vocabulary
    }
}
