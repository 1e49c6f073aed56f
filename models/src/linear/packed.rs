use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

thread_local! {
    /// The f32 kernel of this processor (AVX-512, AVX2, NEON or portable). Every thread chooses the
    /// same one; the executor itself is not `Sync`.
    static GEMM: GemmExecutor<f32> = GemmExecutor::new();
}

/// `Wᵀ` in f32, in the order in which the matrix kernel reads it.
pub struct PackedMatrix {
    weight: PackedBMatrix<f32>,
}

impl PackedMatrix {
    /// Packs `weight`, row-major `[out, in]`.
    pub fn new(weight: &[f32], shape: [usize; 2]) -> Self {
        let view = NdTensorView::<f32, 2>::from_data(shape, weight);
        Self { weight: GEMM.with(|gemm| gemm.prepack_b(view.transposed())) }
    }

    /// Packs `weight`, row-major `[in, out]`: the other direction.
    #[cfg(feature = "training")]
    pub fn reversed(weight: &[f32], shape: [usize; 2]) -> Self {
        let view = NdTensorView::<f32, 2>::from_data(shape, weight);
        Self { weight: GEMM.with(|gemm| gemm.prepack_b(view)) }
    }

    /// Length of a row of the result.
    pub fn outputs(&self) -> usize {
        self.weight.cols()
    }

    /// `x · Wᵀ` for `rows` rows of `x`, into a buffer of `rows · out` numbers.
    ///
    /// # Shapes
    /// `x: [rows, in]`, `y: [rows, out]`.
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
