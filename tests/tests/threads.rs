//! One model serves all threads.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::thread;

use rescorer::scoring::{Scorer, SecondPass};
use rescorer::{Fusion, NBest, ScoringConfig};
use rescorer_models::{DeviceRequest, LanguageModel};
use rescorer_tests::load_tiny;

/// Compiles only where both types may be shared between threads.
#[test]
fn models_and_rescorers_are_send_and_sync() {
    fn shareable<T: Send + Sync>() {}
    shareable::<LanguageModel>();
    shareable::<Scorer>();
    shareable::<SecondPass>();
}

#[test]
fn threads_that_share_a_model_get_what_one_gets() {
    let model = Arc::new(load_tiny("tiny-llama.gguf", DeviceRequest::Cpu));
    let scorer = Scorer::new(model, ScoringConfig::default()).unwrap();
    let rescorer = SecondPass::new(scorer, Fusion { lm_weight: 1.0, length_bonus: 0.0, margin: 0.0 });
    let list = NBest::from_texts(["the cat sat", "the hat sat", "a cat sat on that mat"]).unwrap();
    let alone = rescorer.rescore(&list).unwrap();
    thread::scope(|scope| {
        let handles: Vec<_> = (0..4)
            .map(|_| {
                let (rescorer, list) = (rescorer.clone(), &list);
                scope.spawn(move || (0..5).map(|_| rescorer.rescore(list).unwrap()).collect::<Vec<_>>())
            })
            .collect();
        for handle in handles {
            assert!(handle.join().unwrap().iter().all(|rescored| rescored == &alone));
        }
    });
}
