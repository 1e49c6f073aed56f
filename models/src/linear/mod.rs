//! The linear layer and the kernels behind it.

mod block_row;
mod blocks;
mod device;
mod dot;
mod host;
mod integer_rows;
mod packed;
mod product;
mod spread;

use burn::tensor::{Tensor, TensorData};

pub use device::DeviceMatrix;
pub use host::HostMatrix;
pub use product::product;

use crate::device::ComputeDevice;
use crate::weights::RawTensor;

/// Linear layer without bias over flat nodes: `y = x · Wᵀ`.
///
/// The frozen weight has the storage that suits device and precision: on the CPU it lies in the order of
/// the matrix kernel, on a GPU it is a Burn tensor, in f32 or f16.
///
/// # Shapes
/// `W: [out, in]`, `x: [nodes, in]`, `y: [nodes, out]`.
pub struct Linear {
    storage: Storage,
}

enum Storage {
    Device(Box<DeviceMatrix>),
    Host(HostMatrix),
}

impl Linear {
    /// Takes over `tensor: [out, in]`; output `j` is its row `row(j)`.
    pub fn new(tensor: &RawTensor, row: impl Fn(usize) -> usize + Sync, device: &ComputeDevice) -> Self {
        let [outputs, inputs] = [tensor.shape[0], tensor.shape[1]];
        if device.is_cpu() {
            let matrix = HostMatrix::new(tensor, outputs, row, device.precision());
            return Self { storage: Storage::Host(matrix) };
        }
        let rows = tensor.rows_f32((0..outputs).map(row));
        Self { storage: Storage::Device(Box::new(DeviceMatrix::new(rows, [outputs, inputs], device))) }
    }

    /// `y = x · Wᵀ`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [y] = Self::forward_all([self], x);
        y
    }

    /// Several layers on the same input, which is brought to the kernel once.
    pub fn forward_all<const N: usize>(layers: [&Self; N], x: Tensor<2>) -> [Tensor<2>; N] {
        let device = x.device();
        let [nodes, width]: [usize; 2] = x.dims();
        let hosts: Vec<&HostMatrix> = layers.iter().filter_map(|layer| layer.host()).collect();
        let Ok(hosts) = <[&HostMatrix; N]>::try_from(hosts) else {
            let mut inputs = None;
            return layers.map(|layer| match &layer.storage {
                Storage::Device(weight) => {
                    weight.multiply(inputs.get_or_insert_with(|| weight.inputs(x.clone())).clone())
                }
                Storage::Host(_) => unreachable!("all layers of a model lie on one device"),
            });
        };
        let x = to_host(x);
        let rows = HostMatrix::rows(hosts, &x, width);
        hosts.map(|weight| {
            let mut y = vec![0.0; nodes * weight.outputs()];
            weight.multiply_into(&rows, 0..nodes, &mut y);
            Tensor::from_data(TensorData::new(y, [nodes, weight.outputs()]), &device)
        })
    }

    fn host(&self) -> Option<&HostMatrix> {
        match &self.storage {
            Storage::Device(_) => None,
            Storage::Host(weight) => Some(weight),
        }
    }
}

/// The values of a tensor; on the CPU its own buffer where nothing else holds it.
pub fn to_host<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec::<f32>().expect("every tensor of a model is f32")
}
