//! Walks the trie of terms along the words of texts.

use std::ops::Range;

use super::cost::{Cost, GAP, Substitutions, substitution};
use super::following::{Arc, Following};
use super::trie::{Head, Trie};

/// Children of a node that are worth a look at what its row costs every phone.
const SEVERAL: usize = 4;

/// A term's pronunciation that is near a span.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Number among the spans of the tree.
    pub span: usize,
    /// Number among the entries of the trie.
    pub entry: usize,
    pub cost: Cost,
}

/// Finds all entries of a trie near the spans of a tree.
///
/// A node of the trie has a row: what it costs to make its phones from those on the way to each cell of the tree. Rows have only
/// the cells that are within what the node allows, and where there are none nothing below the node is near.
pub struct Search<'a, Report> {
    trie: &'a Trie,
    tree: &'a Following,
    report: Report,
    substitutions: &'static [Substitutions],
    /// The rows of the nodes from the root to here, one after the other: cells in order, and their costs.
    rows: Vec<(u32, Cost)>,
    /// As above, for the arcs that leave these cells.
    arcs: Vec<(Arc, Cost)>,
    /// The least cost of each cell in the row that is being made.
    costs: Vec<Cost>,
    /// Cells that have one, a bit each.
    open: Vec<u64>,
}

impl<'a, Report: FnMut(Found)> Search<'a, Report> {
    /// Reports each entry near a span.
    pub fn run(trie: &'a Trie, tree: &'a Following, report: Report) {
        let (costs, open) = (vec![Cost::MAX; tree.len()], vec![0; tree.len().div_ceil(64)]);
        let substitutions = Substitutions::all();
        let mut search =
            Self { trie, tree, report, substitutions, rows: Vec::new(), arcs: Vec::new(), costs, open };
        search.offer(0, 0);
        search.close(trie.heads[0]);
        search.walk(0, 0..search.rows.len());
    }

    fn walk(&mut self, node: usize, row: Range<usize>) {
        let trie = self.trie;
        for entry in trie.nodes[node].ends.clone() {
            self.report_ends(entry as usize, row.clone());
        }
        let first_arc = self.arcs.len();
        let mut least = Cost::MAX;
        for &(cell, cost) in &self.rows[row.clone()] {
            least = least.min(cost);
            self.arcs.extend(self.tree.arcs(cell).map(|arc| (arc, cost)));
        }
        let children = trie.nodes[node].children.clone();
        let reach = (children.len() >= SEVERAL).then(|| self.reach(first_arc));
        for child in children {
            let (child, end) = (child as usize, self.rows.len());
            let head @ Head { phone, allowed, .. } = trie.heads[child];
            let mut lives = least + GAP <= allowed;
            if !lives && reach.as_ref().and_then(|reach| reach.cost(phone)).is_some_and(|cost| cost > allowed)
            {
                continue;
            }
            let costs = self.substitutions.get(phone.number());
            for place in first_arc..self.arcs.len() {
                let (arc, cost) = self.arcs[place];
                let listed = costs.and_then(|costs| costs.cost(arc.phone));
                let cost = cost + listed.unwrap_or_else(|| substitution(phone, arc.phone));
                if cost <= allowed {
                    self.offer(arc.to, cost);
                    lives = true;
                }
            }
            if !lives {
                continue;
            }
            if least + GAP <= allowed {
                for place in row.clone() {
                    let (cell, cost) = self.rows[place];
                    if cost + GAP <= allowed {
                        self.offer(cell, cost + GAP);
                    }
                }
            }
            self.close(head);
            if self.rows.len() > end {
                self.walk(child, end..self.rows.len());
                self.rows.truncate(end);
            }
        }
        self.arcs.truncate(first_arc);
    }

    /// What the arcs from `first_arc` on cost a phone at least.
    fn reach(&self, first_arc: usize) -> Substitutions {
        let mut reach = Substitutions::NONE;
        self.arcs[first_arc..].iter().for_each(|(arc, cost)| reach.allow(arc.phone, *cost));
        reach
    }

    fn report_ends(&mut self, entry: usize, row: Range<usize>) {
        for &(cell, cost) in &self.rows[row] {
            if let Some(span) = self.tree.span(cell)
                && cost <= self.trie.entries[entry].allowed
            {
                (self.report)(Found { span, entry, cost });
            }
        }
    }

    fn offer(&mut self, cell: u32, cost: Cost) {
        let cell = cell as usize;
        self.costs[cell] = self.costs[cell].min(cost);
        self.open[cell / 64] |= 1 << (cell % 64);
    }

    /// Adds phones of the text that no phone of the term stands for, and writes the row of cells that are within what is allowed.
    fn close(&mut self, head: Head) {
        let tree = self.tree;
        for block in 0..self.open.len() {
            while self.open[block] != 0 {
                let place = block * 64 + self.open[block].trailing_zeros() as usize;
                self.open[block] &= self.open[block] - 1;
                let (cell, cost) = (place as u32, std::mem::replace(&mut self.costs[place], Cost::MAX));
                self.rows.push((cell, cost));
                if let Some(meeting) = tree.meeting(cell) {
                    self.offer(meeting, cost);
                }
                if cost + GAP <= head.allowed_then {
                    tree.arcs(cell).for_each(|arc| self.offer(arc.to, cost + GAP));
                }
            }
        }
    }
}
