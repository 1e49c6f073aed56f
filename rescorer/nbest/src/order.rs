//! Finds out whether the scores of an input are costs: lists that are ordered against their scores.
//!
//! A recogniser lists its best hypothesis first. Where the scores rise from the first hypothesis to the last, in list
//! after list, they are costs, and whoever takes the highest takes the worst.
//!
//! # The rule
//! Lists whose scores are all equal say nothing. Of the others, one is *against* its scores where they never fall. Two
//! explanations of an input are compared list by list: costs, of which 95% of the lists are against their scores; and
//! an order that has nothing to do with the scores, by which a list is against them with probability
//! `p = Π mᵢ! / n!` (`n` hypotheses, `mᵢ` of them with the `i`-th score). The evidence is the logarithm of the ratio,
//!
//! ```text
//! E = Σ against: min(ln 0.95/p, ln 20)  +  Σ others: ln 0.05
//! ```
//!
//! so a list that is not against its scores takes back what one of four hypotheses gave, and no long list outweighs
//! several short ones. During reading `E ≥ ln 1000` settles it: 3 lists of four, 4 of three, 11 of two. At the end
//! `E ≥ ln 5` does: 1 list of three, 3 of two.
//!
//! # False alarms
//! Under an order that has nothing to do with the scores, `exp E` is expected to be at most 1 after every list (a
//! supermartingale). By Ville's inequality an input of any length is called costs while it is read with a probability
//! of at most 1 in 1000, and by Markov's at its end with one of at most 1 in 5, which only inputs of one to three lists come
//! near. Lists in the order of their scores give −3 each.

use std::sync::Arc;

use crate::reading::Reading;
use crate::{Format, Notice, Utterance};

/// The share of lists of costs that are in order.
const IN_ORDER: f64 = 0.95;

/// The ratio that one list can give.
const MOST: f64 = 20.0;

/// The ratios that settle it while lists still come, and at the end.
const EARLY: f64 = 1000.0;
const AT_END: f64 = 5.0;

/// Lists that are ordered against their scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reversed {
    /// How many.
    pub(crate) lists: u64,
    /// Of how many that have at least two different scores.
    pub(crate) of: u64,
    /// The id of the first of them.
    pub(crate) first: String,
}

/// What is known of the order of an input's lists so far.
#[derive(Debug, Default)]
pub(crate) struct OrderWatch {
    evidence: f64,
    reversed: u64,
    judged: u64,
    first: Option<String>,
    settled: bool,
}

impl OrderWatch {
    /// Takes a list; says once that the lists are ordered against their scores.
    pub(crate) fn see(&mut self, utterance: &Utterance) -> Option<Reversed> {
        if self.settled || utterance.nbest.len() < 2 {
            return None;
        }
        let scores: Vec<f64> = utterance.nbest.iter().filter_map(|hypothesis| hypothesis.score).collect();
        match Order::of(&scores) {
            Order::None => return None,
            Order::Other => self.evidence += (1.0 - IN_ORDER).ln(),
            Order::Against { ln_chance } => {
                self.evidence += (IN_ORDER.ln() - ln_chance).min(MOST.ln());
                self.reversed += 1;
                self.first.get_or_insert_with(|| utterance.id.clone());
            }
        }
        self.judged += 1;
        self.settle(EARLY)
    }

    /// Says at the end of the input, if it was not said before, that the lists are ordered against their scores.
    pub(crate) fn end(&mut self) -> Option<Reversed> {
        if self.settled { None } else { self.settle(AT_END) }
    }

    fn settle(&mut self, ratio: f64) -> Option<Reversed> {
        self.settled = self.evidence >= ratio.ln();
        let first = self.first.clone().filter(|_| self.settled)?;
        Some(Reversed { lists: self.reversed, of: self.judged, first })
    }
}

/// The watch over one input that is read, with those who are told.
pub(crate) struct Watched {
    watch: OrderWatch,
    path: String,
    format: Format,
    reading: Arc<Reading>,
}

impl Watched {
    pub(crate) fn new(path: &str, format: Format, reading: Arc<Reading>) -> Self {
        Self { watch: OrderWatch::default(), path: path.to_owned(), format, reading }
    }

    /// Takes a list.
    pub(crate) fn see(&mut self, utterance: &Utterance) {
        let found = self.watch.see(utterance);
        self.say(found);
    }

    /// Judges what was read, at the end of the input or where nobody reads on.
    pub(crate) fn end(&mut self) {
        let found = self.watch.end();
        self.say(found);
    }

    fn say(&self, found: Option<Reversed>) {
        let Some(Reversed { lists, of, first }) = found else { return };
        let (path, format) = (self.path.clone(), self.format);
        self.reading.notices.once(|| Notice::RisingScores { path, format, lists, of, first });
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end();
    }
}

/// How a list stands to its scores.
#[derive(Debug, PartialEq)]
enum Order {
    /// Its scores are all equal, or there are none.
    None,
    /// Its scores never fall; by chance that happens with a probability of this logarithm.
    Against {
        ln_chance: f64,
    },
    Other,
}

