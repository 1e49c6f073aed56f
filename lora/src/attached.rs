use std::collections::HashMap;

use burn::tensor::{Tensor, TensorData};
use rescorer_models::{Adapter, LanguageModel, LowRankTerm, ModulePath, ScoreHead};

use crate::low_rank::LowRank;

/// An adapter on the device of a model, ready to be handed over with requests.
pub struct AttachedAdapter {
    fingerprint: String,
    terms: HashMap<ModulePath, Term>,
    head: Option<ScoreHead>,
}

/// `x · Aᵀ · (s·B·diag(e))ᵀ`
enum Term {
    Host(LowRankTerm),
    Device(Box<DeviceMatrices>),
}

struct DeviceMatrices {
    /// `Aᵀ: [in, rank]`
    down: Tensor<2>,
    /// `(s·B·diag(e))ᵀ: [rank, out]`
    up: Tensor<2>,
}

impl AttachedAdapter {
    /// Uploads matrices that fit the model.
    pub(crate) fn new<'a>(
        modules: impl Iterator<Item = (ModulePath, &'a LowRank)>,
        head: Option<ScoreHead>,
        fingerprint: String,
        model: &LanguageModel,
    ) -> Self {
        let device = model.device().burn();
        let tensor = |values: Vec<f32>, shape: [usize; 2]| -> Tensor<2> {
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        let modules = modules.filter(|(_, module)| module.rank() > 0);
        let terms = modules.map(|(module_path, module)| {
            let (shape @ [outputs, inputs], rank) = (module.shape, module.rank());
            let term = if model.device().is_cpu() {
                Term::Host(LowRankTerm::new(module.a.clone(), &module.scaled_b(), shape))
            } else {
                let down = tensor(transposed(&module.a, inputs), [inputs, rank]);
                let up = tensor(transposed(&module.scaled_b(), rank), [rank, outputs]);
                Term::Device(Box::new(DeviceMatrices { down, up }))
            };
            (module_path, term)
        });
        Self { fingerprint, terms: terms.collect(), head }
    }

    /// SHA-256 over what the adapter computes, in hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl std::fmt::Debug for AttachedAdapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AttachedAdapter({:.16}, {} layers)", self.fingerprint, self.terms.len())
    }
}

impl Adapter for AttachedAdapter {
    fn fingerprint(&self) -> Option<&str> {
        Some(&self.fingerprint)
    }

    fn score_head(&self) -> Option<&ScoreHead> {
        self.head.as_ref()
    }

    fn targets(&self, module_path: ModulePath) -> bool {
        self.terms.contains_key(&module_path)
    }

    fn add(&self, module_path: ModulePath, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        match self.terms.get(&module_path) {
            Some(Term::Host(term)) => term.add(x, y),
            Some(Term::Device(matrices)) => y + x.matmul(matrices.down.clone()).matmul(matrices.up.clone()),
            None => y,
        }
    }

    fn low_rank(&self, module_path: ModulePath) -> Option<&LowRankTerm> {
        match self.terms.get(&module_path)? {
            Term::Host(term) => Some(term),
            Term::Device(_) => None,
        }
    }
}

fn transposed(rows: &[f32], width: usize) -> Vec<f32> {
    (0..width).flat_map(|column| rows.iter().skip(column).step_by(width).copied()).collect()
}
