use std::cell::LazyCell;
use std::ops::Range;

use super::blocks::BlockMatrix;
use super::integer_rows::IntegerRows;
use super::packed::PackedMatrix;
use crate::Precision;
use crate::device::ComputeDevice;
use crate::weights::RawTensor;

/// A frozen weight on the CPU: `y = x · Wᵀ` with the kernel of its precision, and `y · W` where it was loaded for training.
pub struct HostMatrix {
    forward: Weights,
    #[cfg(feature = "training")]
    backward: Option<Weights>,
}

/// One direction of a weight.
enum Weights {
    /// Exact.
    F32(PackedMatrix),
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
        let values = LazyCell::new(|| tensor.rows_f32((0..outputs).map(&row)));
        let shape = [outputs, tensor.shape[1]];
        let forward = match device.precision() {
            Precision::F32 | Precision::F16 => Weights::F32(PackedMatrix::new(&values, shape)),
            Precision::Quantized => Weights::Quantized(BlockMatrix::new(tensor, outputs, &row)),
        };
        #[cfg(feature = "training")]
        let backward = device.trains().then(|| match device.precision() {
            Precision::F32 | Precision::F16 => Weights::F32(PackedMatrix::reversed(&values, shape)),
            Precision::Quantized => Weights::Quantized(BlockMatrix::reversed(&values, shape)),
        });
        Self {
            forward,
            #[cfg(feature = "training")]
            backward,
        }
    }

    /// Length of a row of the result.
    pub fn outputs(&self) -> usize {
        self.forward.outputs()
    }

    /// Length of a row of the inputs, of a weight that was loaded for training.
    #[cfg(feature = "training")]
    pub fn inputs(&self) -> usize {
        self.way_back().outputs()
    }

    #[cfg(feature = "training")]
    fn way_back(&self) -> &Weights {
        self.backward.as_ref().expect("gradients are recorded only where the model was loaded for training")
    }

    /// Brings inputs of `width` values to the kernel, once for all the weights that read them.
    pub fn rows<'a, 'b>(
        weights: impl IntoIterator<Item = &'b Self>,
        x: &'a [f32],
        width: usize,
    ) -> HostRows<'a> {
        Weights::rows(weights.into_iter().map(|weight| &weight.forward), x, width)
    }

    /// `x · Wᵀ` for some rows of `x`, into a buffer of `rows.len() · out` numbers.
    pub fn multiply_into(&self, x: &HostRows<'_>, rows: Range<usize>, y: &mut [f32]) {
        self.forward.multiply_into(x, rows, y);
    }

    /// `y · W`: how the gradient of the results becomes that of the inputs.
    ///
    /// # Shapes
    /// `y: [rows, out]`, the result `[rows, in]`.
    ///
    /// # Panics
    /// A weight that was not loaded for training.
    #[cfg(feature = "training")]
    pub fn multiply_back(&self, y: &[f32]) -> Vec<f32> {
        let (weight, width) = (self.way_back(), self.outputs());
        let rows = y.len() / width;
        let mut x = vec![0.0; rows * weight.outputs()];
        weight.multiply_into(&Weights::rows([weight], y, width), 0..rows, &mut x);
        x
    }
}

impl Weights {
    fn outputs(&self) -> usize {
        match self {
            Self::F32(weight) => weight.outputs(),
            Self::Quantized(weight) => weight.outputs(),
        }
    }

    fn rows<'a, 'b>(weights: impl IntoIterator<Item = &'b Self>, x: &'a [f32], width: usize) -> HostRows<'a> {
        let norms = weights.into_iter().filter_map(|weight| match weight {
            Self::Quantized(weight) => Some(weight.norm()),
            Self::F32(_) => None,
        });
        match norms.reduce(f32::max) {
            None => HostRows::F32(x, width),
            Some(norm) => HostRows::Integers(IntegerRows::new(x, width, norm)),
        }
    }

    fn multiply_into(&self, x: &HostRows<'_>, rows: Range<usize>, y: &mut [f32]) {
        match (self, x) {
            (Self::F32(weight), HostRows::F32(x, width)) => {
                weight.multiply_into(&x[rows.start * width..rows.end * width], rows.len(), y);
            }
            (Self::Quantized(weight), HostRows::Integers(x)) => weight.multiply_into(x, rows, y),
            _ => unreachable!("all weights of a model have one precision"),
        }
    }
}
