//! The names that the fields of an input have, where they are not the usual ones.

use std::str::FromStr;

use crate::scores::names::known;
use crate::{Error, ScoreKind};

/// Which fields, or columns of a table, are what, where their names are not the usual ones.
///
/// As text it reads `text=hyp,score=am,reference=ref`: known names, each with the name in the input. A score may say what
/// kind of number it is: `score=-total` is negated, `score=ln:p` is a probability, `score=plain:cost` is taken as it is;
/// without it, known names such as `confidence` or `cost` are what they always are, and others are taken as they are.
/// Several scores are added up.
///
/// ```
/// use rescorer_nbest::{FieldNames, ScoreKind};
///
/// let names: FieldNames = "text=hyp, score=am, score=-lm_nll, id=utt".parse()?;
/// assert_eq!((names.text(), names.id(), names.reference()), (Some("hyp"), Some("utt"), None));
/// let scores: Vec<_> = names.scores().collect();
/// assert_eq!(scores, [("am", ScoreKind::Log), ("lm_nll", ScoreKind::Cost)]);
/// # Ok::<(), rescorer_nbest::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldNames {
    names: Vec<(Field, String)>,
    scores: Vec<(String, ScoreKind)>,
}

/// A field that can have another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Id,
    Text,
    Reference,
    Context,
    Position,
    Hypotheses,
}

const FIELDS: [(&str, Field); 6] = [
    ("id", Field::Id),
    ("text", Field::Text),
    ("reference", Field::Reference),
    ("context", Field::Context),
    ("position", Field::Position),
    ("hypotheses", Field::Hypotheses),
];

impl FieldNames {
    /// Whether no field has another name.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.scores.is_empty()
    }

    /// The name of the id.
    pub fn id(&self) -> Option<&str> {
        self.get(Field::Id)
    }

    /// The name of a hypothesis' text.
    pub fn text(&self) -> Option<&str> {
        self.get(Field::Text)
    }

    /// The name of the reference.
    pub fn reference(&self) -> Option<&str> {
        self.get(Field::Reference)
    }

    /// The name of the context.
    pub fn context(&self) -> Option<&str> {
        self.get(Field::Context)
    }

    /// The name of a hypothesis' position in its list.
    pub fn position(&self) -> Option<&str> {
        self.get(Field::Position)
    }

    /// The name of the list of hypotheses, in JSON.
    pub fn hypotheses(&self) -> Option<&str> {
        self.get(Field::Hypotheses)
    }

    /// The names of the numbers that make up the score, and what they are.
    pub fn scores(&self) -> impl ExactSizeIterator<Item = (&str, ScoreKind)> {
        self.scores.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// Whether lists in JSON can be found by these names.
    pub(crate) fn names_json(&self, start: &[u8]) -> bool {
        let is_json = matches!(start.first(), Some(b'{' | b'['));
        is_json && (self.hypotheses().is_some() || self.text().is_some())
    }

    /// The usual names of the fields of a list with those that they have, but for equal ones.
    pub(crate) fn of_lists(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let of_lists = |field: &Field| !matches!(field, Field::Text | Field::Position);
        let known = FIELDS.into_iter().filter(move |(_, field)| of_lists(field));
        known
            .filter_map(|(known, field)| Some((known, self.get(field)?)))
            .filter(|(known, name)| known != name)
    }

    fn get(&self, field: Field) -> Option<&str> {
        self.names.iter().find(|(of, _)| *of == field).map(|(_, name)| name.as_str())
    }

    fn add(&mut self, known: &str, name: &str) -> Result<(), String> {
        if name.is_empty() {
            return Err(format!("`{known}=` names no field; write the name behind the `=`"));
        }
        if known == "score" {
            let (name, kind) = score(name);
            if name.is_empty() || self.scores.iter().any(|(other, _)| other == name) {
                return Err(format!("`score={name}` names no field, or one twice; name each once"));
            }
            self.scores.push((name.to_owned(), kind));
            return Ok(());
        }
        let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == known) else {
            let names: Vec<_> = FIELDS.iter().map(|(name, _)| *name).chain(["score"]).collect();
            return Err(format!("there is no field `{known}`; the fields are {}", names.join(", ")));
        };
        if self.get(*field).is_some() {
            return Err(format!("`{known}` is named twice; name it once"));
        }
        self.names.push((*field, name.to_owned()));
        Ok(())
    }
}

/// The name of a score and its kind.
fn score(name: &str) -> (&str, ScoreKind) {
    if let Some(name) = name.strip_prefix('-') {
        return (name, ScoreKind::Cost);
    }
    if let Some(name) = name.strip_prefix("ln:") {
        return (name, ScoreKind::Probability);
    }
    if let Some(name) = name.strip_prefix("plain:") {
        return (name, ScoreKind::Log);
    }
    (name, known(name).map(|known| known.kind).unwrap_or_default())
}

impl FromStr for FieldNames {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut names = Self::default();
        for pair in text.split(',') {
            let fail = |reason: String| Error::FieldNames { text: text.to_owned(), reason };
            let Some((known, name)) = pair.split_once('=') else {
                return Err(fail(format!("`{}` is no pair like `text=hyp`", pair.trim())));
            };
            names.add(known.trim(), name.trim()).map_err(fail)?;
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_say_what_they_are() {
        let names: FieldNames =
            "score=confidence,score=plain:cost,score=nll,score=foo,score=ln:p".parse().unwrap();
        let kinds: Vec<_> = names.scores().map(|(_, kind)| kind).collect();
        let (log, cost, probability) = (ScoreKind::Log, ScoreKind::Cost, ScoreKind::Probability);
        assert_eq!(kinds, [probability, log, cost, log, probability]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let cases = [
            ("", "cannot read the names of fields \"\": `` is no pair like `text=hyp`"),
            ("text", "cannot read the names of fields \"text\": `text` is no pair like `text=hyp`"),
            (
                "text=",
                "cannot read the names of fields \"text=\": `text=` names no field; write the name behind the `=`",
            ),
            (
                "text=a,text=b",
                "cannot read the names of fields \"text=a,text=b\": `text` is named twice; name it once",
            ),
            (
                "hyp=text",
                "cannot read the names of fields \"hyp=text\": there is no field `hyp`; the fields are id, text, \
                 reference, context, position, hypotheses, score",
            ),
            (
                "score=a,score=-a",
                "cannot read the names of fields \"score=a,score=-a\": `score=a` names no field, or one twice; name each once",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(text.parse::<FieldNames>().unwrap_err().to_string(), message);
        }
    }
}
