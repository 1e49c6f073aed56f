//! The linear layer and the kernels behind it.

mod block_row;
mod blocks;
mod columns;
mod device;
mod dot;
#[cfg(target_arch = "x86_64")]
mod dot_x86;
mod host;
mod integer_rows;
#[cfg(target_arch = "x86_64")]
mod isa;
mod kernel;
mod packed;
mod product;
mod spread;

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};

pub use device::DeviceMatrix;
pub use host::HostMatrix;
pub use product::product;

use crate::adapter::{AdapterRows, Site};
use crate::device::ComputeDevice;
use crate::gradient::{Derivative, Inputs};
use crate::weights::RawTensor;

/// Linear layer over flat nodes: `y = x · Wᵀ + b`, with or without `b`, to which adapters may add a term.
///
/// The frozen weight has the storage that suits device and precision: on the CPU it lies in the order of
/// the matrix kernel, on a GPU it is a Burn tensor, in f32 or f16.
///
/// # Shapes
/// `W: [out, in]`, `x: [nodes, in]`, `y: [nodes, out]`.
pub struct Linear {
    site: Site,
    shape: [usize; 2],
    storage: Storage,
    bias: Option<Bias>,
}

enum Bias {
    Host(Vec<f32>),
    /// `[1, out]`
    Tensor(Box<Tensor<2>>),
}

enum Storage {
    Device(Box<DeviceMatrix>),
    Host(Arc<HostMatrix>),
}

impl Linear {
    /// Takes over rows of `tensor: [rows, in]`: of the `outputs`, `j` is its row `row(j)`.
    pub fn new(
        site: Site,
        tensor: &RawTensor,
        outputs: usize,
        row: impl Fn(usize) -> usize + Sync,
        device: &ComputeDevice,
    ) -> Self {
        let shape = [outputs, tensor.shape[1]];
        let storage = if device.is_cpu() {
            Storage::Host(Arc::new(HostMatrix::new(tensor, outputs, row, device)))
        } else {
            let rows = tensor.rows_f32((0..outputs).map(row));
            Storage::Device(Box::new(DeviceMatrix::new(rows, shape, device)))
        };
        Self { site, shape, storage, bias: None }
    }

    /// With a bias `[out]`.
    pub fn with_bias(self, bias: Vec<f32>, device: &ComputeDevice) -> Self {
        let bias = if device.is_cpu() {
            Bias::Host(bias)
        } else {
            let shape = [1, bias.len()];
            Bias::Tensor(Box::new(Tensor::from_data(TensorData::new(bias, shape), device.burn())))
        };
        Self { bias: Some(bias), ..self }
    }

    /// Where it stands in the model.
    pub fn site(&self) -> Site {
        self.site
    }

    /// `[out, in]`
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// `y = x · Wᵀ`, and what the adapters add.
    pub fn forward(&self, x: Tensor<2>, adapters: &AdapterRows) -> Tensor<2> {
        let [y] = Self::forward_all([self], x, adapters);
        y
    }

    /// Several layers on the same input, which is brought to the kernel once.
    pub fn forward_all<const N: usize>(
        layers: [&Self; N],
        x: Tensor<2>,
        adapters: &AdapterRows,
    ) -> [Tensor<2>; N] {
        let kept = layers.iter().any(|layer| adapters.targets(layer.site)).then(|| x.clone());
        let mut outputs = Self::multiply_all(layers, x).into_iter();
        layers.map(|layer| {
            let y = outputs.next().expect("an output for every layer");
            match &kept {
                Some(x) => adapters.add(layer.site, x, y),
                None => y,
            }
        })
    }

    /// Without adapters.
    fn multiply_all<const N: usize>(layers: [&Self; N], x: Tensor<2>) -> [Tensor<2>; N] {
        let device = x.device();
        let [nodes, width]: [usize; 2] = x.dims();
        let hosts: Vec<&Arc<HostMatrix>> = layers.iter().filter_map(|layer| layer.host()).collect();
        let Ok(hosts) = <[&Arc<HostMatrix>; N]>::try_from(hosts) else {
            let mut inputs = None;
            return layers.map(|layer| match &layer.storage {
                Storage::Device(weight) => {
                    let y = weight.multiply(inputs.get_or_insert_with(|| weight.inputs(x.clone())).clone());
                    match &layer.bias {
                        Some(Bias::Tensor(bias)) => y + (**bias).clone(),
                        _ => y,
                    }
                }
                Storage::Host(_) => unreachable!("all layers of a model lie on one device"),
            });
        };
        let graph = hosts.map(|_| Inputs::of([&x]));
        let x = to_host(x);
        let rows = HostMatrix::rows(hosts.map(|weight| &**weight), &x, width);
        let mut graph = graph.into_iter();
        let mut biases = layers.iter().map(|layer| &layer.bias);
        hosts.map(|weight| {
            let shape = [nodes, weight.outputs()];
            let mut y = vec![0.0; shape[0] * shape[1]];
            weight.multiply_into(&rows, 0..nodes, &mut y);
            if let Some(Some(Bias::Host(bias))) = biases.next() {
                y.chunks_exact_mut(bias.len())
                    .for_each(|row| row.iter_mut().zip(bias).for_each(|(y, bias)| *y += bias));
            }
            let inputs = graph.next().expect("one for every layer");
            inputs.finish(y, shape, &device, || Product { weight: weight.clone(), inputs: width })
        })
    }

    fn host(&self) -> Option<&Arc<HostMatrix>> {
        match &self.storage {
            Storage::Device(_) => None,
            Storage::Host(weight) => Some(weight),
        }
    }
}

/// `y = x · Wᵀ` with a frozen weight.
#[derive(Clone)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
struct Product {
    weight: Arc<HostMatrix>,
    inputs: usize,
}

impl std::fmt::Debug for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Product").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl Derivative<1> for Product {
    /// `∂L/∂x = ∂L/∂y · W`
    #[cfg(feature = "training")]
    fn gradients(&self, y: Vec<f32>) -> [Vec<f32>; 1] {
        let mut x = vec![0.0; y.len() / self.weight.outputs() * self.inputs];
        self.weight.multiply_back(&y, &mut x);
        [x]
    }
}

/// The values of a tensor; on the CPU its own buffer where nothing else holds it.
pub fn to_host<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec::<f32>().expect("every tensor of a model is f32")
}
