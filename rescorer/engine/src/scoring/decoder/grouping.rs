//! Lists of one kind, those with the same adapter and context, share tries.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rescorer_models::Adapter;

use crate::scoring::decoder::trie::TokenTrie;
use crate::scoring::list::PreparedList;

/// Most nodes that a group of lists is begun with: keys and values of all that are computed are kept, 46 KB a
/// node for SmolLM2-135M.
const GROUP_NODES: usize = 2048;

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

/// Hypotheses of a list that are searched together.
pub(crate) type Part = (usize, Range<usize>);

/// Lists with the same number may come into one group: those of a context, and all without one, whatever their adapters.
pub(crate) fn forest(lists: &[PreparedList], kinds: &[usize], list: usize) -> Option<usize> {
    (!lists[list].context.is_empty()).then_some(kinds[list])
}

/// Cuts lists into groups that fit memory. A list that is larger comes in several groups, in first-pass order.
pub(crate) fn groups(lists: &[PreparedList], order: &[usize], kinds: &[usize]) -> Vec<Vec<Part>> {
    let mut groups: Vec<Vec<Part>> = Vec::new();
    let mut filled = GROUP_NODES;
    let mut kind = None;
    for &list in order {
        let PreparedList { sequences, .. } = &lists[list];
        let nodes = lists[list].nodes();
        if nodes > GROUP_NODES {
            let mut start = 0;
            while start < sequences.len() {
                let mut tokens = 0;
                let part = sequences[start..].iter().take_while(|sequence| {
                    tokens += sequence.len() + 1;
                    tokens <= GROUP_NODES
                });
                let end = start + part.count().max(1);
                groups.push(vec![(list, start..end)]);
                start = end;
            }
            filled = GROUP_NODES;
            continue;
        }
        let own = forest(lists, kinds, list);
        if filled + nodes > GROUP_NODES || kind != Some(own) {
            kind = Some(own);
            groups.push(Vec::new());
            filled = 0;
        }
        filled += nodes;
        if let Some(group) = groups.last_mut() {
            group.push((list, 0..sequences.len()));
        }
    }
    groups
}
