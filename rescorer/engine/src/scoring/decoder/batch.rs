//! Lists that are scored whole, several in a forward pass.

use std::sync::Arc;

use rescorer_models::{Adapter, TreeBatch};

use crate::error::Error;
use crate::scoring::decoder::Decoder;
use crate::scoring::decoder::grouping::{Group, group_numbers_of};
use crate::scoring::decoder::prefix_cache::PrefixState;
use crate::scoring::decoder::trie::TokenTrie;
use crate::scoring::list::{ListScores, PreparedList, Scored, TextScore};
use crate::scoring::sequences::require_finite;

impl Decoder {
    /// Scores lists whole. What hypotheses begin with alike is computed once, within a list and between lists.
    pub(super) fn score_whole(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        let budget = self.sequences.model.node_budget();
        let sequences: Vec<&Vec<u32>> = lists.iter().flat_map(|list| &list.sequences).collect();
        let mut log_probs = vec![Vec::new(); sequences.len()];
        let mut nodes = 0;
        let mut compute = |tries: &[Group]| -> Result<(), Error> {
            nodes += tries.iter().map(|own| own.trie.nodes()).sum::<usize>();
            let values = self.compute(tries)?;
            let mut first = 0;
            for Group { trie, sequences, .. } in tries {
                for (sequence, path) in trie.paths() {
                    let values = path.iter().map(|&edge| values[first + edge as usize]);
                    log_probs[sequences[*sequence]] = values.collect();
                }
                first += trie.edges();
            }
            Ok(())
        };
        // Tries of different adapters share a batch where they fit into one; those with a context have one each.
        let mut waiting: Vec<Group> = Vec::new();
        for trie in self.grouped_tries(&lists, &sequences) {
            if !trie.context.is_empty() {
                compute(&[trie])?;
                continue;
            }
            let filled: usize = waiting.iter().map(|waiting| waiting.trie.nodes()).sum();
            if !waiting.is_empty() && filled + trie.trie.nodes() > budget {
                compute(&waiting)?;
                waiting.clear();
            }
            waiting.push(trie);
        }
        if !waiting.is_empty() {
            compute(&waiting)?;
        }
        let mut log_probs = log_probs.into_iter();
        let lists = lists.into_iter().map(|list| self.collect(list, &mut log_probs));
        Ok(Scored { lists: lists.collect::<Result<_, _>>()?, nodes })
    }

    /// Log-probabilities of the edges of tries. One with a context comes alone.
    fn compute(&self, tries: &[Group]) -> Result<Vec<f32>, Error> {
        if let [Group { trie, adapter, context, .. }] = tries
            && !context.is_empty()
        {
            let beginning = self.prefix_state(context, adapter.as_ref())?;
            let before = beginning.before();
            let PrefixState { mut batch, mut past } = beginning;
            trie.push_behind(before, &mut batch);
            return Ok(match self.sequences.model.device().is_cpu() {
                true => self.sequences.model.continued_log_probs(&batch, &mut past)?,
                false => self.sequences.model.edge_log_probs(&batch)?,
            });
        }
        let mut batch = TreeBatch::default();
        for Group { trie, adapter, .. } in tries {
            batch.set_adapter(adapter.clone());
            trie.push_to(&mut batch);
        }
        Ok(self.sequences.model.edge_log_probs(&batch)?)
    }

    /// Scores of texts alone.
    pub(super) fn score_alone(
        &self,
        texts: &[&[u32]],
        adapter: Option<&Arc<dyn Adapter>>,
    ) -> Result<Vec<f64>, Error> {
        let mut scores = vec![0.0; texts.len()];
        for trie in self.tries(&[], texts, self.sequences.model.node_budget()) {
            let mut batch = TreeBatch::default();
            batch.set_adapter(adapter.cloned());
            trie.push_to(&mut batch);
            let values = self.sequences.model.edge_log_probs(&batch)?;
            for (text, path) in trie.paths() {
                let sum = path.iter().map(|&edge| f64::from(values[edge as usize])).sum();
                scores[*text] = self.sequences.lm_score(sum, path.len());
            }
        }
        Ok(scores)
    }

    /// Takes the log-probabilities of a list from those of all.
    fn collect(
        &self,
        list: PreparedList,
        log_probs: &mut impl Iterator<Item = Vec<f32>>,
    ) -> Result<ListScores, Error> {
        let PreparedList { name, distinct, sequences, words, features, .. } = list;
        let hypotheses = distinct.hypotheses().iter().zip(sequences).zip(log_probs);
        let scores = hypotheses.map(|((hypothesis, mut tokens), log_probs)| -> Result<_, Error> {
            tokens.extend(self.sequences.eos);
            let sum: f64 = log_probs.iter().map(|&value| f64::from(value)).sum();
            let lm_score = self.sequences.lm_score(sum, tokens.len());
            require_finite(&name, hypothesis.position, lm_score)?;
            Ok(TextScore { tokens, log_probs, lm_score })
        });
        let scores = scores.collect::<Result<_, _>>()?;
        Ok(ListScores { scores, words, features, distinct, first_stage: None })
    }

    pub(crate) fn tries(
        &self,
        context: &[u32],
        sequences: &[impl AsRef<[u32]>],
        max_nodes: usize,
    ) -> Vec<TokenTrie> {
        TokenTrie::build(
            sequences,
            context.last().copied().unwrap_or(self.sequences.bos),
            self.sequences.eos,
            max_nodes,
        )
    }

    /// What stands before the roots of tries with this context; on the CPU it is computed.
    pub(crate) fn prefix_state(
        &self,
        context: &[u32],
        adapter: Option<&Arc<dyn Adapter>>,
    ) -> Result<PrefixState, Error> {
        if context.is_empty() || !self.sequences.model.device().is_cpu() {
            return Ok(PrefixState::new(self.sequences.bos, context, adapter.cloned()));
        }
        self.contexts.computed(&self.sequences.model, self.sequences.bos, context, adapter.cloned())
    }

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
            let tries = self.tries(&list.context, &own, self.sequences.model.node_budget()).into_iter();
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
