//! Terms of a vocabulary in the hypotheses of a list.

use serde::Serialize;

use crate::{Hypothesis, NBest};

/// A term that was put in place of words of a hypothesis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InsertedTerm {
    /// The term as it is written now.
    pub term: String,
    /// Its first word in the new text, from 0. Words are separated by white space.
    pub start: usize,
    /// The word behind its last one.
    pub end: usize,
    /// The words that were there.
    pub replaced: String,
    /// How far they are from the term in sound; 0 for the same sound.
    pub distance: f64,
}

/// What a vocabulary has to do with a hypothesis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TermUse {
    /// Sum of the weights of the terms in the text.
    pub weight: f64,
    /// Sum of the distances in sound of the terms that were put in.
    pub distance: f64,
    /// Terms that were put in; none in what the recogniser wrote.
    pub inserted: Vec<InsertedTerm>,
}

impl NBest {
    /// The list with what a vocabulary has to do with its hypotheses, and behind these further ones with terms put in: each the position
    /// of the hypothesis that it was made from, its text, and its terms. They have the score of that one.
    ///
    /// A text that is there already is left out, and so is one that was made from a position that is not there.
    #[must_use]
    pub fn with_terms(
        mut self,
        uses: Vec<TermUse>,
        made: impl IntoIterator<Item = (usize, String, TermUse)>,
    ) -> Self {
        let recognised = self.recognised();
        self.hypotheses.truncate(recognised);
        self.uses = uses;
        self.uses.resize(recognised, TermUse::default());
        self.sources.clear();
        for (source, text, used) in made {
            let is_there = self.hypotheses.iter().any(|known| known.text == text);
            let score = match self.hypotheses.get(source).filter(|_| source < recognised && !is_there) {
                Some(hypothesis) => hypothesis.score,
                None => continue,
            };
            self.hypotheses.push(Hypothesis { score, ..Hypothesis::new(text) });
            self.uses.push(used);
            self.sources.push(source);
        }
        self
    }

    /// Number of hypotheses that the recogniser wrote: all but those with terms put in.
    pub fn recognised(&self) -> usize {
        self.hypotheses.len() - self.sources.len()
    }

    /// Position of the hypothesis that a position with terms put in was made from; of others the position itself.
    pub fn source(&self, position: usize) -> usize {
        let made = position.checked_sub(self.recognised());
        made.and_then(|made| self.sources.get(made)).copied().unwrap_or(position)
    }

    /// What a vocabulary has to do with the hypothesis at a position; `None` without a vocabulary.
    pub fn terms(&self, position: usize) -> Option<&TermUse> {
        self.uses.get(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inserted(term: &str) -> TermUse {
        let term =
            InsertedTerm { term: term.into(), start: 1, end: 2, replaced: "hiding".into(), distance: 0.1 };
        TermUse { weight: 1.0, distance: 0.1, inserted: vec![term] }
    }

    #[test]
    fn further_hypotheses_have_the_score_of_their_source() {
        let list = [("play hiding", -1.0), ("play riding", -2.0), ("play Haydn", -3.0)];
        let list = NBest::new(list.map(Hypothesis::from).to_vec()).unwrap();
        let uses =
            vec![TermUse::default(), TermUse::default(), TermUse { weight: 1.0, ..TermUse::default() }];
        let made = [
            (0, "play Haydn".to_owned(), inserted("Haydn")),
            (1, "play Heiden".to_owned(), inserted("Heiden")),
            (7, "no source".to_owned(), inserted("source")),
        ];
        let list = list.with_terms(uses.clone(), made.clone());
        assert_eq!((list.len(), list.recognised()), (4, 3));
        assert_eq!(list.hypotheses()[3].score, Some(-2.0));
        assert_eq!((list.source(3), list.source(2)), (1, 2));
        assert_eq!(list.terms(3), Some(&inserted("Heiden")));
        let unique = list.unique();
        assert_eq!(unique.hypotheses()[3].source, 1);
        assert_eq!((unique.hypotheses()[2].term_weight, unique.hypotheses()[3].term_distance), (1.0, 0.1));
        // Once more gives the same.
        assert_eq!(list.clone().with_terms(uses, made).hypotheses(), list.hypotheses());
    }

    #[test]
    fn without_scores_the_source_gives_the_rank() {
        let list = NBest::from_texts(["a", "b"]).unwrap();
        let list = list.with_terms(Vec::new(), [(1, "c".to_owned(), TermUse::default())]);
        assert_eq!(list.first_pass(), [0.0, -1.0, -1.0]);
        assert_eq!(NBest::from_texts(["a"]).unwrap().terms(0), None);
    }
}
