//! The native format: `{"id": "u1", "hypotheses": [{"text": "...", "score": -1.2}, ...], "reference": "..."}`
//! a line.
//!
//! A hypothesis is an object, a text, or a pair of text and score (see [`item`](super::item)); scores may stand in a list
//! beside that of the texts. `hyps`, `texts`, `beams` and others are other names of `hypotheses`.

use serde_json::Value;

use super::item::item;
use super::sherpa_onnx;
use crate::fields::{Fields, Unread};
use crate::shape::{Json, Layout, Read};
use crate::spec::Spec;
use crate::{NBest, Utterance};

/// Names of the list of hypotheses, the usual one first. `nbest` is sherpa-onnx's too.
pub(super) const NAMES: [&str; 8] =
    ["hypotheses", "hyps", "nbest", "n_best", "nbest_list", "beams", "candidates", "texts"];

pub(super) const SPEC: Spec = Spec::Json(&[
    Json {
        marks: &["hypotheses"],
        certain: true,
        layout: Layout::LINES,
        unfinished: &[],
        read: Read::Own(parse),
    },
    Json {
        marks: &["hyps", "n_best", "nbest_list", "beams", "candidates", "texts"],
        certain: false,
        layout: Layout::LINES,
        unfinished: &[],
        read: Read::Own(parse),
    },
]);

pub(super) fn parse(mut fields: Fields) -> Result<Utterance, Unread> {
    fields.rename()?;
    fields.read_id()?;
    let name = NAMES.into_iter().find(|name| fields.has(name));
    let expected = "a list of texts, or of objects with `text` and `score`";
    let listed = name.map(|name| fields.list(name, expected)).transpose()?.flatten();
    let (name, listed) = match (name, listed) {
        (Some(name), Some(listed)) => (name, listed),
        // The user named the text of a list of one.
        _ if fields.text_name().is_some_and(|name| fields.has(name)) => {
            ("hypotheses", vec![fields.take_hypothesis()])
        }
        _ => return Err(fields.without("hypotheses")),
    };
    let alone = listed.len() == 1;
    let mut hypotheses = if listed.iter().any(is_sherpa) {
        sherpa_onnx::hypotheses(listed, fields.place(), name)?
    } else {
        (0..)
            .zip(listed)
            .map(|(at, value)| item(fields.named(value), fields.place(), &format!("{name}[{at}]"), alone))
            .collect::<Result<Vec<_>, _>>()?
    };
    fields.scores_beside(&mut hypotheses)?;
    let scale = fields.score(&mut hypotheses, |position| format!("{name}[{position}]."))?;
    let nbest = NBest::checked(hypotheses, fields.place())?.with_score_scale(scale);
    let reference = fields.text("reference")?;
    Ok(fields.utterance(nbest, reference)?)
}

/// Whether a hypothesis is a result of sherpa-onnx that says nothing of a score, not even that there is none.
fn is_sherpa(value: &Value) -> bool {
    let has = |field: &str| value.get(field).is_some_and(|value| !value.is_null());
    has("text") && value.get("score").is_none() && sherpa_onnx::has_log_probs(has)
}
