//! Scores of a list from the numbers that stand beside its texts.
//!
//! A list has no scores until one of the [`names`] is found beside its texts, and the first line of that table which
//! any of the texts has decides for all of them:
//!
//! 1. `score`, `total_score`, then a log-probability under another name: taken as it is.
//! 2. Scores of several models, such as `am_score` and `lm_score`, or `att` and `ctc`: they are added up. They stay
//!    apart among the fields of the hypothesis. A language model's alone is no score of the first pass.
//! 3. A cost: negated.
//! 4. A probability, such as `confidence`: its logarithm. A number below zero is a logarithm already.
//!
//! Confidences that are 0 beside every text, or that stand beside the first of several texts alone, say that
//! the recogniser gave none: such lists have no scores. Neither have lists of a second pass, which a `first_pass_position` tells, but in
//! `score`.

use serde_json::Value;

use crate::answer::OF_SECOND_PASS;
use crate::score_kind::ScoreKind;
use crate::{Error, Hypothesis, ScorePart, ScoreScale};

mod beside;
pub(crate) mod names;

pub(crate) use beside::Beside;
use names::{KNOWN, Known, MEAN, Role};

/// The usual field of a score.
const USUAL: &str = "score";

/// Gives the hypotheses of a list their scores, where none has one yet and a known number stands beside the texts.
/// The numbers stay among the fields that are carried along.
///
/// Gives what the scores are logarithms of, as far as the name says it.
///
/// # Errors
/// [`Error::Score`] for a probability above 1, and a number that is not finite.
pub(crate) fn attach(hypotheses: &mut [Hypothesis], at: &Beside) -> Result<ScoreScale, Error> {
    if hypotheses.iter().any(|one| one.score.is_some()) {
        // Whisper's, which the native format reads as the score.
        let is_mean = |one: &Hypothesis| one.score.is_some() && at.number(one, MEAN) == one.score;
        let is_mean = hypotheses.iter().all(is_mean);
        return Ok(if is_mean { ScoreScale::MeanPerToken } else { ScoreScale::Unknown });
    }
    if hypotheses.iter().all(|one| one.extra.is_empty()) {
        return Ok(ScoreScale::Unknown);
    }
    let is_there = |name: &str| hypotheses.iter().any(|one| at.number(one, name).is_some());
    // Our own answers: the confidences beside it are of the second pass.
    if hypotheses.iter().any(|one| one.extra.contains_key(OF_SECOND_PASS[0])) {
        return Ok(ScoreScale::Unknown);
    }
    let Some(found) = KNOWN.iter().find(|known| is_there(known.name) && decides(known, &is_there)) else {
        return Ok(ScoreScale::Unknown);
    };
    let sources: Vec<(&str, ScoreKind)> = match found.role {
        Role::Whole => vec![(found.name, found.kind)],
        Role::Part(_) => parts(&is_there),
    };
    attach_from(hypotheses, &sources, at)?;
    Ok(found.scale())
}

/// Gives every hypothesis the sum of these numbers beside it as its score.
///
/// # Errors
/// Those of [`attach`], and [`Error::Score`] where one of several numbers is missing.
pub(crate) fn attach_from(
    hypotheses: &mut [Hypothesis],
    sources: &[(&str, ScoreKind)],
    at: &Beside,
) -> Result<ScoreScale, Error> {
    // What stands in the usual field is one number among the others here.
    for one in hypotheses.iter_mut() {
        if let Some(score) = one.score.take() {
            one.extra.insert(USUAL.to_owned(), score.into());
        }
    }
    add_up(hypotheses, sources, at)?;
    // Its name is the score's own, so where it is not the score it goes by another.
    for one in hypotheses.iter_mut() {
        if let Some(other) = one.extra.shift_remove(USUAL)
            && !sources.iter().any(|(name, _)| *name == USUAL)
        {
            one.extra.insert(format!("other_{USUAL}"), other);
        }
    }
    Ok(match sources {
        [(_, ScoreKind::Probability)] => ScoreScale::Posterior,
        [(name, _)] => names::known(name).map_or(ScoreScale::Unknown, Known::scale),
        _ => ScoreScale::Sum,
    })
}

