//! The second pass as Python's `Rescorer` holds it.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyString};
use rescorer::scoring::{EncoderScore, TextCasing};
use rescorer::{
    DecisionRule, DeviceRequest, Fusion, NBest, Policy, ScoringConfig, TuneOptions, Unit, Utterance,
};
use rescorer_models::PrecisionRequest;

use crate::error::{Kind, Way, raised, refused};
use crate::many::{Answers, Told};
use crate::notices::Listened;
use crate::pool::Pool;
use crate::request::Asked;
use crate::result::ListResult;
use crate::value::text;
use crate::{interrupt, list, threads};

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
    /// Loads everything. There is no convention beside a policy, and `cascade`, model and adapter, just where the policy asks another
    /// rescorer first: the caller has seen to it.
    #[new]
    #[pyo3(signature = (path, *, name, policy, lm_weight, length_bonus, margin, unit, adapters, route_adapters, vocabulary, cascade, precision, device, decision, search_risk, bos, eos, mean, lm_text, encoder_score, threads))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        name: &str,
        policy: Option<PathBuf>,
        lm_weight: Option<f64>,
        length_bonus: Option<f64>,
        margin: Option<f64>,
        unit: Option<&str>,
        adapters: Vec<(String, PathBuf)>,
        route_adapters: bool,
        vocabulary: Option<PathBuf>,
        cascade: Option<(PathBuf, Vec<(String, PathBuf)>)>,
        precision: &str,
        device: &str,
        decision: Option<&str>,
        search_risk: f64,
        bos: Option<u32>,
        eos: Option<bool>,
        mean: Option<bool>,
        lm_text: Option<&str>,
        encoder_score: Option<&str>,
        threads: Option<usize>,
    ) -> PyResult<Self> {
        threads::check(py)?;
        let precision: PrecisionRequest = precision
            .parse()
            .map_err(|_| refused(py, &format!("precision={precision:?}: expected auto, f32, f16 or int8")))?;
        let device: DeviceRequest = device
            .parse()
            .map_err(|_| refused(py, &format!("device={device:?}: expected auto, cpu, gpu or gpu:NUMBER")))?;
        let rule: Option<DecisionRule> = decision
            .map(str::parse)
            .transpose()
            .map_err(|error: String| refused(py, &format!("decision={error}")))?;
        let fail = |error: rescorer::Error| raised(py, &error, Way::Mend);
        let casing: Option<TextCasing> = lm_text.map(str::parse).transpose().map_err(fail)?;
        let encoder: Option<EncoderScore> = encoder_score.map(str::parse).transpose().map_err(fail)?;
        let unit: Option<Unit> = unit
            .map(str::parse)
            .transpose()
            .map_err(|error: rescorer_perturb::Error| refused(py, &error.to_string()))?;
        let mut builder = rescorer::Rescorer::builder(path)
            .name(name)
            .device(device)
            .precision(precision)
            .search_risk(search_risk);
        if let Some(policy) = policy {
            builder = builder.policy(policy);
        }
        if let Some(lm_weight) = lm_weight {
            let (length_bonus, margin) = (length_bonus.unwrap_or(0.0), margin.unwrap_or(0.0));
            builder = builder.weights(Fusion { lm_weight, length_bonus, margin });
        }
        if bos.is_some() || eos.is_some() || mean.is_some() || casing.is_some() || encoder.is_some() {
            let usual = ScoringConfig::default();
            let (eos, mean) = (eos.unwrap_or(usual.eos), mean.unwrap_or(usual.mean));
            let lm_text = casing.unwrap_or(usual.lm_text);
            builder = builder.scoring(ScoringConfig { bos, eos, mean, lm_text, encoder });
        }
        if let Some(unit) = unit {
            builder = builder.unit(unit);
        }
        for (name, folder) in adapters {
            builder = builder.adapter(name, folder);
        }
        if route_adapters {
            builder = builder.route_adapters();
        }
        if let Some(vocabulary) = vocabulary {
            builder = builder.vocabulary_file(vocabulary);
        }
        if let Some((model, adapters)) = cascade {
            builder = builder.first_stage(model);
            for (name, folder) in adapters {
                builder = builder.first_stage_adapter(name, folder);
            }
        }
        if let Some(rule) = rule {
            builder = builder.rule(rule);
        }
        if let Some(threads) = threads {
            builder = builder.threads(threads);
        }
        let rescorer = py.detach(|| builder.build()).map_err(fail)?;
        let model = rescorer.model();
        let device = format!("{} in {}", model.device().description(), model.device().precision());
        let fingerprint = model.fingerprint().to_owned();
        let warnings = rescorer.warnings().to_vec();
        let listened = Arc::new(Listened::new("rescore"));
        Ok(Self { rescorer, warnings, device, fingerprint, listened })
    }

    /// Rescores one list.
    #[pyo3(signature = (list, scores=None, text_only=false, deadline=None, pool=None, name="list:0"))]
    fn rescore(
        &self,
        py: Python<'_>,
        list: &Bound<'_, PyAny>,
        scores: Option<&Bound<'_, PyAny>>,
        text_only: bool,
        deadline: Option<f64>,
        pool: Option<&Pool>,
        name: &str,
    ) -> PyResult<ListResult> {
        threads::check(py)?;
        let asked = Asked::new(py, &self.rescorer, text_only, deadline, pool)?;
        let utterance = list::utterance(list, scores, name, Way::Mend, &self.listened)?;
        self.listened.warn(py, 2)?;
        let rescorer = &self.rescorer;
        let fail = |error: rescorer::Error| raised(py, &error, Way::Mend);
        let request = asked.about(py, utterance).map_err(fail)?;
        py.detach(|| Ok(ListResult::new(rescorer.rescore(request)?))).map_err(fail)
    }

    /// Rescores lists as they come, `window` of them together. `batch` says that they are one of several batches.
    #[pyo3(signature = (lists, window, return_exceptions, prefix, batch, text_only=false, deadline=None, pool=None))]
    fn rescore_many(
        &self,
        lists: &Bound<'_, PyAny>,
        window: usize,
        return_exceptions: bool,
        prefix: String,
        batch: bool,
        text_only: bool,
        deadline: Option<f64>,
        pool: Option<&Pool>,
    ) -> PyResult<Answers> {
        let py = lists.py();
        threads::check(py)?;
        if window == 0 {
            return Err(refused(py, "window=0: give a number from 1"));
        }
        let asked = Asked::new(py, &self.rescorer, text_only, deadline, pool)?;
        let listened = if batch { self.listened.clone() } else { Arc::new(Listened::new("rescore_many")) };
        let told = Told { listened, batch };
        let lists = lists.try_iter()?.unbind();
        Ok(Answers::new(self.rescorer.clone(), lists, window, return_exceptions, prefix, told, asked))
    }

    /// Finds the policy of least word error rate on lists with references: its TOML, which is written to `save` as well.
    fn tune(
        &self,
        lists: &Bound<'_, PyAny>,
        normalize: &str,
        unit: &str,
        rule: &str,
        fusion: &str,
        save: Option<PathBuf>,
    ) -> PyResult<String> {
        let py = lists.py();
        threads::check(py)?;
        let options = TuneOptions {
            normalize: normalize.parse().map_err(|error| argument(py, "normalize", &error))?,
            unit: unit.parse().map_err(|error| argument(py, "unit", &error))?,
            rule: rule.parse().map_err(|error: String| refused(py, &format!("rule={error}")))?,
            fusion: fusion.parse().map_err(|error: String| refused(py, &format!("fusion={error}")))?,
        };
        let listened = Listened::new("tune");
        let mut read = Vec::new();
        for (number, list) in lists.try_iter()?.enumerate() {
            read.push(list::utterance(&list?, None, &format!("list:{number}"), Way::Mend, &listened)?);
            if number % TEXTS == 0 {
                py.check_signals()?;
            }
        }
        listened.end();
        listened.warn(py, 2)?;
        let policy = interrupt::tune(py, &self.rescorer, read, options)?;
        let fail = |error: rescorer::Error| raised(py, &error, Way::Mend);
        if let Some(path) = save {
            policy.write(path).map_err(fail)?;
        }
        policy.to_toml().map_err(fail)
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
    /// What rescores.
    pub fn rescorer(&self) -> &rescorer::Rescorer {
        &self.rescorer
    }

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

/// The exception of a value that an argument does not have.
fn argument(py: Python<'_>, name: &str, error: &rescorer_perturb::Error) -> PyErr {
    refused(py, &format!("{name}: {error}"))
}

/// Names of the model and of the adapter of the first stage, where a policy is for a cascade.
#[pyfunction]
pub fn cascade(py: Python<'_>, policy: PathBuf) -> PyResult<Option<(String, Option<String>)>> {
    let policy = Policy::read(&policy).map_err(|error| raised(py, &error, Way::Mend))?;
    Ok(policy.cascade.map(|first| (first.model.name, first.adapter.map(|adapter| adapter.name))))
}
