//! Results of sherpa-onnx as it prints them, `{"text": "...", "tokens": [...], "ys_probs": [...], "lm_probs":
//! [...], ...}`: one object or a stream of them, each a list of one hypothesis, or lists as `{"id": "u1",
//! "nbest": [result, ...], "reference": "..."}` or, as sherpa-onnx itself writes them, under `hypotheses`.
//!
//! The score is `score` where there is one, else the sum of `ys_probs` (of a streaming recogniser) or
//! `ys_log_probs` (of one that is not), plus the sum of `lm_probs` where there are any. All are natural
//! logarithms, one number a token: `ys_probs` is taken after a softmax with a temperature (2 by default) and
//! leaves blanks out, `lm_probs` comes without the scale of the language model. So the order of the list need
//! not be that of the scores. `context_scores` are a bonus for hotwords and no probability: they are left out
//! of the score. All fields but `text` are carried along.
//!
//! A result without log-probabilities has no score; one without tokens, in a list with scores, has the empty
//! sum, 0.
//!
//! # Reference
//! k2-fsa/sherpa-onnx, `sherpa-onnx/csrc/online-recognizer.cc` and `offline-stream.cc` (`AsJsonString`),
//! `online-transducer-modified-beam-search-decoder.cc`.

use serde_json::Value;

use super::item::item;
use crate::fields::{Fields, Unread, hypothesis, kind};
use crate::shape::{Json, Layout, Read};
use crate::spec::Spec;
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, Utterance};

pub(super) const SPEC: Spec = Spec::Json(&[Json {
    marks: &["nbest", "ys_probs", "ys_log_probs"],
    certain: false,
    layout: Layout::DOCUMENTS,
    unfinished: &[],
    read: Read::Own(parse),
}]);

/// Whether a result has log-probabilities, given which of its fields are there.
pub(crate) fn has_log_probs(has: impl Fn(&str) -> bool) -> bool {
    has("ys_probs") || has("ys_log_probs")
}

fn parse(mut fields: Fields) -> Result<Utterance, Unread> {
    fields.read_id()?;
    let place = fields.place().clone();
    let listed = ["nbest", "hypotheses"].into_iter().find(|name| fields.has(name));
    let mut hypotheses = match listed {
        Some(name) => {
            let listed =
                fields.list(name, "a list of results with `text` and `ys_probs`")?.unwrap_or_default();
            if name == "nbest" && !listed.iter().any(Value::is_object) && !listed.is_empty() {
                let listed = (0..).zip(listed);
                let items = listed.map(|(at, value)| item(value, &place, &format!("nbest[{at}]"), false));
                items.collect::<Result<Vec<_>, _>>()?
            } else {
                self::hypotheses(listed, &place, name)?
            }
        }
        None if fields.has("text") => {
            vec![Outcome::read(fields.take_hypothesis(), &place, "utterance")?.hypothesis]
        }
        None => return Err(fields.without("nbest")),
    };
    if let Some(name) = listed {
        fields.scores_beside(&mut hypotheses)?;
        fields.score(&mut hypotheses, |position| format!("{name}[{position}]."))?;
    }
    let nbest = NBest::checked(hypotheses, &place)?.with_score_scale(ScoreScale::Sum);
    let reference = fields.text("reference")?;
    Ok(fields.utterance(nbest, reference)?)
}

/// The hypotheses of a list of results; `list` names it in errors.
pub(super) fn hypotheses(listed: Vec<Value>, place: &Place, list: &str) -> Result<Vec<Hypothesis>, Error> {
    let mut results = Vec::with_capacity(listed.len());
    for (position, value) in listed.into_iter().enumerate() {
        results.push(Outcome::read(value, place, &format!("{list}[{position}]"))?);
    }
    alike(&results, list, place)?;
    let is_scored = results.iter().any(|result| result.hypothesis.score.is_some());
    let scored = results.into_iter().map(|Outcome { mut hypothesis, is_silent, .. }| {
        if is_scored && is_silent {
            hypothesis.score.get_or_insert(0.0);
        }
        hypothesis
    });
    Ok(scored.collect())
}

/// One result.
struct Outcome {
    hypothesis: Hypothesis,
    /// Whether a language model had a part in the score.
    has_lm: bool,
    /// Whether it has no tokens at all.
    is_silent: bool,
}

impl Outcome {
    fn read(value: Value, place: &Place, name: &str) -> Result<Self, Error> {
        let mut hypothesis = hypothesis(value, place, || name.to_owned())?;
        let numbers = |field: &str| -> Result<Vec<f64>, Error> {
            let wrong = |field: String, expected, value: &Value| Error::FieldType {
                place: place.clone(),
                field: format!("{name}.{field}"),
                expected,
                found: kind(value),
            };
            match hypothesis.extra.get(field) {
                None | Some(Value::Null) => Ok(Vec::new()),
                Some(Value::Array(list)) => (0..)
                    .zip(list)
                    .map(|(at, value)| {
                        value.as_f64().ok_or_else(|| wrong(format!("{field}[{at}]"), "a number", value))
                    })
                    .collect(),
                Some(other) => Err(wrong(field.to_owned(), "a list of numbers", other)),
            }
        };
        let lm = numbers("lm_probs")?;
        let (field, ys) = match numbers("ys_probs")? {
            ys if ys.is_empty() => ("ys_log_probs", numbers("ys_log_probs")?),
            ys => ("ys_probs", ys),
        };
        let tokens = hypothesis.extra.get("tokens").and_then(Value::as_array).map(Vec::len);
        let is_silent = tokens == Some(0) && ys.is_empty() && hypothesis.text.trim().is_empty();
        if ys.is_empty() || hypothesis.score.is_some() {
            return Ok(Self { hypothesis, has_lm: false, is_silent });
        }
        let unequal = |many: usize, of: &str, other: usize, of_other: &str| {
            let reason =
                format!("`{name}` has {many} `{of}` but {other} `{of_other}`, which go together; mend it");
            Err(Error::Part { place: place.clone(), reason })
        };
        match tokens {
            Some(tokens) if tokens != ys.len() => return unequal(tokens, "tokens", ys.len(), field),
            _ if !lm.is_empty() && lm.len() != ys.len() => {
                return unequal(ys.len(), field, lm.len(), "lm_probs");
            }
            _ => {}
        }
        hypothesis.score = Some(ys.iter().chain(&lm).sum());
        Ok(Self { hypothesis, has_lm: !lm.is_empty(), is_silent })
    }
}

/// Whether the scores of a list are sums of the same things.
fn alike(results: &[Outcome], list: &str, place: &Place) -> Result<(), Error> {
    let first = |has_lm: bool| {
        results.iter().position(|result| result.hypothesis.score.is_some() && result.has_lm == has_lm)
    };
    match (first(true), first(false)) {
        (Some(with), Some(without)) => {
            let reason = format!(
                "`{list}[{with}]` has `lm_probs`, but `{list}[{without}]` none, so their scores cannot be compared; decode \
                 both with the language model"
            );
            Err(Error::Part { place: place.clone(), reason })
        }
        _ => Ok(()),
    }
}