impl Order {
    fn of(scores: &[f64]) -> Self {
        if scores.windows(2).all(|pair| pair[0] == pair[1]) {
            return Self::None;
        }
        if scores.windows(2).any(|pair| pair[0] > pair[1]) {
            return Self::Other;
        }
        // n! over the factorials of the runs of equal scores, factor by factor.
        let (mut ln_chance, mut run) = (0.0, 0);
        for (index, score) in scores.iter().enumerate() {
            run = if index > 0 && scores[index - 1] == *score { run + 1 } else { 1 };
            ln_chance += f64::from(run).ln() - ((index + 1) as f64).ln();
        }
        Self::Against { ln_chance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hypothesis, NBest};

    fn watch(lists: &[&[f64]]) -> (Option<(usize, Reversed)>, Option<Reversed>) {
        let mut watch = OrderWatch::default();
        let mut early = None;
        for (index, scores) in lists.iter().enumerate() {
            let hypotheses = scores.iter().map(|score| Hypothesis::scored("a", *score)).collect();
            let utterance = Utterance::new(format!("u{index}"), NBest::new(hypotheses).unwrap());
            if let Some(found) = watch.see(&utterance) {
                assert!(early.replace((index, found)).is_none(), "said twice");
            }
        }
        (early, watch.end())
    }

    fn found(lists: u64, of: u64, first: &str) -> Option<Reversed> {
        Some(Reversed { lists, of, first: first.to_owned() })
    }

    #[test]
    fn the_chance_of_an_order_counts_equal_scores() {
        let chance = |scores: &[f64]| match Order::of(scores) {
            Order::Against { ln_chance } => ln_chance.exp(),
            other => panic!("{other:?}"),
        };
        assert!((chance(&[1.0, 2.0]) - 1.0 / 2.0).abs() < 1e-12);
        assert!((chance(&[1.0, 2.0, 3.0]) - 1.0 / 6.0).abs() < 1e-12);
        assert!((chance(&[1.0, 1.0, 2.0, 2.0]) - 1.0 / 6.0).abs() < 1e-12);
        for other in [&[2.0, 1.0][..], &[1.0, 3.0, 2.0]] {
            assert_eq!(Order::of(other), Order::Other);
        }
        for none in [&[][..], &[1.0], &[1.0, 1.0, 1.0]] {
            assert_eq!(Order::of(none), Order::None);
        }
    }

    #[test]
    fn costs_are_found_early() {
        let long: &[f64] = &[21.2, 21.3, 21.4, 22.7];
        assert_eq!(watch(&[long; 50]).0, Some((2, Reversed { lists: 3, of: 3, first: "u0".to_owned() })));
        assert_eq!(watch(&[&long[..3]; 4]).0.unwrap().0, 3);
        assert_eq!(watch(&[&long[..2]; 20]).0.unwrap().0, 10);
        // A list that says nothing, and one in between that is not in order.
        let mixed = watch(&[&[5.0, 5.0], long, &[1.0, 3.0, 2.0], long, long, long, long]);
        assert_eq!(mixed, (Some((5, Reversed { lists: 4, of: 5, first: "u1".to_owned() })), None));
    }

    #[test]
    fn few_lists_are_judged_at_the_end() {
        assert_eq!(watch(&[&[1.0, 2.0, 3.0]]), (None, found(1, 1, "u0")));
        assert_eq!(watch(&[&[1.0, 2.0][..]; 3]), (None, found(3, 3, "u0")));
        assert_eq!(watch(&[&[1.0, 2.0][..]; 2]), (None, None));
        assert_eq!(watch(&[&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]]), (None, None));
        assert_eq!(watch(&[]), (None, None));
    }

    #[test]
    fn scores_in_order_are_left_alone() {
        let good: &[f64] = &[-1.0, -2.0, -3.0];
        let mut lists = vec![good; 30];
        lists[0] = &[-9.0, -8.0, -7.0, -6.0, -5.0, -4.0, -3.0];
        lists[7] = &[-3.0, -2.0];
        assert_eq!(watch(&lists), (None, None));
        assert_eq!(watch(&[&[0.5, 0.5, 0.25], &[1.0], &[2.0, 2.0]]), (None, None));
    }

    /// Numbers that always come the same (xorshift).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % limit
        }

        fn lists(&mut self, count: u64, longest: u64) -> Vec<Vec<f64>> {
            let list = |numbers: &mut Self| {
                let length = 2 + numbers.below(longest - 1);
                (0..length).map(|_| numbers.below(1000) as f64).collect()
            };
            (0..count).map(|_| list(self)).collect()
        }
    }

    fn said(lists: &[Vec<f64>]) -> (bool, bool) {
        let slices: Vec<&[f64]> = lists.iter().map(Vec::as_slice).collect();
        let (early, late) = watch(&slices);
        (early.is_some(), late.is_some())
    }

    #[test]
    fn an_order_of_chance_is_rarely_called_costs_and_costs_always() {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
        let (mut early, mut late) = (0, 0);
        for longest in [2, 3, 6] {
            for _ in 0..1000 {
                let mut lists = numbers.lists(60, longest);
                let found = said(&lists);
                early += u32::from(found.0);
                late += u32::from(found.1);
                lists.iter_mut().for_each(|list| list.sort_by(f64::total_cmp));
                assert!(said(&lists).0);
                lists.iter_mut().for_each(|list| list.reverse());
                assert_eq!(said(&lists), (false, false));
            }
        }
        assert!(early <= 3 && late == 0, "{early} {late} of 3000");
        let few = (0..3000).filter(|round| said(&numbers.lists(1 + round % 3, 3)).1).count();
        assert!(few <= 3000 / 5, "{few} of 3000");
    }
}
