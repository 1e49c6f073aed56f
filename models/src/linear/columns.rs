use std::marker::PhantomData;
use std::ops::Range;

/// Neighbouring columns of a row-major matrix. One thread writes them while others write the rest.
pub struct Columns<'a> {
    /// The first number of the matrix.
    matrix: *mut f32,
    rows: usize,
    /// Length of a row of the matrix.
    width: usize,
    /// These columns, inside the width.
    columns: Range<usize>,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: stands for a `&'a mut [f32]` of numbers that no other value reaches: `divide` gives every column away once.
#[allow(unsafe_code, reason = "the pointer hides that the columns are borrowed mutably")]
unsafe impl Send for Columns<'_> {}

impl<'a> Columns<'a> {
    /// Divides rows of `width` numbers into parts of `part` columns; the last part may have fewer.
    ///
    /// # Panics
    /// `part` is 0.
    pub fn divide(matrix: &'a mut [f32], width: usize, part: usize) -> Vec<Self> {
        let rows = matrix.len().checked_div(width).unwrap_or(0);
        let matrix = matrix.as_mut_ptr();
        let parts = (0..width).step_by(part).map(|start| Self {
            matrix,
            rows,
            width,
            columns: start..width.min(start + part),
            borrowed: PhantomData,
        });
        parts.collect()
    }

    /// Some of the columns in one row, counted from the first of these columns.
    ///
    /// # Panics
    /// A row or a column outside.
    #[inline(always)]
    pub fn row(&mut self, row: usize, columns: Range<usize>) -> &mut [f32] {
        assert!(row < self.rows && columns.start <= columns.end && columns.end <= self.columns.len());
        let start = row * self.width + self.columns.start + columns.start;
        // SAFETY: the numbers lie inside the matrix, which is borrowed for `'a`; no other part has these columns, and
        // `&mut self` keeps this one from handing them out twice.
        #[allow(unsafe_code, reason = "columns of a row-major matrix are no slice")]
        unsafe {
            std::slice::from_raw_parts_mut(self.matrix.add(start), columns.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_matrix_once() {
        let mut matrix = [0.0; 3 * 7];
        std::thread::scope(|scope| {
            for (number, mut part) in Columns::divide(&mut matrix, 7, 3).into_iter().enumerate() {
                scope.spawn(move || {
                    let width = part.columns.len();
                    for row in 0..3 {
                        part.row(row, 0..width).iter_mut().for_each(|y| *y += (10 * row + number + 1) as f32);
                    }
                });
            }
        });
        let expected = [[1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0], [11.0, 11.0, 11.0, 12.0, 12.0, 12.0, 13.0]];
        assert_eq!(matrix[..14], expected.concat());
        assert_eq!(matrix[20], 23.0);
        assert!(Columns::divide(&mut [], 0, 3).is_empty());
    }

    #[test]
    #[should_panic(expected = "columns.end")]
    fn the_columns_of_another_part_are_out_of_reach() {
        let mut matrix = [0.0; 7];
        Columns::divide(&mut matrix, 7, 3)[0].row(0, 0..4);
    }
}
