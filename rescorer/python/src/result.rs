//! The answer for one list, as Python sees it.

use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyDict, PyList, PyModule, PyString};
use rescorer::{Answer, AnswerHypothesis, Completeness};
use serde_json::Value;

use crate::error::Kind;

/// A distinct hypothesis with its scores.
#[pyclass(frozen, get_all, module = "rescorer")]
pub struct Hypothesis {
    /// The text as it came in.
    text: String,
    /// Position in the list, from 0; of texts that repeat the first.
    position: usize,
    /// First-pass score; of texts that repeat the best.
    first_pass: f64,
    /// Language-model score: the sum of ln p of its tokens. None where the model was not asked: the list has one text, or
    /// `lm_weight` is 0.
    lm_score: Option<f64>,
    /// `first_pass + lm_weight * lm_score + length_bonus * words`. None where it would need a score that was not computed.
    total: Option<f64>,
    /// Probability that it has no error, where the policy can tell, else its share of the posterior.
    confidence: f64,
}

#[pymethods]
impl Hypothesis {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = PyString::new(py, &self.text).repr()?;
        let total = self.total.map_or("None".to_owned(), |total| total.to_string());
        Ok(format!("Hypothesis(text={text}, position={}, total={total})", self.position))
    }
}

/// How many hypotheses of a list were looked at.
#[pyclass(frozen, get_all, name = "Completeness", module = "rescorer")]
pub struct ListCompleteness {
    /// Distinct hypotheses that were scored, or could not win any more.
    decided: usize,
    /// Distinct hypotheses of the list.
    unique: usize,
    /// Whether more time would not have changed the answer.
    complete: bool,
}

#[pymethods]
impl ListCompleteness {
    fn __repr__(&self) -> String {
        format!("Completeness(decided={}, unique={})", self.decided, self.unique)
    }
}

/// The answer for one list.
#[pyclass(frozen, name = "Result", module = "rescorer")]
pub struct ListResult {
    answer: Answer,
}

impl ListResult {
    /// The answer for an utterance.
    pub fn new(answer: Answer) -> Self {
        Self { answer }
    }

    /// A number of every listed hypothesis, by position.
    fn by_position<'py>(
        &self,
        py: Python<'py>,
        number: fn(&AnswerHypothesis) -> f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut numbers = vec![f64::NAN; self.answer.utterance().nbest.len()];
        for (position, hypothesis) in self.answer.listed() {
            numbers[position] = number(hypothesis);
        }
        let bytes: Vec<u8> = numbers.into_iter().flat_map(f64::to_ne_bytes).collect();
        array(PyByteArray::new(py, &bytes))
    }
}

#[pymethods]
impl ListResult {
    /// The id of the list; its place where it stated none.
    #[getter]
    fn utterance(&self) -> &str {
        &self.answer.utterance().id
    }

    /// The better text.
    #[getter]
    fn text(&self) -> &str {
        self.answer.text()
    }

    /// Position in the list of the hypothesis that was chosen, or voted on.
    #[getter]
    fn position(&self) -> usize {
        self.answer.base_position()
    }

    /// Whether words of several hypotheses were merged into the text, which then stands nowhere in the list.
    #[getter]
    fn merged(&self) -> bool {
        self.answer.position().is_none()
    }

