use std::fmt;

use burn::tensor::Tensor;

use crate::linear::low_rank::LowRankTerm;
use crate::module_path::ModulePath;

/// Something that adds a term to linear layers of a frozen model: `y = x · Wᵀ + term(x)`.
///
/// Immutable, shared, and handed over with the batch ([`TreeBatch::set_adapter`](crate::TreeBatch::set_adapter)): the model never changes.
pub trait Adapter: fmt::Debug + Send + Sync {
    /// Whether there is a term for this layer.
    fn targets(&self, module_path: ModulePath) -> bool;

    /// `y + term(x)`; only called where [`Adapter::targets`] holds.
    ///
    /// # Shapes
    /// `x: [nodes, in]`, `y` and the result `[nodes, out]`.
    fn add(&self, module_path: ModulePath, x: Tensor<2>, y: Tensor<2>) -> Tensor<2>;

    /// The term as matrices on host memory, where it is one. On the CPU the layer then adds it in place of [`Adapter::add`], faster.
    fn low_rank(&self, _: ModulePath) -> Option<&LowRankTerm> {
        None
    }

    /// What makes one score of the state of an encoder's first token, where the adapter was trained with it.
    fn score_head(&self) -> Option<&ScoreHead> {
        None
    }

    /// Names its numbers, so that a policy can say which adapter it is for; nothing where they still change.
    fn fingerprint(&self) -> Option<&str> {
        None
    }
}

/// A linear layer that makes one number of a hidden state: `w·h + b`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreHead {
    /// `w: [d_model]`
    pub weight: Vec<f32>,
    /// `b`
    pub bias: f32,
}

impl ScoreHead {
    /// The score of a state `[d_model]`.
    pub fn score(&self, state: &[f32]) -> f64 {
        let products =
            self.weight.iter().zip(state).map(|(weight, value)| f64::from(*weight) * f64::from(*value));
        products.sum::<f64>() + f64::from(self.bias)
    }
}
