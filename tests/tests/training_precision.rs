//! Gradients of a real model in int8 against those in f32.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use rescorer_lora::{LoraAdapter, StepOptions, Trainable};
use rescorer_models::{LanguageModel, Precision, TreeBatch};
use rescorer_tests::chain;

/// Of all matrices together; the worst single one may turn further.
const COSINE: f64 = 0.999;

const SENTENCES: [&str; 4] = [
    "he hoped there would be stew for dinner turnips and carrots and bruised potatoes",
    "show me flights from boston to denver on the first of may",
    "Please write it down, then turn right at the next light.",
    "i would have bought four new chairs but the sale was over by noon",
];

/// Of the mean likelihood of the sentences, a list of numbers for each matrix of the built-in adapter.
fn gradients(precision: Precision) -> Vec<Vec<f32>> {
    let path = std::env::var_os("RESCORER_TEST_MODEL")
        .unwrap_or_else(|| panic!("set RESCORER_TEST_MODEL to the model"));
    let model = LanguageModel::load_for_training(Path::new(&path), precision).unwrap();
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rescorer/engine/adapters/speech");
    let adapter = Trainable::from_adapter(&LoraAdapter::read(&adapter).unwrap(), &model).unwrap();
    let step = adapter.begin(StepOptions::default());
    let mut batch = TreeBatch::default();
    batch.set_adapter(Some(step.clone()));
    for sentence in SENTENCES {
        let mut ids = vec![model.tokenizer().bos().unwrap()];
        ids.extend(model.tokenizer().encode(sentence).unwrap());
        chain(&mut batch, &ids);
    }
    let pass = model.training_pass(&batch).unwrap();
    let count = pass.log_probs().len();
    let gradients = pass.backward(&vec![-1.0 / count as f32; count]).unwrap();
    let numbers = step.gradients(&gradients).into_iter().map(|gradient| gradient.into_data());
    numbers.map(|data| data.try_into_vec().unwrap()).collect()
}

/// `a·b`
fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[test]
#[ignore = "needs the model: set RESCORER_TEST_MODEL"]
fn gradients_in_int8_point_where_those_in_f32_do() {
    let (found, expected) = (gradients(Precision::Quantized), gradients(Precision::F32));
    assert_eq!(found.len(), expected.len());
    let pairs = || found.iter().zip(&expected);
    let cosine = |ab: f64, aa: f64, bb: f64| ab / (aa * bb).sqrt();
    let single = pairs().map(|(a, b)| cosine(product(a, b), product(a, a), product(b, b)));
    let worst = single.fold(f64::INFINITY, f64::min);
    let sum = |of: fn(&[f32], &[f32]) -> f64| pairs().map(|(a, b)| of(a, b)).sum::<f64>();
    let (aa, bb) = (sum(|a, _| product(a, a)), sum(|_, b| product(b, b)));
    let all = cosine(sum(product), aa, bb);
    println!(
        "{} matrices: cosine {all:.6}, the worst matrix {worst:.6}, lengths {:.4}",
        found.len(),
        (aa / bb).sqrt()
    );
    assert!(all >= COSINE, "{all}");
}
