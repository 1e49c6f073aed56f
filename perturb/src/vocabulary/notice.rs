use std::fmt;

/// What was done to a vocabulary that its writer should know of.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum VocabularyNotice {
    /// A term was listed twice, and the two became one.
    Duplicate {
        /// The file.
        name: String,
        /// Line of the second, from 1.
        line: usize,
        /// The term.
        term: String,
        /// Line of the first, from 1.
        first_line: usize,
        /// The weight that counts: the larger one.
        weight: f64,
    },
}

impl fmt::Display for VocabularyNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { name, line, term, first_line, weight } => write!(
                f,
                "{name}:{line}: {term:?} is in line {first_line} already; the term has the pronunciations of both lines and \
                 the larger weight, {weight}"
            ),
        }
    }
}
