use burn::tensor::Tensor;

/// What is kept of the logits of all chunks.
pub struct Folded {
    /// Largest logit of a node, `[nodes]`.
    pub max: Tensor<1>,
    /// `Σ exp(logit − max)` of a node, `[nodes]`.
    pub sum: Tensor<1>,
    /// The logit of every edge, `[edges]`.
    pub logits: Tensor<1>,
}
