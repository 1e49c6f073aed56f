use std::collections::HashMap;

/// A confusion network: the hypotheses of a list laid over each other, word by word.
///
/// The first hypothesis, the backbone, gives a slot for each of its words. The others are aligned with what is there, one after the
/// other, by the least expected number of edits: putting a word into a slot costs the share of the weight in it that says something
/// else, leaving a slot out the share that has a word there, a new slot 1. So every slot holds the words that compete for one
/// place, each with the weight of the hypotheses that have it, and the weight of those that have none.
///
/// # Reference
/// Fiscus 1997, "A post-processing system to yield reduced word error rates: Recognizer output voting error reduction (ROVER)";
/// Mangu, Brill, Stolcke 2000, "Finding consensus in speech recognition".
#[derive(Debug, Clone)]
pub(super) struct Network {
    slots: Vec<Slot>,
}

/// One place of a network.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// The words that compete, the backbone's first where it has one.
    words: Vec<SlotWord>,
    /// Weight of the hypotheses without a word here.
    empty: f64,
    /// Whether the backbone has a word here.
    of_backbone: bool,
}

/// A word in a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SlotWord {
    key: u32,
    /// Weight of the hypotheses that have it here.
    pub(super) weight: f64,
    /// The first hypothesis that has it, in the order in which they were added.
    pub(super) hypothesis: usize,
    /// Its place among that hypothesis's words.
    pub(super) index: usize,
}

/// How the cheapest alignment got to a cell.
#[derive(Clone, Copy)]
enum Step {
    Pair,
    Skip,
    Insert,
}

impl Network {
    /// Lays hypotheses over each other, in this order; `weights` are their shares, not negative. What counts as the same word is
    /// the same string.
    pub(super) fn new(hypotheses: &[&[&str]], weights: &[f64]) -> Self {
        let mut keys: HashMap<&str, u32> = HashMap::new();
        let mut network = Self { slots: Vec::new() };
        let mut total = 0.0;
        for (number, (words, &weight)) in hypotheses.iter().zip(weights).enumerate() {
            let words: Vec<u32> = words
                .iter()
                .map(|&word| {
                    let next = keys.len() as u32;
                    *keys.entry(word).or_insert(next)
                })
                .collect();
            network.add(number, &words, weight, total);
            total += weight;
        }
        network
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Adds a hypothesis to `total`, the weight of those before.
    fn add(&mut self, number: usize, words: &[u32], weight: f64, total: f64) {
        let steps = self.align(words, total);
        let mut old = std::mem::take(&mut self.slots).into_iter();
        let mut index = 0;
        for step in steps {
            let new = |key| SlotWord { key, weight, hypothesis: number, index };
            let slot = match step {
                Step::Insert => {
                    Some(Slot { words: vec![new(words[index])], empty: total, of_backbone: number == 0 })
                }
                Step::Pair => old.next().map(|mut slot| {
                    match slot.words.iter_mut().find(|word| word.key == words[index]) {
                        Some(word) => word.weight += weight,
                        None => slot.words.push(new(words[index])),
                    }
                    slot
                }),
                Step::Skip => old.next().map(|slot| Slot { empty: slot.empty + weight, ..slot }),
            };
            index += usize::from(!matches!(step, Step::Skip));
            self.slots.extend(slot);
        }
    }

    /// The cheapest way through slots and words, from the first step to the last. Of equally cheap steps the pair is taken before
    /// the slot left out, and that before a new slot.
    fn align(&self, words: &[u32], total: f64) -> Vec<Step> {
        let width = words.len() + 1;
        let share = |weight: f64| if total > 0.0 { weight / total } else { 0.0 };
        let mut steps = vec![Step::Insert; (self.slots.len() + 1) * width];
        let mut row: Vec<f64> = (0..width).map(|place| place as f64).collect();
        for (line, slot) in self.slots.iter().enumerate() {
            let mut diagonal = row[0];
            let skip = 1.0 - share(slot.empty);
            row[0] += skip;
            steps[(line + 1) * width] = Step::Skip;
            for (place, &key) in words.iter().enumerate() {
                let known = slot.words.iter().find(|word| word.key == key).map_or(0.0, |word| word.weight);
                let mut best = (diagonal + 1.0 - share(known), Step::Pair);
                for other in [(row[place + 1] + skip, Step::Skip), (row[place] + 1.0, Step::Insert)] {
                    if other.0 < best.0 {
                        best = other;
                    }
                }
                diagonal = row[place + 1];
                (row[place + 1], steps[(line + 1) * width + place + 1]) = best;
            }
        }
        let (mut line, mut place) = (self.slots.len(), words.len());
        let mut path = Vec::with_capacity(line + place);
        while line + place > 0 {
            let step = steps[line * width + place];
            path.push(step);
            line -= usize::from(!matches!(step, Step::Insert));
            place -= usize::from(!matches!(step, Step::Skip));
        }
        path.reverse();
        path
    }
}

impl Slot {
    /// The backbone's word, if it has one here.
    pub(super) fn backbone(&self) -> Option<&SlotWord> {
        self.words.first().filter(|_| self.of_backbone)
    }

