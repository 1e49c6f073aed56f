//! Products with frozen weights on host memory, and their way back.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::host::HostMatrix;
use super::low_rank;
use crate::backend::{Host, Product};
use crate::gradient::{Derivative, Inputs};
use crate::to_host::to_host;

/// `x · Wᵀ + b` with several weights, for which the input is prepared once, and what adapters add. These are only there
/// where no gradients are recorded.
pub fn multiply<const N: usize>(products: [Product<'_, Host>; N], x: Tensor<2>) -> [Tensor<2>; N] {
    let device = x.device();
    let [nodes, width]: [usize; 2] = x.dims();
    let products = products.map(|product| (product, Inputs::of([&x])));
    let x = to_host(x);
    let rows = HostMatrix::rows(products.iter().map(|(product, _)| &**product.weight), &x, width);
    products.map(|(Product { weight, bias, terms }, inputs)| {
        let shape = [nodes, weight.outputs()];
        let mut y = vec![0.0; shape[0] * shape[1]];
        weight.multiply_into(&rows, 0..nodes, &mut y);
        if let Some(bias) = bias {
            y.chunks_exact_mut(bias.len())
                .for_each(|row| row.iter_mut().zip(&**bias).for_each(|(y, bias)| *y += bias));
        }
        low_rank::add(&terms, &x, &mut y);
        inputs.finish(y, shape, &device, || Frozen { weight: weight.clone(), inputs: width })
    })
}

/// `y = x · Wᵀ` with a frozen weight.
#[derive(Clone)]
#[cfg_attr(not(feature = "training"), allow(dead_code))]
struct Frozen {
    weight: Arc<HostMatrix>,
    inputs: usize,
}

impl std::fmt::Debug for Frozen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frozen").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl Derivative<1> for Frozen {
    /// `∂L/∂x = ∂L/∂y · W`
    #[cfg(feature = "training")]
    fn gradients(&self, y: Vec<f32>) -> [Vec<f32>; 1] {
        [self.weight.multiply_back(&y)]
    }
}
