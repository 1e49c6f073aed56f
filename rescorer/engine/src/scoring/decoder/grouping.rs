//! Lists of one kind, those with the same adapter and context, share tries.

use std::collections::HashMap;
use std::sync::Arc;

use rescorer_models::Adapter;

use crate::scoring::decoder::trie::TokenTrie;
use crate::scoring::prepare::PreparedList;
use crate::scoring::scorer::Scorer;

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

impl Scorer {
    /// Tries of the sequences of all lists, those of one kind together.
    pub(crate) fn grouped_tries(&self, lists: &[PreparedList], sequences: &[&Vec<u32>]) -> Vec<Group> {
        // A list of the kind, and the numbers of the kind's sequences.
        let mut kinds: Vec<(&PreparedList, Vec<usize>)> = Vec::new();
        let mut next = 0;
        for (list, kind) in lists.iter().zip(group_numbers_of(lists)) {
            if kind == kinds.len() {
                kinds.push((list, Vec::new()));
            }
            kinds[kind].1.extend(next..next + list.sequences.len());
            next += list.sequences.len();
        }
        let kinds = kinds.into_iter().filter(|(_, numbers)| !numbers.is_empty());
        let tries = kinds.flat_map(|(list, numbers)| {
            let own: Vec<&Vec<u32>> = numbers.iter().map(|&number| sequences[number]).collect();
            let sequences = Arc::new(numbers);
            let tries = self.tries(&list.context, &own, self.model().node_budget()).into_iter();
            tries.map(move |trie| Group {
                trie,
                adapter: list.adapter.clone(),
                context: list.context.clone(),
                sequences: sequences.clone(),
            })
        });
        tries.collect()
    }
}
