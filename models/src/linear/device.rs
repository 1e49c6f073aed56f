use burn::tensor::{DType, Device, Tensor, TensorData};
use half::f16;

use super::product::product;
use crate::Precision;
use crate::device::ComputeDevice;

/// A frozen weight on a GPU: `y = x · Wᵀ`, in f32 or with products of f16 that are summed in f32.
pub struct DeviceMatrix {
    /// `Wᵀ: [in, out]`, in the type of the precision.
    weight: Tensor<2>,
    tune: bool,
}

impl DeviceMatrix {
    /// Uploads `rows: [out, in]`.
    pub fn new(rows: Vec<f32>, shape: [usize; 2], device: &ComputeDevice) -> Self {
        let weight = match device.precision() {
            Precision::F16 => upload_f16(&rows, shape, device.burn()),
            Precision::F32 | Precision::Quantized => {
                Tensor::<2>::from_data(TensorData::new(rows, shape), device.burn())
            }
        };
        Self { weight: weight.transpose(), tune: device.tunes_kernels() }
    }

    /// Brings inputs to the type of the weight, once for all the weights that read them.
    pub fn inputs(&self, x: Tensor<2>) -> Tensor<2> {
        x.cast(self.weight.dtype())
    }

    /// `x · Wᵀ` in f32, for `x` from [`DeviceMatrix::inputs`].
    pub fn multiply(&self, x: Tensor<2>) -> Tensor<2> {
        product(x, self.weight.clone(), self.tune)
    }
}

fn upload_f16(values: &[f32], shape: [usize; 2], device: &Device) -> Tensor<2> {
    let values: Vec<f16> = values.iter().copied().map(f16::from_f32).collect();
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F16))
}
