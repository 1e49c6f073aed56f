use burn::tensor::{Tensor, TensorData};

use super::{Layer, Trainable, numbers};
use crate::allocation::{Allocation, AllocationSettings, LayerStep};
use crate::error::Error;
use crate::settings::{Kind, LoraSettings};
use crate::step_adapter::Matrices;

impl Trainable {
    /// Turns on the allocation of ranks, with a penalty on matrices whose ranks overlap:
    /// `orthogonality · mean(‖A·Aᵀ − I‖, ‖Bᵀ·B − I‖)` over all layers, in the norm of Frobenius.
    ///
    /// # Errors
    /// A schedule that is impossible; an adapter that is not rank-allocated.
    pub fn allocate(&mut self, schedule: AllocationSettings, orthogonality: f32) -> Result<(), Error> {
        let target = match &self.settings {
            Some(LoraSettings { kind: Kind::RankAllocated { .. }, rank, .. }) => *rank,
            _ => {
                let reason = "ranks are only allocated in a rank-allocated adapter".into();
                return Err(Error::Settings { reason });
            }
        };
        let layers: Vec<(usize, [usize; 2])> =
            self.layers.iter().map(|layer| (self.rank(layer), layer.shape)).collect();
        self.allocation = Some(Allocation::new(schedule, &layers, target)?);
        self.orthogonality = orthogonality;
        Ok(())
    }

    fn rank(&self, layer: &Layer) -> usize {
        match layer.matrices {
            Matrices::LowRank { a, .. } => self.parameters[a].value.dims()[0],
            Matrices::Full { .. } => layer.shape[0].min(layer.shape[1]),
        }
    }

    /// State of the allocation for a checkpoint; empty without one.
    pub fn allocation_state(&self) -> Vec<Vec<f32>> {
        self.allocation.as_ref().map(Allocation::state).unwrap_or_default()
    }

    /// Takes over what [`Trainable::allocation_state`] gave.
    ///
    /// # Errors
    /// The state of another adapter.
    pub fn restore_allocation(&mut self, state: Vec<Vec<f32>>) -> Result<(), Error> {
        self.allocation.as_mut().map_or(Ok(()), |allocation| allocation.restore(state))
    }

    /// The penalty of [`Trainable::allocate`], and its gradient added to those of the matrices.
    pub fn penalise(&self, gradients: &mut [Tensor<2>]) -> f32 {
        if self.orthogonality == 0.0 {
            return 0.0;
        }
        let pairs = self.layers.iter().filter_map(|layer| match layer.matrices {
            Matrices::LowRank { a, b, .. } => Some((a, b)),
            Matrices::Full { .. } => None,
        });
        let pairs: Vec<(usize, usize)> = pairs.collect();
        let weight = self.orthogonality / (2 * pairs.len()) as f32;
        let mut penalty = 0.0;
        let mut add = |index: usize, rows: Tensor<2>, is_turned: bool| {
            let overlap = rows.clone().matmul(rows.clone().transpose());
            let excess = overlap - Tensor::eye(rows.dims()[0], &self.device);
            let norm = (excess.clone() * excess.clone()).sum().into_scalar::<f32>().sqrt();
            penalty += weight * norm;
            if norm > 0.0 {
                let gradient = excess.matmul(rows) * (2.0 * weight / norm);
                let gradient = if is_turned { gradient.transpose() } else { gradient };
                gradients[index] = gradients[index].clone() + gradient;
            }
        };
        for (a, b) in pairs {
            add(a, self.parameters[a].value.clone(), false);
            add(b, self.parameters[b].value.clone().transpose(), true);
        }
        penalty
    }

    /// Goes through the allocation of a step, counted from 1, after the matrices have changed by these gradients.
    pub fn finish_step(&mut self, step: usize, gradients: &[Tensor<2>]) {
        let Some(mut allocation) = self.allocation.take() else { return };
        let low_rank: Vec<[usize; 3]> = self.layers.iter().filter_map(Layer::triplet).collect();
        let layers: Vec<LayerStep> = low_rank
            .iter()
            .map(|places| LayerStep {
                values: places.map(|place| numbers(&self.parameters[place].value)),
                gradients: places.map(|place| numbers(&gradients[place])),
            })
            .collect();
        if let Some(kept) = allocation.step(step, &layers) {
            for ((places, mut layer), kept) in low_rank.iter().zip(layers).zip(kept) {
                let e = &mut layer.values[2];
                e.iter_mut().zip(&kept).filter(|(_, kept)| !**kept).for_each(|(e, _)| *e = 0.0);
                let data = TensorData::new(std::mem::take(e), [kept.len(), 1]);
                self.parameters[places[2]].value = Tensor::from_data(data, &self.device);
            }
        }
        self.allocation = Some(allocation);
    }
}

impl Layer {
    fn triplet(&self) -> Option<[usize; 3]> {
        match self.matrices {
            Matrices::LowRank { a, b, e: Some(e) } => Some([a, b, e]),
            _ => None,
        }
    }
}
