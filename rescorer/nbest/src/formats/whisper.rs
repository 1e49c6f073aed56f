//! What Whisper and its kin write: `{"text": "...", "segments": [{"text": "...", "avg_logprob": -0.3, "tokens":
//! [...], ...}, ...], "language": "en"}`, one object or a stream of them.
//!
//! Such a result is a list of one hypothesis; results with other seeds or beams make a list as `{"id": "u1",
//! "hypotheses": [result, ...], "reference": "..."}`, which the native format reads in the same way where it
//! stands in a line.
//!
//! The text is `text` without the white space around it, and has to say what the segments say; where it is left
//! out, it is the texts of the segments, with a space between them if none brings its own and the script has
//! spaces. The score is `score` or `avg_logprob` of the result where there is one, else the mean
//! log-probability of its tokens,
//!
//! `Σ aᵢ·(nᵢ + 1) / Σ (nᵢ + 1)` with aᵢ the `avg_logprob` and nᵢ the number of `tokens` of segment i,
//!
//! as Whisper counts the end of the text among the tokens. Where `tokens` are left out (WhisperX), nᵢ is the
//! number of words. (Whisper gives all segments of a window of 30 seconds the mean of the window.) Results of
//! which no segment has an `avg_logprob` have no score. All fields but `text` are carried along.
//!
//! # Reference
//! openai/whisper, `whisper/decoding.py` (`DecodingTask.run`) and `whisper/transcribe.py`;
//! SYSTRAN/faster-whisper, `faster_whisper/transcribe.py`; m-bain/whisperX (`SingleSegment`).

use serde_json::{Map, Value};

use crate::fields::{Fields, Unread, hypothesis, kind};
use crate::join::join;
use crate::shape::{Json, Layout, Read};
use crate::spec::Spec;
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, Utterance};

pub(super) const SPEC: Spec = Spec::Json(&[Json {
    marks: &["segments"],
    certain: false,
    layout: Layout::DOCUMENTS,
    unfinished: &[],
    read: Read::Own(parse),
}]);

fn parse(mut fields: Fields) -> Result<Utterance, Unread> {
    fields.read_id()?;
    let listed = fields.list("hypotheses", "a list of results with `segments`")?;
    // Silence has no segments.
    if listed.is_none()
        && !fields.has("segments")
        && !(fields.get("segments").is_some() && fields.has("text"))
    {
        return Err(fields.without("segments"));
    }
    let place = fields.place().clone();
    // `score` is anybody's.
    let has_score = |value: &Value| value.get("score").is_some_and(|score| !score.is_null());
    let has_own = listed.as_ref().map_or(fields.has("score"), |listed| listed.iter().any(has_score));
    let scale = if has_own { ScoreScale::Unknown } else { ScoreScale::MeanPerToken };
    let hypotheses = match listed {
        None => vec![result(fields.take_hypothesis(), &place, "", true)?],
        Some(listed) if listed.is_empty() => Vec::new(),
        Some(listed) => {
            let alone = listed.len() == 1;
            (0..)
                .zip(listed)
                .map(|(position, value)| {
                    let name = format!("hypotheses[{position}]");
                    let has_segments = value.get("segments").is_some_and(|segments| !segments.is_null());
                    if has_segments {
                        result(value, &place, &name, alone)
                    } else {
                        hypothesis(value, &place, || name.clone())
                    }
                })
                .collect::<Result<_, Error>>()?
        }
    };
    let nbest = NBest::checked(hypotheses, &place)?.with_score_scale(scale);
    let reference = fields.text("reference")?;
    Ok(fields.utterance(nbest, reference)?)
}

/// Whether a hypothesis of the native format is a whole result: it has segments, and no text or score of its own instead.
pub(super) fn is_result(value: &Value) -> bool {
    let has = |field: &str| value.get(field).is_some_and(|value| !value.is_null());
    let Some(Value::Array(segments)) = value.get("segments") else { return false };
    let spoken = |segment: &Value| segment.get("text").is_some_and(Value::is_string);
    let scored = has("score") || has("avg_logprob");
    !has("text") || (!scored && !segments.is_empty() && segments.iter().all(spoken))
}

