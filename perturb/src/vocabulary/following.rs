//! The words that follow each other in texts, as trees of phones.

use std::ops::Range;

use crate::{Phone, Pronunciation};

/// Cells of a tree that has enough of them: further first words get another one, which another thread may search.
const CELLS: usize = 512;
/// Stands for no number.
const NONE: u32 = u32::MAX;

/// A phone that leads to a later cell.
#[derive(Debug, Clone, Copy)]
pub struct Arc {
    pub phone: Phone,
    pub to: u32,
}

/// A sequence of words.
#[derive(Debug)]
pub struct Span<'a> {
    /// How many there are.
    pub words: usize,
    /// Texts that have it, and where it starts in them.
    pub places: &'a [Place],
}

/// All word sequences that start with some words, as far as a span may go.
///
/// A cell is a place between two phones; cell 0 is before the first words. Arcs lead to cells of higher numbers.
#[derive(Debug)]
pub struct Following<'a> {
    /// The arcs that leave each cell.
    from: Vec<Range<u32>>,
    arcs: Vec<Arc>,
    /// Number of the span that ends at a cell.
    ends: Vec<u32>,
    pub spans: Vec<Span<'a>>,
}

/// A text: numbers of its words. Words that are said alike have the same number.
pub type Text = Vec<usize>;

/// A text's number and the first word of a span in it.
pub type Place = (usize, usize);

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

impl Soil<'_> {
    /// The word that is so many words behind a place, if the text goes on so long.
    fn word(&self, (text, start): Place, behind: usize) -> Option<usize> {
        self.texts[text].get(start + behind).copied()
    }

    /// All places in texts, in the order of the words that follow them.
    pub fn places(&self) -> Vec<Place> {
        let places = |(text, words): (usize, &Text)| (0..words.len()).map(move |start| (text, start));
        let mut places: Vec<Place> = self.texts.iter().enumerate().flat_map(places).collect();
        let words = |&(text, start): &Place| {
            let words = &self.texts[text][start..];
            &words[..words.len().min(self.most)]
        };
        places.sort_unstable_by(|a, b| words(a).cmp(words(b)).then(a.cmp(b)));
        places
    }
}

/// The trees of all first words, given the places where they are.
pub fn trees<'a>(soil: Soil<'a>, places: &'a [Place]) -> Vec<Following<'a>> {
    let mut trees = Vec::new();
    let mut growing = Growing::new(soil);
    for alike in places.chunk_by(|&a, &b| soil.word(a, 0) == soil.word(b, 0)) {
        growing.grow(0, alike, 0);
        if growing.ends.len() >= CELLS {
            trees.push(std::mem::replace(&mut growing, Growing::new(soil)).finish());
        }
    }
    trees.push(growing.finish());
    trees
}

/// A tree in the making.
struct Growing<'a> {
    soil: Soil<'a>,
    /// Arcs with the cells that they leave.
    arcs: Vec<(u32, Arc)>,
    ends: Vec<u32>,
    spans: Vec<Span<'a>>,
}

impl<'a> Growing<'a> {
    fn new(soil: Soil<'a>) -> Self {
        Self { soil, arcs: Vec::new(), ends: vec![NONE], spans: Vec::new() }
    }

    /// Adds the word that places have so many words behind them, and all words that follow it in texts.
    fn grow(&mut self, from: u32, places: &'a [Place], behind: usize) {
        let Soil { said, most, .. } = self.soil;
        let Some(word) = self.soil.word(places[0], behind) else { return };
        let Some(end) = self.add_word(from, said[word]) else { return };
        let words = behind + 1;
        if words < most {
            let soil = self.soil;
            for alike in places.chunk_by(|&a, &b| soil.word(a, words) == soil.word(b, words)) {
                self.grow(end, alike, words);
            }
        }
        self.ends[end as usize] = self.spans.len() as u32;
        self.spans.push(Span { words, places });
    }

    /// Adds the pronunciations of a word; the cell where they end, `None` where it has none.
    fn add_word(&mut self, from: u32, said: &[Pronunciation]) -> Option<u32> {
        let mut lasts = Vec::with_capacity(said.len());
        for phones in said {
            let mut cell = from;
            let (last, others) = match self.soil.backwards {
                false => phones.split_last()?,
                true => phones.split_first()?,
            };
            for place in 0..others.len() {
                let phone = others[if self.soil.backwards { others.len() - 1 - place } else { place }];
                let to = self.add_cell();
                self.arcs.push((cell, Arc { phone, to }));
                cell = to;
            }
            lasts.push((cell, *last));
        }
        if lasts.is_empty() {
            return None;
        }
        let to = self.add_cell();
        self.arcs.extend(lasts.into_iter().map(|(cell, phone)| (cell, Arc { phone, to })));
        Some(to)
    }

    fn add_cell(&mut self) -> u32 {
        self.ends.push(NONE);
        self.ends.len() as u32 - 1
    }

    fn finish(self) -> Following<'a> {
        let Self { mut arcs, ends, spans, .. } = self;
        arcs.sort_by_key(|&(cell, _)| cell);
        let mut from = vec![0..0; ends.len()];
        let mut start = 0;
        for leaving in arcs.chunk_by(|(cell, _), (other, _)| cell == other) {
            let end = start + leaving.len() as u32;
            from[leaving[0].0 as usize] = start..end;
            start = end;
        }
        Following { from, arcs: arcs.into_iter().map(|(_, arc)| arc).collect(), ends, spans }
    }
}

impl Following<'_> {
    /// The number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The arcs from a cell.
    pub fn arcs(&self, cell: u32) -> &[Arc] {
        let Range { start, end } = self.from[cell as usize];
        &self.arcs[start as usize..end as usize]
    }

    /// The number of the span, if any, that ends at a cell.
    pub fn span(&self, cell: u32) -> Option<usize> {
        let span = self.ends[cell as usize];
        (span != NONE).then_some(span as usize)
    }
}
