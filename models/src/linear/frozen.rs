//! Products with frozen weights on host memory, and their way back.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::host::HostMatrix;
use crate::gradient::{Derivative, Inputs};
use crate::to_host::to_host;

/// A weight, and the bias where there is one.
type Layer<'a> = (&'a Arc<HostMatrix>, Option<&'a Arc<[f32]>>);

/// `x · Wᵀ + b` with several weights, for which the input is prepared once.
pub fn multiply<const N: usize>(layers: [Layer<'_>; N], x: Tensor<2>) -> [Tensor<2>; N] {
    let device = x.device();
    let [nodes, width]: [usize; 2] = x.dims();
    let layers = layers.map(|(weight, bias)| (weight, bias, Inputs::of([&x])));
    let x = to_host(x);
    let rows = HostMatrix::rows(layers.iter().map(|(weight, ..)| &***weight), &x, width);
    layers.map(|(weight, bias, inputs)| {
        let shape = [nodes, weight.outputs()];
        let mut y = vec![0.0; shape[0] * shape[1]];
        weight.multiply_into(&rows, 0..nodes, &mut y);
        if let Some(bias) = bias {
            y.chunks_exact_mut(bias.len())
                .for_each(|row| row.iter_mut().zip(&**bias).for_each(|(y, bias)| *y += bias));
        }
        inputs.finish(y, shape, &device, || Product { weight: weight.clone(), inputs: width })
    })
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
