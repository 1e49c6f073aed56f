use burn::tensor::{Tensor, TensorData};

use crate::Error;
use crate::adapter::ScoreHead;
use crate::attention::KeyValues;
use crate::device::ComputeDevice;
use crate::fingerprint::Fingerprint;
use crate::guard::guarded;
use crate::module_path::ModulePath;
use crate::network::Network;
use crate::to_host::to_host;
use crate::tokenizer::Tokenizer;
use crate::tree::TreeBatch;

/// A pretrained language model with its tokenizer, ready to score: a decoder, which reads from left to right, or an encoder, which
/// sees a sequence whole.
///
/// Immutable: share it between threads behind an `Arc`.
pub struct LanguageModel {
    pub(crate) network: Box<dyn Network>,
    tokenizer: Tokenizer,
    fingerprint: Fingerprint,
}

impl LanguageModel {
    pub(crate) fn new(network: Box<dyn Network>, tokenizer: Tokenizer, fingerprint: Fingerprint) -> Self {
        Self { network, tokenizer, fingerprint }
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The device that computes.
    pub fn device(&self) -> &ComputeDevice {
        self.network.device()
    }

    /// Whether every token of a sequence is seen by every other: an encoder.
    pub fn is_bidirectional(&self) -> bool {
        self.network.is_bidirectional()
    }

    /// Whether probabilities of tokens can be had: decoders give them, encoders where the checkpoint has a masked-language-model head.
    pub fn predicts_tokens(&self) -> bool {
        self.network.predicts_tokens()
    }

    /// What makes one score of the state of an encoder's first token, where the checkpoint has it. Adapters have their own.
    pub fn score_head(&self) -> Option<&ScoreHead> {
        self.network.score_head()
    }

    /// Width of the hidden states.
    pub fn d_model(&self) -> usize {
        self.network.sizes().d_model
    }

    /// Longest sequence, BOS included; of an encoder also the token at its end.
    pub fn context_len(&self) -> usize {
        self.network.sizes().context_len
    }

    /// Most nodes that a batch should have: see [`ComputeDevice::node_budget`].
    pub fn node_budget(&self) -> usize {
        self.device().node_budget()
    }

    /// Tokens in the vocabulary.
    pub fn vocab_size(&self) -> usize {
        self.network.sizes().vocab_size
    }

    /// The linear layers of all blocks, which adapters may change, each with its shape `[out, in]`.
    pub fn linear_layers(&self) -> impl Iterator<Item = (ModulePath, [usize; 2])> {
        self.network.linear_layers().into_iter()
    }

    /// Names configuration and weights: equal for equal models wherever they lie. It begins with the version of its
    /// formula.
    pub fn fingerprint(&self) -> &str {
        self.fingerprint.current()
    }

    /// The fingerprint in the version that `written` has, to compare the two: policies and adapters keep the fingerprints
    /// of their time.
    ///
    /// ```no_run
    /// # use rescorer_models::*;
    /// # let model = LanguageModel::load("model.gguf".as_ref(), DeviceRequest::Cpu, Precision::F32)?;
    /// # let written = "";
    /// let is_this_model = written == model.fingerprint_like(written);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn fingerprint_like(&self, written: &str) -> &str {
        self.fingerprint.like(written)
    }

    /// Refuses what this model can't run.
    pub(crate) fn check(&self, batch: &TreeBatch) -> Result<(), Error> {
        batch.check(self.vocab_size(), self.context_len())?;
        if self.is_bidirectional() && batch.is_interleaved() {
            let reason = "an encoder sees its sequences whole; add one tree after the other".into();
            return Err(Error::Batch { reason });
        }
        Ok(())
    }

    /// Natural log-probability of every edge, in the order of the edges: `ln p(token | path to node)`, that it follows the node; of an
    /// encoder `ln p(token | tree)`, that it stands where the node is.
    ///
    /// # Errors
    /// A batch that [`TreeBatch::check`] refuses, an encoder without the head for it, or a device that fails while computing.
    pub fn edge_log_probs(&self, batch: &TreeBatch) -> Result<Vec<f32>, Error> {
        self.check(batch)?;
        self.guarded(|| self.network.edge_log_probs(batch))?.ok_or_else(|| {
            let reason = "this checkpoint has no masked-language-model head, so it gives no probabilities of tokens; score \
                          with an adapter that has a score head, or take a checkpoint that has one";
            Error::Batch { reason: reason.into() }
        })
    }

