use burn::tensor::Tensor;

use crate::adapter_rows::AdapterRows;
use crate::backend::{Backend, Product};
use crate::device::ComputeDevice;
use crate::gradient::Inputs;
use crate::module_path::ModulePath;
use crate::weights::RawTensor;

/// Linear layer over flat nodes: `y = x · Wᵀ + b`, with or without `b`, to which adapters may add a term.
///
/// The frozen weight has the storage that suits backend and precision: on the CPU it lies in the order of
/// the matrix kernel, on a GPU it is a Burn tensor, in f32 or f16.
///
/// # Shapes
/// `W: [out, in]`, `x: [nodes, in]`, `y: [nodes, out]`.
pub struct Linear<B: Backend> {
    module_path: ModulePath,
    shape: [usize; 2],
    weight: B::Matrix,
    bias: Option<B::Vector>,
}

impl<B: Backend> Linear<B> {
    /// Takes over rows of `tensor: [rows, in]`: of the `outputs`, `j` is its row `row(j)`.
    pub fn new(
        module_path: ModulePath,
        tensor: &RawTensor,
        outputs: usize,
        row: impl Fn(usize) -> usize + Sync,
        device: &ComputeDevice,
    ) -> Self {
        let shape = [outputs, tensor.shape[1]];
        Self { module_path, shape, weight: B::matrix(tensor, outputs, row, device), bias: None }
    }

    /// With a bias `[out]`.
    pub fn with_bias(self, bias: Vec<f32>, device: &ComputeDevice) -> Self {
        Self { bias: Some(B::vector(bias, device)), ..self }
    }

    /// Where it stands in the model, with its shape `[out, in]`.
    pub fn place(&self) -> (ModulePath, [usize; 2]) {
        (self.module_path, self.shape)
    }

    /// `y = x · Wᵀ + b`, and what the adapters add.
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
        // The product adds what it can; the adapters themselves add the rest, for which they need the input.
        let adds = B::ADDS_LOW_RANK && !Inputs::of([&x]).is_recorded();
        let terms = layers.map(|layer| adapters.low_rank(layer.module_path).filter(|_| adds));
        let left = std::array::from_fn::<_, N, _>(|at| {
            let module_path = layers[at].module_path;
            (terms[at].is_none() && adapters.targets(module_path)).then_some(module_path)
        });
        let kept = left.iter().any(Option::is_some).then(|| x.clone());
        let mut terms = terms.into_iter();
        let products = layers.map(|layer| Product {
            weight: &layer.weight,
            bias: layer.bias.as_ref(),
            terms: terms.next().flatten().unwrap_or_default(),
        });
        let outputs = B::multiply(products, x);
        let Some(x) = kept else { return outputs };
        let mut left = left.into_iter();
        outputs.map(|y| match left.next().flatten() {
            Some(module_path) => adapters.add(module_path, &x, y),
            None => y,
        })
    }
}
