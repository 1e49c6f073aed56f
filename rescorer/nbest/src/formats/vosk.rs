//! What Vosk answers with alternatives switched on: `{"alternatives": [{"confidence": 270.4, "text": "..."}, ...]}`, one object
//! or a stream of them, with or without line breaks inside.
//!
//! `confidence` is a log-likelihood of the recogniser, higher is better. Word times (`result`) are carried along. An utterance
//! that nothing was heard in has one alternative with an empty text.
//!
//! # Reference
//! vosk-api, `src/recognizer.cc`, `Recognizer::NbestResult`.

use serde_json::Value;

use super::{Json, Kind, Layout, Spec};
use crate::fields::{Fields, kind};
use crate::{Error, Format, Hypothesis, NBest, Utterance};

pub(super) const SPEC: Spec = Spec {
    name: "vosk",
    kind: Kind::Json(Json {
        layout: Layout::Objects,
        certain: true,
        marker: |key| key == "alternatives",
        parse,
    }),
};

fn parse(mut fields: Fields) -> Result<Utterance, Error> {
    fields.read_id()?;
    let listed = fields.list("alternatives", "a list of objects with `text` and `confidence`")?;
    let listed = listed.ok_or_else(|| fields.missing("alternatives", Format::Vosk))?;
    let mut hypotheses = Vec::with_capacity(listed.len());
    for (position, value) in listed.into_iter().enumerate() {
        let name = |field: &str| format!("alternatives[{position}]{field}");
        let Value::Object(mut extra) = value else {
            return Err(fields.type_error(name(""), "an object with `text` and `confidence`", kind(&value)));
        };
        let text = match extra.shift_remove("text") {
            Some(Value::String(text)) => text,
            Some(other) => return Err(fields.type_error(name(".text"), "a string", kind(&other))),
            None => return Err(fields.missing(&name(".text"), Format::Vosk)),
        };
        let score = match extra.shift_remove("confidence") {
            None | Some(Value::Null) => None,
            Some(value) => Some(
                value
                    .as_f64()
                    .ok_or_else(|| fields.type_error(name(".confidence"), "a number", kind(&value)))?,
            ),
        };
        hypotheses.push(Hypothesis { text, score, extra });
    }
    let nbest = NBest::checked(hypotheses, fields.place())?;
    let reference = fields.text("reference")?;
    fields.utterance(nbest, reference)
}
