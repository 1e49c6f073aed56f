use crate::Pronunciation;

/// Words that a text may contain, such as a name, and how they sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// How it is written: one to six words.
    pub text: String,
    /// How much it counts, compared with other terms: 1 unless something else is said.
    pub weight: f64,
    /// How it is said. Where there are none, they are found from [`Self::sounds_like`] or from the text.
    pub pronunciations: Vec<Pronunciation>,
    /// Ordinary words that sound like it: `jo sef een`.
    pub sounds_like: Vec<String>,
    /// The group that it belongs to, such as `contacts`; a term without one always takes part.
    pub class: Option<String>,
}

impl Term {
    /// A term of weight 1 without a class, which sounds as it is written.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let (pronunciations, sounds_like) = (Vec::new(), Vec::new());
        Self { text: text.into(), weight: 1.0, pronunciations, sounds_like, class: None }
    }
}

/// Words of a text that sound like a term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermMatch {
    /// The first word, from 0.
    pub start: usize,
    /// The word behind the last one.
    pub end: usize,
    /// Number of the term among [`super::Vocabulary::terms`].
    pub term: usize,
    /// The least cost of making one of the term's pronunciations from what the words sound like, divided by its phones: 0 for
    /// the same sound.
    pub distance: f32,
    /// Whether they sound like the term with `'s`, rather than like the term.
    pub possessive: bool,
    /// Whether the words are the term already, case and punctuation aside. The distance is 0 then.
    pub exact: bool,
}
