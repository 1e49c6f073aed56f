use rescorer_lora::{LoraAdapter, LoraSettings, LowRank};
use rescorer_models::LanguageModel;

use crate::Noise;

/// An adapter of queries and values with random matrices.
pub fn random_adapter(model: &LanguageModel, rank: usize, seed: u64) -> LoraAdapter {
    let settings = LoraSettings { rank, ..LoraSettings::default() };
    let mut noise = Noise::new(seed);
    let mut numbers = |count: usize| (0..count).map(|_| 0.02 * (noise.next() - 0.5)).collect::<Vec<f32>>();
    let targets = model.linear_layers().filter(|(site, _)| settings.targets(*site));
    let modules = targets.map(|(site, shape @ [outputs, inputs])| {
        (site, LowRank { shape, a: numbers(rank * inputs), e: None, b: numbers(outputs * rank), scale: 2.0 })
    });
    let modules = modules.collect();
    LoraAdapter {
        settings,
        modules,
        kept_ranks: Default::default(),
        head: None,
        base_fingerprint: None,
        path: "random".into(),
    }
}
