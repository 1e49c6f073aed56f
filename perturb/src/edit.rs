//! Unit-cost edit distance between word sequences.

use rustc_hash::FxHashMap;

const BITS: usize = u64::BITS as usize;

/// The least number of word edits that turn `hypothesis` into `reference`.
///
/// Levenshtein distance over words: `D(i, j) = min(D(i−1, j) + 1, D(i, j−1) + 1, D(i−1, j−1) + [r_i
/// ≠ h_j])`, words compared byte by byte. This is the count of errors behind every WER of this
/// project. Common words at both ends are cut off first; what remains costs `⌈shorter / 64⌉ ·
/// longer` steps.
///
/// # Reference
/// Myers 1999, "A fast bit-vector algorithm for approximate string matching based on dynamic
/// programming", in the block form of Hyyrö 2003, with a fixed start (`D(0, j) = j`) in place of
/// his search.
///
/// ```
/// use rescorer_perturb::word_errors;
///
/// assert_eq!(word_errors(&["the", "cat", "sat"], &["a", "cat", "sat", "down"]), 2);
/// assert_eq!(word_errors(&[], &["um"]), 1);
/// ```
#[must_use]
pub fn word_errors(reference: &[&str], hypothesis: &[&str]) -> usize {
    let (reference, hypothesis) = trim(reference, hypothesis);
    // Unit costs are symmetric, so the shorter side goes into the bits.
    let (pattern, text) =
        if reference.len() <= hypothesis.len() { (reference, hypothesis) } else { (hypothesis, reference) };
    match pattern {
        [] => text.len(),
        [word] => text.len() - usize::from(text.contains(word)),
        _ => bit_parallel(pattern, text),
    }
}

/// Cuts off the words that both sequences share at their start and at their end: the distance
/// stays.
fn trim<'a, 'b>(mut a: &'a [&'b str], mut b: &'a [&'b str]) -> (&'a [&'b str], &'a [&'b str]) {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    (&a[..a.len() - end], &b[..b.len() - end])
}

/// For each word of a pattern, a bit set of the places where it stands.
struct Places<'a> {
    number: FxHashMap<&'a str, usize>,
    blocks: usize,
    /// `[distinct words + 1, blocks]`; the last row is that of unknown words, empty.
    bits: Vec<u64>,
}

impl<'a> Places<'a> {
    fn new(pattern: &[&'a str]) -> Self {
        let blocks = pattern.len().div_ceil(BITS);
        let mut number = FxHashMap::with_capacity_and_hasher(pattern.len(), Default::default());
        let mut bits = Vec::with_capacity((pattern.len() + 1) * blocks);
        for (place, &word) in pattern.iter().enumerate() {
            let next = number.len();
            let row = *number.entry(word).or_insert(next);
            if row == next {
                bits.resize(bits.len() + blocks, 0);
            }
            bits[row * blocks + place / BITS] |= 1 << (place % BITS);
        }
        bits.resize(bits.len() + blocks, 0);
        Self { number, blocks, bits }
    }

    fn of(&self, word: &str) -> &[u64] {
        let row = self.number.get(word).copied();
        let start = row.unwrap_or(self.number.len()) * self.blocks;
        &self.bits[start..start + self.blocks]
    }
}

/// One block of a column: bit i of `plus` (`minus`) is set where the distance rises (falls) by 1
/// from row i to i + 1.
#[derive(Clone, Copy)]
struct Block {
    plus: u64,
    minus: u64,
}

fn bit_parallel(pattern: &[&str], text: &[&str]) -> usize {
    let places = Places::new(pattern);
    let last_block = places.blocks - 1;
    let last_bit = (pattern.len() - 1) % BITS;
    let start = Block { plus: !0, minus: 0 };
    let mut column = vec![start; places.blocks];
    let mut distance = pattern.len();
    for word in text {
        // Row 0 rises by 1 with every word of the text.
        let (mut carry_plus, mut carry_minus) = (1, 0);
        for (number, (block, &equal)) in column.iter_mut().zip(places.of(word)).enumerate() {
            let (plus, minus) = block.advance(equal, carry_plus, carry_minus);
            if number == last_block {
                distance += (plus >> last_bit & 1) as usize;
                distance -= (minus >> last_bit & 1) as usize;
            }
            (carry_plus, carry_minus) = (plus >> (BITS - 1), minus >> (BITS - 1));
        }
    }
    distance
}

impl Block {
    /// Moves the block to the next column; returns where the distance rises and falls along the
    /// rows.
    fn advance(&mut self, equal: u64, carry_plus: u64, carry_minus: u64) -> (u64, u64) {
        let vertical = equal | self.minus;
        let equal = equal | carry_minus;
        let diagonal = ((equal & self.plus).wrapping_add(self.plus) ^ self.plus) | equal;
        let plus = self.minus | !(diagonal | self.plus);
        let minus = self.plus & diagonal;
        let shifted_plus = plus << 1 | carry_plus;
        let shifted_minus = minus << 1 | carry_minus;
        self.plus = shifted_minus | !(vertical | shifted_plus);
        self.minus = shifted_plus & vertical;
        (plus, minus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    /// The textbook recurrence, two rows.
    fn naive(a: &[&str], b: &[&str]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, y) in b.iter().enumerate() {
                let best = (diagonal + usize::from(x != y)).min(row[j].min(row[j + 1]) + 1);
                diagonal = std::mem::replace(&mut row[j + 1], best);
            }
        }
        row[b.len()]
    }

    #[test]
    fn counts_by_hand() {
        let count = |r: &str, h: &str| word_errors(&words(r), &words(h));
        assert_eq!(count("", ""), 0);
        assert_eq!(count("a b c", "a b c"), 0);
        assert_eq!(count("a b c", ""), 3);
        assert_eq!(count("", "a b"), 2);
        assert_eq!(count("a b c d", "a x c"), 2);
        assert_eq!(count("a b c d", "b c d e"), 2);
        assert_eq!(count("a a b", "a b b"), 1);
        assert_eq!(count("Word", "word"), 1);
    }

    #[test]
    fn blocks_carry_over_64_words() {
        let long: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        // Rotated by one: drop the first word, add it at the end.
        let mut rotated = long[1..].to_vec();
        rotated.push(long[0]);
        assert_eq!(word_errors(&long, &rotated), 2);
        let reversed: Vec<&str> = long.iter().rev().copied().collect();
        assert_eq!(word_errors(&long, &reversed), naive(&long, &reversed));
    }

    fn sentence(longest: usize) -> impl Strategy<Value = Vec<&'static str>> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "dd"]), 0..longest)
    }

    proptest! {
        #[test]
        fn equals_the_textbook(a in sentence(150), b in sentence(150)) {
            prop_assert_eq!(word_errors(&a, &b), naive(&a, &b));
        }

        #[test]
        fn is_a_metric(a in sentence(12), b in sentence(12), c in sentence(12)) {
            prop_assert_eq!(word_errors(&a, &a), 0);
            prop_assert_eq!(word_errors(&a, &b), word_errors(&b, &a));
            prop_assert!(word_errors(&a, &c) <= word_errors(&a, &b) + word_errors(&b, &c));
        }
    }
}
