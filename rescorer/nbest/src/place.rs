//! Where in the input something is.

use std::fmt;
use std::sync::Arc;

/// The place of an utterance in the input, as far as it is known.
///
/// It reads `nbest.jsonl:41: utterance "u17"`, and `the utterance` where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named; `stdin` for the standard input.
    pub path: Option<Arc<str>>,
    /// The line on which the utterance begins, from 1; in a file of columns its row.
    pub line: Option<u64>,
    /// The id of the utterance.
    pub utterance: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}:")?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            write!(f, " ")?;
        }
        match &self.utterance {
            Some(id) => write!(f, "utterance {id:?}"),
            None => write!(f, "the utterance"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_known() {
        assert_eq!(Place::default().to_string(), "the utterance");
        let mut place = Place { path: Some("a.jsonl".into()), line: Some(41), utterance: None };
        assert_eq!(place.to_string(), "a.jsonl:41: the utterance");
        place.utterance = Some("u17".to_owned());
        assert_eq!(place.to_string(), "a.jsonl:41: utterance \"u17\"");
    }
}
