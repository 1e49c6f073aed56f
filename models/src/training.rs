use burn::tensor::{Gradients, Tensor, TensorData};

use crate::head::training::HeadPass;
use crate::to_host::to_host;
use crate::{Error, LanguageModel, TreeBatch};

/// A forward pass through a model whose adapters are trained: it remembers how it was computed.
///
/// Two steps, because objectives such as MWER weigh a token by the scores of the whole list: first the
/// log-probabilities of all edges, then the gradient of the loss with respect to each of them.
///
/// ```no_run
/// # use rescorer_models::*;
/// # fn step(model: &LanguageModel, batch: &TreeBatch) -> Result<(), Error> {
/// // Mean negative log-likelihood of all edges.
/// let pass = model.training_pass(batch)?;
/// let count = pass.log_probs().len();
/// let loss = -pass.log_probs().iter().sum::<f32>() / count as f32;
/// let gradients = pass.backward(&vec![-1.0 / count as f32; count])?;
/// # Ok(()) }
/// ```
pub struct TrainingPass<'a> {
    model: &'a LanguageModel,
    hidden: Tensor<2>,
    head: HeadPass<'a>,
}

impl LanguageModel {
    /// Computes a batch so that gradients can follow; its adapters hold the tensors that want them.
    ///
    /// Keeps some 0.9 MB a node for SmolLM2-135M, and its logits.
    ///
    /// # Errors
    /// A batch that [`TreeBatch::check`] refuses or an empty one; a model that was not loaded with
    /// [`LanguageModel::load_for_training`].
    pub fn training_pass(&self, batch: &TreeBatch) -> Result<TrainingPass<'_>, Error> {
        self.check(batch)?;
        let fail = |reason: &str| Err(Error::Batch { reason: reason.into() });
        if !self.device().trains() {
            return fail("the model was loaded for scoring; load it with load_for_training");
        }
        if batch.is_empty() {
            return fail("there is nothing to train on; give a batch with at least one tree");
        }
        let passed = self.guarded(|| {
            if self.is_bidirectional() {
                return None;
            }
            let hidden = self.network.recorded_states(batch);
            let head = self.network.head_pass(to_host(hidden.clone()), batch.edges())?;
            Some(TrainingPass { model: self, hidden, head })
        });
        passed?.map_or_else(|| fail("an encoder is trained by its states; use states_pass"), Ok)
    }
}

/// A forward pass through an encoder whose adapters are trained: the states of the first tokens, and how they were computed.
pub struct StatesPass<'a> {
    model: &'a LanguageModel,
    hidden: Tensor<2>,
    /// Rows of the first nodes.
    roots: Vec<usize>,
    states: Vec<f32>,
}

impl LanguageModel {
    /// Computes a batch so that gradients can follow from the states of [`LanguageModel::root_states`].
    ///
    /// # Errors
    /// As [`LanguageModel::training_pass`]; a decoder.
    pub fn states_pass(&self, batch: &TreeBatch) -> Result<StatesPass<'_>, Error> {
        self.check(batch)?;
        let fail = |reason: &str| Err(Error::Batch { reason: reason.into() });
        if !self.is_bidirectional() {
            return fail("a decoder is trained by its log-probabilities; use training_pass");
        }
        if !self.device().trains() {
            return fail("the model was loaded for scoring; load it with load_for_training");
        }
        if batch.is_empty() {
            return fail("there is nothing to train on; give a batch with at least one tree");
        }
        self.guarded(|| {
            let hidden = self.network.recorded_states(batch);
            let values = to_host(hidden.clone());
            let roots: Vec<usize> = batch.trees().iter().map(|tree| tree.start).collect();
            let width = self.d_model();
            let states = roots.iter().flat_map(|root| &values[root * width..(root + 1) * width]);
            let states = states.copied().collect();
            StatesPass { model: self, hidden, roots, states }
        })
    }
}

impl StatesPass<'_> {
    /// The last hidden state of the first node of every tree.
    ///
    /// # Shapes
    /// `[trees, d_model]`, row-major.
    pub fn states(&self) -> &[f32] {
        &self.states
    }

    /// The gradients of the loss with respect to all tensors that want one, from that of every state.
    ///
    /// # Errors
    /// Another number of gradients than of states; no tensor that wants a gradient.
    pub fn backward(self, gradients: &[f32]) -> Result<Gradients, Error> {
        let Self { model, hidden, roots, states } = self;
        if gradients.len() != states.len() {
            let reason = format!("{} gradients were given for {} numbers", gradients.len(), states.len());
            return Err(Error::Batch { reason });
        }
        let width = model.d_model();
        let mut rows = vec![0.0; hidden.dims().iter().product()];
        for (root, row) in roots.into_iter().zip(gradients.chunks_exact(width)) {
            rows[root * width..(root + 1) * width].copy_from_slice(row);
        }
        backward(model, hidden, rows)
    }
}

/// The gradients of `Σ hidden · gradient`.
fn backward(model: &LanguageModel, hidden: Tensor<2>, gradient: Vec<f32>) -> Result<Gradients, Error> {
    if !hidden.is_tracked() {
        let reason = "no adapter of the batch wants gradients; give it one that is trained".into();
        return Err(Error::Batch { reason });
    }
    model.guarded(|| {
        let (shape, device) = (hidden.dims(), hidden.device());
        let gradient = Tensor::<2>::from_data(TensorData::new(gradient, shape), &device);
        (hidden * gradient).sum().backward()
    })
}

impl TrainingPass<'_> {
    /// Natural log-probability of every edge of the batch, in their order.
    pub fn log_probs(&self) -> &[f32] {
        self.head.log_probs()
    }

    /// The gradients of the loss with respect to all tensors that want one, from `∂L/∂ ln p` of every edge.
    ///
    /// # Errors
    /// Another number of gradients than edges; no tensor that wants a gradient.
    pub fn backward(self, gradients: &[f32]) -> Result<Gradients, Error> {
        let Self { model, hidden, head } = self;
        let (given, edges) = (gradients.len(), head.log_probs().len());
        if given != edges {
            let reason = format!("{given} gradients were given for {edges} edges");
            return Err(Error::Batch { reason });
        }
        let gradient = model.guarded(|| head.gradient(gradients))?;
        backward(model, hidden, gradient)
    }
}
