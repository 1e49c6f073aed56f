//! Walks the trie of terms along the words of texts.

use super::cost::{Cost, GAP, substitution};
use super::following::Following;
use super::trie::Trie;

/// The costs of a node's phones at the cells that are within what is allowed, by cell.
type Row = Vec<(u32, Cost)>;

/// A term's pronunciation that is near a span.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Number among the spans of the tree.
    pub span: usize,
    /// Number among the entries of the trie.
    pub entry: usize,
    pub cost: Cost,
}

/// Finds all entries of a trie near the spans of trees.
#[derive(Debug)]
pub struct Search<'a> {
    trie: &'a Trie,
    /// The least cost of each cell in the row that is being made.
    costs: Vec<Cost>,
    /// Cells that have one, a bit each.
    open: Vec<u64>,
}

impl<'a> Search<'a> {
    pub fn new(trie: &'a Trie) -> Self {
        Self { trie, costs: Vec::new(), open: Vec::new() }
    }

    /// Calls `found` for each entry near a span of the tree.
    pub fn run(&mut self, tree: &Following, mut found: impl FnMut(Found)) {
        self.costs.clear();
        self.costs.resize(tree.cells.len(), Cost::MAX);
        self.open.clear();
        self.open.resize(tree.cells.len().div_ceil(64), 0);
        self.offer(0, 0);
        let mut rows: Vec<Row> = vec![Vec::new()];
        self.close(tree, self.trie.nodes[0].allowed, &mut rows[0]);
        self.walk(tree, 0, 0, &mut rows, &mut found);
    }

    fn walk(
        &mut self,
        tree: &Following,
        node: usize,
        depth: usize,
        rows: &mut Vec<Row>,
        found: &mut impl FnMut(Found),
    ) {
        let trie = self.trie;
        for entry in trie.nodes[node].ends.clone() {
            let entry = entry as usize;
            for &(cell, cost) in &rows[depth] {
                let span = tree.cells[cell as usize].span as usize;
                if span > 0 && cost <= trie.entries[entry].allowed {
                    found(Found { span: span - 1, entry, cost });
                }
            }
        }
        if rows.len() == depth + 1 {
            rows.push(Vec::new());
        }
        for child in trie.nodes[node].children.clone() {
            let child = child as usize;
            let below = &trie.nodes[child];
            let mut next = std::mem::take(&mut rows[depth + 1]);
            for &(cell, cost) in &rows[depth] {
                self.offer(cell, cost + GAP);
                for &(phone, after) in &tree.cells[cell as usize].after {
                    self.offer(after, cost + substitution(below.phone, phone));
                }
            }
            self.close(tree, below.allowed, &mut next);
            let lives = !next.is_empty();
            rows[depth + 1] = next;
            if lives {
                self.walk(tree, child, depth + 1, rows, found);
            }
        }
    }

    fn offer(&mut self, cell: u32, cost: Cost) {
        let cell = cell as usize;
        self.costs[cell] = self.costs[cell].min(cost);
        self.open[cell / 64] |= 1 << (cell % 64);
    }

    /// Adds phones of the text that no phone of the term stands for, and writes the cells that are within what is allowed.
    fn close(&mut self, tree: &Following, allowed: Cost, row: &mut Row) {
        row.clear();
        for block in 0..self.open.len() {
            while self.open[block] != 0 {
                let cell = block * 64 + self.open[block].trailing_zeros() as usize;
                self.open[block] &= self.open[block] - 1;
                let cost = std::mem::replace(&mut self.costs[cell], Cost::MAX);
                if cost > allowed {
                    continue;
                }
                row.push((cell as u32, cost));
                if let Some(meeting) = tree.cells[cell].meets {
                    self.offer(meeting, cost);
                }
                for &(_, after) in &tree.cells[cell].after {
                    self.offer(after, cost + GAP);
                }
            }
        }
    }
}
