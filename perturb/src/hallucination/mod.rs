//! Lists that a recogniser might have made of a text.

mod confusions;
mod edits;

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use confusions::ConfusionTable;

use crate::{HomophoneOptions, Homophones, Lexicon};
use edits::{Edit, Edits};

/// Share of the lists where no hypothesis is free of errors, as in lists of recognisers.
const HOPELESS: f64 = 0.3;

/// Probability that a hypothesis changes an earlier one further, rather than the best.
const DEEPER: f64 = 0.4;

/// Draws per hypothesis before a list is left shorter.
const TRIES: usize = 8;

/// Makes N-best lists from text alone.
///
/// Words are replaced by what sounds alike, near or the same, one word by two and two by one; short words are dropped; and with a
/// [`ConfusionTable`] whatever the recogniser confuses, as often as it does. The lists teach a model to tell sentences from such errors
/// where there are no recordings.
///
/// ```
/// use rescorer_perturb::{Hallucinator, Lexicon};
///
/// let hallucinator = Hallucinator::new(Lexicon::english(), None);
/// let list = hallucinator.list("please write it down", 5, 1);
/// assert_eq!(list.len(), 5);
/// assert_eq!(list, hallucinator.list("please write it down", 5, 1), "the same seed, the same list");
/// ```
///
/// # Reference
/// Sagae et al. 2012, "Hallucinated n-best lists for discriminative language modeling" (ICASSP). There a phone-level model of the
/// recogniser makes the lists; here single words and pairs are exchanged.
#[derive(Debug)]
pub struct Hallucinator {
    homophones: Homophones,
    confusions: Option<ConfusionTable>,
}

impl Hallucinator {
    /// Makes lists with the sounds of a lexicon, and with the confusions of a recogniser where they are known.
    #[must_use]
    pub fn new(lexicon: Arc<Lexicon>, confusions: Option<ConfusionTable>) -> Self {
        let options = HomophoneOptions { max_size: Some(50), near: Some(0.5), multi_word: true };
        Self { homophones: Homophones::new(lexicon, options), confusions }
    }

    /// A list of at most `count` distinct hypotheses for a text, in no order. It is shorter where the text has too few words that can be
    /// confused; then the text may stand in it alone.
    #[must_use]
    pub fn list(&self, text: &str, count: usize, seed: u64) -> Vec<String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let edits = Edits::new(text, &self.homophones, self.confusions.as_ref());
        let mut best = Vec::new();
        if rng.random::<f64>() < HOPELESS {
            best.extend(edits.draw(&mut rng));
        }
        let mut chosen: Vec<Vec<&Edit>> = vec![best];
        let mut texts = vec![edits.applied(&chosen[0])];
        for _ in 0..count.saturating_sub(1) * TRIES {
            if texts.len() >= count {
                break;
            }
            let from = if rng.random::<f64>() < DEEPER { rng.random_range(0..chosen.len()) } else { 0 };
            let Some(edit) = edits.draw(&mut rng) else { break };
            if chosen[from].iter().any(|other| other.overlaps(edit)) {
                continue;
            }
            let mut next = chosen[from].clone();
            next.push(edit);
            let text = edits.applied(&next);
            if !text.trim().is_empty() && !texts.contains(&text) {
                texts.push(text);
                chosen.push(next);
            }
        }
        texts.shuffle(&mut rng);
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Please write it down, and turn right at the next light.";

    fn hallucinator(confusions: &str) -> Hallucinator {
        let table = (!confusions.is_empty()).then(|| ConfusionTable::parse("x.tsv", confusions).unwrap());
        Hallucinator::new(Lexicon::english(), table)
    }

    #[test]
    fn hypotheses_are_distinct_and_most_lists_have_the_text() {
        let hallucinator = hallucinator("");
        let mut with_text = 0;
        for seed in 0..200 {
            let list = hallucinator.list(TEXT, 6, seed);
            let distinct: std::collections::HashSet<&String> = list.iter().collect();
            assert_eq!((list.len(), distinct.len()), (6, 6));
            with_text += usize::from(list.iter().any(|text| text == TEXT));
            for text in &list {
                assert!(text.starts_with(|c: char| c.is_uppercase()) && text.ends_with('.'), "{text}");
            }
        }
        assert!((120..=160).contains(&with_text), "{with_text} of 200, expected 140");
    }

    #[test]
    fn the_recognisers_confusions_are_drawn_as_often_as_they_happen() {
        let hallucinator = hallucinator("light\tlights\t90\t100\n\tuh\t1\t1000\n");
        let lists = (0..100).map(|seed| hallucinator.list(TEXT, 3, seed));
        let changed = lists.filter(|list| list.iter().any(|text| text.contains("next lights."))).count();
        assert!(changed > 60, "{changed}");
    }

    #[test]
    fn text_that_cannot_be_confused_stands_alone() {
        let hallucinator = hallucinator("");
        assert_eq!(hallucinator.list("Привет", 5, 1), ["Привет"]);
        assert_eq!(hallucinator.list("", 5, 1), [""]);
        assert_eq!(hallucinator.list(TEXT, 1, 1).len(), 1);
    }
}
