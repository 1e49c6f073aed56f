mod ranks;
mod start;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use rescorer_models::{ModulePath, ScoreHead};

use crate::adapter::LoraAdapter;
use crate::allocation::Allocation;
use crate::low_rank::LowRank;
use crate::settings::LoraSettings;
use crate::step_adapter::{Matrices, StepAdapter, StepOptions};

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
    module_path: ModulePath,
    /// `[out, in]`
    shape: [usize; 2],
    scale: f32,
    matrices: Matrices,
}

impl Trainable {
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
        let layers = self.layers.iter().map(|layer| (layer.module_path, (layer.scale, layer.matrices)));
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
                    modules.insert(layer.module_path, module.kept(&kept));
                    kept_ranks.insert(layer.module_path, kept);
                }
                None => _ = modules.insert(layer.module_path, module),
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
    pub fn deltas(&self) -> BTreeMap<ModulePath, Vec<f32>> {
        let deltas = self.layers.iter().filter_map(|layer| match layer.matrices {
            Matrices::Full { delta } => Some((layer.module_path, numbers(&self.parameters[delta].value))),
            Matrices::LowRank { .. } => None,
        });
        deltas.collect()
    }
}

fn numbers(tensor: &Tensor<2>) -> Vec<f32> {
    tensor.to_data().try_into_vec::<f32>().expect("matrices of adapters are f32")
}
