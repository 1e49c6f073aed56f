//! What the model reads before a hypothesis and does not score.

use std::sync::{Arc, Mutex, PoisonError};

use rescorer_models::{Adapter, KeyValues, LanguageModel, TreeBatch};

use crate::error::Error;

/// PrefixCache whose keys and values are kept: 46 KB a token for SmolLM2-135M.
const KEPT: usize = 4;

/// Where the tries of some lists begin: a batch that holds what stands before their roots.
///
/// A trie has one root, the last token before the hypotheses: BOS, or the end of the context. What stands before that is a chain
/// of nodes without edges.
#[derive(Clone)]
pub(crate) struct PrefixState {
    pub(crate) batch: TreeBatch,
    pub(crate) past: KeyValues,
}

impl PrefixState {
    /// The node before the roots; none where they are BOS.
    pub(crate) fn before(&self) -> Option<u32> {
        (self.batch.len() as u32).checked_sub(1)
    }

    /// The chain of BOS and all tokens of a context but the last one, not computed.
    pub(crate) fn new(bos: u32, context: &[u32], adapter: Option<Arc<dyn Adapter>>) -> Self {
        let mut batch = TreeBatch::default();
        batch.set_adapter(adapter);
        let mut before = None;
        if let Some((_, inner)) = context.split_last() {
            for &token in std::iter::once(&bos).chain(inner) {
                before = Some(batch.push_node(token, before));
            }
        }
        Self { batch, past: KeyValues::default() }
    }
}

/// The contexts of a scorer that were used last, computed, so that the next list of a conversation begins where they end.
#[derive(Default)]
pub(crate) struct PrefixCache {
    /// The last one first.
    kept: Mutex<Vec<Arc<Entry>>>,
}

struct Entry {
    context: Vec<u32>,
    adapter: Option<Arc<dyn Adapter>>,
    beginning: PrefixState,
}

impl Entry {
    fn is_of(&self, context: &[u32], adapter: Option<&Arc<dyn Adapter>>) -> bool {
        let same = match (&self.adapter, adapter) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        };
        same && self.context == context
    }
}

impl PrefixCache {
    /// A context with its keys and values, computed where it is not among those that are kept. On the CPU.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn computed(
        &self,
        model: &LanguageModel,
        bos: u32,
        context: &[u32],
        adapter: Option<Arc<dyn Adapter>>,
    ) -> Result<PrefixState, Error> {
        if let Some(kept) = self.used(|kept| kept.is_of(context, adapter.as_ref())) {
            return Ok(kept.beginning.clone());
        }
        let mut beginning = PrefixState::new(bos, context, adapter.clone());
        let PrefixState { batch, past } = &mut beginning;
        model.continued_log_probs(batch, past)?;
        let kept = Entry { context: context.to_vec(), adapter, beginning: beginning.clone() };
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(0, Arc::new(kept));
        all.truncate(KEPT);
        Ok(beginning)
    }

    /// The one that is wanted, which becomes the last one used.
    fn used(&self, is_wanted: impl Fn(&Entry) -> bool) -> Option<Arc<Entry>> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|kept| is_wanted(kept))?;
        all[..=place].rotate_right(1);
        all.first().cloned()
    }
}
