use burn::tensor::Tensor;

use crate::adapter::ScoreHead;
use crate::attention::key_values::KeyValues;
use crate::device::ComputeDevice;
#[cfg(feature = "training")]
use crate::head::training::HeadPass;
use crate::module_path::ModulePath;
#[cfg(feature = "training")]
use crate::tree::Edge;
use crate::tree::TreeBatch;

/// What is shown the hidden states, with their number.
pub type Inspect<'a> = dyn FnMut(usize, &Tensor<2>) + Send + 'a;

/// A model without its tokenizer: an architecture on the backend that it was loaded for. Every batch has been checked.
pub trait Network: Send + Sync {
    /// The device that holds the weights.
    fn device(&self) -> &ComputeDevice;

    /// How large it is.
    fn sizes(&self) -> Sizes;

    /// Whether every token of a sequence is seen by every other.
    fn is_bidirectional(&self) -> bool;

    /// Whether probabilities of tokens can be had.
    fn predicts_tokens(&self) -> bool;

    /// What makes one score of the first token's state, where the checkpoint has it.
    fn score_head(&self) -> Option<&ScoreHead>;

    /// The linear layers of all blocks, which adapters may change, each with its shape `[out, in]`.
    fn linear_layers(&self) -> Vec<(ModulePath, [usize; 2])>;

    /// Hidden states of all nodes. `inspect` is shown them before the first block (0) and after block `i` (`i`), as
    /// transformers numbers them.
    ///
    /// # Shapes
    /// `[nodes, d_model]`, on a GPU with rows behind them that fill up a bucket.
    fn hidden_states(&self, batch: &TreeBatch, inspect: &mut Inspect<'_>) -> Tensor<2>;

    /// Natural log-probability of every edge; `None` where it predicts no tokens.
    fn edge_log_probs(&self, batch: &TreeBatch) -> Option<Vec<f32>>;

    /// Natural log-probability of the edges that `past` does not have yet; `None` where sequences are seen whole.
    fn continued_log_probs(&self, batch: &TreeBatch, past: &mut KeyValues) -> Option<Vec<f32>>;

    /// Hidden states of all nodes, recorded for the way back.
    #[cfg(feature = "training")]
    fn recorded_states(&self, batch: &TreeBatch) -> Tensor<2>;

    /// Log-probabilities of edges with all that their gradient needs; `None` where tokens are not predicted, or nothing is
    /// trained.
    #[cfg(feature = "training")]
    fn head_pass(&self, hidden: Vec<f32>, edges: &[Edge]) -> Option<HeadPass<'_>>;
}

/// The sizes that every model has.
pub struct Sizes {
    /// Width of the hidden states.
    pub d_model: usize,
    /// Longest sequence.
    pub context_len: usize,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
}
