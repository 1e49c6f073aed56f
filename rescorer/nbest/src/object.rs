//! One object as an utterance, of whichever JSON format it is.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fields::Fields;
use crate::formats::{Json, Layout};
use crate::reading::Reading;
use crate::{Error, Format, Place, Utterance};

/// What the JSON formats look at beside their marks.
const FIELDS: [&str; 12] = [
    "id",
    "reference",
    "output",
    "ref",
    "context",
    "am_score",
    "score",
    "avg_logprob",
    "text",
    "tokens",
    "lm_probs",
    "extra",
];

impl Utterance {
    /// The utterance that an object holds, whose keys say which of the JSON formats it is: `hypotheses` the native one,
    /// `input` HyPoradise, `alternatives` Vosk, `segments` Whisper, and so on. `id` is for an object that states none.
    ///
    /// ```
    /// use rescorer_nbest::Utterance;
    /// use serde_json::json;
    ///
    /// let object = json!({"alternatives": [{"text": "a cat", "confidence": 270.4}]});
    /// let utterance = Utterance::from_object(object.as_object().unwrap().clone(), "u1")?;
    /// assert_eq!((utterance.id.as_str(), utterance.nbest.first().score), ("u1", Some(270.4)));
    /// # Ok::<(), rescorer_nbest::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownFields`] without a key that tells, and those of the formats; all are of one utterance.
    pub fn from_object(object: Map<String, Value>, id: &str) -> Result<Self, Error> {
        let place =
            Place { utterance: Some(stated_id(&object).unwrap_or(id).to_owned()), ..Place::default() };
        let marks = object.iter().filter(|(_, value)| !value.is_null());
        let marks = marks.filter_map(|(key, _)| Format::marked_by(key));
        let Some((_, json)) = marks.min_by_key(|(_, json)| !json.certain) else {
            let seen: Vec<_> = object.keys().map(|key| format!("`{key}`")).collect();
            let seen = if seen.is_empty() { "no field at all".to_owned() } else { seen.join(", ") };
            return Err(Error::UnknownFields { place, seen });
        };
        utterance(json, object, place, id.to_owned(), &Arc::default())
    }

    /// Whether a JSON format looks at this field of an utterance; all others it carries along.
    pub fn is_read(field: &str) -> bool {
        FIELDS.contains(&field) || Format::marked_by(field).is_some()
    }
}

/// Reads an object as one of the formats. Where that has the id as key of the object, the field `id` is the key.
pub(crate) fn utterance(
    json: &Json,
    mut object: Map<String, Value>,
    place: Place,
    mut id: String,
    reading: &Arc<Reading>,
) -> Result<Utterance, Error> {
    if json.layout == Layout::Object
        && let Some(Value::String(key)) = object.shift_remove("id")
    {
        id = key;
    }
    (json.parse)(Fields::new(Value::Object(object), place, id, reading.clone())?)
}

fn stated_id(object: &Map<String, Value>) -> Option<&str> {
    object.get("id").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(object: Value) -> Result<Utterance, String> {
        let Value::Object(object) = object else { panic!("no object") };
        Utterance::from_object(object, "list:7").map_err(|error| error.to_string())
    }

    #[test]
    fn the_keys_tell_the_format() {
        let objects = [
            json!({"hypotheses": [{"text": "a cat", "score": -1}], "segments": null}),
            json!({"segments": [], "hypotheses": [{"text": "a cat", "score": -1}]}),
            json!({"input": ["a cat"], "am_score": [-1], "output": "a cat"}),
            json!({"alternatives": [{"text": "a cat", "confidence": -1}]}),
            json!({"segments": [{"text": " a cat", "avg_logprob": -1}]}),
            json!({"text": "a cat", "tokens": ["a", "cat"], "ys_probs": [-0.5, -0.5]}),
            json!({"hyp_1": {"text": "a cat", "score": -1}, "ref": "a cat"}),
        ];
        for object in objects {
            let named = match &object {
                Value::Object(map) => {
                    Value::Object(map.clone().into_iter().chain([("id".into(), "u1".into())]).collect())
                }
                _ => unreachable!(),
            };
            assert!(object.as_object().unwrap().keys().all(|key| Utterance::is_read(key)), "{object}");
            for (object, id) in [(object, "list:7"), (named, "u1")] {
                let utterance = read(object).unwrap();
                let first = utterance.nbest.first();
                assert_eq!(
                    (first.text.as_str(), first.score, utterance.id.as_str()),
                    ("a cat", Some(-1.0), id)
                );
            }
        }
        assert!(!Utterance::is_read("audio"));
    }

    #[test]
    fn errors_name_the_utterance() {
        let cases = [
            (
                json!({"id": "u1", "audio": 1}),
                "utterance \"u1\" has no field that holds hypotheses, but `id`, `audio`; name one",
            ),
            (json!({"hypotheses": []}), "utterance \"list:7\" has no hypotheses"),
            (json!({"id": "u1", "input": [1]}), "utterance \"u1\": `input[0]` is a number"),
            (json!({"id": 3, "input": ["a"]}), "utterance \"list:7\": `id` is a number"),
        ];
        for (object, start) in cases {
            let message = read(object).unwrap_err();
            assert!(message.starts_with(start), "{message}");
        }
    }
}
