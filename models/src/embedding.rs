use burn::tensor::{Device, Tensor, TensorData};

use crate::weights::RawTensor;

/// Token embedding: a row of the table for every token.
///
/// The table keeps the type it has in the file and only the rows that are asked for become f32,
/// so that a tied head and the embedding do not hold the vocabulary twice.
pub struct Embedding {
    table: RawTensor,
    scale: f32,
    positions: Option<RawTensor>,
    constant: Option<Vec<f32>>,
}

impl Embedding {
    /// `table: [vocab, d_model]`; its rows are multiplied by `scale`.
    pub fn new(table: RawTensor, scale: f32) -> Self {
        Self { table, scale, positions: None, constant: None }
    }

    /// With a row that is added for every position, `[context, d_model]`.
    pub fn with_positions(self, positions: RawTensor) -> Self {
        Self { positions: Some(positions), ..self }
    }

    /// With a row that is added everywhere, `[d_model]`.
    pub fn with_constant(self, constant: Vec<f32>) -> Self {
        Self { constant: Some(constant), ..self }
    }

    /// # Shapes
    /// `[tokens.len(), d_model]`. Tokens lie inside the vocabulary, `depths`, one for each, inside the context.
    pub fn forward(&self, tokens: &[u32], depths: &[u32], device: &Device) -> Tensor<2> {
        let mut values = Vec::new();
        for &token in tokens {
            self.table.row_f32(token as usize, &mut values);
        }
        if self.scale != 1.0 {
            values.iter_mut().for_each(|value| *value *= self.scale);
        }
        if let Some(positions) = &self.positions {
            let mut rows = Vec::with_capacity(values.len());
            depths.iter().for_each(|&depth| positions.row_f32(depth as usize, &mut rows));
            values.iter_mut().zip(rows).for_each(|(value, position)| *value += position);
        }
        if let Some(constant) = &self.constant {
            let rows = values.chunks_exact_mut(constant.len());
            rows.for_each(|row| row.iter_mut().zip(constant).for_each(|(value, added)| *value += added));
        }
        Tensor::from_data(TensorData::new(values, [tokens.len(), self.table.shape[1]]), device)
    }
}
