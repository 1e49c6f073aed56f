use burn::tensor::Tensor;

use super::heads::Heads;
use super::key_values::LayerKeyValues;
use crate::adapter_rows::AdapterRows;
use crate::backend::Backend;
use crate::linear::Linear;
use crate::rms_norm::RmsNorm;

/// Grouped-query self-attention of token trees: `softmax(scale · q·kᵀ) · v` over all that a node sees. Projections run on all
/// nodes at once.
pub struct Attention<B: Backend> {
    /// Query projection `[heads·head_dim, d_model]`.
    pub query: Linear<B>,
    /// Key projection `[kv_heads·head_dim, d_model]`.
    pub key: Linear<B>,
    /// Value projection `[kv_heads·head_dim, d_model]`.
    pub value: Linear<B>,
    /// Output projection `[d_model, heads·head_dim]`.
    pub output: Linear<B>,
    /// Norms of each head of queries and keys.
    pub head_norms: Option<[RmsNorm<B>; 2]>,
    /// Sizes of the heads.
    pub heads: Heads,
}

impl<B: Backend> Attention<B> {
    /// `past` holds the keys and values of the nodes before, and then of these too.
    ///
    /// # Shapes
    /// `x` and the result: `[nodes, d_model]`.
    pub fn forward(
        &self,
        x: Tensor<2>,
        plan: &B::Plan,
        adapters: &AdapterRows,
        past: &mut LayerKeyValues,
    ) -> Tensor<2> {
        let [q, k, v] = Linear::forward_all([&self.query, &self.key, &self.value], x, adapters);
        let (q, k) = match &self.head_norms {
            Some([of_queries, of_keys]) => (of_queries.forward(q), of_keys.forward(k)),
            None => (q, k),
        };
        let mixed = B::attend(plan, [q, k, v], past, self.heads);
        self.output.forward(mixed, adapters)
    }
}