/// The hypothesis of a result; `name` names it in errors, and is empty where it is the utterance itself. Of one that is
/// `alone` in its list not every segment needs a score.
pub(super) fn result(value: Value, place: &Place, name: &str, alone: bool) -> Result<Hypothesis, Error> {
    let at = Name { place, name };
    let mut result = match value {
        Value::Object(result) => result,
        other => return Err(at.wrong("", "an object with `segments`", &other)),
    };
    let segments = match result.get("segments") {
        Some(Value::Array(segments)) => segments.as_slice(),
        Some(Value::Null) if result.get("text").is_some_and(Value::is_string) => &[],
        Some(other) => return Err(at.wrong("segments", "a list of objects with `text`", other)),
        None => return Err(Error::MissingField { place: place.clone(), field: at.field("segments") }),
    };
    let segments = (0..)
        .zip(segments)
        .map(|(index, value)| Segment::read(value, index, &at))
        .collect::<Result<Vec<_>, _>>()?;
    let joined = join(segments.iter().map(|segment| segment.text.as_str()));
    let text = match result.get("text") {
        None | Some(Value::Null) => joined,
        Some(Value::String(text)) if segments.is_empty() || agrees(text, &joined) => text.trim().to_owned(),
        Some(Value::String(_)) => {
            let (text, segments) = (at.field("text"), at.field("segments"));
            return Err(at.part(format!("`{text}` says something else than `{segments}`; mend one of them")));
        }
        Some(other) => return Err(at.wrong("text", "a string", other)),
    };
    let mean = mean(&segments, alone, &at)?;
    result.insert("text".to_owned(), Value::String(text));
    let mut hypothesis = hypothesis(Value::Object(result), place, || match name {
        "" => "utterance".to_owned(),
        name => name.to_owned(),
    })?;
    hypothesis.score = hypothesis.score.or(mean);
    Ok(hypothesis)
}

/// What a result is called in errors.
struct Name<'a> {
    place: &'a Place,
    name: &'a str,
}

impl Name<'_> {
    fn field(&self, field: &str) -> String {
        let dot = if self.name.is_empty() || field.is_empty() { "" } else { "." };
        format!("{}{dot}{field}", self.name)
    }

    fn wrong(&self, field: &str, expected: &'static str, found: &Value) -> Error {
        Error::FieldType { place: self.place.clone(), field: self.field(field), expected, found: kind(found) }
    }

    fn part(&self, reason: String) -> Error {
        Error::Part { place: self.place.clone(), reason }
    }
}

/// What is read of a segment.
struct Segment {
    text: String,
    avg_logprob: Option<f64>,
    tokens: Option<usize>,
}

impl Segment {
    fn read(value: &Value, index: usize, at: &Name) -> Result<Self, Error> {
        let name = |field: &str| format!("segments[{index}]{field}");
        let Value::Object(segment) = value else {
            return Err(at.wrong(&name(""), "an object with `text`", value));
        };
        let given = |field: &str| Map::get(segment, field).filter(|value| !value.is_null());
        let text = match given("text") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => return Err(at.wrong(&name(".text"), "a string", other)),
            None => {
                return Err(Error::MissingField { place: at.place.clone(), field: at.field(&name(".text")) });
            }
        };
        let avg_logprob = given("avg_logprob")
            .map(|value| value.as_f64().ok_or_else(|| at.wrong(&name(".avg_logprob"), "a number", value)))
            .transpose()?;
        let tokens = match given("tokens") {
            None => None,
            Some(Value::Array(tokens)) => Some(tokens.len()),
            Some(other) => return Err(at.wrong(&name(".tokens"), "a list", other)),
        };
        Ok(Self { text, avg_logprob, tokens })
    }
}

/// The mean log-probability of the tokens of all segments.
fn mean(segments: &[Segment], alone: bool, at: &Name) -> Result<Option<f64>, Error> {
    let Some(scored) = segments.iter().position(|segment| segment.avg_logprob.is_some()) else {
        return Ok(None);
    };
    let count_tokens = segments.iter().all(|segment| segment.tokens.is_some());
    let (mut sum, mut count) = (0.0, 0.0);
    for (index, segment) in segments.iter().enumerate() {
        let Some(avg_logprob) = segment.avg_logprob else {
            if alone {
                return Ok(None);
            }
            let [with, without] = [scored, index].map(|index| at.field(&format!("segments[{index}]")));
            return Err(
                at.part(format!("`{without}` has no `avg_logprob`, but `{with}` has; score all or none"))
            );
        };
        let words = segment.text.split_whitespace().count();
        let weight = (segment.tokens.filter(|_| count_tokens).unwrap_or(words) + 1) as f64;
        sum += avg_logprob * weight;
        count += weight;
    }
    Ok(Some(sum / count))
}

/// Whether two texts are the same but for white space. A character that is cut in two by the end of a segment is
/// spoilt on one side, and then there is nothing to compare.
fn agrees(text: &str, joined: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    text.contains('\u{FFFD}') || joined.contains('\u{FFFD}') || letters(text) == letters(joined)
}
