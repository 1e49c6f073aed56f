//! `.am.json` of ESPnet and mlm-scoring: `{"id": {"ref": "...", "hyp_1": {"score": -1.2, "text": "..."},
//! ...}, ...}`.

use serde_json::Value;

use crate::fields::{Fields, Unread, hypothesis};
use crate::shape::{Json, Layout, Read};
use crate::spec::Spec;
use crate::{Error, NBest, ScoreScale, Utterance};

pub(super) const SPEC: Spec = Spec::Json(&[Json {
    marks: &["hyp_#"],
    certain: true,
    layout: Layout::inside("{}"),
    unfinished: &[],
    read: Read::Own(parse),
}]);

fn parse(mut fields: Fields) -> Result<Utterance, Unread> {
    fields.rename()?;
    fields.take_key_as_id();
    let mut listed: Vec<(usize, String, Value)> = Vec::new();
    fields.retain(|key, value| match number(key) {
        Some(number) => {
            listed.push((number, key.to_owned(), value.take()));
            false
        }
        None => true,
    });
    if listed.is_empty() {
        let none = Error::NoHypotheses { place: fields.place().clone() };
        return Err(fields.otherwise(none));
    }
    // Stable: files hold hyp_10 before or after hyp_2.
    listed.sort_by_key(|(number, ..)| *number);
    let mut hypotheses = Vec::with_capacity(listed.len());
    for (index, (number, key, value)) in listed.into_iter().enumerate() {
        if number != index + 1 {
            let (place, expected) = (fields.place().clone(), index + 1);
            return Err(Error::HypothesisNumber { place, expected, found: key }.into());
        }
        hypotheses.push(hypothesis(fields.named(value), fields.place(), || key.clone())?);
    }
    fields.score(&mut hypotheses, |index| format!("hyp_{}.", index + 1))?;
    let nbest = NBest::checked(hypotheses, fields.place())?.with_score_scale(ScoreScale::Sum);
    let reference = fields.text("ref")?;
    Ok(fields.utterance(nbest, reference)?)
}

/// K of a key `hyp_K`.
fn number(key: &str) -> Option<usize> {
    let digits = key.strip_prefix("hyp_")?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // A number beyond usize is a gap in any case.
    Some(digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_hypotheses_are_numbered() {
        assert_eq!(number("hyp_12"), Some(12));
        assert_eq!(number("hyp_99999999999999999999"), Some(usize::MAX));
        for other in ["hyp_", "hyp_+1", "hyp_1a", "hypotheses", "ref"] {
            assert_eq!(number(other), None);
        }
    }
}
