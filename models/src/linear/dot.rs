//! Integer matrix tiles: the inner loop of the int8 path.

use super::columns::Columns;

/// Outputs of a panel of weights: the width of a tile.
pub const PANEL: usize = 16;

/// Inputs that are summed up at a time, of one panel: the weights for so many fit the innermost cache.
const DEPTH_CHUNK: usize = 576;

/// `y[row + r][column + j] = scales[r] · output_scales[j] · Σ_k x[r][k] · w[k][j]` for the outputs of one panel, or of two.
///
/// The sums fit 32 bits: the caller scales the inputs so that they do.
pub struct Product<'a> {
    /// `[rows, depth]`
    pub x: &'a [i16],
    /// `[rows]`
    pub scales: &'a [f32],
    /// `[panels, depth / 2, PANEL, 2]`: the weights of two neighbouring inputs side by side.
    pub weights: &'a [i16],
    /// 1 or 2.
    pub panels: usize,
    /// One for every output that there is: at most [`PANEL`] for each panel.
    pub output_scales: &'a [f32],
    /// Row of the first result.
    pub row: usize,
    /// Column of the first output in `y`.
    pub column: usize,
}

impl Product<'_> {
    fn depth(&self) -> usize {
        self.weights.len() / (PANEL * self.panels)
    }

    /// # Panics
    /// Lengths that do not fit.
    pub fn check(&self) {
        let (rows, depth) = (self.scales.len(), self.depth());
        assert!(
            (1..=2).contains(&self.panels)
                && depth.is_multiple_of(2)
                && self.weights.len() == PANEL * self.panels * depth
                && self.x.len() == rows * depth
                && self.output_scales.len() <= PANEL * self.panels
        );
    }
}

/// The inner loop in the instructions that the value is a proof of.
pub trait Tile: Copy {
    /// Rows of a full tile of one panel.
    const ROWS: usize;

    /// Adds `Σ_k x[r][k] · w[p][k][j]` to `sums[r][p][j]` for `R` rows that lie `stride` apart and `P` panels.
    ///
    /// # Panics
    /// A row with fewer values than `weights` has for an output; panels of different lengths.
    fn add<const R: usize, const P: usize>(
        self,
        x: &[i16],
        stride: usize,
        weights: [&[i16]; P],
        sums: &mut [[[i32; PANEL]; P]; R],
    );
}

/// The columns of the panels; inlined into a function that may use the instructions of `tile`.
#[inline(always)]
pub fn multiply<T: Tile>(tile: T, product: &Product<'_>, y: &mut Columns<'_>) {
    match product.panels {
        2 => multiply_panels::<T, 2>(tile, product, y),
        _ => multiply_panels::<T, 1>(tile, product, y),
    }
}

#[inline(always)]
fn multiply_panels<T: Tile, const P: usize>(tile: T, product: &Product<'_>, y: &mut Columns<'_>) {
    let rows = product.scales.len();
    let mut row = 0;
    // 12 sums of vectors fill the registers and wait for fewer loads than 8 in one panel.
    while P == 2 && row + 6 <= rows {
        multiply_rows::<T, 6, P>(tile, product, row, y);
        row += 6;
    }
    while P == 1 && T::ROWS == 8 && row + 8 <= rows {
        multiply_rows::<T, 8, P>(tile, product, row, y);
        row += 8;
    }
    while row + 4 <= rows {
        multiply_rows::<T, 4, P>(tile, product, row, y);
        row += 4;
    }
    if row + 2 <= rows {
        multiply_rows::<T, 2, P>(tile, product, row, y);
        row += 2;
    }
    if row < rows {
        multiply_rows::<T, 1, P>(tile, product, row, y);
    }
}

/// `R` rows of the result in the columns of the panels.
#[inline(always)]
fn multiply_rows<T: Tile, const R: usize, const P: usize>(
    tile: T,
    product: &Product<'_>,
    row: usize,
    y: &mut Columns<'_>,
) {
    let Product { x, scales, weights, output_scales, row: start, column, .. } = product;
    let depth = product.depth();
    let x = &x[row * depth..(row + R) * depth];
    let panels: [&[i16]; P] = std::array::from_fn(|panel| &weights[panel * depth * PANEL..][..depth * PANEL]);
    let mut sums = [[[0; PANEL]; P]; R];
    let chunk = DEPTH_CHUNK / P;
    for from in (0..depth).step_by(chunk) {
        let to = depth.min(from + chunk);
        let weights = panels.map(|weights| &weights[from * PANEL..to * PANEL]);
        tile.add(&x[from..], depth, weights, &mut sums);
    }
    for (at, sums) in sums.iter().enumerate() {
        let scale = scales[row + at];
        let y = y.row(start + row + at, *column..column + output_scales.len());
        for ((y, sum), output_scale) in y.iter_mut().zip(sums.as_flattened()).zip(*output_scales) {
            *y = *sum as f32 * (scale * output_scale);
        }
    }
}

/// Instructions that every processor has.
#[derive(Clone, Copy)]
pub struct PlainLoops;

impl Tile for PlainLoops {
    const ROWS: usize = 4;

    #[inline(always)]
    fn add<const R: usize, const P: usize>(
        self,
        x: &[i16],
        stride: usize,
        weights: [&[i16]; P],
        sums: &mut [[[i32; PANEL]; P]; R],
    ) {
        for (row, sums) in x.chunks(stride).zip(sums) {
            for (weights, sums) in weights.iter().zip(sums) {
                for (pair, weights) in row.chunks_exact(2).zip(weights.chunks_exact(2 * PANEL)) {
                    let (first, second) = (i32::from(pair[0]), i32::from(pair[1]));
                    for (sum, weights) in sums.iter_mut().zip(weights.chunks_exact(2)) {
                        let product = first * i32::from(weights[0]) + second * i32::from(weights[1]);
                        *sum = sum.wrapping_add(product);
                    }
                }
            }
        }
    }
}
