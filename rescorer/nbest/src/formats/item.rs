//! One hypothesis of a list of the native format, in any of its forms:
//!
//! - an object with `text` and `score`; the text may stand under another name, or as `words`; the score may be an object of
//!   several scores;
//! - a whole result of Whisper, with `segments`, read as [`whisper`](super::whisper) does;
//! - a text alone;
//! - a pair of text and score, in either order;
//! - a beam of pyctcdecode, `[text, state, frames, logit_score, lm_score]`;
//! - a beam of torchaudio, `[tokens, words, score, timesteps]`, the last of which may be left out.
//!
//! # Reference
//! kensho-technologies/pyctcdecode, `decoder.py` (`OutputBeam`, where `lm_score` is the sum of both);
//! pytorch/audio, `torchaudio/models/decoder` (`CTCHypothesis`, `CUCTCHypothesis`).

use serde_json::{Map, Value};

use super::whisper::{is_result, result};
use crate::fields::{hypothesis, kind};
use crate::json::not_finite;
use crate::{Error, Hypothesis, Place};

/// Other names of a text.
const TEXTS: [&str; 6] = ["transcript", "hyp", "hypothesis", "sentence", "utterance", "transcription"];

/// The hypothesis of a value; `name` names it in errors. `alone` if it is the only one of its list.
pub(super) fn item(value: Value, place: &Place, name: &str, alone: bool) -> Result<Hypothesis, Error> {
    match value {
        Value::String(text) => Ok(Hypothesis::new(text)),
        Value::Array(beam) => hypothesis(Value::Object(tuple(beam, place, name)?), place, || name.to_owned()),
        value if is_result(&value) => result(value, place, name, alone),
        Value::Object(mut object) => {
            usual(&mut object);
            hypothesis(Value::Object(object), place, || name.to_owned())
        }
        value => hypothesis(value, place, || name.to_owned()),
    }
}

/// Gives text and scores their usual names.
fn usual(object: &mut Map<String, Value>) {
    if !object.contains_key("text") {
        let named = TEXTS.iter().find(|name| object.get(**name).is_some_and(Value::is_string));
        if let Some(text) = named.and_then(|name| object.shift_remove(*name)) {
            object.insert("text".to_owned(), text);
        } else if let Some(text) = object.get("words").and_then(words) {
            object.insert("text".to_owned(), text);
        }
    }
    for name in ["score", "scores"] {
        let is_object = |value: &&Value| value.is_object() && not_finite(value).is_none();
        if object.get(name).filter(is_object).is_some()
            && let Some(Value::Object(scores)) = object.shift_remove(name)
        {
            for (part, score) in scores {
                object.entry(part).or_insert(score);
            }
        }
    }
}

/// Words as one text.
fn words(value: &Value) -> Option<Value> {
    let words = value.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
    Some(words.join(" ").into())
}

/// The fields of a tuple.
fn tuple(beam: Vec<Value>, place: &Place, name: &str) -> Result<Map<String, Value>, Error> {
    let is_number = |value: &Value| value.is_number() || value.is_null() || not_finite(value).is_some();
    let names: &[&str] = match beam.as_slice() {
        [Value::String(_)] => &["text"],
        [Value::String(_), score] if is_number(score) => &["text", "score"],
        [score, Value::String(_)] if is_number(score) => &["score", "text"],
        [Value::String(_), _, Value::Array(_), logit, lm] if is_number(logit) && is_number(lm) => {
            &["text", "last_lm_state", "text_frames", "logit_score", "lm_score"]
        }
        [Value::Array(_), Value::Array(_), score] if is_number(score) => &["tokens", "words", "score"],
        [Value::Array(_), Value::Array(_), score, Value::Array(_)] if is_number(score) => {
            &["tokens", "words", "score", "timesteps"]
        }
        other => {
            let seen: Vec<_> = other.iter().take(6).map(kind).collect();
            let reason = format!(
                "`{name}` is a list of {} ({}); expected a text and a score, [text, state, frames, logit_score, \
                 lm_score] or [tokens, words, score, timesteps]; mend it",
                other.len(),
                seen.join(", ")
            );
            return Err(Error::Part { place: place.clone(), reason });
        }
    };
    let mut fields: Map<String, Value> = names.iter().map(|name| (*name).to_owned()).zip(beam).collect();
    fields.retain(|_, value| !value.is_null());
    usual(&mut fields);
    Ok(fields)
}
