//! The second pass as Python's `Rescorer` holds it.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyString};
use rescorer::scoring::{EncoderScore, SettingsError, TextCasing};
use rescorer::{
    DecisionRule, DeviceRequest, Fusion, NBest, Policy, Precision, Request, ScoringConfig, Unit, Utterance,
};

use crate::error::{Kind, Way, in_python, raised};
use crate::many::{Answers, Told};
use crate::notices::Listened;
use crate::result::ListResult;
use crate::value::text;
use crate::{list, threads};

/// Texts that are scored before an interrupt is looked for.
const TEXTS: usize = 256;

/// A model with its adapters, and how it decides. It never changes: all threads may use it at once.
#[pyclass(frozen, module = "rescorer._rescorer")]
pub struct Engine {
    rescorer: rescorer::Rescorer,
    /// What has to be said of the device and the adapters.
    #[pyo3(get)]
    warnings: Vec<String>,
    /// Where it computes, and in which precision.
    #[pyo3(get)]
    device: String,
    /// Stands for the content of the model: what a policy keeps of it.
    #[pyo3(get)]
    fingerprint: String,
    /// Lists that come one by one are looked at together, so that what is said of them is said once.
    listened: Arc<Listened>,
}

#[pymethods]
impl Engine {
    /// Loads everything. Either `policy` or `lm_weight` is there, no convention beside a policy, and `earlier`, model and adapter, just
    /// where the policy asks another rescorer first: the caller has seen to it.
    #[new]
    #[pyo3(signature = (path, *, policy, lm_weight, length_bonus, margin, unit, adapters, earlier, precision, device, decision, bos, eos, mean, lm_text, encoder_score))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        policy: Option<PathBuf>,
        lm_weight: f64,
        length_bonus: f64,
        margin: f64,
        unit: &str,
        adapters: Vec<(String, PathBuf)>,
        earlier: Option<(PathBuf, Vec<(String, PathBuf)>)>,
        precision: &str,
        device: &str,
        decision: Option<&str>,
        bos: Option<u32>,
        eos: bool,
        mean: bool,
        lm_text: &str,
        encoder_score: Option<&str>,
    ) -> PyResult<Self> {
        threads::check(py)?;
        let precision = match precision {
            "f32" => Precision::F32,
            "f16" => Precision::F16,
            "int8" => Precision::Quantized,
            other => {
                return Err(PyValueError::new_err(format!("precision={other:?}: expected f32, f16 or int8")));
            }
        };
        let unknown =
            || PyValueError::new_err(format!("device={device:?}: expected auto, cpu, gpu or gpu:NUMBER"));
        let device: DeviceRequest = device.parse().map_err(|_| unknown())?;
        let rule: Option<DecisionRule> = decision
            .map(str::parse)
            .transpose()
            .map_err(|error: String| PyValueError::new_err(format!("decision={error}")))?;
        let refused =
            |error: rescorer::Error| PyValueError::new_err(in_python(&error, error.remedy(), Way::Mend));
        let lm_text: TextCasing = lm_text.parse().map_err(refused)?;
        let encoder: Option<EncoderScore> = encoder_score.map(str::parse).transpose().map_err(refused)?;
        let unit = unit.parse::<Unit>().map_err(|error| PyValueError::new_err(error.to_string()))?;
        let mut builder = rescorer::Rescorer::builder(path).device(device).precision(precision);
        builder = match policy {
            Some(policy) => builder.policy(policy),
            None => builder
                .weights(Fusion { lm_weight, length_bonus, margin })
                .scoring(ScoringConfig { bos, eos, mean, lm_text, encoder })
                .unit(unit),
        };
        for (name, folder) in adapters {
            builder = builder.adapter(name, folder);
        }
        if let Some((model, adapters)) = earlier {
            builder = builder.first_stage(model);
            for (name, folder) in adapters {
                builder = builder.first_stage_adapter(name, folder);
            }
        }
        if let Some(rule) = rule {
            builder = builder.rule(rule);
        }
        let rescorer = py.detach(|| builder.build()).map_err(|error| match error {
            rescorer::Error::Settings(SettingsError::RuleWithoutNumbers { rule }) => Kind::PolicyError.with(
                py,
                &format!("decision={rule}: no numbers for it; give a policy that this version of `rescorer tune` wrote"),
            ),
            error => raised(py, &error, Way::Mend),
        })?;
        let model = rescorer.model();
        let device = format!("{} in {}", model.device().description(), model.device().precision());
        let fingerprint = model.fingerprint().to_owned();
        let warnings = rescorer.warnings().to_vec();
        let listened = Arc::new(Listened::new("rescore"));
        Ok(Self { rescorer, warnings, device, fingerprint, listened })
    }

    /// Rescores one list.
    #[pyo3(signature = (list, scores=None, name="list:0"))]
    fn rescore(
        &self,
        py: Python<'_>,
        list: &Bound<'_, PyAny>,
        scores: Option<&Bound<'_, PyAny>>,
        name: &str,
    ) -> PyResult<ListResult> {
        threads::check(py)?;
        let utterance = list::utterance(list, scores, name, Way::Mend, &self.listened)?;
        self.listened.warn(py, 2)?;
        let rescorer = &self.rescorer;
        py.detach(|| Ok(ListResult::new(rescorer.rescore(Request::from(utterance).with_list())?)))
            .map_err(|error: rescorer::Error| raised(py, &error, Way::Mend))
    }

    /// Rescores lists as they come, `window` of them together. `batch` says that they are one of several batches.
    fn rescore_many(
        &self,
        lists: &Bound<'_, PyAny>,
        window: usize,
        return_exceptions: bool,
        prefix: String,
        batch: bool,
    ) -> PyResult<Answers> {
        threads::check(lists.py())?;
        if window == 0 {
            return Err(PyValueError::new_err("window=0: give a number from 1"));
        }
        let listened = if batch { self.listened.clone() } else { Arc::new(Listened::new("rescore_many")) };
        let told = Told { listened, batch };
        let lists = lists.try_iter()?.unbind();
        Ok(Answers::new(self.rescorer.clone(), lists, window, return_exceptions, prefix, told))
    }

    /// Scores of the language model alone: the bytes of as many float64 as there are texts.
    fn score<'py>(&self, texts: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyByteArray>> {
        let py = texts.py();
        threads::check(py)?;
        let mut bytes = Vec::new();
        let mut texts = texts.try_iter()?.enumerate();
        loop {
            let read = |(index, text): (usize, PyResult<Bound<'py, PyAny>>)| sentence(&text?, index);
            let window: Vec<Utterance> = texts.by_ref().take(TEXTS).map(read).collect::<PyResult<_>>()?;
            if window.is_empty() {
                return Ok(PyByteArray::new(py, &bytes));
            }
            let scores =
                py.detach(|| self.lm_scores(window)).map_err(|error| raised(py, &error, Way::Mend))?;
            bytes.extend(scores.into_iter().flat_map(f64::to_ne_bytes));
            py.check_signals()?;
        }
    }
}

