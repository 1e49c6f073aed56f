use burn::tensor::{Gradients, Tensor, TensorData};

use crate::head::HeadPass;
use crate::linear::to_host;
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
        batch.check(self.vocab_size(), self.context_len())?;
        let fail = |reason: &str| Err(Error::Batch { reason: reason.into() });
        if !self.device().trains() {
            return fail("the model was loaded for scoring; load it with load_for_training");
        }
        if batch.is_empty() {
            return fail("there is nothing to train on; give a batch with at least one tree");
        }
        self.guarded(|| {
            let hidden = self.decoder.recorded_states(batch);
            let head = self.decoder.head().training(to_host(hidden.clone()), batch.edges());
            TrainingPass { model: self, hidden, head }
        })
    }
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
        if !hidden.is_tracked() {
            let reason = "no adapter of the batch wants gradients; give it one that is trained".into();
            return Err(Error::Batch { reason });
        }
        model.guarded(|| {
            let (shape, device) = (hidden.dims(), hidden.device());
            let gradient = Tensor::<2>::from_data(TensorData::new(head.gradient(gradients), shape), &device);
            (hidden * gradient).sum().backward()
        })
    }
}
