//! The fields of one utterance, taken out one by one with errors that name the place.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::decimal_comma::decimal_comma;
use crate::notice::Notices;
use crate::reading::Reading;
use crate::scores::names::known;
use crate::scores::{self, Beside};
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, Utterance, json, path};

/// The fields that are not yet taken, and where they stand.
pub(crate) struct Fields {
    map: Map<String, Value>,
    place: Place,
    id: String,
    reading: Arc<Reading>,
}

impl Fields {
    /// `id` is the one the utterance has if it states none: the key, or `FILE-STEM:INDEX`.
    pub(crate) fn new(value: Value, place: Place, id: String, reading: Arc<Reading>) -> Result<Self, Error> {
        match value {
            Value::Object(map) => Ok(Self { map, place, id, reading }),
            other => {
                let (field, found) = ("utterance".to_owned(), kind(&other));
                Err(Error::FieldType { place, field, expected: "an object", found })
            }
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(|value| !value.is_null())
    }

    /// A field that is not yet taken.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.map.get(field)
    }

    /// Who is told what is no error.
    pub(crate) fn notices(&self) -> &Notices {
        &self.reading.notices
    }

    /// The name that the user gave the text of a hypothesis.
    pub(crate) fn text_name(&self) -> Option<&str> {
        self.reading.names.text()
    }

    /// Whether the user named the scores.
    pub(crate) fn has_named_scores(&self) -> bool {
        self.reading.names.scores().len() > 0
    }

    /// Takes the id from the field `id`, if there is one: a text, or a whole number.
    pub(crate) fn read_id(&mut self) -> Result<(), Error> {
        let id = match self.map.shift_remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) if id.is_empty() => {
                return Err(self.type_error("id".to_owned(), "a name, or no `id` at all", "an empty string"));
            }
            Some(value) => match id(&value) {
                Some(id) => Some(id),
                None => {
                    return Err(self.type_error("id".to_owned(), "a string or a whole number", kind(&value)));
                }
            },
        };
        self.id = id.unwrap_or_else(|| std::mem::take(&mut self.id));
        self.take_key_as_id();
        Ok(())
    }

    /// Gives the utterance an id, unless it states one.
    pub(crate) fn set_id(&mut self, id: String) {
        self.id = id;
    }

    /// Takes another field for the id.
    pub(crate) fn copy_as_id(&mut self, field: &str) {
        if let Some(value) = self.map.get(field) {
            let value = value.clone();
            self.map.insert("id".to_owned(), value);
        }
    }

    /// Gives carried fields other names where theirs are those of fields of the native format.
    pub(crate) fn free(&mut self, names: &[&str]) {
        free(&mut self.map, names);
    }

    /// Stays with the id that the utterance has by its key.
    pub(crate) fn take_key_as_id(&mut self) {
        self.place.utterance = Some(self.id.clone());
    }

    /// Gives the fields that the user named their usual names.
    pub(crate) fn rename(&mut self) -> Result<(), Error> {
        for (known, name) in self.reading.names.of_lists() {
            let Some(value) = self.map.shift_remove(name) else { continue };
            if self.map.insert(known.to_owned(), value).is_some() {
                return Err(Error::DuplicateKey { place: self.place.clone(), key: known.to_owned() });
            }
        }
        Ok(())
    }

    /// A hypothesis whose text has its usual name.
    pub(crate) fn named(&self, mut hypothesis: Value) -> Value {
        if let (Some(name), Some(fields)) = (self.reading.names.text(), hypothesis.as_object_mut())
            && let Some(text) = fields.shift_remove(name)
        {
            fields.insert("text".to_owned(), text);
        }
        hypothesis
    }

    /// Takes a string; null is as good as absent.
    pub(crate) fn text(&mut self, field: &str) -> Result<Option<String>, Error> {
        match self.map.shift_remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.type_error(field.to_owned(), "a string", kind(&other))),
        }
    }

    /// Takes a list; null is as good as absent.
    pub(crate) fn list(&mut self, field: &str, expected: &'static str) -> Result<Option<Vec<Value>>, Error> {
        match self.map.shift_remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.type_error(field.to_owned(), expected, kind(&other))),
        }
    }

    /// Takes the list at a path; null is as good as absent.
    pub(crate) fn listed(&mut self, path: &str, expected: &'static str) -> Result<Option<Vec<Value>>, Error> {
        match path::take(&mut self.map, path) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.type_error(path.to_owned(), expected, kind(&other))),
        }
    }

    /// Keeps the fields for which `keep` says true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.map.retain(|key, value| keep(key, value));
    }

    /// Takes all fields but the reference and the context, where the utterance itself is a hypothesis.
    pub(crate) fn take_hypothesis(&mut self) -> Value {
        let all = std::mem::take(&mut self.map).into_iter();
        let (of_utterance, rest) = all.partition(|(key, _)| key == "reference" || key == "context");
        self.map = of_utterance;
        Value::Object(rest)
    }

    /// Whether something stands at a path.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        path::has(&self.map, path)
    }

    /// Gives up: the field that holds the hypotheses is not there.
    pub(crate) fn without(self, field: &str) -> Unread {
        let error = Error::MissingField { place: self.place.clone(), field: field.to_owned() };
        self.otherwise(error)
    }

    /// Gives up with an error, unless the fields are those of another format.
    pub(crate) fn otherwise(self, error: Error) -> Unread {
        Unread::Empty(Box::new((self, error)))
    }

    pub(crate) fn type_error(&self, field: String, expected: &'static str, found: &'static str) -> Error {
        Error::FieldType { place: self.place.clone(), field, expected, found }
    }

    /// Gives hypotheses their scores, where numbers beside the texts are known, and says what they are logarithms of;
    /// `prefix` is what their fields begin with, such as `hypotheses[0].`.
    pub(crate) fn score(
        &self,
        hypotheses: &mut [Hypothesis],
        prefix: impl Fn(usize) -> String,
    ) -> Result<ScoreScale, Error> {
        let at = Beside { place: &self.place, notices: &self.reading.notices, prefix: &prefix };
        let named: Vec<_> = self.reading.names.scores().collect();
        match named.as_slice() {
            [] => scores::attach(hypotheses, &at),
            named => scores::attach_from(hypotheses, named, &at),
        }
    }

    /// Puts known numbers that stand in lists beside that of the texts, such as `scores`, beside their texts, where no
    /// hypothesis has a score.
    pub(crate) fn scores_beside(&mut self, hypotheses: &mut [Hypothesis]) -> Result<(), Error> {
        if hypotheses.iter().any(|one| one.score.is_some()) {
            return Ok(());
        }
        if let Some(Value::Object(scores)) = self.map.get("scores")
            && scores.values().all(Value::is_array)
            && let Some(Value::Object(scores)) = self.map.shift_remove("scores")
        {
            for (name, value) in scores {
                self.map.entry(name).or_insert(value);
            }
        }
        let named: Vec<String> = self.reading.names.scores().map(|(name, _)| name.to_owned()).collect();
        let singular = |name: &str| {
            let singular = name.strip_suffix('s').unwrap_or(name);
            let is_known = named.iter().any(|one| one == name) || known(name).is_some();
            if is_known { Some(name.to_owned()) } else { known(singular).map(|known| known.name.to_owned()) }
        };
        let beside: Vec<(String, String)> = (self.map.iter())
            .filter(|(_, value)| value.is_array())
            .filter_map(|(name, _)| Some((name.clone(), singular(name)?)))
            .collect();
        for (field, name) in beside {
            let Some(scores) = self.list(&field, "a list")? else { continue };
            if scores.len() != hypotheses.len() {
                let (hypotheses, scores) = (hypotheses.len(), scores.len());
                return Err(Error::ScoreCount { place: self.place.clone(), field, hypotheses, scores });
            }
            for (position, (one, score)) in hypotheses.iter_mut().zip(scores).enumerate() {
                match score {
                    Value::Null => {}
                    Value::Number(number) if name == "score" => one.score = number.as_f64(),
                    Value::Number(number) => _ = one.extra.insert(name.clone(), Value::Number(number)),
                    other => {
                        let field = format!("{field}[{position}]");
                        return Err(self.type_error(field, "a number", kind(&other)));
                    }
                }
            }
        }
        Ok(())
    }

    /// The utterance; what was not taken is carried along.
    pub(crate) fn utterance(mut self, nbest: NBest, reference: Option<String>) -> Result<Utterance, Error> {
        let context = self.text("context")?;
        Ok(Utterance { id: self.id, nbest, reference, context, extra: self.map })
    }
}

