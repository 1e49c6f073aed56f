//! What the C interface costs: a 5-best list through `rescorer_rescore`, the answer read and freed, beside the same through Rust. One
//! thread: `RAYON_NUM_THREADS=1 cargo bench --workspace --profile dev --bench c_call`.
//!
//! The tiny model shows the difference, which does not grow with the model; the model that `RESCORER_TEST_MODEL` names, in int8, what
//! share that is of a real call.
#![allow(missing_docs, clippy::unwrap_used)]

use std::ffi::{CStr, CString};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use rescorer::scoring::{LanguageModel, Scorer, SecondPass};
use rescorer::{DeviceRequest, Fusion, Hypothesis, NBest, Precision, ScoringConfig};
use rescorer_c::{
    RESCORER_ABI_VERSION, RescorerDevice, RescorerHypothesis, RescorerList, RescorerModelOptions,
    RescorerPrecision, RescorerStatus, RescorerWeights,
};

const WEIGHTS: Fusion = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 };

/// The first five hypotheses of a list of the demo.
fn hypotheses() -> Vec<(String, f64)> {
    let lists =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/demo/test.jsonl"));
    let list: serde_json::Value = serde_json::from_str(lists.unwrap().lines().next().unwrap()).unwrap();
    let hypotheses = list["hypotheses"].as_array().unwrap().iter().take(5);
    hypotheses.map(|one| (one["text"].as_str().unwrap().to_owned(), one["score"].as_f64().unwrap())).collect()
}

/// A rescorer behind the C interface, the list it is asked for, and what the list points to.
struct ThroughC {
    rescorer: *mut rescorer_c::Rescorer,
    scored: Vec<RescorerHypothesis>,
    _texts: Vec<CString>,
}

impl ThroughC {
    #[allow(unsafe_code, reason = "calls functions for C")]
    fn new(path: &Path, precision: RescorerPrecision, hypotheses: &[(String, f64)]) -> Self {
        let path = CString::new(path.to_str().unwrap()).unwrap();
        let Fusion { lm_weight, length_bonus, margin } = WEIGHTS;
        let weights =
            RescorerWeights { struct_size: size_of::<RescorerWeights>(), lm_weight, length_bonus, margin };
        let options = RescorerModelOptions {
            struct_size: size_of::<RescorerModelOptions>(),
            abi_version: RESCORER_ABI_VERSION,
            precision: precision as i32,
            device: RescorerDevice::Cpu as i32,
            reserved: 0,
        };
        let (mut model, mut rescorer) = (null_mut(), null_mut());
        // SAFETY: a string that ends with a NUL, and places for the handles.
        unsafe {
            let loaded = rescorer_c::rescorer_model_load(path.as_ptr(), &options, &mut model);
            assert_eq!(loaded, RescorerStatus::Ok);
            assert_eq!(rescorer_c::rescorer_new(model, &weights, &mut rescorer), RescorerStatus::Ok);
        }
        let texts: Vec<_> = hypotheses.iter().map(|(text, _)| CString::new(text.as_str()).unwrap()).collect();
        let scored = texts.iter().zip(hypotheses);
        let scored = scored.map(|(text, (_, score))| RescorerHypothesis {
            struct_size: size_of::<RescorerHypothesis>(),
            text: text.as_ptr(),
            score: *score,
        });
        Self { rescorer, scored: scored.collect(), _texts: texts }
    }

    /// One call as an app makes it: the total of the best hypothesis and the length of the answer.
    #[allow(unsafe_code, reason = "calls functions for C")]
    fn call(&self) -> (f64, usize) {
        let list = RescorerList {
            struct_size: size_of::<RescorerList>(),
            id: null(),
            hypotheses: self.scored.as_ptr(),
            count: self.scored.len(),
            has_scores: 1,
            want: rescorer_c::RescorerWant::List as i32,
            adapter: null(),
            adapter_name: null(),
            context: null(),
            deadline_ms: 0.0,
            conversation: null(),
            pool: null(),
        };
        let mut result = null_mut();
        let mut answer = null();
        // SAFETY: the list is as it says, and the answer is read before the result is freed.
        unsafe {
            assert_eq!(rescorer_c::rescorer_rescore(self.rescorer, &list, &mut result), RescorerStatus::Ok);
            assert_eq!(rescorer_c::rescorer_result_answer(result, &mut answer), RescorerStatus::Ok);
            let read = ((**(*answer).hypotheses).total, CStr::from_ptr((*answer).text).to_bytes().len());
            rescorer_c::rescorer_result_free(result);
            read
        }
    }
}

/// The same through Rust, the list made from texts each time, as in C.
fn through_rust(rescorer: &SecondPass, hypotheses: &[(String, f64)]) -> (f64, usize) {
    let list = hypotheses.iter().map(|(text, score)| Hypothesis::scored(text.as_str(), *score)).collect();
    let answer = rescorer.rescore(&NBest::new(list).unwrap()).unwrap();
    (answer.best().total.unwrap(), answer.text().len())
}

fn calls(criterion: &mut Criterion) {
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tiny-llama");
    let real = std::env::var_os("RESCORER_TEST_MODEL").map(PathBuf::from);
    let models = [("tiny", Some(tiny), Precision::F32), ("real", real, Precision::Quantized)];
    let hypotheses = hypotheses();
    for (name, path, precision) in models {
        let Some(path) = path else { continue };
        let model = LanguageModel::load(&path, DeviceRequest::Cpu, precision).unwrap();
        let rust = SecondPass::new(Scorer::new(Arc::new(model), ScoringConfig::default()).unwrap(), WEIGHTS);
        let precision =
            if precision == Precision::Quantized { RescorerPrecision::Int8 } else { RescorerPrecision::F32 };
        let c = ThroughC::new(&path, precision, &hypotheses);
        let (expected, found) = (through_rust(&rust, &hypotheses), c.call());
        assert!((expected.0 - found.0).abs() < 1e-4 && expected.1 == found.1);
        let mut group = criterion.benchmark_group(format!("c_call/{name}"));
        group.bench_function("rust", |bencher| {
            bencher.iter(|| black_box(through_rust(&rust, black_box(&hypotheses))));
        });
        group.bench_function("c", |bencher| bencher.iter(|| black_box(c.call())));
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
