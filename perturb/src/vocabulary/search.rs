//! Walks the trie of terms along the words of texts.

use std::ops::Range;

use super::cost::{Cost, GAP, Substitutions, substitution};
use super::following::Following;
use super::trie::{Below, Entry, Limit, Step, Trie};
use crate::Phone;

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

/// What it costs to get to a cell of the tree.
#[derive(Debug, Clone, Copy)]
struct At {
    cell: u32,
    cost: Cost,
}

/// An arc of the tree, and what it costs to get to where it begins.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    to: u32,
    phone: Phone,
    cost: Cost,
}

/// Finds all entries of a trie near the spans of a tree.
///
/// A node of the trie has a row: what it costs to make its phones from those on the way to each cell of the tree. Rows have only
/// the cells that are within what the node allows, and where there are none nothing below the node is near.
pub struct Search<'a, Report> {
    trie: &'a Trie,
    tree: &'a Following<'a>,
    report: Report,
    substitutions: &'static [Substitutions],
    /// The rows of the nodes from the root to here, one after the other, each with its cells in order.
    rows: Vec<At>,
    /// The arcs that leave these cells.
    arcs: Vec<Leaving>,
    /// The least cost of each cell in the row that is being made.
    costs: Vec<Cost>,
    /// Cells that have one, a bit each.
    open: Vec<u64>,
    /// Numbers in `open` that are not 0, a bit each.
    blocks: Vec<u64>,
}

impl<'a, Report: FnMut(Found)> Search<'a, Report> {
    /// Reports each entry near a span.
    pub fn run(trie: &'a Trie, tree: &'a Following<'a>, report: Report) {
        let open = vec![0; tree.len().div_ceil(64)];
        let mut search = Self {
            trie,
            tree,
            report,
            substitutions: Substitutions::all(),
            rows: Vec::new(),
            arcs: Vec::new(),
            costs: vec![Cost::MAX; tree.len()],
            blocks: vec![0; open.len().div_ceil(64)],
            open,
        };
        search.offer(0, 0);
        search.close(trie.nodes[0].step.limit);
        search.walk(0, 0, 0..search.rows.len());
    }

    /// Looks at what is below a node of `depth` phones, given its row.
    fn walk(&mut self, node: usize, depth: usize, row: Range<usize>) {
        let trie = self.trie;
        let node = &trie.nodes[node];
        let mut entries = trie.entries(node);
        if node.step.ends {
            self.report_ends(&mut entries, depth, row.clone());
        }
        match trie.below(node) {
            Below::Children(children) => self.walk_children(children, depth, row),
            Below::Tail(steps) => self.walk_tail(steps, entries, depth, row),
        }
    }

    fn walk_children(&mut self, children: Range<usize>, depth: usize, row: Range<usize>) {
        let first_arc = self.arcs.len();
        let least = self.leave(row.clone());
        let reach = (children.len() >= SEVERAL).then(|| self.reach(first_arc));
        for child in children {
            let step = self.trie.nodes[child].step;
            let allowed = step.limit.arriving;
            // Phones that a lexicon brought along may be heard as themselves, which `reach` does not tell.
            let reach = reach.as_ref().filter(|_| step.phone.number() < self.substitutions.len());
            if least + GAP > allowed && reach.is_some_and(|reach| reach.cost(step.phone) > allowed) {
                continue;
            }
            let end = self.rows.len();
            self.step(step, first_arc, row.clone());
            if self.rows.len() > end {
                self.walk(child, depth + 1, end..self.rows.len());
                self.rows.truncate(end);
            }
        }
        self.arcs.truncate(first_arc);
    }

    /// Follows entries each of which continues the one before.
    fn walk_tail(
        &mut self,
        steps: &[Step],
        mut entries: Range<usize>,
        mut depth: usize,
        mut row: Range<usize>,
    ) {
        let (first_row, first_arc) = (self.rows.len(), self.arcs.len());
        for &step in steps {
            let end = self.rows.len();
            self.leave(row.clone());
            self.step(step, first_arc, row);
            self.arcs.truncate(first_arc);
            row = end..self.rows.len();
            if row.is_empty() {
                break;
            }
            depth += 1;
            if step.ends {
                self.report_ends(&mut entries, depth, row.clone());
            }
        }
        self.rows.truncate(first_row);
    }

