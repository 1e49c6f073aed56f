//! Objects as utterances, by a table of paths.

use serde_json::{Map, Value};

use crate::fields::{Fields, Unread, free, kind};
use crate::join::join;
use crate::scores::{self, Beside};
use crate::shape::{Id, Json, Mapping, Read, Reference, Score, Text};
use crate::stem::stem;
use crate::{Error, Hypothesis, NBest, Place, ScoreKind, ScoreScale, Utterance, json, path};

/// The objects that hold one list each, of an object of a shape. What stands around a list goes with it where it is the only
/// one.
pub(crate) fn lists(json: &Json, value: Value, place: &Place) -> Result<Vec<Value>, Error> {
    let Read::Mapped(Mapping { lists: at, .. }) = &json.read else { return Ok(vec![value]) };
    if at.is_empty() {
        return Ok(vec![value]);
    }
    let Value::Object(mut document) = value else { return Ok(vec![value]) };
    let mut lists = match path::take(&mut document, at) {
        Some(Value::Array(lists)) => lists,
        None | Some(Value::Null) => {
            return Err(Error::MissingField { place: place.clone(), field: (*at).to_owned() });
        }
        Some(other) => {
            let (place, field, found) = (place.clone(), (*at).to_owned(), kind(&other));
            return Err(Error::FieldType { place, field, expected: "a list", found });
        }
    };
    if let [Value::Object(list)] = lists.as_mut_slice() {
        for (key, value) in document {
            list.entry(key).or_insert(value);
        }
    }
    Ok(lists)
}

/// The utterance of an object.
pub(crate) fn utterance(mapping: &Mapping, mut fields: Fields) -> Result<Utterance, Unread> {
    fields.rename()?;
    read_id(mapping, &mut fields)?;
    let place = fields.place().clone();
    let mut reference = match mapping.reference {
        Reference::List(name) => fields.text(name)?,
        Reference::Hypotheses(_) => None,
    };
    let name = |position: usize| match mapping.hypotheses {
        "" => String::new(),
        path => format!("{path}[{position}]"),
    };
    let listed = match mapping.hypotheses {
        "" => vec![fields.take_hypothesis()],
        path => match fields.listed(path, "a list of hypotheses")? {
            Some(listed) => listed,
            None => return Err(fields.without(path)),
        },
    };
    let mut hypotheses = Vec::with_capacity(listed.len());
    for (position, value) in listed.into_iter().enumerate() {
        let at = Name { place: &place, name: name(position) };
        let (hypothesis, said) = hypothesis(mapping, value, &fields, &at)?;
        match (&reference, said) {
            (Some(one), Some(other)) if *one != other => {
                let reason =
                    format!("its hypotheses have different references, {one:?} and {other:?}; mend them");
                return Err(Error::Part { place, reason }.into());
            }
            (None, Some(said)) if position == 0 => reference = Some(said),
            _ => {}
        }
        hypotheses.push(hypothesis);
    }
    let scale = score(mapping, &mut hypotheses, &fields, &|position| match name(position).as_str() {
        "" => String::new(),
        name => format!("{name}."),
    })?;
    for one in &mut hypotheses {
        free(&mut one.extra, &["text", "score"]);
    }
    let nbest = NBest::checked(hypotheses, &place)?.with_score_scale(scale);
    fields.free(&["id", "hypotheses", "reference"]);
    Ok(fields.utterance(nbest, reference)?)
}

fn read_id(mapping: &Mapping, fields: &mut Fields) -> Result<(), Error> {
    match mapping.id {
        Id::Own => fields.read_id(),
        Id::Field(name) => {
            if !fields.has("id") {
                fields.copy_as_id(name);
            }
            fields.read_id()
        }
        Id::Audio(audio, offset) => {
            if !fields.has("id")
                && let Some(Value::String(audio)) = fields.get(audio)
            {
                let offset = fields.get(offset).and_then(Value::as_f64).filter(|offset| *offset != 0.0);
                let id = match offset {
                    Some(offset) => format!("{}:{offset}", stem(audio)),
                    None => stem(audio),
                };
                fields.set_id(id);
            }
            fields.read_id()
        }
        Id::None => {
            fields.take_key_as_id();
            Ok(())
        }
    }
}

/// What a hypothesis is called in errors.
struct Name<'a> {
    place: &'a Place,
    name: String,
}

impl Name<'_> {
    fn field(&self, field: &str) -> String {
        match (self.name.as_str(), field) {
            ("", "") => "utterance".to_owned(),
            ("", field) => field.to_owned(),
            (name, "") => name.to_owned(),
            (name, field) => format!("{name}.{field}"),
        }
    }

    fn wrong(&self, field: &str, expected: &'static str, found: &Value) -> Error {
        Error::FieldType { place: self.place.clone(), field: self.field(field), expected, found: kind(found) }
    }

    fn missing(&self, field: &str) -> Error {
        Error::MissingField { place: self.place.clone(), field: self.field(field) }
    }
}

