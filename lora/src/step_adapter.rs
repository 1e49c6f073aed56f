use std::collections::BTreeMap;

use burn::tensor::{Gradients, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rescorer_models::{Adapter, ModulePath, ScoreHead, add_low_rank};

/// Where the matrices of a layer stand among all that are trained.
#[derive(Clone, Copy)]
pub(crate) enum Matrices {
    LowRank { a: usize, b: usize, e: Option<usize> },
    Full { delta: usize },
}

/// What changes from step to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepOptions {
    /// Seed of the dropout; `None` leaves nothing out, for evaluation.
    pub dropout_seed: Option<u64>,
    /// Only the first so many ranks take part: training at mixed ranks.
    pub rank: Option<usize>,
}

/// The matrices of an adapter for one step of training, or for scoring in between.
pub struct StepAdapter {
    pub(crate) tensors: Vec<Tensor<2>>,
    /// Scale and matrices of every layer.
    pub(crate) layers: BTreeMap<ModulePath, (f32, Matrices)>,
    /// The score head as it was when the step began, with the places of its weight and bias among the tensors.
    pub(crate) head: Option<(ScoreHead, [usize; 2])>,
    pub(crate) dropout: f64,
    pub(crate) options: StepOptions,
}

impl StepAdapter {
    /// The gradient of every matrix, zero where it had no part.
    pub fn gradients(&self, gradients: &Gradients) -> Vec<Tensor<2>> {
        let gradient = |tensor: &Tensor<2>| {
            let found = tensor.grad(gradients);
            found.unwrap_or_else(|| Tensor::zeros(tensor.dims(), &tensor.device().inner()))
        };
        self.tensors.iter().map(gradient).collect()
    }

    /// Where weight and bias of the score head stand among the matrices; their gradients are whoever's who uses the head.
    pub fn head_places(&self) -> Option<[usize; 2]> {
        self.head.as_ref().map(|(_, places)| *places)
    }

    /// `x` with a share of its numbers left out and the others made larger by as much.
    fn drop(&self, module_path: ModulePath, x: Tensor<2>) -> Tensor<2> {
        let Some(seed) = self.options.dropout_seed.filter(|_| self.dropout > 0.0) else { return x };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream((module_path.layer * 8 + module_path.module as usize) as u64);
        let shape @ [rows, width] = x.dims();
        let kept = (1.0 - self.dropout).recip() as f32;
        let threshold = (self.dropout * f64::from(u32::MAX)) as u32;
        let mask: Vec<f32> =
            (0..rows * width).map(|_| if random.random::<u32>() < threshold { 0.0 } else { kept }).collect();
        let device = x.device();
        x * Tensor::from_data(TensorData::new(mask, shape), &device)
    }
}

impl std::fmt::Debug for StepAdapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StepAdapter({} layers, {:?})", self.layers.len(), self.options)
    }
}

impl Adapter for StepAdapter {
    fn score_head(&self) -> Option<&ScoreHead> {
        self.head.as_ref().map(|(head, _)| head)
    }

    fn targets(&self, module_path: ModulePath) -> bool {
        self.layers.contains_key(&module_path)
    }

    fn add(&self, module_path: ModulePath, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        let Some(&(scale, matrices)) = self.layers.get(&module_path) else { return y };
        let tensor = |place: usize| self.tensors[place].clone();
        match matrices {
            Matrices::Full { delta } => y + x.matmul(tensor(delta).transpose()),
            Matrices::LowRank { a, b, e } => {
                let (mut a, mut b) = (tensor(a), tensor(b));
                let [rank, _] = a.dims();
                if let Some(first) = self.options.rank.filter(|first| *first < rank) {
                    (a, b) = (a.narrow(0, 0, first), b.narrow(1, 0, first));
                }
                if let Some(e) = e {
                    let [rank, _] = a.dims();
                    a = a * tensor(e).narrow(0, 0, rank);
                }
                add_low_rank(self.drop(module_path, x), y, a, b * scale)
            }
        }
    }
}
