//! Lists of one kind, those with the same adapter and context, share tries.

use std::collections::HashMap;
use std::sync::Arc;

use rescorer_models::Adapter;

use crate::scoring::decoder::trie::TokenTrie;
use crate::scoring::list::PreparedList;

/// A trie with what it is computed with.
pub(crate) struct Group {
    pub trie: TokenTrie,
    pub adapter: Option<Arc<dyn Adapter>>,
    pub context: Arc<[u32]>,
    /// The number among all sequences of each of those that the trie was built from.
    pub sequences: Arc<Vec<usize>>,
}

/// A number for every list, the same for lists with the same adapter and context, counted in the order in which they come up.
pub(crate) fn group_numbers_of(lists: &[PreparedList]) -> Vec<usize> {
    let mut known: HashMap<(Option<*const ()>, &[u32]), usize> = HashMap::new();
    let numbers = lists.iter().map(|list| {
        let adapter = list.adapter.as_ref().map(|adapter| Arc::as_ptr(adapter).cast::<()>());
        let next = known.len();
        *known.entry((adapter, &list.context)).or_insert(next)
    });
    numbers.collect()
}
