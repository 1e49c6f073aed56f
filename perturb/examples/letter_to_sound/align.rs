//! Cuts words and their pronunciations into chunks that belong together, by expectation and maximisation.

/// Phones of English and letters: a to z and the apostrophe.
pub const PHONES: usize = 39;
pub const LETTERS: usize = 27;
/// Letters and phones of a chunk.
const SHAPES: [(usize, usize); 4] = [(1, 1), (1, 0), (1, 2), (2, 1)];
const LETTER_KEYS: usize = LETTERS * (LETTERS + 1);
const PHONE_KEYS: usize = 1 + PHONES + PHONES * PHONES;
const ROUNDS: usize = 10;
/// Chunks that are rarer in the most likely cuts are given up, and so are words that need them.
const LEAST: usize = 3;

/// A word's letters and phones, by number.
pub struct Entry {
    pub letters: Vec<u8>,
    pub phones: Vec<u8>,
}

/// The chunks of all entries, by number, and what each stands for.
pub struct Aligned {
    /// Letters and phones of each chunk, the most frequent chunk first.
    pub chunks: Vec<(Vec<u8>, Vec<u8>)>,
    /// Chunks of each entry that could be cut.
    pub words: Vec<Vec<u16>>,
}

/// Where the probability of a chunk stands.
fn key(letters: &[u8], phones: &[u8]) -> usize {
    let letters = letters.iter().rev().fold(0, |key, &letter| key * LETTERS + usize::from(letter) + 1) - 1;
    letters * PHONE_KEYS + phones.iter().rev().fold(0, |key, &phone| key * PHONES + usize::from(phone) + 1)
}

/// The chunks that may follow a place, with the places after them.
fn chunks(entry: &Entry, place: (usize, usize)) -> impl Iterator<Item = (usize, (usize, usize))> {
    SHAPES.iter().filter_map(move |(letters, phones)| {
        let next = (place.0 + letters, place.1 + phones);
        let inside = next.0 <= entry.letters.len() && next.1 <= entry.phones.len();
        inside.then(|| (key(&entry.letters[place.0..next.0], &entry.phones[place.1..next.1]), next))
    })
}

/// Adds how often each chunk is expected in an entry.
fn expect(entry: &Entry, probabilities: &[f64], counts: &mut [f64]) {
    let (height, width) = (entry.letters.len(), entry.phones.len() + 1);
    let at = |place: (usize, usize)| place.0 * width + place.1;
    let places = || (0..=height).flat_map(|row| (0..width).map(move |column| (row, column)));
    let mut forward = vec![0.0; (height + 1) * width];
    let mut backward = forward.clone();
    forward[0] = 1.0;
    for place in places() {
        for (chunk, next) in chunks(entry, place) {
            forward[at(next)] += forward[at(place)] * probabilities[chunk];
        }
    }
    let total = forward[forward.len() - 1];
    if total <= 0.0 {
        return;
    }
    let last = backward.len() - 1;
    backward[last] = 1.0;
    for place in places().collect::<Vec<_>>().into_iter().rev() {
        for (chunk, next) in chunks(entry, place) {
            let through = probabilities[chunk] * backward[at(next)];
            backward[at(place)] += through;
            counts[chunk] += forward[at(place)] * through / total;
        }
    }
}

/// The most likely chunks of an entry.
fn cut(entry: &Entry, probabilities: &[f64]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let width = entry.phones.len() + 1;
    let mut best = vec![(0.0_f64, (0, 0)); (entry.letters.len() + 1) * width];
    best[0].0 = 1.0;
    for row in 0..=entry.letters.len() {
        for column in 0..width {
            for (chunk, (letters, phones)) in chunks(entry, (row, column)) {
                let score = best[row * width + column].0 * probabilities[chunk];
                let known = &mut best[letters * width + phones];
                if score > known.0 {
                    *known = (score, (row, column));
                }
            }
        }
    }
    let mut end = (entry.letters.len(), entry.phones.len());
    let mut found = Vec::new();
    while end != (0, 0) {
        let (score, start) = best[end.0 * width + end.1];
        if score <= 0.0 {
            return None;
        }
        found.push((entry.letters[start.0..end.0].to_vec(), entry.phones[start.1..end.1].to_vec()));
        end = start;
    }
    found.reverse();
    Some(found)
}

/// Cuts entries into chunks.
pub fn align(entries: &[Entry]) -> Aligned {
    let mut probabilities = vec![1e-3; LETTER_KEYS * PHONE_KEYS];
    for _ in 0..ROUNDS {
        let mut counts = vec![0.0; probabilities.len()];
        entries.iter().for_each(|entry| expect(entry, &probabilities, &mut counts));
        let total: f64 = counts.iter().sum();
        probabilities = counts.into_iter().map(|count| count / total).collect();
    }
    // Twice: the words that need a rare chunk may have another cut.
    for least in [LEAST, 1] {
        let mut counts = std::collections::BTreeMap::<_, usize>::new();
        let cuts: Vec<_> = entries.iter().filter_map(|entry| cut(entry, &probabilities)).collect();
        cuts.iter().flatten().for_each(|chunk| *counts.entry(chunk.clone()).or_default() += 1);
        if least == 1 {
            let mut chunks: Vec<_> = counts.iter().collect();
            chunks.sort_by_key(|&(chunk, count)| (std::cmp::Reverse(count), chunk));
            let chunks: Vec<_> = chunks.into_iter().map(|(chunk, _)| chunk.clone()).collect();
            let numbers: std::collections::BTreeMap<_, u16> = chunks.iter().zip(0..).collect();
            let words = cuts.iter().map(|cut| cut.iter().map(|chunk| numbers[chunk]).collect()).collect();
            return Aligned { chunks, words };
        }
        let mut kept = vec![0.0; probabilities.len()];
        for (letters, phones) in counts.iter().filter(|(_, count)| **count >= least).map(|(chunk, _)| chunk) {
            let key = key(letters, phones);
            kept[key] = probabilities[key];
        }
        probabilities = kept;
    }
    unreachable!("the last turn returns")
}