    /// Terms of a vocabulary that were put into the text: dicts of `term`, `start` and `end` (words of the text, from 0),
    /// `replaced` and `distance` in sound.
    #[getter]
    fn terms<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let terms = PyList::empty(py);
        for term in self.answer.terms() {
            let dict = PyDict::new(py);
            dict.set_item("term", &term.term)?;
            dict.set_item("start", term.start)?;
            dict.set_item("end", term.end)?;
            dict.set_item("replaced", &term.replaced)?;
            dict.set_item("distance", term.distance)?;
            terms.append(dict)?;
        }
        Ok(terms)
    }

    /// How many hypotheses were looked at: all, unless a deadline came first.
    #[getter]
    fn completeness(&self) -> ListCompleteness {
        let found = self.answer.completeness();
        let Completeness { decided, unique } = found;
        ListCompleteness { decided, unique, complete: found.is_complete() }
    }

    /// Name of the adapter that took part.
    #[getter]
    fn adapter(&self) -> Option<&str> {
        self.answer.adapter()
    }

    /// Probability that the list is for `adapter`, or for none, where it was routed; None where it was not.
    #[getter]
    fn routed(&self) -> Option<f64> {
        self.answer.routed()
    }

    /// The file of the policy that decided; None for weights given by hand.
    #[getter]
    fn policy(&self) -> Option<&str> {
        self.answer.policy()
    }

    /// Language-model score of the chosen hypothesis. None where the model was not asked, or there was no time.
    #[getter]
    fn lm_score(&self) -> Option<f64> {
        self.answer.lm_score()
    }

    /// Fused score of the chosen hypothesis. None where it would need a score that was not computed.
    #[getter]
    fn total(&self) -> Option<f64> {
        self.answer.total()
    }

    /// Whether the text is another than that of the first-pass best.
    #[getter]
    fn changed(&self) -> bool {
        self.answer.changed()
    }

    /// Probability that the text has no error, where the policy can tell, else its share of the posterior. NaN where the text alone was
    /// asked for, and where there was a deadline.
    #[getter]
    fn confidence(&self) -> f64 {
        self.answer.confidence()
    }

    /// What was said, where the row knew it.
    #[getter]
    fn reference(&self) -> Option<&str> {
        self.answer.utterance().reference.as_deref()
    }

    /// The words of the text, each with its confidence. None of them where `confidence` is NaN.
    #[getter]
    fn words(&self) -> Vec<(&str, f64)> {
        self.answer.words().iter().map(|word| (word.word.as_str(), word.confidence)).collect()
    }

    /// The distinct hypotheses, best first. None of them where `confidence` is NaN; the scores by position are NaN then.
    #[getter]
    fn hypotheses(&self) -> Vec<Hypothesis> {
        let hypotheses = self.answer.hypotheses().iter().map(|hypothesis| Hypothesis {
            text: hypothesis.text.clone(),
            position: hypothesis.position,
            first_pass: hypothesis.first_pass,
            lm_score: hypothesis.lm_score,
            total: hypothesis.total,
            confidence: hypothesis.confidence,
        });
        hypotheses.collect()
    }

    /// Language-model scores as float64, one for every hypothesis in the order of the list; NaN where the model was not asked.
    #[getter]
    fn lm_scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.by_position(py, |hypothesis| hypothesis.lm_score.unwrap_or(f64::NAN))
    }

    /// First-pass scores as float64, in the same order; of texts that repeat the best.
    #[getter]
    fn first_pass<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.by_position(py, |hypothesis| hypothesis.first_pass)
    }

    /// Fused scores as float64, in the same order; NaN where they would need a score that was not computed.
    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.by_position(py, |hypothesis| hypothesis.total.unwrap_or(f64::NAN))
    }

    /// The fields that `rescorer rescore --json --nbest` writes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let record = serde_json::to_value(&self.answer);
        let record = record.map_err(|error| Kind::RescorerError.with(py, &error.to_string()))?;
        object(py, &record)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (id, text) =
            (PyString::new(py, self.utterance()).repr()?, PyString::new(py, self.text()).repr()?);
        let changed = if self.changed() { "True" } else { "False" };
        Ok(format!("Result(utterance={id}, text={text}, position={}, changed={changed})", self.position()))
    }
}

/// A float64 array of numpy in this memory.
fn array(bytes: Bound<'_, PyByteArray>) -> PyResult<Bound<'_, PyAny>> {
    static NUMPY: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let py = bytes.py();
    let numpy = NUMPY.get_or_try_init(py, || PyModule::import(py, "numpy").map(Bound::unbind))?.bind(py);
    numpy.call_method1(intern!(py, "frombuffer"), (bytes, intern!(py, "float64")))
}

/// A JSON value as a Python object.
pub fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(truth) => truth.into_bound_py_any(py),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into_bound_py_any(py),
            None => number.as_f64().into_bound_py_any(py),
        },
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(items) => {
            let items = items.iter().map(|item| object(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_bound_py_any(py)
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            for (key, value) in fields {
                dict.set_item(key, object(py, value)?)?;
            }
            dict.into_bound_py_any(py)
        }
    }
}
