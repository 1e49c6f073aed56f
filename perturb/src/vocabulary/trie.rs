//! The pronunciations of all terms as a trie.

use std::collections::VecDeque;
use std::ops::Range;

use super::cost::Cost;
use crate::Phone;

/// A pronunciation of a term, and what it may cost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub phones: Vec<Phone>,
    /// Number of the term.
    pub term: usize,
    /// Words of a span at most.
    pub words: usize,
    /// What all changes may cost together.
    pub allowed: Cost,
    /// Whether `'s` is part of it.
    pub possessive: bool,
}

/// A node of the trie: the phones on the way to it.
#[derive(Debug, Clone)]
pub struct Node {
    /// Nodes with a phone more.
    pub children: Range<u32>,
    /// Entries that end here, among [`Trie::entries`].
    pub ends: Range<u32>,
}

/// What decides whether a node is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// The last of its phones; for the root any.
    pub phone: Phone,
    /// What the phones so far may cost.
    pub allowed: Cost,
    /// As above, with phones of the text that come before the next phone of the term.
    pub allowed_then: Cost,
}

/// Entries by their phones.
///
/// Of a term that is near, the first half costs at most half of what the whole may cost, or what follows does. So a search is
/// cut off as soon as the first half costs more than that, and what is lost thereby is found by a search that reads terms and
/// texts backwards.
#[derive(Debug)]
pub struct Trie {
    /// Level by level, the root first.
    pub nodes: Vec<Node>,
    pub heads: Vec<Head>,
    pub entries: Vec<Entry>,
}

impl Trie {
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        let (mut nodes, mut heads) = (Vec::new(), Vec::new());
        // Entries that share their first phones, and how many these are.
        let mut open = VecDeque::from([(0..entries.len(), 0, Phone::FIRST)]);
        let mut next = 1;
        while let Some((range, depth, phone)) = open.pop_front() {
            let below = &entries[range.clone()];
            let allowed = |is_half: fn(usize, usize) -> bool| {
                let share = |entry: &Entry| {
                    if is_half(depth, entry.phones.len() / 2) { entry.allowed / 2 } else { entry.allowed }
                };
                below.iter().map(share).max().unwrap_or_default()
            };
            // Phones of the text between the halves belong to the second.
            let (arriving, then) =
                (allowed(|depth, half| depth <= half), allowed(|depth, half| depth < half));
            heads.push(Head { phone, allowed: arriving, allowed_then: then });
            let ends = below.partition_point(|entry| entry.phones.len() == depth);
            let before = open.len();
            let mut start = ends;
            while let Some(first) = below.get(start).map(|entry| entry.phones[depth]) {
                let end = start + below[start..].partition_point(|entry| entry.phones[depth] == first);
                open.push_back((range.start + start..range.start + end, depth + 1, first));
                start = end;
            }
            let children = (open.len() - before) as u32;
            nodes.push(Node {
                children: next..next + children,
                ends: range.start as u32..(range.start + ends) as u32,
            });
            next += children;
        }
        Self { nodes, heads, entries }
    }
}
