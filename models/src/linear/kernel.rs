use super::columns::Columns;
use super::dot::{PANEL, PlainLoops, Product, multiply};
#[cfg(target_arch = "x86_64")]
use super::isa::{Avx2Isa, Avx512VnniIsa};
use super::spread::{self, BlockQuants};

/// The instructions that integer weights are multiplied with, which this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// 512-bit vectors with the dot product of 16-bit pairs (`vpdpwssd`).
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(Avx512VnniIsa),
    /// 256-bit vectors (`vpmaddwd`).
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2Isa),
    /// Whatever the compiler makes of plain loops.
    Portable,
}

impl Kernel {
    /// The kernels that this processor can run, the best first.
    pub fn available() -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            kernels.extend(Avx512VnniIsa::detect().map(Self::Avx512Vnni));
            kernels.extend(Avx2Isa::detect().map(Self::Avx2));
        }
        kernels.push(Self::Portable);
        kernels
    }

    /// The best of them.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Panels that are best multiplied together: 1 or 2.
    pub fn panels(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni(_) => 2,
            _ => 1,
        }
    }

    /// Computes the columns of the panels.
    ///
    /// # Panics
    /// Lengths that do not fit.
    pub fn multiply(self, product: &Product<'_>, y: &mut Columns<'_>) {
        product.check();
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni(isa) => isa.multiply(product, y),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(isa) => isa.multiply(product, y),
            Self::Portable => multiply(PlainLoops, product, y),
        }
    }

    /// Writes the integer weights of a block: see [`spread::portable`].
    ///
    /// # Panics
    /// Fewer quants or weights than a block has.
    pub fn spread(
        self,
        quants: BlockQuants<'_>,
        scales: &[i16; PANEL],
        minima: &[i16; PANEL],
        weights: &mut [i16],
    ) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni(isa) => isa.avx2().spread(quants, scales, minima, weights),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(isa) => isa.spread(quants, scales, minima, weights),
            Self::Portable => spread::portable(quants, scales, minima, weights),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small numbers, so that f32 holds the sums exactly.
    fn integers(len: usize, step: usize) -> Vec<i16> {
        (0..len).map(|i| (i * step % 101) as i16 - 50).collect()
    }

    #[test]
    fn every_kernel_of_this_processor_multiplies_exactly() {
        for (depth, outputs) in [(2usize, 16usize), (32, 5), (96, 33), (576, 16), (1536, 40)] {
            let panels = outputs.div_ceil(PANEL);
            let weights = integers(panels * depth * PANEL, 7919);
            let output_scales = vec![2.0; panels * PANEL];
            let kernels = Kernel::available().into_iter().flat_map(|kernel| [(kernel, 1), (kernel, 2)]);
            for ((kernel, together), rows) in kernels.flat_map(|k| (1..=13).map(move |rows| (k, rows))) {
                let (x, scales) = (integers(rows * depth, 6971), vec![0.5; rows]);
                let mut y = vec![f32::NAN; rows * outputs];
                let columns = Columns::divide(&mut y, outputs, together * PANEL);
                let parts = weights.chunks(together * depth * PANEL).zip(columns).enumerate();
                for (part, (weights, mut columns)) in parts {
                    let first = part * together * PANEL;
                    let output_scales = &output_scales[first..outputs.min(first + together * PANEL)];
                    let panels = weights.len() / (depth * PANEL);
                    let (x, scales) = (&x, &scales);
                    let product = Product { x, scales, weights, panels, output_scales, row: 0, column: 0 };
                    kernel.multiply(&product, &mut columns);
                }
                for (at, y) in y.iter().enumerate() {
                    let (row, output) = (at / outputs, at % outputs);
                    let weight = |k: usize| {
                        let panel = &weights[output / PANEL * depth * PANEL..];
                        i32::from(panel[k / 2 * 2 * PANEL + 2 * (output % PANEL) + k % 2])
                    };
                    let sum: i32 = (0..depth).map(|k| i32::from(x[row * depth + k]) * weight(k)).sum();
                    assert_eq!(*y, sum as f32, "{kernel:?}, depth {depth}, row {row}, output {output}");
                }
            }
        }
    }
}
