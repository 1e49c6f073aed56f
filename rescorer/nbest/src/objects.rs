//! Objects that a program hands over one by one, and what is to be said of them together.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::order::Watched;
use crate::reading::Reading;
use crate::{Error, Format, Notice, Place, ReadOptions, Utterance, json, object, scores};

/// Reads objects of any of the JSON formats one by one, as rows of a program. What is no error but worth a look is told to the
/// listener of the [`ReadOptions`], each kind once for all of them.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use rescorer_nbest::{Notice, Objects, ReadOptions};
/// use serde_json::json;
///
/// let said = Arc::new(Mutex::new(Vec::new()));
/// let listener = said.clone();
/// let options = ReadOptions::default()
///     .with_notices(Arc::new(move |notice: &Notice| listener.lock().unwrap().push(notice.to_string())));
/// let mut objects = Objects::new("rows", &options);
/// for id in ["u1", "u2"] {
///     let row = json!({"hypotheses": [{"text": "a cat", "x": 1.5}, {"text": "a hat", "x": 0.5}]});
///     objects.read(row.as_object().unwrap().clone(), id)?;
/// }
/// assert_eq!(said.lock().unwrap().len(), 1);
/// # Ok::<(), rescorer_nbest::Error>(())
/// ```
pub struct Objects {
    reading: Arc<Reading>,
    order: Watched,
}

impl Objects {
    /// A reader of objects; `name` is what messages about all of them call them.
    pub fn new(name: &str, options: &ReadOptions) -> Self {
        let reading = options.reading();
        Self { order: Watched::new(name, Format::Jsonl, reading.clone()), reading }
    }

    /// Reads an object, as [`Utterance::from_object`] does.
    ///
    /// # Errors
    /// Those of [`Utterance::from_object`].
    pub fn read(&mut self, object: Map<String, Value>, id: &str) -> Result<Utterance, Error> {
        let utterance = object::any(object, id, &self.reading)?;
        if utterance.nbest.is_scored() {
            self.order.see(&utterance);
        } else if let Some(field) = scores::unused(utterance.nbest.hypotheses()) {
            let place = Place { utterance: Some(utterance.id.clone()), ..Place::default() };
            self.reading.notices.once(|| Notice::UnusedNumber { place, field: field.to_owned() });
        }
        Ok(utterance)
    }

    /// Judges what was read so far, as at the end of a file: few lists can then be enough to say that scores are costs.
    pub fn end(&mut self) {
        self.order.end();
    }

    /// The value that stands for a number that is not finite, for which JSON has none. Where a format reads it, the error
    /// says so; elsewhere it becomes null.
    pub fn not_finite(number: f64) -> Value {
        json::stand_in(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    /// Reads rows, and gives what was said before the end and at it.
    fn said(rows: &[Value], ends: bool) -> Vec<String> {
        let said = Arc::new(Mutex::new(Vec::new()));
        let listener = said.clone();
        let options = ReadOptions::default()
            .with_notices(Arc::new(move |notice: &Notice| listener.lock().unwrap().push(notice.to_string())));
        let mut objects = Objects::new("rows", &options);
        for (number, row) in rows.iter().enumerate() {
            objects.read(row.as_object().unwrap().clone(), &format!("row:{number}")).unwrap();
        }
        if ends {
            objects.end();
        }
        said.lock().unwrap().clone()
    }

    fn row(scores: [f64; 4]) -> Value {
        let hypotheses = scores.map(|score| json!({"text": score.to_string(), "score": score}));
        json!({"hypotheses": hypotheses})
    }

    #[test]
    fn costs_are_told_once_and_sooner_at_an_end() {
        let costs = vec![row([1.0, 2.0, 3.0, 4.0]); 9];
        assert_eq!(said(&costs, true).len(), 1);
        assert!(said(&costs, false)[0].contains("rows: in 3 of 3 lists the scores rise"));
        assert_eq!((said(&costs[..1], false).len(), said(&costs[..1], true).len()), (0, 1));
        assert!(said(&vec![row([4.0, 3.0, 2.0, 1.0]); 9], true).is_empty());
    }

    #[test]
    fn a_number_that_is_not_finite_is_an_error_where_it_is_read_alone() {
        let mut objects = Objects::new("rows", &ReadOptions::default());
        let mut read = |field: &str, number: f64| {
            let mut first = json!({"text": "a cat", "score": -1.0});
            first[field] = Objects::not_finite(number);
            let row = json!({"hypotheses": [first, {"text": "a hat", "score": -2.0}]});
            objects.read(row.as_object().unwrap().clone(), "u1").map_err(|error| error.to_string())
        };
        let fine = read("snr", f64::NAN).unwrap();
        assert_eq!(fine.nbest.first().extra["snr"], Value::Null);
        assert!(read("score", f64::NAN).unwrap_err().contains("`hypotheses[0].score` is NaN"));
        assert!(read("score", f64::NEG_INFINITY).unwrap_err().contains("infinite"));
    }

    #[test]
    fn a_score_under_another_name_has_to_be_finite() {
        let mut objects = Objects::new("rows", &ReadOptions::default());
        for field in ["logprob", "am_score", "cost", "confidence"] {
            let one = |number: Value| json!({"text": number.to_string(), field: number});
            for second in [json!(0.5), Objects::not_finite(f64::NAN)] {
                let row = json!({"hypotheses": [one(Objects::not_finite(f64::NAN)), one(second)]});
                let error = objects.read(row.as_object().unwrap().clone(), "u1").unwrap_err().to_string();
                assert!(
                    error.contains(&format!("hypotheses[0].{field}")) && error.contains("NaN"),
                    "{error}"
                );
            }
        }
    }
}
