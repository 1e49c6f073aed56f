//! Terms, such as names, that words of a text sound like.

mod build;
mod cost;
mod find;
mod following;
mod notice;
mod numbers;
mod options;
mod parse;
mod possessive;
mod pronouncer;
mod search;
mod term;
#[cfg(test)]
mod tests;
mod trie;
mod written;

use std::sync::Arc;

pub use notice::VocabularyNotice;
pub use options::VocabularyOptions;
pub use term::{Term, TermMatch};

use crate::{Error, LetterToSound, Lexicon};
use find::Index;
use pronouncer::Pronouncer;

/// Finds the terms that words of a text sound like.
///
/// A file has a term a line. Fields follow behind tabs, in any order:
///
/// - `weight=2.5`: how much the term counts,
/// - `class=contacts`: the group that it belongs to,
/// - `sounds-like=jo sef een`: ordinary words that sound like it; may repeat,
/// - `JH OW Z AH F IY N`: its phones in ARPAbet, with stress or without; may repeat.
///
/// Without the last two a term is said as it is written: words of the lexicon as there, numbers, `&`, `+` and `%` in words,
/// abbreviations letter by letter, and other words by [`LetterToSound`]. Empty lines and lines that begin with `#` are skipped.
///
/// ```
/// use rescorer_perturb::{LetterToSound, Lexicon, Vocabulary};
///
/// let names = "Gwendolyn\tclass=contacts\nJosefin\tsounds-like=jo sef een\n";
/// let names = Vocabulary::parse("names.txt", names, &Lexicon::english(), &LetterToSound::english())?;
/// let found = names.find(&["right", "to", "dwindle", "in", "soon"], None);
/// let nearest = found.iter().min_by(|a, b| a.distance.total_cmp(&b.distance)).unwrap();
/// assert_eq!(names.terms()[nearest.term].text, "Gwendolyn");
/// assert_eq!((nearest.start, nearest.end), (2, 4));
/// # Ok::<(), rescorer_perturb::Error>(())
/// ```
#[derive(Debug)]
pub struct Vocabulary {
    terms: Vec<Term>,
    notices: Vec<VocabularyNotice>,
    pronouncer: Pronouncer,
    index: Index,
}

impl Vocabulary {
    /// Reads a file of terms. `name` stands for it in messages.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] with the line: a field that can't be read, a term that can't be said or has more than six words.
    /// [`Error::NoTerms`] if there are none.
    pub fn parse(
        name: &str,
        text: &str,
        lexicon: &Arc<Lexicon>,
        letters: &Arc<LetterToSound>,
    ) -> Result<Self, Error> {
        let fail = |(line, reason)| Error::Vocabulary { name: name.into(), line, reason };
        Self::build(name, parse::parse(text).map_err(fail)?, lexicon, letters)
    }

    /// Takes terms as they are; in messages their numbers, from 1, stand for lines.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn from_terms(
        name: &str,
        terms: Vec<Term>,
        lexicon: &Arc<Lexicon>,
        letters: &Arc<LetterToSound>,
    ) -> Result<Self, Error> {
        Self::build(name, (1..).zip(terms).collect(), lexicon, letters)
    }

    fn build(
        name: &str,
        terms: Vec<(usize, Term)>,
        lexicon: &Arc<Lexicon>,
        letters: &Arc<LetterToSound>,
    ) -> Result<Self, Error> {
        let pronouncer = Pronouncer::new(lexicon.clone(), letters.clone());
        let (terms, notices) = build::build(name, terms, &pronouncer)?;
        let index = Index::new(&terms, VocabularyOptions::default());
        Ok(Self { terms, notices, pronouncer, index })
    }

    /// Searches these terms with other options.
    ///
    /// # Errors
    /// [`Error::MaxDistance`] if the distance is not between 0 and 1.
    pub fn with_options(mut self, options: VocabularyOptions) -> Result<Self, Error> {
        if !(0.0..=1.0).contains(&options.max_distance) {
            return Err(Error::MaxDistance { value: options.max_distance.to_string() });
        }
        self.index = Index::new(&self.terms, options);
        Ok(self)
    }

    /// The number of terms.
    #[must_use]
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there are none: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms, in the order in which they were first listed.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// What was changed on the way: print it.
    #[must_use]
    pub fn notices(&self) -> &[VocabularyNotice] {
        &self.notices
    }

    /// The terms that spans of a text sound like, ordered by place.
    ///
    /// A span has one to six words, and at most two more than the term.
    ///
    /// The distance is the least cost of changes that make the term's sound from the span's, divided by the term's phones `n`.
    /// Costs:
    ///
    /// - 0.7 for a phone more or less,
    /// - 0.2 + 1.5 (1 - [`similarity`](crate::Phone::similarity)) for one consonant in place of another,
    /// - 0.2 + (1 - similarity) for one vowel in place of another,
    /// - 1 at most, also for a consonant in place of a vowel.
    ///
    /// Matches are at most [`VocabularyOptions::max_distance`] away. Terms of few phones must be nearer: the limit is multiplied
    /// with (`n` - 2) / 4 if `n` is below 6, so that one or two phones must be the same.
    ///
    /// Terms are found with `'s` too, said as English says it, unless they end in s: [`TermMatch::possessive`].
    ///
    /// A span that is written as the term, case and punctuation aside, is always a match, and exact.
    ///
    /// Terms without a class take part, and those of `classes`, or of every class if that is `None`. Words that can't be said,
    /// such as
    /// `a/b`, are in exact spans only.
    #[must_use]
    pub fn find(&self, words: &[&str], classes: Option<&[String]>) -> Vec<TermMatch> {
        self.find_all(&[words.to_vec()], classes).pop().unwrap_or_default()
    }

    /// The matches of several texts, such as the hypotheses of a list. Spans that they share are looked up once.
    #[must_use]
    pub fn find_all(&self, texts: &[Vec<&str>], classes: Option<&[String]>) -> Vec<Vec<TermMatch>> {
        self.index.find(texts, classes, &self.pronouncer)
    }
}
