use std::io::Read;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};

use crate::attention::KeyValues;
use crate::decoder::{Decoder, export, load_gguf, load_safetensors};
use crate::device::ComputeDevice;
use crate::encoder::{self, Encoder, EncoderFamily};
use crate::fingerprint::Fingerprint;
use crate::guard::guarded;
use crate::linear::Linear;
use crate::self_test::{self, load_tested};
use crate::tokenizer::{self, Tokenizer};
use crate::tree::TreeBatch;
use crate::weights::Gguf;
use crate::{DeviceRequest, Error, PrecisionRequest, ScoreHead, Site, quantized_folder};

/// A pretrained language model with its tokenizer, ready to score: a decoder, which reads from left to right, or an encoder, which
/// sees a sequence whole.
///
/// Immutable: share it between threads behind an `Arc`.
pub struct LanguageModel {
    pub(crate) network: Network,
    tokenizer: Tokenizer,
    fingerprint: Fingerprint,
}

/// What computes.
pub(crate) enum Network {
    Decoder(Box<Decoder>),
    Encoder(Box<Encoder>),
}

impl LanguageModel {
    /// Loads a `.gguf` file or a Hugging Face folder onto a device.
    ///
    /// A GPU first scores a few tokens, and the CPU the same ones from the same file. Where they disagree, `Auto`
    /// takes the CPU, and [`ComputeDevice::warning`] says why; a device or f16 that was asked for is an error.
    ///
    /// # Errors
    /// A path that is no model, a damaged file, an unsupported architecture or tensor type, no such device, one
    /// that can't compute with this precision or fails the test.
    pub fn load(
        path: &Path,
        request: DeviceRequest,
        precision: impl Into<PrecisionRequest>,
    ) -> Result<Self, Error> {
        let precision = precision.into();
        let device = ComputeDevice::open(request, precision)?;
        // Whoever asked for a device or for f16 gets it or hears why not.
        let fallback = if request == DeviceRequest::Auto { precision.on_cpu() } else { None };
        load_tested(&device, fallback, |device| Self::load_onto(path, device))
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
        Self::export_with_head(path, folder, None, change)
    }

