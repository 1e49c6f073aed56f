use burn::tensor::{Tensor, TensorData};

use crate::device::ComputeDevice;

/// Rotary position embedding of a batch, rotate-half form.
///
/// With `φ_i = position · θ^(−2i/head_dim) / factor_i` and the head split in halves `(a, b)`:
/// `a' = a·cos φ − b·sin φ`, `b' = b·cos φ + a·sin φ`.
///
/// # Reference
/// Su et al. 2021, "RoFormer", in the order of dimensions that Hugging Face's Llama uses
/// (dimension `i` is paired with `i + head_dim/2`).
pub struct Angles {
    /// `[nodes, head_dim / 2]`
    cos: Vec<f32>,
    /// `[nodes, head_dim / 2]`
    sin: Vec<f32>,
    half: usize,
}

impl Angles {
    /// Angles of nodes at `positions`; the frequencies are divided by `factors`, where there are any.
    pub fn new(positions: &[u32], head_dim: usize, theta: f64, factors: Option<&[f64]>) -> Self {
        let half = head_dim / 2;
        let factor = |i: usize| factors.map_or(1.0, |factors| factors[i]);
        let frequencies: Vec<f64> =
            (0..half).map(|i| theta.powf(-2.0 * i as f64 / head_dim as f64) / factor(i)).collect();
        let table = |function: fn(f64) -> f64| {
            let angle =
                |&position: &u32| frequencies.iter().map(move |frequency| f64::from(position) * frequency);
            positions.iter().flat_map(angle).map(|angle| function(angle) as f32).collect()
        };
        Self { cos: table(f64::cos), sin: table(f64::sin), half }
    }

    /// Turns every head of a node in place.
    ///
    /// # Shapes
    /// `heads: [heads · head_dim]`
    pub fn turn(&self, node: usize, heads: &mut [f32]) {
        self.turn_by(node, heads, |sin| sin);
    }

    /// Turns every head of a node back: the gradient of [`Angles::turn`].
    #[cfg(feature = "training")]
    pub fn turn_back(&self, node: usize, heads: &mut [f32]) {
        self.turn_by(node, heads, |sin| -sin);
    }

    fn turn_by(&self, node: usize, heads: &mut [f32], direction: impl Fn(f32) -> f32) {
        let (cos, sin) = (self.row(&self.cos, node), self.row(&self.sin, node));
        for head in heads.chunks_exact_mut(2 * self.half) {
            let (a, b) = head.split_at_mut(self.half);
            for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                let sin = direction(*sin);
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }

    fn row<'a>(&self, table: &'a [f32], node: usize) -> &'a [f32] {
        &table[node * self.half..(node + 1) * self.half]
    }

    /// The angles as tensors.
    pub fn upload(self, device: &ComputeDevice) -> Rope {
        let (half, nodes) = (self.half, self.cos.len() / self.half);
        let tensor = |values, halves| {
            Tensor::from_data(TensorData::new(values, [nodes, 1, halves, half]), device.burn())
        };
        // −sin φ for a, +sin φ for b.
        let signed = self.sin.chunks_exact(half).flat_map(|sin| {
            let minus = sin.iter().map(|sin| -sin);
            minus.chain(sin.iter().copied())
        });
        let signed: Vec<f32> = signed.collect();
        Rope { cos: tensor(self.cos, 1), sin: tensor(signed, 2) }
    }
}

/// [`Angles`] on a device.
pub struct Rope {
    /// `[nodes, 1, 1, head_dim / 2]`
    cos: Tensor<4>,
    /// `[nodes, 1, 2, head_dim / 2]`, negative in the first half.
    sin: Tensor<4>,
}

impl Rope {
    /// Turns every head of every node by its angle: `(a, b)·cos φ + (b, a)·(−sin φ, sin φ)`, four kernels.
    ///
    /// # Shapes
    /// `[nodes, heads, head_dim]`
    pub fn apply(&self, x: Tensor<3>) -> Tensor<3> {
        let [nodes, heads, head_dim] = x.dims();
        let x = x.reshape([nodes, heads, 2, head_dim / 2]);
        let turned = x.clone() * self.cos.clone() + x.flip([2]) * self.sin.clone();
        turned.reshape([nodes, heads, head_dim])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_tensor_turn_alike() {
        let device = ComputeDevice::cpu();
        let values: Vec<f32> = (0..24).map(|i| (i as f32 * 0.7).sin()).collect();
        let mut turned = values.clone();
        let angles = Angles::new(&[0, 5, 9], 4, 100.0, None);
        turned.chunks_exact_mut(8).enumerate().for_each(|(node, heads)| angles.turn(node, heads));
        assert_eq!(turned[..8], values[..8], "position 0 is not turned");
        let x = Tensor::<3>::from_data(TensorData::new(values, [3, 2, 4]), device.burn());
        let expected = crate::to_host::to_host(angles.upload(&device).apply(x));
        for (value, expected) in turned.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
    }
}
