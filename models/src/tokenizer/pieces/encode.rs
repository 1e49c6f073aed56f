use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::{Fallback, Pieces, SPACE};

/// No neighbour.
const NONE: usize = usize::MAX;

/// A stretch of the text, between those before and after it. One that was joined to its left is empty.
#[derive(Clone, Copy)]
struct Symbol {
    start: usize,
    end: usize,
    before: usize,
    after: usize,
    /// The user-defined piece that it is.
    fixed: Option<u32>,
}

/// Two neighbours that spell a piece.
struct Join {
    score: f32,
    left: usize,
    right: usize,
    /// Bytes of both; they have changed where it no longer holds.
    len: usize,
}

impl Ord for Join {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(Reverse(self.left).cmp(&Reverse(other.left)))
    }
}

impl PartialOrd for Join {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Join {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Join {}

impl Pieces {
    /// Tokens of a text, in time `n log n` of its length.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        if text.is_empty() {
            return Vec::new();
        }
        let mut spelled = String::with_capacity(text.len() + SPACE.len_utf8());
        if self.space_prefix {
            spelled.push(SPACE);
        }
        spelled.extend(text.chars().map(|c| if c == ' ' { SPACE } else { c }));
        let mut symbols = self.split(&spelled);
        self.join(&spelled, &mut symbols);
        self.ids(&spelled, &symbols)
    }

    /// Characters and user-defined pieces.
    fn split(&self, text: &str) -> Vec<Symbol> {
        let mut symbols = Vec::with_capacity(text.len());
        let mut start = 0;
        while let Some(first) = text[start..].chars().next() {
            let pieces = self.fixed.get(&first).map_or(&[][..], Vec::as_slice);
            let found = pieces.iter().find(|(piece, _)| text[start..].starts_with(piece.as_str()));
            let end = start + found.map_or(first.len_utf8(), |(piece, _)| piece.len());
            let number = symbols.len();
            let (before, after) = (number.checked_sub(1).unwrap_or(NONE), number + 1);
            symbols.push(Symbol { start, end, before, after, fixed: found.map(|(_, id)| *id) });
            start = end;
        }
        if let Some(last) = symbols.last_mut() {
            last.after = NONE;
        }
        symbols
    }

    fn join(&self, text: &str, symbols: &mut [Symbol]) {
        let pairs = (1..symbols.len()).filter_map(|right| self.candidate(text, symbols, right - 1, right));
        let mut queue: BinaryHeap<Join> = pairs.collect();
        while let Some(Join { left, right, len, .. }) = queue.pop() {
            let [first, second] = [symbols[left], symbols[right]];
            let is_gone = first.start == first.end || second.start == second.end;
            if is_gone || second.end - first.start != len {
                continue;
            }
            symbols[left].end = second.end;
            symbols[left].after = second.after;
            symbols[right].end = second.start;
            if second.after != NONE {
                symbols[second.after].before = left;
                queue.extend(self.candidate(text, symbols, left, second.after));
            }
            if first.before != NONE {
                queue.extend(self.candidate(text, symbols, first.before, left));
            }
        }
    }

    fn candidate(&self, text: &str, symbols: &[Symbol], left: usize, right: usize) -> Option<Join> {
        let (first, second) = (&symbols[left], &symbols[right]);
        let len = second.end - first.start;
        if first.fixed.is_some() || second.fixed.is_some() || len > self.longest {
            return None;
        }
        let id = self.ids.get(&text[first.start..second.end])?;
        Some(Join { score: self.scores[*id as usize], left, right, len })
    }

    fn ids(&self, text: &str, symbols: &[Symbol]) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut was_unknown = false;
        for symbol in symbols.iter().filter(|symbol| symbol.start < symbol.end) {
            let piece = &text[symbol.start..symbol.end];
            let id = symbol.fixed.or_else(|| self.ids.get(piece).copied());
            match (id, &self.fallback) {
                (Some(id), _) => ids.push(id),
                (None, Fallback::Bytes(bytes)) => ids.extend(piece.bytes().map(|b| bytes[usize::from(b)])),
                (None, Fallback::Unknown(unknown)) if !was_unknown => ids.push(*unknown),
                (None, Fallback::Unknown(_)) => {}
            }
            was_unknown = id.is_none();
        }
        ids
    }
}