    /// The same, an encoder with a score head.
    ///
    /// # Errors
    /// As [`LanguageModel::export`]; a head for a decoder.
    pub fn export_with_head<E: From<Error>>(
        path: &Path,
        folder: &Path,
        head: Option<&ScoreHead>,
        change: impl FnMut(Site, &mut Vec<f32>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some((family, config)) = family_of_encoder(path)? {
            return encoder::export(path, &config, family, folder, head, change);
        }
        if head.is_some() {
            let (what, supported) = ("a score head in a decoder".to_owned(), "encoders".to_owned());
            return Err(E::from(Error::Unsupported { path: path.into(), what, supported }));
        }
        if !path.is_dir() {
            require_gguf(path)?;
        }
        export(path, folder, change)
    }

    /// The same onto an opened device, whatever it computes.
    pub(crate) fn load_onto(path: &Path, device: ComputeDevice) -> Result<Self, Error> {
        let (network, fingerprint, tokenizer) = match family_of_encoder(path)? {
            Some((family, config)) => {
                let (encoder, fingerprint) = encoder::load(path, &config, family, &device)?;
                (Network::Encoder(Box::new(encoder)), fingerprint, Tokenizer::of_encoder(path)?)
            }
            None if path.is_dir() => {
                let (decoder, fingerprint) = load_safetensors(path, &device)?;
                (Network::Decoder(Box::new(decoder)), fingerprint, Tokenizer::from_folder(path)?)
            }
            None => {
                require_gguf(path)?;
                let gguf = Gguf::open(path)?;
                // The tokenizer of a large vocabulary takes as long to build as the weights to pack.
                let (loaded, tokenizer) =
                    rayon::join(|| load_gguf(&gguf, &device), || tokenizer::from_gguf(&gguf));
                let (decoder, fingerprint) = loaded?;
                (Network::Decoder(Box::new(decoder)), fingerprint, tokenizer?)
            }
        };
        let model = Self { network, tokenizer, fingerprint };
        let (tokens, rows) = (model.tokenizer.vocab_size(), model.vocab_size());
        if tokens > rows {
            let reason = format!("{tokens} tokens, the model has embeddings for {rows}");
            return Err(Error::Tokenizer { path: path.into(), reason });
        }
        Ok(model)
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The device that computes.
    pub fn device(&self) -> &ComputeDevice {
        match &self.network {
            Network::Decoder(decoder) => decoder.device(),
            Network::Encoder(encoder) => encoder.device(),
        }
    }

    /// Whether every token of a sequence is seen by every other: an encoder.
    pub fn is_bidirectional(&self) -> bool {
        matches!(self.network, Network::Encoder(_))
    }

    /// Whether probabilities of tokens can be had: decoders give them, encoders where the checkpoint has a masked-language-model head.
    pub fn predicts_tokens(&self) -> bool {
        match &self.network {
            Network::Decoder(_) => true,
            Network::Encoder(encoder) => encoder.head().is_some(),
        }
    }

    /// What makes one score of the state of an encoder's first token, where the checkpoint has it. Adapters have their own.
    pub fn score_head(&self) -> Option<&ScoreHead> {
        match &self.network {
            Network::Decoder(_) => None,
            Network::Encoder(encoder) => encoder.score_head(),
        }
    }

    /// Width of the hidden states.
    pub fn d_model(&self) -> usize {
        match &self.network {
            Network::Decoder(decoder) => decoder.config().d_model,
            Network::Encoder(encoder) => encoder.config().d_model,
        }
    }

    /// Longest sequence, BOS included; of an encoder also the token at its end.
    pub fn context_len(&self) -> usize {
        match &self.network {
            Network::Decoder(decoder) => decoder.config().context_len,
            Network::Encoder(encoder) => encoder.config().context_len(),
        }
    }

    /// Most nodes that a batch should have: see [`ComputeDevice::node_budget`].
    pub fn node_budget(&self) -> usize {
        self.device().node_budget()
    }

    /// Tokens in the vocabulary.
    pub fn vocab_size(&self) -> usize {
        match &self.network {
            Network::Decoder(decoder) => decoder.config().vocab_size,
            Network::Encoder(encoder) => encoder.config().vocab_size,
        }
    }

    /// The linear layers of all blocks, which adapters may change, each with its shape `[out, in]`.
    pub fn linear_layers(&self) -> impl Iterator<Item = (Site, [usize; 2])> {
        let layers: Vec<&Linear> = match &self.network {
            Network::Decoder(decoder) => decoder.linear_layers().collect(),
            Network::Encoder(encoder) => encoder.linear_layers().collect(),
        };
        layers.into_iter().map(|layer| (layer.site(), layer.shape()))
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

    /// Natural log-probability of every edge, in the order of the edges: `ln p(token | path to node)`, that it follows the node; of an
    /// encoder `ln p(token | tree)`, that it stands where the node is.
    ///
    /// # Errors
    /// A batch that [`TreeBatch::check`] refuses, an encoder without the head for it, or a device that fails while computing.
    pub fn edge_log_probs(&self, batch: &TreeBatch) -> Result<Vec<f32>, Error> {
        batch.check(self.vocab_size(), self.context_len())?;
        match &self.network {
            Network::Decoder(decoder) => self.guarded(|| decoder.edge_log_probs(batch)),
            Network::Encoder(encoder) => {
                let Some(head) = encoder.head() else {
                    let reason = "this checkpoint has no masked-language-model head, so it gives no probabilities of tokens; score \
                                  with an adapter that has a score head, or take a checkpoint that has one";
                    return Err(Error::Batch { reason: reason.into() });
                };
                if batch.is_empty() {
                    return Ok(Vec::new());
                }
                self.guarded(|| {
                    let hidden = encoder.hidden_states(batch, &mut |_, _| {});
                    head.vocabulary().edge_log_probs(head.transform(hidden, self.device()), batch.edges())
                })
            }
        }
    }

    /// The last hidden state of the first node of every tree: of an encoder `[CLS]`, which has seen all the others.
    ///
    /// # Shapes
    /// `[trees, d_model]`, row-major.
    ///
    /// # Errors
    /// A batch that [`TreeBatch::check`] refuses, or a device that fails while computing.
    pub fn root_states(&self, batch: &TreeBatch) -> Result<Vec<f32>, Error> {
        batch.check(self.vocab_size(), self.context_len())?;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.guarded(|| {
            let hidden = match &self.network {
                Network::Decoder(decoder) => decoder.hidden_states(batch, 0, &mut [], &mut |_, _| {}),
                Network::Encoder(encoder) => encoder.hidden_states(batch, &mut |_, _| {}),
            };
            let roots: Vec<i32> = batch.trees().iter().map(|tree| tree.start as i32).collect();
            let shape = [roots.len()];
            let roots = Tensor::from_data(TensorData::new(roots, shape), &hidden.device());
            crate::linear::to_host(hidden.select(0, roots))
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
        batch.check(self.vocab_size(), self.context_len())?;
        let fail = |reason: String| Err(Error::Batch { reason });
        let Network::Decoder(decoder) = &self.network else {
            return fail("an encoder sees its sequences whole; compute them with edge_log_probs".into());
        };
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
        let log_probs = self.guarded(|| decoder.continued_log_probs(batch, &mut grown))?;
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
    /// after every block, the last one of a decoder normalised.
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
            match &self.network {
                Network::Decoder(decoder) => _ = decoder.hidden_states(batch, 0, &mut [], &mut keep),
                Network::Encoder(encoder) => _ = encoder.hidden_states(batch, &mut keep),
            }
            states
        })
    }

    pub(crate) fn guarded<T: Send>(&self, compute: impl FnOnce() -> T + Send) -> Result<T, Error> {
        guarded(self.device().description(), compute)
    }
}

/// The family of the encoder in a folder, with the text of its configuration; `None` where it is something else.
fn family_of_encoder(path: &Path) -> Result<Option<(EncoderFamily, Vec<u8>)>, Error> {
    #[derive(serde::Deserialize)]
    struct Kind {
        model_type: Option<String>,
    }
    let config = path.join("config.json");
    if !config.is_file() {
        return Ok(None);
    }
    let text = std::fs::read(&config).map_err(|source| Error::Io { path: config.clone(), source })?;
    quantized_folder::refuse(&config, &text)?;
    let kind: Kind = serde_json::from_slice(&text)
        .map_err(|e| Error::Malformed { path: config, reason: e.to_string() })?;
    Ok(kind.model_type.as_deref().and_then(EncoderFamily::of).map(|family| (family, text)))
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