    /// The last hidden state of the first node of every tree: of an encoder `[CLS]`, which has seen all the others.
    ///
    /// # Shapes
    /// `[trees, d_model]`, row-major.
    ///
    /// # Errors
    /// A batch that [`TreeBatch::check`] refuses, or a device that fails while computing.
    pub fn root_states(&self, batch: &TreeBatch) -> Result<Vec<f32>, Error> {
        self.check(batch)?;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.guarded(|| {
            let hidden = self.network.hidden_states(batch, &mut |_, _| {});
            let roots: Vec<i32> = batch.trees().iter().map(|tree| tree.start as i32).collect();
            let shape = [roots.len()];
            let roots = Tensor::from_data(TensorData::new(roots, shape), &hidden.device());
            to_host(hidden.select(0, roots))
        })
    }

    /// Natural log-probabilities of a batch that grows: of the edges added since the last call with the same
    /// `past`, in their order. Only the nodes added since then are computed.
    ///
    /// ```no_run
    /// # use rescorer_models::*;
    /// # fn first_two(model: &LanguageModel) -> Result<(), Error> {
    /// let (mut batch, mut past) = (TreeBatch::default(), KeyValues::default());
    /// let bos = batch.push_node(1, None);
    /// batch.push_edge(Edge { node: bos, token: 10 });
    /// let first = model.continued_log_probs(&batch, &mut past)?;
    /// let node = batch.push_node(10, Some(bos));
    /// batch.push_edge(Edge { node, token: 11 });
    /// let second = model.continued_log_probs(&batch, &mut past)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`LanguageModel::edge_log_probs`]; a new edge from an old node; a device other than the CPU, where
    /// keys and values are not kept. After an error `past` is empty.
    pub fn continued_log_probs(&self, batch: &TreeBatch, past: &mut KeyValues) -> Result<Vec<f32>, Error> {
        self.check(batch)?;
        let fail = |reason: String| Err(Error::Batch { reason });
        let whole = "an encoder sees its sequences whole; compute them with edge_log_probs";
        if self.is_bidirectional() {
            return fail(whole.into());
        }
        if !self.device().is_cpu() {
            return fail(
                "a batch can grow on the CPU only; elsewhere compute it whole with edge_log_probs".into(),
            );
        }
        let Some(edges) = batch.edges().get(past.edges()..).filter(|_| past.nodes() <= batch.len()) else {
            return fail(
                "the batch has shrunk since it was computed; begin another one with new KeyValues".into(),
            );
        };
        if let Some(edge) = edges.iter().find(|edge| (edge.node as usize) < past.nodes()) {
            return fail(format!(
                "{edge:?} was added after its node was computed; add the edges of a node together with it"
            ));
        }
        if past.nodes() == batch.len() {
            return Ok(Vec::new());
        }
        // What a failure leaves half done is not kept.
        let mut grown = std::mem::take(past);
        match self.guarded(|| self.network.continued_log_probs(batch, &mut grown))? {
            Some(log_probs) => {
                *past = grown;
                Ok(log_probs)
            }
            None => fail(whole.into()),
        }
    }

    /// Hidden states of every node for comparison with other implementations: before the first block,
    /// after every block, the last one of a decoder normalised.
    ///
    /// # Shapes
    /// Each `[nodes, d_model]`, row-major.
    ///
    /// # Errors
    /// As [`LanguageModel::edge_log_probs`].
    pub fn hidden_states(&self, batch: &TreeBatch) -> Result<Vec<Vec<f32>>, Error> {
        self.check(batch)?;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.guarded(|| {
            let mut states = Vec::new();
            let mut keep = |_, x: &Tensor<2>| {
                let [_, d_model] = x.dims();
                let mut state = to_host(x.clone());
                state.truncate(batch.len() * d_model);
                states.push(state);
            };
            let _ = self.network.hidden_states(batch, &mut keep);
            states
        })
    }

    pub(crate) fn guarded<T: Send>(&self, compute: impl FnOnce() -> T + Send) -> Result<T, Error> {
        guarded(self.device().description(), compute)
    }
}