/// Why an object is not read as an utterance.
pub(crate) enum Unread {
    /// Something in it is wrong.
    Error(Error),
    /// Nothing stands in the place of the hypotheses: the fields may be those of another format, and if not, this is the
    /// error.
    Empty(Box<(Fields, Error)>),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Gives carried fields other names where theirs are those of fields of the native format.
pub(crate) fn free(extra: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        if let Some(value) = extra.shift_remove(*name) {
            extra.insert(format!("original_{name}"), value);
        }
    }
}

/// A hypothesis from an object with `text` and, if it is scored, `score`; `name` names it in errors.
/// Without a `score`, Whisper's `avg_logprob` is the score. Other numbers become scores by [`Fields::score`], when the
/// whole list is there. All stay among the fields that are carried along.
pub(crate) fn hypothesis(
    value: Value,
    place: &Place,
    name: impl Fn() -> String,
) -> Result<Hypothesis, Error> {
    let wrong =
        |field: String, expected, found| Error::FieldType { place: place.clone(), field, expected, found };
    let mut extra = match value {
        Value::Object(map) => map,
        other => return Err(wrong(name(), "an object with `text` and `score`", kind(&other))),
    };
    let text = match extra.shift_remove("text") {
        Some(Value::String(text)) => text,
        Some(other) => return Err(wrong(format!("{}.text", name()), "a string", kind(&other))),
        None => return Err(Error::MissingField { place: place.clone(), field: format!("{}.text", name()) }),
    };
    let number = |field: &str, value: &Value| {
        value.as_f64().ok_or_else(|| wrong(format!("{}.{field}", name()), "a number", kind(value)))
    };
    let score = match (extra.shift_remove("score"), extra.get("avg_logprob")) {
        (None | Some(Value::Null), None | Some(Value::Null)) => None,
        (None | Some(Value::Null), Some(value)) => Some(number("avg_logprob", value)?),
        (Some(value), _) => Some(number("score", &value)?),
    };
    Ok(Hypothesis { text, score, extra })
}

/// An id that a value states: a text, or a whole number.
pub(crate) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(id) => Some(id.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        // pandas makes floats of whole numbers where some are missing.
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15)?;
            Some(format!("{number:.0}"))
        }
        _ => None,
    }
}

/// What a JSON value is, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        value if json::not_finite(value).is_some() => json::not_finite(value).unwrap_or("NaN"),
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) if decimal_comma(text.trim()).is_some() => "a string with a decimal comma",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
