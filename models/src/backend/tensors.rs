use std::borrow::Cow;

use burn::tensor::{Tensor, TensorData};

use super::{Backend, Product};
use crate::Error;
use crate::attention::blocks::TensorPlan;
use crate::attention::heads::Heads;
use crate::attention::key_values::LayerKeyValues;
use crate::attention::mask::AttentionMask;
use crate::attention::rope::Angles;
use crate::buckets::padded;
use crate::device::ComputeDevice;
use crate::gated::{self, Activation};
use crate::head;
#[cfg(feature = "training")]
use crate::head::training::HeadPass;
use crate::layer_norm;
use crate::linear::DeviceMatrix;
use crate::memory::WeightNeeds;
use crate::rms_norm;
use crate::tree::{Edge, TreeBatch};
use crate::weights::RawTensor;

/// Burn's operations on the tensors of a device, with our kernels where a device has them. For scoring only.
pub struct Tensors;

impl Backend for Tensors {
    type Matrix = DeviceMatrix;
    /// `[1, len]`
    type Vector = Tensor<2>;
    type Plan = TensorPlan;

    const ADDS_LOW_RANK: bool = false;

    /// A device tells that its memory is used up when it is.
    fn require_memory(_: &WeightNeeds<'_>, _: &ComputeDevice) -> Result<(), Error> {
        Ok(())
    }

    fn matrix(
        tensor: &RawTensor,
        outputs: usize,
        row: impl Fn(usize) -> usize + Sync,
        device: &ComputeDevice,
    ) -> Self::Matrix {
        let rows = tensor.rows_f32((0..outputs).map(row));
        DeviceMatrix::new(rows, [outputs, tensor.shape[1]], device)
    }

    fn vector(values: Vec<f32>, device: &ComputeDevice) -> Self::Vector {
        let shape = [1, values.len()];
        Tensor::from_data(TensorData::new(values, shape), device.burn())
    }

    fn sized<'a>(batch: &'a TreeBatch, device: &ComputeDevice) -> Cow<'a, TreeBatch> {
        Cow::Owned(padded(batch, device.node_budget()))
    }

    fn multiply<const N: usize>(products: [Product<'_, Self>; N], x: Tensor<2>) -> [Tensor<2>; N] {
        let mut inputs = None;
        products.map(|Product { weight, bias, .. }| {
            let y = weight.multiply(inputs.get_or_insert_with(|| weight.inputs(x.clone())).clone());
            match bias {
                Some(bias) => y + bias.clone(),
                None => y,
            }
        })
    }

    fn rms_norm(x: Tensor<2>, gamma: &Self::Vector, epsilon: f64) -> Tensor<2> {
        rms_norm::device::forward(x, gamma, epsilon)
    }

    fn layer_norm(x: Tensor<2>, gamma: &Self::Vector, beta: &Self::Vector, epsilon: f64) -> Tensor<2> {
        layer_norm::device::forward(x, gamma, beta, epsilon)
    }

    fn gated(gate: Tensor<2>, up: Tensor<2>, activation: Activation) -> Tensor<2> {
        gated::device::gated(gate, up, activation)
    }

    fn plan(
        batch: &TreeBatch,
        angles: Option<Angles>,
        heads: usize,
        mask: AttentionMask,
        device: &ComputeDevice,
    ) -> Self::Plan {
        let rope = angles.map(|angles| angles.upload(device));
        TensorPlan::new(batch, rope, heads, mask, device)
    }

    fn attend(plan: &Self::Plan, qkv: [Tensor<2>; 3], _: &mut LayerKeyValues, heads: Heads) -> Tensor<2> {
        plan.attend(qkv, heads)
    }

    fn edge_log_probs(
        chunks: &[Self::Matrix],
        bias: Option<&[Self::Vector]>,
        hidden: Tensor<2>,
        edges: &[Edge],
    ) -> Vec<f32> {
        head::device::edge_log_probs(chunks, bias, hidden, edges)
    }

    #[cfg(feature = "training")]
    fn head_pass<'a>(
        _: &'a [Self::Matrix],
        _: Option<&[Self::Vector]>,
        _: Vec<f32>,
        _: &[Edge],
    ) -> Option<HeadPass<'a>> {
        None
    }
}
