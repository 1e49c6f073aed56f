//! HyPoradise: `[{"input": [texts], "output": reference, "am_score": [scores]}, ...]`.
//!
//! `am_score` is the first-pass score; where it is not there, `score` is. The scores of Whisper are means per
//! token and are taken as they are. `id` is optional.
//!
//! # Reference
//! Chen et al., "HyPoradise: An Open Baseline for Generative Speech Recognition with Large Language Models",
//! 2023.

use serde_json::Value;

use crate::fields::{Fields, Unread, kind};
use crate::shape::{Json, Layout, Read};
use crate::spec::Spec;
use crate::{Error, Hypothesis, NBest, Utterance};

pub(super) const SPEC: Spec = Spec::Json(&[Json {
    marks: &["input"],
    certain: true,
    layout: Layout::DOCUMENTS,
    unfinished: &[],
    read: Read::Own(parse),
}]);

fn parse(mut fields: Fields) -> Result<Utterance, Unread> {
    fields.rename()?;
    fields.read_id()?;
    let texts = fields.list("input", "a list of hypotheses, each a string")?;
    let Some(texts) = texts else { return Err(fields.without("input")) };
    let mut hypotheses = Vec::with_capacity(texts.len());
    for (position, text) in texts.into_iter().enumerate() {
        match text {
            Value::String(text) => hypotheses.push(Hypothesis::new(text)),
            other => {
                let error = fields.type_error(format!("input[{position}]"), "a string", kind(&other));
                return Err(error.into());
            }
        }
    }
    let field = if fields.has("am_score") { "am_score" } else { "score" };
    if !fields.has_named_scores()
        && let Some(scores) = fields.list(field, "a list of scores, one for each hypothesis")?
    {
        attach(&mut hypotheses, &scores, field, &fields)?;
    }
    fields.scores_beside(&mut hypotheses)?;
    let scale = fields.score(&mut hypotheses, |position| format!("input[{position}]."))?;
    let nbest = NBest::checked(hypotheses, fields.place())?.with_score_scale(scale);
    let reference = fields.text("output")?;
    Ok(fields.utterance(nbest, reference)?)
}

fn attach(
    hypotheses: &mut [Hypothesis],
    scores: &[Value],
    field: &'static str,
    fields: &Fields,
) -> Result<(), Error> {
    if scores.len() != hypotheses.len() {
        let (hypotheses, scores) = (hypotheses.len(), scores.len());
        return Err(Error::ScoreCount {
            place: fields.place().clone(),
            field: field.to_owned(),
            hypotheses,
            scores,
        });
    }
    for (position, (hypothesis, score)) in hypotheses.iter_mut().zip(scores).enumerate() {
        let number = score.as_f64();
        hypothesis.score = Some(
            number
                .ok_or_else(|| fields.type_error(format!("{field}[{position}]"), "a number", kind(score)))?,
        );
    }
    Ok(())
}
