use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rescorer_models::{LanguageModel, ModulePath, ScoreHead};

use super::{Layer, Parameter, Trainable};
use crate::adapter::LoraAdapter;
use crate::error::Error;
use crate::low_rank::LowRank;
use crate::settings::{Kind, LoraSettings};
use crate::step_adapter::Matrices;

/// Spread of the matrices that a rank-allocated adapter begins with, and of a score head.
const DEVIATION: f32 = 0.02;

impl Trainable {
    /// A fresh adapter, which changes nothing yet: `B` is zero (vanilla), or `e` is (rank-allocated).
    ///
    /// # Errors
    /// Settings that contradict themselves or target no layer of the model.
    pub fn new(settings: LoraSettings, model: &LanguageModel, seed: u64) -> Result<Self, Error> {
        settings.check()?;
        let naming =
            model.linear_layers().next().map(|(module_path, _)| module_path.naming).unwrap_or_default();
        let settings = settings.named_as(naming);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut modules = BTreeMap::new();
        for (module_path, shape @ [outputs, inputs]) in
            model.linear_layers().filter(|(module_path, _)| settings.targets(*module_path))
        {
            let rank = settings.rank_of(module_path);
            let mut normal = |len: usize| -> Vec<f32> {
                (0..len).map(|_| DEVIATION * standard_normal(&mut random)).collect()
            };
            let (a, b, e) = match settings.kind {
                Kind::RankAllocated { .. } => {
                    (normal(rank * inputs), normal(outputs * rank), Some(vec![0.0; rank]))
                }
                Kind::Vanilla => {
                    // What PyTorch's linear layers and PEFT begin with.
                    let bound = (inputs as f32).sqrt().recip();
                    let a = (0..rank * inputs).map(|_| random.random_range(-bound..bound)).collect();
                    (a, vec![0.0; outputs * rank], None)
                }
            };
            modules.insert(module_path, LowRank { shape, a, e, b, scale: settings.scale_of(module_path) });
        }
        Self::from_modules(settings, &modules, first_head(model, seed), model)
    }

    /// Goes on from an adapter, vanilla or rank-allocated before anything was pruned.
    ///
    /// # Errors
    /// An adapter that does not belong to the model.
    pub fn from_adapter(adapter: &LoraAdapter, model: &LanguageModel) -> Result<Self, Error> {
        adapter.check(model)?;
        let is_pruned = |(module_path, module): (&ModulePath, &LowRank)| {
            module.rank() < adapter.settings.rank_of(*module_path)
        };
        if adapter.settings.kind != Kind::Vanilla && adapter.modules.iter().any(is_pruned) {
            let reason =
                "training can't go on from an adapter whose ranks were given up; convert it to vanilla LoRA";
            return Err(Error::Settings { reason: reason.into() });
        }
        let head = adapter.head.clone().or_else(|| first_head(model, 0));
        Self::from_modules(adapter.settings.clone(), &adapter.modules, head, model)
    }

    fn from_modules(
        settings: LoraSettings,
        modules: &BTreeMap<ModulePath, LowRank>,
        head: Option<ScoreHead>,
        model: &LanguageModel,
    ) -> Result<Self, Error> {
        if modules.is_empty() {
            let reason = "the targets name no linear layer of the model; they are q_proj, k_proj, v_proj, o_proj, \
                          gate_proj (decoders), up_proj and down_proj";
            return Err(Error::Settings { reason: reason.into() });
        }
        let mut trainable = Self::empty(Some(settings), model);
        for (module_path, module) in modules {
            let ([outputs, inputs], rank) = (module.shape, module.rank());
            let a = trainable.add(module_path, "lora_A", module.a.clone(), [rank, inputs]);
            let b = trainable.add(module_path, "lora_B", module.b.clone(), [outputs, rank]);
            let e = module.e.as_ref().map(|e| trainable.add(module_path, "lora_E", e.clone(), [rank, 1]));
            let matrices = Matrices::LowRank { a, b, e };
            trainable.layers.push(Layer {
                module_path: *module_path,
                shape: module.shape,
                scale: module.scale,
                matrices,
            });
        }
        trainable.add_head(head);
        Ok(trainable)
    }

    /// A change of full rank for every linear layer of the blocks, all zero. `seed` is for the score head of an encoder.
    pub fn full(model: &LanguageModel, seed: u64) -> Self {
        let mut trainable = Self::empty(None, model);
        for (module_path, shape) in model.linear_layers() {
            let delta = trainable.add(&module_path, "delta", vec![0.0; shape[0] * shape[1]], shape);
            trainable.layers.push(Layer {
                module_path,
                shape,
                scale: 1.0,
                matrices: Matrices::Full { delta },
            });
        }
        trainable.add_head(first_head(model, seed));
        trainable
    }

    fn add_head(&mut self, head: Option<ScoreHead>) {
        let Some(ScoreHead { weight, bias }) = head else { return };
        let mut add = |part: &str, values: Vec<f32>| {
            let value = Tensor::from_data(TensorData::new(values.clone(), [1, values.len()]), &self.device);
            self.parameters.push(Parameter { name: format!("score.{part}"), value });
            self.parameters.len() - 1
        };
        self.head = Some([add("weight", weight), add("bias", vec![bias])]);
    }

    fn empty(settings: Option<LoraSettings>, model: &LanguageModel) -> Self {
        let device = model.device().burn().clone();
        let (layers, parameters) = (Vec::new(), Vec::new());
        Self { settings, layers, parameters, head: None, allocation: None, orthogonality: 0.0, device }
    }

    fn add(&mut self, module_path: &ModulePath, part: &str, values: Vec<f32>, shape: [usize; 2]) -> usize {
        let value = Tensor::from_data(TensorData::new(values, shape), &self.device);
        self.parameters.push(Parameter { name: format!("{module_path}.{part}"), value });
        self.parameters.len() - 1
    }
}

/// The score head that an encoder is trained from: its own, or a fresh one.
fn first_head(model: &LanguageModel, seed: u64) -> Option<ScoreHead> {
    let fresh = || {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(1);
        let weight = (0..model.d_model()).map(|_| DEVIATION * standard_normal(&mut random)).collect();
        ScoreHead { weight, bias: 0.0 }
    };
    model.is_bidirectional().then(|| model.score_head().cloned().unwrap_or_else(fresh))
}

/// By the method of Box and Muller.
fn standard_normal(random: &mut ChaCha8Rng) -> f32 {
    let (radius, angle): (f64, f64) = (random.random(), random.random());
    ((-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()) as f32
}
