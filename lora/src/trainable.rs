use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rescorer_models::{LanguageModel, ScoreHead, Site};

use crate::adapter::LoraAdapter;
use crate::allocation::{Allocation, AllocationSettings, LayerStep};
use crate::error::Error;
use crate::low_rank::LowRank;
use crate::settings::{Kind, LoraSettings};
use crate::step_adapter::{Matrices, StepAdapter, StepOptions};

/// Spread of the matrices that a rank-allocated adapter begins with, and of a score head.
const DEVIATION: f32 = 0.02;

/// An adapter in training: its matrices, and for a rank-allocated one the state of the allocation.
///
/// The base model stays frozen. With [`Trainable::full`] every linear layer of the blocks has a change of full rank, which
/// is what full fine-tuning of these layers is.
pub struct Trainable {
    settings: Option<LoraSettings>,
    layers: Vec<Layer>,
    parameters: Vec<Parameter>,
    /// Places of weight and bias of the score head, which encoders are trained with.
    head: Option<[usize; 2]>,
    allocation: Option<Allocation>,
    orthogonality: f32,
    device: Device,
}

/// A matrix that is trained.
#[derive(Clone)]
pub struct Parameter {
    /// Path of its layer, and which matrix of it.
    pub name: String,
    /// Its numbers.
    pub value: Tensor<2>,
}

/// A layer with the places of its matrices among the parameters.
struct Layer {
    site: Site,
    /// `[out, in]`
    shape: [usize; 2],
    scale: f32,
    matrices: Matrices,
}

impl Trainable {
    /// A fresh adapter, which changes nothing yet: `B` is zero (vanilla), or `e` is (rank-allocated).
    ///
    /// # Errors
    /// Settings that contradict themselves or target no layer of the model.
    pub fn new(settings: LoraSettings, model: &LanguageModel, seed: u64) -> Result<Self, Error> {
        settings.check()?;
        let naming = model.linear_layers().next().map(|(site, _)| site.naming).unwrap_or_default();
        let settings = settings.named_as(naming);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut modules = BTreeMap::new();
        for (site, shape @ [outputs, inputs]) in
            model.linear_layers().filter(|(site, _)| settings.targets(*site))
        {
            let rank = settings.rank_of(site);
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
            modules.insert(site, LowRank { shape, a, e, b, scale: settings.scale_of(site) });
        }
        Self::from_modules(settings, &modules, first_head(model, seed), model)
    }

    /// Goes on from an adapter, vanilla or rank-allocated before anything was pruned.
    ///
    /// # Errors
    /// An adapter that does not belong to the model.
    pub fn from_adapter(adapter: &LoraAdapter, model: &LanguageModel) -> Result<Self, Error> {
        adapter.check(model)?;
        let is_pruned = |(site, module): (&Site, &LowRank)| module.rank() < adapter.settings.rank_of(*site);
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
        modules: &BTreeMap<Site, LowRank>,
        head: Option<ScoreHead>,
        model: &LanguageModel,
    ) -> Result<Self, Error> {
        if modules.is_empty() {
            let reason = "the targets name no linear layer of the model; they are q_proj, k_proj, v_proj, o_proj, \
                          gate_proj (decoders), up_proj and down_proj";
            return Err(Error::Settings { reason: reason.into() });
        }
        let mut trainable = Self::empty(Some(settings), model);
        for (site, module) in modules {
            let ([outputs, inputs], rank) = (module.shape, module.rank());
            let a = trainable.add(site, "lora_A", module.a.clone(), [rank, inputs]);
            let b = trainable.add(site, "lora_B", module.b.clone(), [outputs, rank]);
            let e = module.e.as_ref().map(|e| trainable.add(site, "lora_E", e.clone(), [rank, 1]));
            let matrices = Matrices::LowRank { a, b, e };
            trainable.layers.push(Layer { site: *site, shape: module.shape, scale: module.scale, matrices });
        }
        trainable.add_head(head);
        Ok(trainable)
    }

