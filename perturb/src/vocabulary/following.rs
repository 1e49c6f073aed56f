//! The words that follow a word in texts, as a tree of phones.

use rustc_hash::FxHashMap;

use crate::{Phone, Pronunciation};

/// Places of a first word that share a tree: it takes longer to look for a row's cells in a large one.
const PLACES: usize = 64;
/// Stands for no number.
const NONE: u32 = u32::MAX;

/// A place between two phones.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// The first of the arcs that lead on.
    arc: u32,
    /// The cell where this word's pronunciations meet again, if this is the end of one among several.
    meets: u32,
    /// Number of the span that ends here.
    span: u32,
}

/// A phone that leads to a later cell.
#[derive(Debug, Clone, Copy)]
pub struct Arc {
    pub phone: Phone,
    pub to: u32,
    /// Another arc from the same cell.
    next: u32,
}

/// A sequence of words from the first one.
#[derive(Debug, Clone)]
pub struct Span {
    /// How many words it has.
    pub words: usize,
    /// Texts that have it, and where it starts in them.
    pub places: Vec<(usize, usize)>,
}

/// All word sequences that start with one word, as far as a span may go. Cell 0 is before the first word.
#[derive(Debug)]
pub struct Following {
    cells: Vec<Cell>,
    arcs: Vec<Arc>,
    pub spans: Vec<Span>,
}

/// A text: numbers of its words.
pub type Text = Vec<usize>;

/// What trees grow from.
#[derive(Debug, Clone, Copy)]
pub struct Soil<'a> {
    pub texts: &'a [Text],
    /// Pronunciations of every word.
    pub said: &'a [&'a [Pronunciation]],
    /// The greatest number of words of a span.
    pub most: usize,
    /// Whether texts are in reverse, so that phones must be too.
    pub backwards: bool,
}

/// The trees of all first words.
pub fn trees(soil: Soil<'_>) -> Vec<Following> {
    let places = |(text, words): (usize, &Text)| (0..words.len()).map(move |start| (text, start));
    let everywhere = soil.texts.iter().enumerate().flat_map(places);
    let mut trees = Vec::new();
    for (word, places) in by_word(everywhere, 0, soil) {
        for places in places.chunks(PLACES) {
            let mut tree = Following { cells: Vec::new(), arcs: Vec::new(), spans: Vec::new() };
            let root = tree.add_cell();
            tree.grow(root, word, 1, places.to_vec(), soil);
            trees.push(tree);
        }
    }
    trees
}

/// Places by the word that is so many words behind them.
fn by_word(
    places: impl Iterator<Item = (usize, usize)>,
    behind: usize,
    soil: Soil<'_>,
) -> Vec<(usize, Vec<(usize, usize)>)> {
    let mut found: FxHashMap<usize, Vec<(usize, usize)>> = FxHashMap::default();
    for (text, start) in places {
        if let Some(&word) = soil.texts[text].get(start + behind) {
            found.entry(word).or_default().push((text, start));
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_unstable();
    found
}

impl Following {
    /// Adds a word behind a cell, and all words that follow it in texts.
    fn grow(&mut self, from: u32, word: usize, words: usize, places: Vec<(usize, usize)>, soil: Soil<'_>) {
        let Some(end) = self.add_word(from, soil.said[word], soil.backwards) else { return };
        if words < soil.most {
            for (word, places) in by_word(places.iter().copied(), words, soil) {
                self.grow(end, word, words + 1, places, soil);
            }
        }
        self.cells[end as usize].span = self.spans.len() as u32;
        self.spans.push(Span { words, places });
    }

    /// Adds the pronunciations of a word; the cell where they end, `None` where it has none.
    fn add_word(&mut self, from: u32, said: &[Pronunciation], backwards: bool) -> Option<u32> {
        let mut ends = Vec::with_capacity(said.len());
        for phones in said {
            let mut cell = from;
            for place in 0..phones.len() {
                let phone = phones[if backwards { phones.len() - 1 - place } else { place }];
                let to = self.add_cell();
                let next = std::mem::replace(&mut self.cells[cell as usize].arc, self.arcs.len() as u32);
                self.arcs.push(Arc { phone, to, next });
                cell = to;
            }
            ends.push(cell);
        }
        if ends.len() < 2 {
            return ends.pop();
        }
        let meeting = self.add_cell();
        ends.into_iter().for_each(|end| self.cells[end as usize].meets = meeting);
        Some(meeting)
    }

    fn add_cell(&mut self) -> u32 {
        self.cells.push(Cell { arc: NONE, meets: NONE, span: NONE });
        self.cells.len() as u32 - 1
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// The arcs from a cell.
    pub fn arcs(&self, cell: u32) -> impl Iterator<Item = Arc> {
        let arc = |number: u32| self.arcs.get(number as usize).copied();
        std::iter::successors(arc(self.cells[cell as usize].arc), move |from| arc(from.next))
    }

    /// The cell, if any, where a word's pronunciations meet again.
    pub fn meeting(&self, cell: u32) -> Option<u32> {
        Some(self.cells[cell as usize].meets).filter(|&meets| meets != NONE)
    }

    /// The number of the span, if any, that ends at a cell.
    pub fn span(&self, cell: u32) -> Option<usize> {
        let span = self.cells[cell as usize].span;
        (span != NONE).then_some(span as usize)
    }
}
