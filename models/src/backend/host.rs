use std::borrow::Cow;
use std::sync::Arc;

use burn::tensor::Tensor;

use super::{Backend, Product};
use crate::Error;
use crate::attention::heads::Heads;
use crate::attention::host::HostPlan;
use crate::attention::key_values::LayerKeyValues;
use crate::attention::mask::AttentionMask;
use crate::attention::recorded;
use crate::attention::rope::Angles;
use crate::device::ComputeDevice;
use crate::gated::{self, Activation};
use crate::head;
#[cfg(feature = "training")]
use crate::head::training::HeadPass;
use crate::layer_norm;
use crate::linear::{HostMatrix, frozen};
use crate::memory::{self, WeightNeeds};
use crate::rms_norm;
use crate::tree::{Edge, TreeBatch};
use crate::weights::RawTensor;

/// Our kernels on host memory. They bring their own derivatives.
pub struct Host;

impl Backend for Host {
    type Matrix = Arc<HostMatrix>;
    type Vector = Arc<[f32]>;
    type Plan = Arc<HostPlan>;

    const ADDS_LOW_RANK: bool = true;

    fn require_memory(needs: &WeightNeeds<'_>, device: &ComputeDevice) -> Result<(), Error> {
        memory::require(needs.store.path(), needs.bytes(device), device.precision())
    }

    fn matrix(
        tensor: &RawTensor,
        outputs: usize,
        row: impl Fn(usize) -> usize + Sync,
        device: &ComputeDevice,
    ) -> Self::Matrix {
        Arc::new(HostMatrix::new(tensor, outputs, row, device))
    }

    fn vector(values: Vec<f32>, _: &ComputeDevice) -> Self::Vector {
        values.into()
    }

    fn sized<'a>(batch: &'a TreeBatch, _: &ComputeDevice) -> Cow<'a, TreeBatch> {
        Cow::Borrowed(batch)
    }

    fn multiply<const N: usize>(products: [Product<'_, Self>; N], x: Tensor<2>) -> [Tensor<2>; N] {
        frozen::multiply(products, x)
    }

    fn rms_norm(x: Tensor<2>, gamma: &Self::Vector, epsilon: f64) -> Tensor<2> {
        rms_norm::host::forward(x, gamma, epsilon as f32)
    }

    fn layer_norm(x: Tensor<2>, gamma: &Self::Vector, beta: &Self::Vector, epsilon: f64) -> Tensor<2> {
        layer_norm::host::forward(x, gamma, beta, epsilon as f32)
    }

    fn gated(gate: Tensor<2>, up: Tensor<2>, activation: Activation) -> Tensor<2> {
        gated::host::gated(gate, up, activation)
    }

    fn plan(
        batch: &TreeBatch,
        angles: Option<Angles>,
        _: usize,
        mask: AttentionMask,
        _: &ComputeDevice,
    ) -> Self::Plan {
        Arc::new(HostPlan::new(batch, angles, mask))
    }

    fn attend(plan: &Self::Plan, qkv: [Tensor<2>; 3], past: &mut LayerKeyValues, heads: Heads) -> Tensor<2> {
        recorded::attend(plan, qkv, past, heads)
    }

    fn edge_log_probs(
        chunks: &[Self::Matrix],
        bias: Option<&[Self::Vector]>,
        hidden: Tensor<2>,
        edges: &[Edge],
    ) -> Vec<f32> {
        head::host::edge_log_probs(chunks, bias, hidden, edges)
    }

    #[cfg(feature = "training")]
    fn head_pass<'a>(
        chunks: &'a [Self::Matrix],
        bias: Option<&[Self::Vector]>,
        hidden: Vec<f32>,
        edges: &[Edge],
    ) -> Option<HeadPass<'a>> {
        Some(HeadPass::new(chunks, bias, hidden, edges))
    }
}
