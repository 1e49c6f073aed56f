use std::ops::Range;

use super::blocks::BlockMatrix;
use super::integer_rows::IntegerRows;
use super::packed::PackedMatrix;
use crate::Precision;
use crate::device::ComputeDevice;
use crate::weights::RawTensor;

/// A frozen weight on the CPU: `y = x · Wᵀ` with the kernel of its precision.
pub enum HostMatrix {
    /// Exact.
    F32(PackedMatrix),
    /// Exact, and the same weight for the way back.
    #[cfg(feature = "training")]
    Trained { forward: PackedMatrix, backward: PackedMatrix },
    /// At most 8 bits a weight, integer sums.
    Quantized(BlockMatrix),
}

/// Inputs in the form that a kernel reads.
pub enum HostRows<'a> {
    F32(&'a [f32], usize),
    Integers(IntegerRows),
}

impl HostMatrix {
    /// Takes over rows of `tensor: [rows, in]`; output `j` is row `row(j)`.
    pub fn new(
        tensor: &RawTensor,
        outputs: usize,
        row: impl Fn(usize) -> usize + Sync,
        device: &ComputeDevice,
    ) -> Self {
        match device.precision() {
            Precision::F32 | Precision::F16 => {
                let weight = tensor.rows_f32((0..outputs).map(row));
                let shape = [outputs, tensor.shape[1]];
                let forward = PackedMatrix::new(&weight, shape);
                #[cfg(feature = "training")]
                if device.trains() {
                    return Self::Trained { forward, backward: PackedMatrix::reversed(&weight, shape) };
                }
                Self::F32(forward)
            }
            Precision::Quantized => Self::Quantized(BlockMatrix::new(tensor, outputs, row)),
        }
    }

    /// Length of a row of the result.
    pub fn outputs(&self) -> usize {
        match self {
            Self::F32(weight) => weight.outputs(),
            #[cfg(feature = "training")]
            Self::Trained { forward, .. } => forward.outputs(),
            Self::Quantized(weight) => weight.outputs(),
        }
    }

    /// Length of a row of the inputs, of a weight that was loaded for training.
    #[cfg(feature = "training")]
    pub fn inputs(&self) -> usize {
        match self {
            Self::Trained { backward, .. } => backward.outputs(),
            _ => unreachable!("only asked for in training"),
        }
    }

    /// Brings inputs of `width` values to the kernel, once for all the weights that read them.
    pub fn rows<'a, 'b>(
        weights: impl IntoIterator<Item = &'b Self>,
        x: &'a [f32],
        width: usize,
    ) -> HostRows<'a> {
        let norms = weights.into_iter().filter_map(|weight| match weight {
            Self::Quantized(weight) => Some(weight.norm()),
            _ => None,
        });
        match norms.reduce(f32::max) {
            None => HostRows::F32(x, width),
            Some(norm) => HostRows::Integers(IntegerRows::new(x, width, norm)),
        }
    }

    /// `x · Wᵀ` for some rows of `x`, into a buffer of `rows.len() · out` numbers.
    pub fn multiply_into(&self, x: &HostRows<'_>, rows: Range<usize>, y: &mut [f32]) {
        match (self, x) {
            (Self::F32(weight), HostRows::F32(x, width)) => {
                weight.multiply_into(&x[rows.start * width..rows.end * width], rows.len(), y);
            }
            #[cfg(feature = "training")]
            (Self::Trained { forward, .. }, HostRows::F32(x, width)) => {
                forward.multiply_into(&x[rows.start * width..rows.end * width], rows.len(), y);
            }
            (Self::Quantized(weight), HostRows::Integers(x)) => weight.multiply_into(x, rows, y),
            _ => unreachable!("all weights of a model have one precision"),
        }
    }

    /// Adds `y · W` to `x`: how the gradient of the results becomes that of the inputs.
    ///
    /// # Shapes
    /// `y: [rows, out]`, `x: [rows, in]`.
    ///
    /// # Panics
    /// A weight that was not loaded for training.
    #[cfg(feature = "training")]
    pub fn multiply_back(&self, y: &[f32], x: &mut [f32]) {
        let Self::Trained { backward, .. } = self else {
            unreachable!("a graph of gradients exists only where the model was loaded for training")
        };
        backward.multiply_add(y, y.len() / self.outputs(), x);
    }
}
