use rescorer_lora::{LoraAdapter, LoraSettings, Trainable};
use rescorer_models::{LanguageModel, ScoreHead};

/// An adapter with a score head for an encoder, every number of it far from zero.
pub fn adapter_with_head(model: &LanguageModel) -> LoraAdapter {
    let trainable = Trainable::new(LoraSettings::default(), model, 5).unwrap();
    let mut adapter = trainable.adapter(model.fingerprint()).unwrap();
    for module in adapter.modules.values_mut() {
        module.b.iter_mut().enumerate().for_each(|(at, value)| *value = 0.3 * (at as f32).sin());
    }
    let weight = (0..model.d_model()).map(|at| (at as f32 * 0.7).cos()).collect();
    adapter.head = Some(ScoreHead { weight, bias: 0.5 });
    adapter
}