    /// A change of full rank for every linear layer of the blocks, all zero. `seed` is for the score head of an encoder.
    pub fn full(model: &LanguageModel, seed: u64) -> Self {
        let mut trainable = Self::empty(None, model);
        for (site, shape) in model.linear_layers() {
            let delta = trainable.add(&site, "delta", vec![0.0; shape[0] * shape[1]], shape);
            trainable.layers.push(Layer { site, shape, scale: 1.0, matrices: Matrices::Full { delta } });
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

    fn add(&mut self, site: &Site, part: &str, values: Vec<f32>, shape: [usize; 2]) -> usize {
        let value = Tensor::from_data(TensorData::new(values, shape), &self.device);
        self.parameters.push(Parameter { name: format!("{site}.{part}"), value });
        self.parameters.len() - 1
    }

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

    /// Numbers that are trained.
    pub fn count(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.value.dims().iter().product::<usize>()).sum()
    }

    /// The matrices, in a fixed order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Numbers of all matrices, in the order of [`Trainable::parameters`].
    pub fn values(&self) -> Vec<Tensor<2>> {
        self.parameters.iter().map(|parameter| parameter.value.clone()).collect()
    }

    /// Replaces the numbers of the matrices, in their order.
    pub fn set(&mut self, values: Vec<Tensor<2>>) {
        self.parameters.iter_mut().zip(values).for_each(|(parameter, value)| parameter.value = value);
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

    /// The adapter for one step; its matrices want gradients.
    pub fn begin(&self, options: StepOptions) -> Arc<StepAdapter> {
        self.step_adapter(options, |tensor| tensor.clone().autodiff().require_grad())
    }

    /// The adapter as it is now, for scoring.
    pub fn snapshot(&self) -> Arc<StepAdapter> {
        self.step_adapter(StepOptions::default(), Tensor::clone)
    }

    fn step_adapter(
        &self,
        options: StepOptions,
        prepare: impl Fn(&Tensor<2>) -> Tensor<2>,
    ) -> Arc<StepAdapter> {
        let tensors: Vec<Tensor<2>> =
            self.parameters.iter().map(|parameter| prepare(&parameter.value)).collect();
        let dropout = self.settings.as_ref().map_or(0.0, |settings| settings.dropout);
        let layers = self.layers.iter().map(|layer| (layer.site, (layer.scale, layer.matrices)));
        Arc::new(StepAdapter {
            tensors,
            layers: layers.collect(),
            head: self.head().zip(self.head),
            dropout,
            options,
        })
    }

    /// The score head of an encoder as it is now.
    pub fn head(&self) -> Option<ScoreHead> {
        let [weight, bias] = self.head?.map(|place| numbers(&self.parameters[place].value));
        Some(ScoreHead { weight, bias: bias[0] })
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

    /// The adapter as files and other models want it; `None` for a change of full rank. Ranks that were given up
    /// are dropped.
    pub fn adapter(&self, base_fingerprint: &str) -> Option<LoraAdapter> {
        let settings = self.settings.clone()?;
        let kept_of: Vec<Option<Vec<bool>>> = match &self.allocation {
            Some(allocation) => allocation.kept().map(|kept| Some(kept.to_vec())).collect(),
            None => vec![None; self.layers.len()],
        };
        let mut modules = BTreeMap::new();
        let mut kept_ranks = BTreeMap::new();
        for (layer, kept) in self.layers.iter().zip(kept_of) {
            let Matrices::LowRank { a, b, e } = layer.matrices else { continue };
            let values = |place: usize| numbers(&self.parameters[place].value);
            let module = LowRank {
                shape: layer.shape,
                a: values(a),
                e: e.map(values),
                b: values(b),
                scale: layer.scale,
            };
            match kept {
                Some(kept) => {
                    modules.insert(layer.site, module.kept(&kept));
                    kept_ranks.insert(layer.site, kept);
                }
                None => _ = modules.insert(layer.site, module),
            }
        }
        let base_fingerprint = Some(base_fingerprint.to_string());
        Some(LoraAdapter {
            settings,
            modules,
            kept_ranks,
            head: self.head(),
            base_fingerprint,
            path: PathBuf::from("(in training)"),
        })
    }

    /// The changes of full rank, `[out, in]` each; empty for an adapter of low rank.
    pub fn deltas(&self) -> BTreeMap<Site, Vec<f32>> {
        let deltas = self.layers.iter().filter_map(|layer| match layer.matrices {
            Matrices::Full { delta } => Some((layer.site, numbers(&self.parameters[delta].value))),
            Matrices::LowRank { .. } => None,
        });
        deltas.collect()
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

fn numbers(tensor: &Tensor<2>) -> Vec<f32> {
    tensor.to_data().try_into_vec::<f32>().expect("matrices of adapters are f32")
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
