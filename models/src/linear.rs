use burn::tensor::{Tensor, TensorData};
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

use crate::device::ComputeDevice;

thread_local! {
    /// The f32 kernel of this processor (AVX-512, AVX2, NEON or portable). Every thread chooses the
    /// same one; the executor itself is not `Sync`.
    static GEMM: GemmExecutor<f32> = GemmExecutor::new();
}

/// Linear layer without bias over flat nodes: `y = x · Wᵀ`.
///
/// The frozen weight has the storage that suits the device: on the CPU it is packed once for the
/// matrix kernel, on a GPU it is a Burn tensor.
///
/// # Shapes
/// `W: [out, in]`, `x: [nodes, in]`, `y: [nodes, out]`.
pub struct Linear {
    storage: Storage,
}

enum Storage {
    /// `Wᵀ: [in, out]`.
    Tensor(Box<Tensor<2>>),
    Packed(PackedMatrix),
}

impl Linear {
    /// Takes over `weight`, row-major `[out, in]`.
    pub fn new(weight: Vec<f32>, shape: [usize; 2], device: &ComputeDevice) -> Self {
        let storage = if device.is_cpu() {
            Storage::Packed(PackedMatrix::new(&weight, shape))
        } else {
            let weight = Tensor::<2>::from_data(TensorData::new(weight, shape), device.burn());
            Storage::Tensor(Box::new(weight.transpose()))
        };
        Self { storage }
    }

    /// `y = x · Wᵀ`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [y] = Self::forward_all([self], x);
        y
    }

    /// Several layers on the same input, which is brought to the kernel once.
    pub fn forward_all<const N: usize>(layers: [&Self; N], x: Tensor<2>) -> [Tensor<2>; N] {
        let device = x.device();
        let shape: [usize; 2] = x.dims();
        let mut host: Option<Vec<f32>> = None;
        layers.map(|layer| match &layer.storage {
            Storage::Tensor(weight) => x.clone().matmul(weight.as_ref().clone()),
            Storage::Packed(weight) => {
                let x = host.get_or_insert_with(|| to_host(x.clone()));
                let y = weight.multiply(x, shape[0]);
                Tensor::from_data(TensorData::new(y, [shape[0], weight.outputs()]), &device)
            }
        })
    }
}

/// `Wᵀ` in the order in which the matrix kernel reads it.
pub struct PackedMatrix {
    weight: PackedBMatrix<f32>,
}

impl PackedMatrix {
    /// Packs `weight`, row-major `[out, in]`.
    pub fn new(weight: &[f32], shape: [usize; 2]) -> Self {
        let view = NdTensorView::<f32, 2>::from_data(shape, weight);
        Self { weight: GEMM.with(|gemm| gemm.prepack_b(view.transposed())) }
    }

    /// Length of a row of the result.
    pub fn outputs(&self) -> usize {
        self.weight.cols()
    }

    /// `x · Wᵀ` for `rows` rows of `x`.
    ///
    /// # Shapes
    /// `x: [rows, in]`, result `[rows, out]`.
    pub fn multiply(&self, x: &[f32], rows: usize) -> Vec<f32> {
        let mut y = vec![0.0; rows * self.outputs()];
        self.multiply_into(x, rows, &mut y);
        y
    }

    /// As [`PackedMatrix::multiply`], into a buffer of `rows · out` numbers.
    pub fn multiply_into(&self, x: &[f32], rows: usize, y: &mut [f32]) {
        if rows == 0 {
            return;
        }
        let x = NdTensorView::<f32, 2>::from_data([rows, self.weight.rows()], x);
        let (x, weight) = (GemmInputA::Unpacked(x), GemmInputB::Packed(&self.weight));
        GEMM.with(|gemm| gemm.gemm(y, x, weight, GemmOptions::default()))
            .expect("shapes are those checked on loading, and the kernel is the one that packed");
    }
}

/// The values of a tensor; on the CPU its own buffer where nothing else holds it.
pub fn to_host<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec::<f32>().expect("every tensor of a model is f32")
}
