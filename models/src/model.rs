use std::io::Read;
use std::path::Path;

use burn::tensor::Tensor;

use crate::decoder::{Decoder, KeyValues, export, load_gguf, load_safetensors};
use crate::device::ComputeDevice;
use crate::guard::guarded;
use crate::self_test::{self, load_tested};
use crate::tokenizer::{self, Tokenizer};
use crate::tree::TreeBatch;
use crate::weights::Gguf;
use crate::{DeviceRequest, Error, Precision, Site};

/// A pretrained causal language model with its tokenizer, ready to score.
///
/// Immutable: share it between threads behind an `Arc`.
pub struct LanguageModel {
    pub(crate) decoder: Decoder,
    tokenizer: Tokenizer,
    fingerprint: String,
}

impl LanguageModel {
    /// Loads a `.gguf` file or a Hugging Face folder onto a device.
    ///
    /// A GPU first scores a few tokens, and the CPU the same ones from the same file. Where they disagree, `Auto`
    /// with f32 takes the CPU, and [`ComputeDevice::warning`] says why; anything else is an error.
    ///
    /// # Errors
    /// A path that is no model, a damaged file, an unsupported architecture or tensor type, no such device, one
    /// that can't compute with this precision or fails the test.
    pub fn load(path: &Path, request: DeviceRequest, precision: Precision) -> Result<Self, Error> {
        let device = ComputeDevice::open(request, precision)?;
        // Whoever asked for a device or for f16 gets it or hears why not.
        let may_fall_back = request == DeviceRequest::Auto && precision == Precision::F32;
        load_tested(&device, may_fall_back, |device| Self::load_onto(path, device))
    }

    /// Loads a model onto the CPU, in f32 and with its weights in both directions, for [`LanguageModel::training_pass`].
    ///
    /// # Errors
    /// As [`LanguageModel::load`].
    #[cfg(feature = "training")]
    pub fn load_for_training(path: &Path) -> Result<Self, Error> {
        Self::load_onto(path, ComputeDevice::cpu_for_training())
    }

    /// Writes the model at `path`, a `.gguf` file or a Hugging Face folder, as a folder in f32, each linear layer as
    /// `change` leaves it: its weight is `[out, in]`, row-major. So an adapter is merged.
    ///
    /// # Errors
    /// What loading reports; a folder that can't be written; what `change` returns.
    pub fn export<E: From<Error>>(
        path: &Path,
        folder: &Path,
        change: impl FnMut(Site, &mut Vec<f32>) -> Result<(), E>,
    ) -> Result<(), E> {
        if !path.is_dir() {
            require_gguf(path)?;
        }
        export(path, folder, change)
    }

    /// The same onto an opened device, whatever it computes.
    pub(crate) fn load_onto(path: &Path, device: ComputeDevice) -> Result<Self, Error> {
        let ((decoder, fingerprint), tokenizer) = if path.is_dir() {
            (load_safetensors(path, &device)?, Tokenizer::from_folder(path)?)
        } else {
            require_gguf(path)?;
            let gguf = Gguf::open(path)?;
            // The tokenizer of a large vocabulary takes as long to build as the weights to pack.
            let (decoder, tokenizer) =
                rayon::join(|| load_gguf(&gguf, &device), || tokenizer::from_gguf(&gguf));
            (decoder?, tokenizer?)
        };
        let (tokens, rows) = (tokenizer.vocab_size(), decoder.config().vocab_size);
        if tokens > rows {
            let reason = format!("{tokens} tokens, the model has embeddings for {rows}");
            return Err(Error::Tokenizer { path: path.into(), reason });
        }
        Ok(Self { decoder, tokenizer, fingerprint })
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The device that computes.
    pub fn device(&self) -> &ComputeDevice {
        self.decoder.device()
    }

    /// Longest sequence, BOS included.
    pub fn context_len(&self) -> usize {
        self.decoder.config().context_len
    }

    /// Most nodes that a batch should have: see [`ComputeDevice::node_budget`].
    pub fn node_budget(&self) -> usize {
        self.device().node_budget()
    }

    /// Tokens in the vocabulary.
    pub fn vocab_size(&self) -> usize {
        self.decoder.config().vocab_size
    }

    /// The linear layers of all blocks, which adapters may change, each with its shape `[out, in]`.
    pub fn linear_layers(&self) -> impl Iterator<Item = (Site, [usize; 2])> {
        self.decoder.linear_layers().map(|layer| (layer.site(), layer.shape()))
    }

    /// SHA-256 over configuration and weights, in hexadecimal: equal for equal models wherever they lie.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Natural log-probability `ln p(token | path to node)` of every edge, in the order of the edges.
    ///
    /// # Errors
    /// A batch that [`TreeBatch::check`] refuses, or a device that fails while computing.
    pub fn edge_log_probs(&self, batch: &TreeBatch) -> Result<Vec<f32>, Error> {
        batch.check(self.vocab_size(), self.context_len())?;
        self.guarded(|| self.decoder.edge_log_probs(batch))
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
        batch.check(self.vocab_size(), self.context_len())?;
        let fail = |reason: String| Err(Error::Batch { reason });
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
        let log_probs = self.guarded(|| self.decoder.continued_log_probs(batch, &mut grown))?;
        *past = grown;
        Ok(log_probs)
    }

    /// Compiles and tunes the kernels of every batch size of a GPU, so that no later batch waits for that. On the CPU
    /// there is nothing to do.
    ///
    /// May take minutes where nothing is kept yet from earlier runs, so it pays for a process that stays, or before a
    /// measurement. The scores of each size are held against each other, as at loading.
    ///
    /// # Errors
    /// A device that fails, or whose kernels for one size compute something else than those for another.
    pub fn warm_up(&self) -> Result<(), Error> {
        if self.device().is_cpu() { Ok(()) } else { self_test::warm_up(self) }
    }

    /// Hidden states of every node for comparison with other implementations: before the first block,
    /// after every block, the last one normalised.
    ///
    /// # Shapes
    /// Each `[nodes, d_model]`, row-major.
    ///
    /// # Errors
    /// As [`LanguageModel::edge_log_probs`].
    pub fn hidden_states(&self, batch: &TreeBatch) -> Result<Vec<Vec<f32>>, Error> {
        batch.check(self.vocab_size(), self.context_len())?;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.guarded(|| {
            let mut states = Vec::new();
            let mut keep = |_, x: &Tensor<2>| {
                let [_, d_model] = x.dims();
                let mut state = crate::linear::to_host(x.clone());
                state.truncate(batch.len() * d_model);
                states.push(state);
            };
            self.decoder.hidden_states(batch, 0, &mut [], &mut keep);
            states
        })
    }

    pub(crate) fn guarded<T: Send>(&self, compute: impl FnOnce() -> T + Send) -> Result<T, Error> {
        guarded(self.device().description(), compute)
    }
}

fn require_gguf(path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let mut magic = Vec::new();
    std::fs::File::open(path).map_err(io)?.take(4).read_to_end(&mut magic).map_err(io)?;
    if magic == b"GGUF" {
        return Ok(());
    }
    Err(Error::NotAModel { path: path.into(), found: "the file does not begin with GGUF".into() })
}
