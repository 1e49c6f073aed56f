//! The pronunciations of all terms as a trie.

use std::ops::Range;

use super::cost::{Cost, GAP};
use crate::Phone;

/// Half of what a long term may cost at least.
const LONG: Cost = GAP + GAP / 2;

/// A pronunciation of a term.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    pub phones: Vec<Phone>,
    pub entry: Entry,
    /// Phones that are cheap, those at the beginning.
    pub half: usize,
    /// What they may cost together.
    pub half_allowed: Cost,
}

/// What is known of a pronunciation beside its phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Number of the term.
    pub term: usize,
    /// How many phones there are.
    pub phones: usize,
    /// Words of a span at most.
    pub words: usize,
    /// What all changes may cost together.
    pub allowed: Cost,
    /// Whether `'s` is part of it.
    pub possessive: bool,
}

impl Said {
    /// A pronunciation for the search forwards, and for the one backwards.
    ///
    /// Of a term that is near, the first half is cheap or the second is. So a search is cut off as soon as the first half costs
    /// too much, and what is lost thereby is found by the search backwards.
    pub fn both(phones: Vec<Phone>, entry: Entry) -> (Self, Option<Self>) {
        let Entry { allowed, .. } = entry;
        let half = phones.len() / 2;
        // A half that may have one gap has far more that is near than one without.
        let half_allowed = if allowed / 2 < LONG { (allowed / 2).min(GAP - 1) } else { allowed / 2 };
        let rest = (allowed - half_allowed).checked_sub(1);
        let backwards = rest.map(|half_allowed| Self {
            phones: phones.iter().rev().copied().collect(),
            entry,
            half: phones.len() - half,
            half_allowed,
        });
        (Self { phones, entry, half, half_allowed }, backwards)
    }

    /// Long terms are kept apart: what these may cost would let a search look further for short ones than it must.
    pub fn is_short(&self) -> bool {
        self.entry.allowed / 2 < LONG
    }

    fn limit(&self, depth: usize) -> Limit {
        let allowed = |is_half| if is_half { self.half_allowed } else { self.entry.allowed };
        // Phones of the text between the halves belong to the second.
        Limit { arriving: allowed(depth <= self.half), then: allowed(depth < self.half) }
    }
}

/// What the phones of a term so far may cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limit {
    pub arriving: Cost,
    /// With phones of the text that come before the next phone of the term.
    pub then: Cost,
}

impl Limit {
    /// The largest of several terms.
    fn of(said: &[Said], depth: usize) -> Self {
        said.iter().map(|said| said.limit(depth)).fold(Self::default(), |a, b| Self {
            arriving: a.arriving.max(b.arriving),
            then: a.then.max(b.then),
        })
    }
}

/// A phone of terms.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub phone: Phone,
    pub limit: Limit,
    /// Whether entries end here.
    pub ends: bool,
}

impl Step {
    /// The step to what some terms share: so many of their phones.
    fn to(said: &[Said], depth: usize) -> Self {
        let phone = said.last().and_then(|longest| longest.phones[..depth].last());
        Self {
            phone: phone.copied().unwrap_or(Phone::FIRST),
            limit: Limit::of(said, depth),
            ends: said.first().is_some_and(|shortest| shortest.phones.len() == depth),
        }
    }
}

/// A node of the trie: the phones on the way to it.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// The step that leads here; the root has any phone.
    pub step: Step,
    /// Whether all entries below continue each other.
    is_tail: bool,
    /// How many children there are; of a tail, how many phones follow.
    count: u16,
    /// The first of these.
    first: u32,
    /// The first of the entries here and below, and the one behind them.
    entries: [u32; 2],
}

/// What follows a node.
pub enum Below<'a> {
    /// Nodes with a phone more.
    Children(Range<usize>),
    /// Phones of entries each of which continues the one before.
    Tail(&'a [Step]),
}

/// Entries by their phones.
#[derive(Debug)]
pub struct Trie {
    /// The root first, and children side by side.
    pub nodes: Vec<Node>,
    pub entries: Vec<Entry>,
    /// The phones of tails.
    steps: Vec<Step>,
}

impl Trie {
    pub fn new(mut said: Vec<Said>) -> Self {
        said.sort_unstable();
        let node = |range: &Range<usize>, depth| Node {
            step: Step::to(&said[range.clone()], depth),
            is_tail: true,
            count: 0,
            first: 0,
            entries: [range.start as u32, range.end as u32],
        };
        let all = 0..said.len();
        let (mut nodes, mut steps) = (vec![node(&all, 0)], Vec::new());
        // Nodes to be given what is below, with the entries there and how many phones these share. A search meets nodes in the order
        // in which they lie in memory.
        let mut open = vec![(0, all, 0)];
        while let Some((number, range, depth)) = open.pop() {
            let below = &said[range.clone()];
            let is_tail = below.windows(2).all(|pair| pair[1].phones.starts_with(&pair[0].phones));
            let first = if is_tail { steps.len() } else { nodes.len() };
            if is_tail {
                for depth in depth + 1..=below.last().map_or(0, |longest| longest.phones.len()) {
                    let ended = below.partition_point(|said| said.phones.len() < depth);
                    steps.push(Step::to(&below[ended..], depth));
                }
            } else {
                let ends = below.partition_point(|said| said.phones.len() == depth);
                let mut start = range.start + ends;
                let waiting = open.len();
                for alike in below[ends..].chunk_by(|a, b| a.phones[depth] == b.phones[depth]) {
                    let range = start..start + alike.len();
                    start = range.end;
                    nodes.push(node(&range, depth + 1));
                    open.push((nodes.len() - 1, range, depth + 1));
                }
                open[waiting..].reverse();
            }
            let end = if is_tail { steps.len() } else { nodes.len() };
            let place = &mut nodes[number];
            (place.is_tail, place.count, place.first) = (is_tail, (end - first) as u16, first as u32);
        }
        Self { nodes, entries: said.iter().map(|said| said.entry).collect(), steps }
    }

    /// The entries at and below a node, the shortest first.
    pub fn entries(&self, node: &Node) -> Range<usize> {
        node.entries[0] as usize..node.entries[1] as usize
    }

    /// What follows a node.
    pub fn below(&self, node: &Node) -> Below<'_> {
        let below = node.first as usize..node.first as usize + usize::from(node.count);
        if node.is_tail { Below::Tail(&self.steps[below]) } else { Below::Children(below) }
    }
}
