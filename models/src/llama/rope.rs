use burn::tensor::{Tensor, TensorData};

use crate::device::ComputeDevice;

/// Rotary position embedding of a batch, rotate-half form.
///
/// With `φ_i = position · θ^(−2i/head_dim)` and the head split in halves `(a, b)`:
/// `a' = a·cos φ − b·sin φ`, `b' = b·cos φ + a·sin φ`.
///
/// # Reference
/// Su et al. 2021, "RoFormer", in the order of dimensions that Hugging Face's Llama uses
/// (dimension `i` is paired with `i + head_dim/2`).
pub struct Rope {
    cos: Tensor<3>,
    sin: Tensor<3>,
}

impl Rope {
    /// Angles of nodes at `positions`.
    pub fn new(positions: &[u32], head_dim: usize, theta: f64, device: &ComputeDevice) -> Self {
        let half = head_dim / 2;
        let frequencies: Vec<f64> =
            (0..half).map(|i| theta.powf(-2.0 * i as f64 / head_dim as f64)).collect();
        let table = |function: fn(f64) -> f64| {
            let values: Vec<f32> = positions
                .iter()
                .flat_map(|&position| {
                    frequencies.iter().map(move |frequency| function(f64::from(position) * frequency) as f32)
                })
                .collect();
            Tensor::from_data(TensorData::new(values, [positions.len(), 1, half]), device.burn())
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }

    /// Turns every head of every node by its angle.
    ///
    /// # Shapes
    /// `[nodes, heads, head_dim]`
    pub fn apply(&self, x: Tensor<3>) -> Tensor<3> {
        let [nodes, heads, head_dim] = x.dims();
        let half = head_dim / 2;
        let a = x.clone().slice([0..nodes, 0..heads, 0..half]);
        let b = x.slice([0..nodes, 0..heads, half..head_dim]);
        let turned_a = a.clone() * self.cos.clone() - b.clone() * self.sin.clone();
        let turned_b = b * self.cos.clone() + a * self.sin.clone();
        Tensor::cat(vec![turned_a, turned_b], 2)
    }
}
