//! The winners of lists, without computing what can't change them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rescorer_models::{Adapter, Edge, KeyValues, LanguageModel, TreeBatch};

use crate::answer::choice::Chosen;
use crate::error::Error;
use crate::fusion::weights::Candidate;
use crate::scoring::best_so_far::BestSoFar;
use crate::scoring::decoder::Decoder;
use crate::scoring::decoder::endings::Endings;
use crate::scoring::decoder::grouping::{Part, forest, group_numbers_of, groups};
use crate::scoring::decoder::trie::TokenTrie;
use crate::scoring::list::PreparedList;
use crate::scoring::list_scorer::Aim;
use crate::scoring::sequences::require_finite;

/// Fewest nodes that are worth a round of their own: a forward pass of fewer is hardly cheaper.
const ROUND_NODES: usize = 64;

/// A round computes one in so many of the nodes that were wanted first, so that what they show can spare others.
const ROUNDS: usize = 5;

impl Decoder {
    /// The largest totals. The first-pass bests are computed first, then all others in rounds, a few tokens at a time; what can't
    /// exceed the best total known, nor the first-pass best by more than the margin, is not continued. With a finite slack neither is
    /// what can't if its rest is worth no more than the same ending of a finished hypothesis, plus that.
    pub(super) fn search(&self, aims: &[Aim<'_>], lists: Vec<PreparedList>) -> Result<Chosen, Error> {
        // Lists that begin alike come into one group, those with different contexts never.
        let kinds = group_numbers_of(&lists);
        let mut order: Vec<usize> = (0..lists.len()).filter(|&list| lists[list].is_asked).collect();
        order.sort_by_key(|&list| (forest(&lists, &kinds, list), kinds[list], lists[list].sequences.first()));
        let mut standings: Vec<BestSoFar> =
            lists.iter().zip(aims).map(|(list, aim)| BestSoFar::unasked(aim.weighting, list)).collect();
        let mut nodes = 0;
        for group in groups(&lists, &order, &kinds) {
            nodes += Search::run(self, aims, &lists, (&group, &kinds), &mut standings)?;
        }
        let choices = standings.into_iter().zip(&lists).zip(aims);
        let choices = choices.map(|((standing, list), aim)| standing.choice(aim.weighting, list));
        Ok(Chosen { choices: choices.collect(), nodes })
    }
}

/// A hypothesis on its way through the trie.
pub(crate) struct PartialHypothesis<'a> {
    list: usize,
    index: usize,
    path: &'a [u32],
    /// Edges whose log-probabilities are in the sum.
    known: usize,
    sum: f64,
}

impl<'a> PartialHypothesis<'a> {
    pub(crate) fn new(list: usize, index: usize, path: &'a [u32]) -> Self {
        Self { list, index, path, known: 0, sum: 0.0 }
    }

    /// Number of the hypothesis among the distinct ones.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// What fusion needs of it, from the log-probabilities that are known.
    pub(crate) fn so_far(&self, decoder: &Decoder, lists: &[PreparedList]) -> Candidate {
        self.at_most(0.0, decoder, lists)
    }

    /// What fusion needs of it, if what is not known yet is worth so much.
    fn at_most(&self, rest: f64, decoder: &Decoder, lists: &[PreparedList]) -> Candidate {
        lists[self.list].candidate(self.index, decoder.sequences.lm_score(self.sum + rest, self.path.len()))
    }
}

/// The tries of a group, as far as they are computed.
pub(crate) struct Search<'a> {
    model: &'a LanguageModel,
    trie: &'a TokenTrie,
    /// The adapter of each root, by its node.
    roots: HashMap<u32, Option<Arc<dyn Adapter>>>,
    /// Edges sorted by the node that they leave.
    by_node: Vec<u32>,
    /// The node before the root, where there is a context.
    before: Option<u32>,
    batch: TreeBatch,
    past: KeyValues,
    /// Index in the batch of every node that is computed.
    computed: Vec<Option<u32>>,
    log_probs: Vec<f32>,
    /// Endings of what is finished, by list.
    endings: HashMap<usize, Endings>,
}