    /// Lists the arcs that leave the cells of a row, and gives the least cost of these.
    fn leave(&mut self, row: Range<usize>) -> Cost {
        let mut least = Cost::MAX;
        for &At { cell, cost } in &self.rows[row] {
            least = least.min(cost);
            for arc in self.tree.arcs(cell) {
                self.arcs.push(Leaving { to: arc.to, phone: arc.phone, cost });
            }
        }
        least
    }

    /// What the arcs from `first_arc` on cost a phone at least.
    fn reach(&self, first_arc: usize) -> Substitutions {
        let mut reach = Substitutions::NONE;
        for &Leaving { phone, cost, .. } in &self.arcs[first_arc..] {
            reach.allow(self.substitutions.get(phone.number()).unwrap_or(&Substitutions::OTHER), cost);
        }
        reach
    }

    /// Writes the row of a phone that follows a row, from whose cells the arcs from `first_arc` on leave.
    fn step(&mut self, Step { phone, limit, .. }: Step, first_arc: usize, row: Range<usize>) {
        // Taken while they are read, so that cells can be offered.
        let (arcs, rows) = (std::mem::take(&mut self.arcs), std::mem::take(&mut self.rows));
        let leaving = &arcs[first_arc..];
        match self.substitutions.get(phone.number()) {
            Some(costs) => self.offer_behind(leaving, limit, |heard| costs.cost(heard)),
            None => self.offer_behind(leaving, limit, |heard| substitution(phone, heard)),
        }
        if limit.arriving >= GAP {
            for &At { cell, cost } in &rows[row] {
                if cost + GAP <= limit.arriving {
                    self.offer(cell, cost + GAP);
                }
            }
        }
        (self.arcs, self.rows) = (arcs, rows);
        self.close(limit);
    }

    /// Offers the cells behind arcs, given what their phones cost.
    #[inline]
    fn offer_behind(&mut self, arcs: &[Leaving], limit: Limit, substitution: impl Fn(Phone) -> Cost) {
        for &Leaving { to, phone, cost } in arcs {
            let cost = cost + substitution(phone);
            if cost <= limit.arriving {
                self.offer(to, cost);
            }
        }
    }

    /// Reports the first of some entries, those of so many phones, and takes them away.
    fn report_ends(&mut self, entries: &mut Range<usize>, phones: usize, row: Range<usize>) {
        while let Some(&Entry { allowed, .. }) =
            self.trie.entries[entries.clone()].first().filter(|entry| entry.phones == phones)
        {
            for &At { cell, cost } in &self.rows[row.clone()] {
                if let Some(span) = self.tree.span(cell)
                    && cost <= allowed
                {
                    (self.report)(Found { span, entry: entries.start, cost });
                }
            }
            entries.start += 1;
        }
    }

    #[inline]
    fn offer(&mut self, cell: u32, cost: Cost) {
        let cell = cell as usize;
        self.costs[cell] = self.costs[cell].min(cost);
        self.open[cell / 64] |= 1 << (cell % 64);
        self.blocks[cell / 4096] |= 1 << (cell / 64 % 64);
    }

    /// Adds phones of the text that no phone of the term stands for, and writes the row of cells that are within the limit.
    fn close(&mut self, limit: Limit) {
        let tree = self.tree;
        for blocks in 0..self.blocks.len() {
            while self.blocks[blocks] != 0 {
                let block = 64 * blocks + self.blocks[blocks].trailing_zeros() as usize;
                while self.open[block] != 0 {
                    let place = 64 * block + self.open[block].trailing_zeros() as usize;
                    self.open[block] &= self.open[block] - 1;
                    let cost = std::mem::replace(&mut self.costs[place], Cost::MAX);
                    self.rows.push(At { cell: place as u32, cost });
                    if cost + GAP <= limit.then {
                        tree.arcs(place as u32).iter().for_each(|arc| self.offer(arc.to, cost + GAP));
                    }
                }
                self.blocks[blocks] &= self.blocks[blocks] - 1;
            }
        }
    }
}
