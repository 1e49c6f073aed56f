//! The words that follow a word in texts, as a tree of phones.

use rustc_hash::FxHashMap;

use crate::{Phone, Pronunciation};

/// Places of a first word that share a tree: it takes longer to look for a row's cells in a large one.
const PLACES: usize = 64;

/// A place between two phones.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Cells that a phone leads to. They come later.
    pub after: Vec<(Phone, u32)>,
    /// The cell where this word's pronunciations meet again, if this is the end of one among several.
    pub meets: Option<u32>,
    /// Number of the word sequence that ends here, plus 1; 0 for none.
    pub span: u32,
}

/// A sequence of words from the first one.
#[derive(Debug, Clone)]
pub struct Span {
    /// How many words it has.
    pub words: usize,
    /// Texts that have it, and where it starts in them.
    pub places: Vec<(usize, usize)>,
}

/// All word sequences that start with one word, as far as a span may go.
#[derive(Debug)]
pub struct Following {
    /// The first cell is before the first word.
    pub cells: Vec<Cell>,
    pub spans: Vec<Span>,
}

/// A text: numbers of its words.
pub type Text = Vec<usize>;

/// The trees of all first words. `said` has the pronunciations of every word, `most` is the greatest number of words of a span.
pub fn trees(texts: &[Text], said: &[&[Pronunciation]], most: usize, backwards: bool) -> Vec<Following> {
    let mut first: FxHashMap<usize, Vec<(usize, usize)>> = FxHashMap::default();
    for (text, words) in texts.iter().enumerate() {
        for (start, &word) in words.iter().enumerate() {
            first.entry(word).or_default().push((text, start));
        }
    }
    let mut first: Vec<_> = first.into_iter().collect();
    first.sort_unstable();
    let mut trees = Vec::new();
    let parts =
        first.iter().flat_map(|(word, places)| places.chunks(PLACES).map(|part| (*word, part.to_vec())));
    for (word, places) in parts {
        let mut tree = Following { cells: vec![Cell::default()], spans: Vec::new() };
        tree.grow(0, word, 1, places, &Growth { texts, said, most, backwards });
        trees.push(tree);
    }
    trees
}

struct Growth<'a> {
    texts: &'a [Text],
    said: &'a [&'a [Pronunciation]],
    most: usize,
    backwards: bool,
}

impl Following {
    /// Adds a word behind a cell, and all words that follow it in texts.
    fn grow(
        &mut self,
        from: u32,
        word: usize,
        words: usize,
        places: Vec<(usize, usize)>,
        growth: &Growth<'_>,
    ) {
        let Some(end) = self.add_word(from, growth.said[word], growth.backwards) else { return };
        if words < growth.most {
            let mut next: FxHashMap<usize, Vec<(usize, usize)>> = FxHashMap::default();
            for &(text, start) in &places {
                if let Some(&word) = growth.texts[text].get(start + words) {
                    next.entry(word).or_default().push((text, start));
                }
            }
            let mut next: Vec<_> = next.into_iter().collect();
            next.sort_unstable();
            for (word, places) in next {
                self.grow(end, word, words + 1, places, growth);
            }
        }
        self.spans.push(Span { words, places });
        self.cells[end as usize].span = self.spans.len() as u32;
    }

    /// Adds the pronunciations of a word; the cell where they end, `None` where it has none or no cells are left.
    fn add_word(&mut self, from: u32, said: &[Pronunciation], backwards: bool) -> Option<u32> {
        let mut ends = Vec::new();
        for phones in said {
            let mut cell = from;
            for place in 0..phones.len() {
                let phone = phones[if backwards { phones.len() - 1 - place } else { place }];
                let next = self.add_cell()?;
                self.cells[cell as usize].after.push((phone, next));
                cell = next;
            }
            ends.push(cell);
        }
        match *ends.as_slice() {
            [] => None,
            [end] => Some(end),
            _ => {
                let meeting = self.add_cell()?;
                ends.into_iter().for_each(|end| self.cells[end as usize].meets = Some(meeting));
                Some(meeting)
            }
        }
    }

    fn add_cell(&mut self) -> Option<u32> {
        let cell = u32::try_from(self.cells.len()).ok()?;
        self.cells.push(Cell::default());
        Some(cell)
    }
}