/// One hypothesis, and the reference that it states.
fn hypothesis(
    mapping: &Mapping,
    value: Value,
    fields: &Fields,
    at: &Name,
) -> Result<(Hypothesis, Option<String>), Error> {
    let mut extra = match value {
        value if json::not_finite(&value).is_some() => {
            return Err(at.wrong("", "an object with a text", &value));
        }
        Value::Object(extra) => extra,
        other => return Err(at.wrong("", "an object with a text", &other)),
    };
    let text = match fields.text_name().filter(|name| extra.contains_key(*name)) {
        Some(name) => take_text(&mut extra, name, at)?,
        None => text(&mapping.text, &mut extra, at)?,
    };
    let text = text.ok_or_else(|| at.missing(first_name(&mapping.text)))?;
    let reference = match mapping.reference {
        Reference::Hypotheses(name) => take_text(&mut extra, name, at)?,
        Reference::List(_) => None,
    };
    Ok((Hypothesis { text: text.trim().to_owned(), score: None, extra }, reference))
}

fn first_name(text: &Text) -> &'static str {
    match text {
        Text::Field(names) => names.first().copied().unwrap_or_default(),
        Text::Without(name, _) | Text::Joined(name, _) => name,
    }
}

fn text(text: &Text, extra: &mut Map<String, Value>, at: &Name) -> Result<Option<String>, Error> {
    match text {
        Text::Field(names) => {
            let is_there = |name: &&&str| extra.get(**name).is_some_and(|value| !value.is_null());
            let Some(name) = names.iter().find(is_there) else { return Ok(None) };
            take_text(extra, name, at)
        }
        Text::Without(name, end) => {
            let text = take_text(extra, name, at)?;
            Ok(text.map(|text| text.trim_end().trim_end_matches(end).to_owned()))
        }
        Text::Joined(name, field) => {
            let Some(parts) = list(extra, name, at)? else { return Ok(None) };
            let parts = (0..).zip(parts).map(|(index, part)| {
                let name = format!("{name}[{index}].{field}");
                match part.get(field) {
                    Some(Value::String(text)) => Ok(text.as_str()),
                    Some(other) => Err(at.wrong(&name, "a string", other)),
                    None => Err(at.missing(&name)),
                }
            });
            Ok(Some(join(parts.collect::<Result<Vec<_>, _>>()?.into_iter())))
        }
    }
}

fn take_text(extra: &mut Map<String, Value>, name: &str, at: &Name) -> Result<Option<String>, Error> {
    match extra.shift_remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(at.wrong(name, "a string", &other)),
    }
}

/// A list among the fields; null is as good as absent.
fn list<'a>(extra: &'a Map<String, Value>, name: &str, at: &Name) -> Result<Option<&'a Vec<Value>>, Error> {
    match extra.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(other) => Err(at.wrong(name, "a list", other)),
    }
}

/// Gives the hypotheses the scores that the shape has for them, and says what they are logarithms of.
fn score(
    mapping: &Mapping,
    hypotheses: &mut [Hypothesis],
    fields: &Fields,
    prefix: &dyn Fn(usize) -> String,
) -> Result<ScoreScale, Error> {
    let place = fields.place();
    let at = Beside { place, notices: fields.notices(), prefix };
    if fields.has_named_scores() {
        return fields.score(hypotheses, prefix);
    }
    for (position, one) in hypotheses.iter_mut().enumerate() {
        let number = |field: &str, value: &Value, kind: ScoreKind| -> Result<f64, Error> {
            let text = value.as_str().and_then(|text| text.trim().parse().ok());
            let field = || format!("{}{field}", prefix(position));
            let number = value.as_f64().or(text).ok_or_else(|| Error::FieldType {
                place: place.clone(),
                field: field(),
                expected: "a number",
                found: self::kind(value),
            })?;
            at.score(kind, number, field)
        };
        one.score = match mapping.score {
            Score::Known => None,
            Score::Field(name, kind) => match one.extra.shift_remove(name) {
                None | Some(Value::Null) => None,
                Some(value) => Some(number(name, &value, kind)?),
            },
            Score::Sum(list, name, kind) => {
                let parts = elements(&one.extra, list, name);
                let parts = parts.into_iter().map(|(field, value)| number(&field, value, kind));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                (!parts.is_empty()).then(|| parts.iter().sum())
            }
            Score::Mean(outer, list, name, kind) => {
                let outer = one.extra.get(outer).and_then(Value::as_array);
                let inner = outer.into_iter().flatten().filter_map(Value::as_object);
                let parts = inner.flat_map(|inner| elements(inner, list, name));
                let parts = parts.map(|(field, value)| number(&field, value, kind));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                (!parts.is_empty()).then(|| parts.iter().sum::<f64>() / parts.len() as f64)
            }
        };
    }
    if hypotheses.iter().all(|one| one.score.is_none()) {
        return scores::attach(hypotheses, &at);
    }
    Ok(match mapping.score {
        Score::Known => ScoreScale::Unknown,
        Score::Field(_, ScoreKind::Probability) => ScoreScale::Posterior,
        Score::Field(..) | Score::Sum(..) => ScoreScale::Sum,
        Score::Mean(..) => ScoreScale::MeanPerToken,
    })
}

/// The numbers in the elements of a list, with their names. Punctuation and marks of the recogniser have none.
fn elements<'a>(fields: &'a Map<String, Value>, list: &str, name: &str) -> Vec<(String, &'a Value)> {
    let is_word = |element: &Value| {
        let text = |name: &str| element.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = [text("type"), text("Type")].concat();
        kind != "punctuation" && !text("text").starts_with("[_")
    };
    let elements = fields.get(list).and_then(Value::as_array).into_iter().flatten().enumerate();
    let found = elements.filter(|(_, element)| is_word(element)).filter_map(|(index, element)| {
        let value = element.get(name).filter(|value| !value.is_null())?;
        Some((format!("{list}[{index}].{name}"), value))
    });
    found.collect()
}