impl Engine {
    fn lm_scores(&self, window: Vec<Utterance>) -> Result<Vec<f64>, rescorer::Error> {
        let texts = window.into_iter().map(Ok::<_, rescorer::Error>);
        let scored = self.rescorer.scorer().score_stream(texts, false);
        scored.map(|scored| scored.map(|(_, scores)| scores.scores[0].lm_score)).collect()
    }
}

/// A text as a list of one.
fn sentence(object: &Bound<'_, PyAny>, index: usize) -> PyResult<Utterance> {
    let py = object.py();
    let refused =
        |found: &str| Kind::InvalidList.with(py, &format!("text {index} is {found}; give str alone"));
    let read = object.cast::<PyString>().map_err(|_| refused(&format!("of type {}", object.get_type())))?;
    let read = text(read).map_err(|_| refused("a str with surrogates, which is no Unicode text"))?;
    let nbest = NBest::from_texts([read]).map_err(|error| refused(&error.to_string()))?;
    Ok(Utterance::new(format!("text:{index}"), nbest))
}

/// Names of the model and of the adapter that a policy asks first, where it asks any.
#[pyfunction]
pub fn earlier(py: Python<'_>, policy: PathBuf) -> PyResult<Option<(String, Option<String>)>> {
    let policy = Policy::read(&policy).map_err(|error| raised(py, &error, Way::Mend))?;
    Ok(policy.cascade.map(|earlier| (earlier.model.name, earlier.adapter.map(|adapter| adapter.name))))
}
