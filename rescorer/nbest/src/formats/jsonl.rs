//! The native format: `{"id": "u1", "hypotheses": [{"text": "...", "score": -1.2}, ...], "reference": "..."}`
//! a line. A hypothesis that is a whole result of Whisper, with `segments`, is read as [`whisper`](super::whisper) does.

use super::whisper::{is_result, result};
use super::{Json, Kind, Layout, Spec};
use crate::fields::{Fields, hypothesis};
use crate::{Error, Format, NBest, Utterance};

pub(super) const SPEC: Spec = Spec {
    name: "jsonl",
    kind: Kind::Json(Json { layout: Layout::Lines, certain: true, marker: |key| key == "hypotheses", parse }),
};

fn parse(mut fields: Fields) -> Result<Utterance, Error> {
    fields.rename()?;
    fields.read_id()?;
    let listed = fields.list("hypotheses", "a list of objects with `text` and `score`")?;
    let listed = listed.ok_or_else(|| fields.missing("hypotheses", Format::Jsonl))?;
    let mut hypotheses: Vec<_> = listed
        .into_iter()
        .enumerate()
        .map(|(position, value)| {
            let name = format!("hypotheses[{position}]");
            match is_result(&value) {
                true => result(value, fields.place(), &name),
                false => hypothesis(fields.named(value), fields.place(), || name.clone()),
            }
        })
        .collect::<Result<_, _>>()?;
    fields.score(&mut hypotheses, |position| format!("hypotheses[{position}]."))?;
    let nbest = NBest::checked(hypotheses, fields.place())?;
    let reference = fields.text("reference")?;
    fields.utterance(nbest, reference)
}