    /// The word that wins: the heaviest, or none where most hypotheses have none. The backbone's choice stays unless the lead over
    /// it is more than `margin`.
    pub(super) fn winner(&self, margin: f64) -> Option<&SlotWord> {
        let own = self.backbone();
        let (mut best, mut weight) = (own, own.map_or(self.empty, |word| word.weight) + margin);
        let others = self.words.iter().map(|word| (Some(word), word.weight));
        for (word, other) in others.chain([(None, self.empty)]) {
            if other > weight {
                (best, weight) = (word, other);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(hypotheses: &[(&str, f64)]) -> Network {
        let words: Vec<Vec<&str>> = hypotheses.iter().map(|(text, _)| text.split(' ').collect()).collect();
        let words: Vec<&[&str]> = words.iter().map(Vec::as_slice).collect();
        let weights: Vec<f64> = hypotheses.iter().map(|(_, weight)| *weight).collect();
        Network::new(&words, &weights)
    }

    fn merged(hypotheses: &[(&str, f64)], margin: f64) -> String {
        let network = network(hypotheses);
        let word = |word: &SlotWord| hypotheses[word.hypothesis].0.split(' ').nth(word.index).unwrap();
        let words: Vec<&str> =
            network.slots().iter().filter_map(|slot| slot.winner(margin)).map(word).collect();
        words.join(" ")
    }

    #[test]
    fn each_place_is_voted_on() {
        let list = [("the bat sat", 0.4), ("the cat sit", 0.35), ("a cat sat", 0.25)];
        assert_eq!(merged(&list, 0.0), "the cat sat");
        assert_eq!(merged(&list, 0.25), "the bat sat", "0.6 leads 0.4 by 0.2");
    }

    #[test]
    fn words_are_left_out_and_put_in() {
        assert_eq!(merged(&[("i i think so", 0.4), ("i think so", 0.6)], 0.0), "i think so");
        let list = [("turn left", 0.4), ("turn to left", 0.3), ("turn to the left", 0.3)];
        assert_eq!(merged(&list, 0.0), "turn to left", "`the` has 0.3 of 1");
        assert_eq!(network(&list).slots().len(), 4);
    }

    #[test]
    fn the_weights_of_a_slot_add_up() {
        let network = network(&[("a b c d", 0.5), ("a x d", 0.2), ("b c d e", 0.2), ("d", 0.1)]);
        for slot in network.slots() {
            let sum: f64 = slot.empty + slot.words.iter().map(|word| word.weight).sum::<f64>();
            assert!((sum - 1.0).abs() < 1e-12, "{slot:?}");
        }
        assert_eq!(network.slots().iter().filter(|slot| slot.backbone().is_some()).count(), 4);
    }

    #[test]
    fn an_empty_backbone_has_no_word() {
        let network = Network::new(&[&[], &["a"]], &[0.7, 0.3]);
        assert_eq!(network.slots().len(), 1);
        assert!(network.slots()[0].winner(0.0).is_none());
    }
}