fn add_up(hypotheses: &mut [Hypothesis], sources: &[(&str, ScoreKind)], at: &Beside) -> Result<(), Error> {
    for &(name, kind) in sources {
        let numbers: Vec<Option<f64>> = hypotheses.iter().map(|one| at.number(one, name)).collect();
        if kind == ScoreKind::Probability && is_unset(&numbers) {
            hypotheses.iter_mut().for_each(|one| one.score = None);
            return Ok(());
        }
        for (position, number) in numbers.into_iter().enumerate() {
            let hypothesis = &mut hypotheses[position];
            hypothesis.score = match number {
                Some(number) => {
                    let sum = hypothesis.score.unwrap_or(0.0);
                    Some(sum + at.score(kind, number, || at.field(position, name))?)
                }
                // A whole score that is missing leaves the hypothesis without; the list then says so.
                None if sources.len() == 1 => None,
                None => return Err(missing(name, sources, position, at)),
            };
        }
    }
    Ok(())
}

/// A part that is missing would make sums that cannot be compared.
fn missing(name: &str, sources: &[(&str, ScoreKind)], position: usize, at: &Beside) -> Error {
    let all: Vec<_> = sources.iter().map(|(name, _)| format!("`{name}`")).collect();
    Error::Score {
        place: at.place.clone(),
        field: at.field(position, name),
        reason: format!(
            "missing, but the score is the sum of {}; give all of them beside every text, or none",
            all.join(", ")
        ),
    }
}

/// Whether a name that is there says what the score is.
fn decides(known: &Known, is_there: &impl Fn(&str) -> bool) -> bool {
    match known.role {
        // The decoder of CTC beams (pyctcdecode) gives the acoustic score, and the sum of both under `lm_score`.
        Role::Whole => known.name != "logit_score" || !is_there("lm_score"),
        Role::Part(ScorePart::Language) => known.name == "lm_score" && is_there("logit_score"),
        Role::Part(_) => true,
    }
}

/// Names and kinds of the parts that are there, one name of each.
fn parts(is_there: &impl Fn(&str) -> bool) -> Vec<(&'static str, ScoreKind)> {
    named_parts(is_there).into_iter().map(|(_, known)| (known.name, known.kind)).collect()
}

/// The parts that are there, each by the first of its names that is.
fn named_parts(is_there: &impl Fn(&str) -> bool) -> Vec<(ScorePart, &'static Known)> {
    let mut found: Vec<(ScorePart, &Known)> = Vec::new();
    for known in KNOWN {
        if let Role::Part(part) = known.role
            && !found.iter().any(|(other, _)| *other == part)
            && is_there(known.name)
        {
            found.push((part, known));
        }
    }
    found
}

/// The scores of single models that stand beside every text as finite numbers, higher is better: for each part its values, in the
/// order of the hypotheses.
pub(crate) fn of_parts(hypotheses: &[&Hypothesis]) -> Vec<(ScorePart, Vec<f64>)> {
    let is_other = |one: &&Hypothesis| one.extra.is_empty() || one.extra.contains_key(OF_SECOND_PASS[0]);
    if hypotheses.iter().any(is_other) {
        return Vec::new();
    }
    let values = |known: &Known| -> Option<Vec<f64>> {
        let value = |one: &&Hypothesis| plain_number(one, known.name).filter(|number| number.is_finite());
        let sign = |number: f64| if known.kind == ScoreKind::Cost { 0.0 - number } else { number };
        hypotheses.iter().map(|one| value(one).map(sign)).collect()
    };
    let named = named_parts(&|name| plain_number(hypotheses[0], name).is_some());
    named.into_iter().filter_map(|(part, known)| Some((part, values(known)?))).collect()
}

fn plain_number(hypothesis: &Hypothesis, name: &str) -> Option<f64> {
    match hypothesis.extra.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Whether confidences say that there are none.
fn is_unset(numbers: &[Option<f64>]) -> bool {
    let given = |number: &Option<f64>| number.is_some_and(|number| number != 0.0);
    let first_alone = numbers.len() > 1 && !numbers[1..].iter().any(given);
    first_alone || numbers.iter().all(|number| *number == Some(0.0))
}

/// The name of a number that stands beside every text of a list without scores, differs between the texts, and
/// may be a score.
pub(crate) fn unused(hypotheses: &[Hypothesis]) -> Option<&str> {
    let [first, rest @ ..] = hypotheses else { return None };
    if rest.is_empty() || hypotheses.iter().any(|one| one.score.is_some()) {
        return None;
    }
    first.extra.keys().map(String::as_str).filter(|name| names::may_be_score(name)).find(|name| {
        let of_first = plain_number(first, name);
        let beside_all = of_first.is_some() && rest.iter().all(|one| plain_number(one, name).is_some());
        beside_all && rest.iter().any(|one| plain_number(one, name) != of_first)
    })
}

#[cfg(test)]
mod tests;
