//! How the layers of a model are computed. A model is loaded for one backend, and no layer asks again.

mod host;
mod tensors;

use std::borrow::Cow;

use burn::tensor::Tensor;

pub use host::Host;
pub use tensors::Tensors;

use crate::Error;
use crate::attention::heads::Heads;
use crate::attention::key_values::LayerKeyValues;
use crate::attention::mask::AttentionMask;
use crate::attention::rope::Angles;
use crate::device::ComputeDevice;
use crate::gated::Activation;
#[cfg(feature = "training")]
use crate::head::training::HeadPass;
use crate::linear::low_rank::RowTerms;
use crate::memory::WeightNeeds;
use crate::tree::{Edge, TreeBatch};
use crate::weights::RawTensor;

/// A product `x · Wᵀ + b`, with what low-rank adapters add to rows of it.
pub struct Product<'a, B: Backend> {
    pub weight: &'a B::Matrix,
    pub bias: Option<&'a B::Vector>,
    /// Empty unless [`Backend::ADDS_LOW_RANK`].
    pub terms: RowTerms<'a>,
}

/// The operations that differ between host memory ([`Host`]) and the tensors of a device ([`Tensors`]). The
/// architectures are defined once, over any backend.
pub trait Backend: Sized + Send + Sync + 'static {
    /// A frozen matrix `[out, in]`.
    type Matrix: Send + Sync;
    /// The numbers of a bias or of a norm.
    type Vector: Send + Sync;
    /// What attention needs to know of a batch: who sees whom, and the angles.
    type Plan;

    /// Whether [`multiply`](Self::multiply) adds the terms of low-rank adapters.
    const ADDS_LOW_RANK: bool;

    /// Refuses weights that the memory can't hold, before they are read.
    ///
    /// # Errors
    /// [`Error::Memory`].
    fn require_memory(needs: &WeightNeeds<'_>, device: &ComputeDevice) -> Result<(), Error>;

    /// Takes over rows of `tensor: [rows, in]`: of the `outputs`, `j` is its row `row(j)`.
    fn matrix(
        tensor: &RawTensor,
        outputs: usize,
        row: impl Fn(usize) -> usize + Sync,
        device: &ComputeDevice,
    ) -> Self::Matrix;

    /// Takes over numbers.
    fn vector(values: Vec<f32>, device: &ComputeDevice) -> Self::Vector;

    /// The batch in a size that suits the device. What is added can't be noticed.
    fn sized<'a>(batch: &'a TreeBatch, device: &ComputeDevice) -> Cow<'a, TreeBatch>;

    /// Several products of one input, which is brought to the kernel once.
    ///
    /// # Shapes
    /// `x: [nodes, in]`, each result `[nodes, out]`.
    fn multiply<const N: usize>(products: [Product<'_, Self>; N], x: Tensor<2>) -> [Tensor<2>; N];

    /// `x / sqrt(mean(x²) + ε) · γ` for every part of a row that is as long as γ.
    fn rms_norm(x: Tensor<2>, gamma: &Self::Vector, epsilon: f64) -> Tensor<2>;

    /// `(x − μ) / sqrt(mean((x − μ)²) + ε) · γ + β` with `μ = mean(x)`.
    fn layer_norm(x: Tensor<2>, gamma: &Self::Vector, beta: &Self::Vector, epsilon: f64) -> Tensor<2>;

    /// `act(gate) · up`.
    ///
    /// # Shapes
    /// All `[nodes, d_ff]`.
    ///
    /// # Reference
    /// Shazeer 2020, "GLU Variants Improve Transformer", eq. 6.
    fn gated(gate: Tensor<2>, up: Tensor<2>, activation: Activation) -> Tensor<2>;

    /// `act(x)`.
    fn activated(x: Tensor<2>, activation: Activation) -> Tensor<2> {
        let ones = Tensor::ones(x.dims(), &x.device());
        Self::gated(x, ones, activation)
    }

    /// Lays out a batch for attention. The angles are those of its last nodes, which are computed; with [`Tensors`]
    /// these are all.
    fn plan(
        batch: &TreeBatch,
        angles: Option<Angles>,
        heads: usize,
        mask: AttentionMask,
        device: &ComputeDevice,
    ) -> Self::Plan;

    /// `softmax(scale · q·kᵀ) · v` over all that a node sees. `past` holds the keys and values of the nodes before,
    /// and with [`Host`] then of these too.
    ///
    /// # Shapes
    /// `q` and the result `[nodes, queries · dim]`, `k, v: [nodes, keys · dim]`.
    fn attend(plan: &Self::Plan, qkv: [Tensor<2>; 3], past: &mut LayerKeyValues, heads: Heads) -> Tensor<2>;

    /// Natural log-probability of every edge, in their order. The matrix of the vocabulary and its bias lie in
    /// chunks, see [`Head`](crate::head::Head).
    ///
    /// # Shapes
    /// `hidden: [nodes, d_model]`.
    fn edge_log_probs(
        chunks: &[Self::Matrix],
        bias: Option<&[Self::Vector]>,
        hidden: Tensor<2>,
        edges: &[Edge],
    ) -> Vec<f32>;

    /// Log-probabilities of edges with all that their gradient needs; `None` where nothing is trained.
    #[cfg(feature = "training")]
    fn head_pass<'a>(
        chunks: &'a [Self::Matrix],
        bias: Option<&[Self::Vector]>,
        hidden: Vec<f32>,
        edges: &[Edge],
    ) -> Option<HeadPass<'a>>;
}