impl Search<'_> {
    /// Brings the standings of a group's lists to where nothing left can win. Returns the nodes computed.
    fn run(
        decoder: &Decoder,
        aims: &[Aim<'_>],
        lists: &[PreparedList],
        (group, kinds): (&[Part], &[usize]),
        standings: &mut [BestSoFar],
    ) -> Result<usize, Error> {
        let hypotheses: Vec<(usize, usize)> =
            group.iter().flat_map(|(list, part)| part.clone().map(move |index| (*list, index))).collect();
        // A trie for each adapter.
        let (mut tries, mut roots, mut root) = (Vec::new(), HashMap::new(), 0);
        for kind in hypotheses.chunk_by(|one, other| kinds[one.0] == kinds[other.0]) {
            let list = &lists[kind[0].0];
            let sequences: Vec<&Vec<u32>> =
                kind.iter().map(|&(list, index)| &lists[list].sequences[index]).collect();
            let own = decoder.tries(&list.context, &sequences, usize::MAX);
            roots.insert(root, list.adapter.clone());
            root += own.iter().map(|trie| trie.nodes() as u32).sum::<u32>();
            tries.extend(own);
        }
        let Some(&(first, _)) = group.first() else { return Ok(0) };
        let trie = &TokenTrie::join(tries);
        let walks = trie.paths().iter().map(|(sequence, path)| {
            let (list, index) = hypotheses[*sequence];
            PartialHypothesis::new(list, index, path)
        });
        let mut walks: Vec<PartialHypothesis<'_>> = walks.collect();
        let mut search = Search::new(decoder, &lists[first], trie, roots)?;
        let mut round = None;
        loop {
            search.settle(decoder, aims, lists, standings, &mut walks)?;
            if walks.is_empty() {
                return Ok(search.nodes());
            }
            search.compute(search.next_nodes(&walks, &mut round))?;
        }
    }

    /// What to compute next: the first-pass bests to their end; after them some levels of all others, as many
    /// nodes as `round` says, which the first of these rounds sets.
    fn next_nodes(&self, walks: &[PartialHypothesis<'_>], round: &mut Option<usize>) -> Vec<u32> {
        let is_first = |walk: &&PartialHypothesis<'_>| walk.index == 0;
        if self.trie.nodes() > ROUND_NODES && walks.iter().any(|walk| is_first(&walk)) {
            return self.wanted(walks.iter().filter(is_first)).into_iter().map(|(_, node)| node).collect();
        }
        let nodes = self.wanted(walks);
        let least = *round.get_or_insert((nodes.len() / ROUNDS).max(ROUND_NODES));
        shallowest(nodes, least)
    }

    /// Begins with tries of lists that have the context of `list`. Its adapter is that of each of them, but for `roots` where there is no
    /// context.
    pub(crate) fn new<'a>(
        decoder: &'a Decoder,
        list: &PreparedList,
        trie: &'a TokenTrie,
        roots: HashMap<u32, Option<Arc<dyn Adapter>>>,
    ) -> Result<Search<'a>, Error> {
        let mut by_node: Vec<u32> = (0..trie.edges() as u32).collect();
        by_node.sort_by_key(|&edge| trie.all_edges()[edge as usize].node);
        let beginning = decoder.prefix_state(&list.context, list.adapter.as_ref())?;
        Ok(Search {
            model: &decoder.sequences.model,
            trie,
            roots,
            by_node,
            before: beginning.before(),
            batch: beginning.batch,
            past: beginning.past,
            computed: vec![None; trie.nodes()],
            log_probs: vec![0.0; trie.edges()],
            endings: HashMap::new(),
        })
    }

    /// Nodes of the trie that are computed so far.
    pub(crate) fn nodes(&self) -> usize {
        self.past.nodes() - self.before.map_or(0, |before| before as usize + 1)
    }

    /// The nodes that as many of the first hypotheses need to their end as `most` nodes are enough for.
    pub(crate) fn first_whole(&self, walks: &[PartialHypothesis<'_>], most: usize) -> Vec<u32> {
        let mut nodes: Vec<u32> = Vec::new();
        let mut seen: HashSet<u32> = HashSet::new();
        for walk in walks {
            let wanted = self.wanted([walk]).into_iter().map(|(_, node)| node);
            let wanted: Vec<u32> = wanted.filter(|node| !seen.contains(node)).collect();
            if nodes.len() + wanted.len() > most {
                break;
            }
            seen.extend(&wanted);
            nodes.extend(wanted);
        }
        nodes
    }

    /// Takes in what was computed: hypotheses that are scored to their end join the standings of their lists, those that can't win
    /// any more are given up.
    pub(crate) fn settle(
        &mut self,
        decoder: &Decoder,
        aims: &[Aim<'_>],
        lists: &[PreparedList],
        standings: &mut [BestSoFar],
        walks: &mut Vec<PartialHypothesis<'_>>,
    ) -> Result<(), Error> {
        for walk in walks.iter_mut() {
            self.advance(walk);
            let list = &lists[walk.list];
            require_finite(&list.name, list.position(walk.index), walk.sum)?;
        }
        for walk in walks.extract_if(.., |walk| walk.known == walk.path.len()) {
            let Aim { weighting, slack } = aims[walk.list];
            standings[walk.list].add(weighting, walk.index, walk.so_far(decoder, lists));
            if slack.is_finite() {
                let (edges, log_probs) = (self.trie.all_edges(), &self.log_probs);
                let known = walk.path.iter().rev().map(|&edge| edge as usize);
                let known = known.map(|edge| (edges[edge].token, log_probs[edge]));
                self.endings.entry(walk.list).or_default().add(known);
            }
        }
        walks.retain(|walk| {
            let Aim { weighting, slack } = aims[walk.list];
            standings[walk.list].may_win(weighting, walk.at_most(self.rest(walk, slack), decoder, lists))
        });
        Ok(())
    }

    /// What the rest of a hypothesis counts as, which may be so many nats more probable than the same ending of others: 0 where no
    /// answer may differ.
    fn rest(&self, walk: &PartialHypothesis<'_>, slack: f64) -> f64 {
        let Some(endings) = self.endings.get(&walk.list) else { return 0.0 };
        let edges = self.trie.all_edges();
        let backwards = walk.path.iter().rev().map(|&edge| edges[edge as usize].token);
        (endings.rest(backwards, walk.path.len() - walk.known) + slack).min(0.0)
    }

    /// Adds what is known of a hypothesis by now to its sum.
    fn advance(&self, walk: &mut PartialHypothesis<'_>) {
        let known = walk.path[walk.known..].iter().take_while(|&&edge| self.is_computed(edge));
        let (count, sum) = known.fold((0, 0.0), |(count, sum), &edge| {
            (count + 1, sum + f64::from(self.log_probs[edge as usize]))
        });
        walk.known += count;
        walk.sum += sum;
    }

    fn is_computed(&self, edge: u32) -> bool {
        self.computed[self.trie.all_edges()[edge as usize].node as usize].is_some()
    }

    /// The nodes that hypotheses still need, each once, with their depths.
    fn wanted<'b>(&self, walks: impl IntoIterator<Item = &'b PartialHypothesis<'b>>) -> Vec<(usize, u32)> {
        let edges = walks.into_iter().flat_map(|walk| walk.path.iter().enumerate().skip(walk.known));
        let mut nodes: Vec<(usize, u32)> =
            edges.map(|(depth, &edge)| (depth, self.trie.all_edges()[edge as usize].node)).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Computes nodes, whose parents are computed or among them.
    pub(crate) fn compute(&mut self, mut nodes: Vec<u32>) -> Result<(), Error> {
        // In a trie parents stand before their children.
        nodes.sort_unstable();
        for nodes in nodes.chunks(self.model.node_budget()) {
            let mut edges = Vec::new();
            for &node in nodes {
                let parent = match self.trie.parents()[node as usize] {
                    Some(parent) => self.computed[parent as usize],
                    None => self.before,
                };
                if let (None, Some(adapter)) = (parent, self.roots.get(&node)) {
                    self.batch.set_adapter(adapter.clone());
                }
                let place = self.batch.push_node(self.trie.tokens()[node as usize], parent);
                self.computed[node as usize] = Some(place);
                let leaves = |edge: &u32| self.trie.all_edges()[*edge as usize].node;
                let start = self.by_node.partition_point(|edge| leaves(edge) < node);
                for &edge in self.by_node[start..].iter().take_while(|edge| leaves(edge) == node) {
                    let token = self.trie.all_edges()[edge as usize].token;
                    self.batch.push_edge(Edge { node: place, token });
                    edges.push(edge);
                }
            }
            let log_probs = self.model.continued_log_probs(&self.batch, &mut self.past)?;
            for (edge, log_prob) in edges.into_iter().zip(log_probs) {
                self.log_probs[edge as usize] = log_prob;
            }
        }
        Ok(())
    }
}

/// Whole levels from the top, at least `least` nodes, and the rest too where it is not worth a round.
fn shallowest(mut nodes: Vec<(usize, u32)>, least: usize) -> Vec<u32> {
    if let Some(&(depth, _)) = nodes.get(least.saturating_sub(1)) {
        let end = nodes.partition_point(|(other, _)| *other <= depth);
        if nodes.len() - end >= ROUND_NODES {
            nodes.truncate(end);
        }
    }
    nodes.into_iter().map(|(_, node)| node).collect()
}
