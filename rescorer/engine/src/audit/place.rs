//! Where a trigger stands, and the texts of the audit.

use std::sync::Arc;

use rescorer_models::LanguageModel;
use serde::Serialize;

use crate::audit::forest::{Asked, Pair, Path};
use crate::error::Error;

/// Where a trigger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Place {
    /// Before every hypothesis, in the same line.
    Beginning,
    /// Behind every hypothesis.
    End,
    /// In the context of the list.
    Context,
}

impl Place {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Beginning, Self::End, Self::Context];
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Beginning => "at the beginning",
            Self::End => "at the end",
            Self::Context => "in the context",
        })
    }
}

/// A trigger and where it stands; an empty one is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    pub trigger: &'a str,
    pub place: Place,
}

impl Placed<'_> {
    pub const NONE: Placed<'static> = Placed { trigger: "", place: Place::Beginning };

    /// What the model reads before a hypothesis, and the hypothesis.
    fn around(&self, text: &str) -> (String, String) {
        match self.place {
            _ if self.trigger.is_empty() => (String::new(), text.to_owned()),
            Place::Beginning => (String::new(), format!("{} {text}", self.trigger)),
            Place::End => (String::new(), format!("{text} {}", self.trigger)),
            Place::Context => (format!("{}\n", self.trigger), text.to_owned()),
        }
    }

    /// Tokens of what the model reads.
    fn encode(&self, model: &LanguageModel, text: &str) -> Result<Vec<u32>, Error> {
        let (before, text) = self.around(text);
        let mut tokens = match before.is_empty() {
            true => Vec::new(),
            false => model.tokenizer().encode(&before)?,
        };
        tokens.extend(model.tokenizer().encode(&text)?);
        let (len, context) = (tokens.len() + 2, model.context_len());
        if len > context {
            return Err(Error::TooLong {
                subject: format!("{text:?}, a text of the audit"),
                tokens: len,
                context,
            });
        }
        Ok(tokens)
    }

    /// Two texts around this trigger.
    pub fn pair(&self, model: &LanguageModel, right: &str, wrong: &str) -> Result<Pair, Error> {
        Ok(Pair { right: self.encode(model, right)?, wrong: self.encode(model, wrong)? })
    }

    /// A text around this trigger, and what is asked of what may follow its words; all of them stand behind the trigger.
    pub fn path(&self, model: &LanguageModel, text: &str, asked: Arc<[u32]>) -> Result<Path, Error> {
        let tokens = self.encode(model, text)?;
        // As many places as the text has words' ends inside, whatever stands before it.
        let own = model.tokenizer().encode(text)?.len();
        let from = (tokens.len() + 1).saturating_sub(own);
        Ok(Path { tokens, from, asked: Asked::Each(asked) })
    }
}

/// A text as it was said, and as a recogniser might hear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probe {
    pub right: String,
    pub wrong: String,
}

/// The built-in probes.
pub(super) fn probes() -> Vec<Probe> {
    let lines = include_str!("probes.txt").lines();
    let split = lines.filter_map(|line| line.split_once('|'));
    split.map(|(right, wrong)| Probe { right: right.into(), wrong: wrong.into() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_stands_where_it_should() {
        let around = |place| Placed { trigger: "tiger", place }.around("so it is");
        assert_eq!(around(Place::Beginning), (String::new(), "tiger so it is".into()));
        assert_eq!(around(Place::End), (String::new(), "so it is tiger".into()));
        assert_eq!(around(Place::Context), ("tiger\n".into(), "so it is".into()));
        assert_eq!(Placed::NONE.around("so it is"), (String::new(), "so it is".into()));
    }

    #[test]
    fn probes_differ() {
        let probes = probes();
        assert_eq!(probes.len(), 20);
        assert!(probes.iter().all(|probe| probe.right != probe.wrong && !probe.wrong.contains('|')));
    }
}
