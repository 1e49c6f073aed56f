//! What every setting of PEFT means for what an adapter computes.
//!
//! # Reference
//! `LoraConfig`, `AdaLoraConfig` and `PeftConfig` of PEFT 0.1 to 0.21, and what `LoraLayer.update_layer` does with them
//! when an adapter is loaded.

use serde_json::{Map, Value, json};

use super::HEAD;

/// What is done with a setting.
pub enum Effect {
    /// It is read, and the adapter computes by it.
    Read,
    /// It changes nothing that a loaded adapter computes.
    Nothing,
    /// It changes what is computed as soon as it is set, and is refused then.
    Changes(&'static str, &'static [Remedy]),
    /// That depends on its value or on others.
    Depends(fn(&Value, &Map<String, Value>) -> Option<Refusal>),
}

/// Why a setting is refused, and what helps.
pub type Refusal = (&'static str, &'static [Remedy]);

/// What to do with an adapter that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// PEFT can make a plain model of it.
    Merge,
    /// PEFT can make a plain adapter of it, where what training began with was kept.
    Convert,
    /// It has to be trained otherwise.
    Retrain,
    /// It belongs to another kind of model.
    Other,
}

use Effect::{Changes, Depends, Nothing, Read};
use Remedy::{Convert, Merge, Retrain};

/// All settings.
pub const SETTINGS: &[(&str, Effect)] = &[
    // The kind of adapter, and which layers it changes.
    ("peft_type", Read),
    ("target_modules", Read),
    ("exclude_modules", Read),
    ("layers_to_transform", Read),
    ("layers_pattern", Depends(layers_pattern)),
    ("r", Read),
    ("lora_alpha", Read),
    ("use_rslora", Read),
    ("rank_pattern", Read),
    ("alpha_pattern", Read),
    ("init_r", Read),
    ("target_r", Read),
    ("lora_dropout", Read),
    ("modules_to_save", Depends(modules_to_save)),
    // Where it comes from, and how it was trained.
    ("auto_mapping", Nothing),
    ("base_model_name_or_path", Nothing),
    ("revision", Nothing),
    ("peft_version", Nothing),
    ("task_type", Nothing),
    ("inference_mode", Nothing),
    ("tinit", Nothing),
    ("tfinal", Nothing),
    ("deltaT", Nothing),
    ("beta1", Nothing),
    ("beta2", Nothing),
    ("orth_reg_weight", Nothing),
    ("total_step", Nothing),
    // What adapters began with.
    ("init_lora_weights", Depends(|value, _| init_lora_weights(value))),
    ("loftq_config", Nothing),
    ("eva_config", Nothing),
    ("corda_config", Nothing),
    ("lora_ga_config", Nothing),
    // How the program of training holds them. A linear layer is told by its class, whatever `fan_in_fan_out` says.
    ("fan_in_fan_out", Nothing),
    ("merge_weights", Nothing),
    ("megatron_core", Nothing),
    ("runtime_config", Nothing),
    ("qalora_group_size", Nothing),
    // It is about layers of the embedding, whose tensors are refused.
    ("ensure_weight_tying", Nothing),
    // Other formulas and other tensors.
    ("bias", Changes("biases of the base model were trained", &[Merge])),
    ("lora_bias", Changes("the matrices B have biases", &[Merge])),
    ("use_dora", Changes("DoRA scales every output by a trained length", &[Merge])),
    ("use_qalora", Changes("QA-LoRA averages groups of inputs", &[Retrain])),
    ("use_bdlora", Changes("BD-LoRA has matrices in blocks", &[Merge])),
    ("velora_config", Changes("VeLoRA stores further tensors", &[Merge])),
    ("kasa_config", Changes("KaSA takes singular values of the base model away", &[Merge])),
    ("monteclora_config", Changes("MonteCLoRA draws its matrices at random", &[Retrain])),
    ("arrow_config", Changes("Arrow mixes several adapters, token by token", &[Retrain])),
    ("alora_invocation_tokens", Changes("aLoRA begins behind certain tokens", &[Retrain])),
    ("enable_lora", Changes("parts of a fused layer are changed", &[Merge])),
    ("megatron_config", Changes("the layers are those of Megatron", &[Merge])),
    ("layer_replication", Changes("layers of the base model stand in it several times", &[Merge])),
    ("target_parameters", Changes("tensors that are no linear layers are changed", &[Merge])),
    ("trainable_token_indices", Changes("rows of the embedding were trained", &[Merge])),
];

/// What rank-allocated adapters of PEFT don't look at, whatever its value.
///
/// # Reference
/// PEFT 0.21, `AdaLoraLayer.update_layer` and `SVDLinear.forward`.
pub const UNUSED_BY_ADALORA: [&str; 6] =
    ["init_lora_weights", "use_rslora", "alpha_pattern", "lora_bias", "use_qalora", "r"];

/// How the matrices began. Some ways take a part of the base weights away, in training and whenever PEFT loads the
/// adapter, or leave a base in training that PEFT doesn't load.
fn init_lora_weights(value: &Value) -> Option<Refusal> {
    let name = match value {
        Value::Null | Value::Bool(_) => return None,
        Value::String(name) => name.to_lowercase(),
        _ => return Some(("it is no way to begin that PEFT has", &[Retrain])),
    };
    match name.as_str() {
        "gaussian" | "eva" | "orthogonal" | "mica" => None,
        "pissa" => Some((
            "PEFT takes the largest singular values out of the base weights when it loads the adapter",
            &[Merge, Convert],
        )),
        "olora" => Some((
            "PEFT takes columns of a QR decomposition out of the base weights when it loads the adapter",
            &[Merge, Convert],
        )),
        "corda" => Some(("CorDA takes the directions of its data out of the base weights", &[Convert])),
        "lora_ga" => Some(("LoRA-GA takes the gradient's directions out of the base weights", &[Convert])),
        "loftq" => Some(("LoftQ replaces the base weights by quantised ones", &[Merge])),
        name if name.starts_with("pissa_niter_") => Some((
            "PEFT takes approximate singular values out of the base weights, others each time it loads the adapter",
            &[Convert],
        )),
        _ => {
            Some(("it is a way to begin that is not known here, which may change the base weights", &[Merge]))
        }
    }
}

/// The pattern says what stands before the number of a layer.
fn layers_pattern(value: &Value, all: &Map<String, Value>) -> Option<Refusal> {
    let known = |name: &Value| matches!(name.as_str(), Some("layers" | "layer"));
    let is_known = known(value) || value.as_array().is_some_and(|names| names.iter().any(known));
    let is_used = all.get("layers_to_transform").is_some_and(|layers| !is_unset(layers));
    (is_used && !is_known)
        .then_some(("the blocks of the models that are read stand in layers or layer", &[Retrain]))
}

fn modules_to_save(value: &Value, _: &Map<String, Value>) -> Option<Refusal> {
    (*value != json!([HEAD])).then_some(("whole modules of the base model were trained", &[Merge]))
}

/// Whether a value is what a setting has where nobody set it.
pub fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        Value::String(text) => text.is_empty() || text == "none",
        Value::Number(_) | Value::Bool(true) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_stands_once() {
        let mut names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len());
        assert!(UNUSED_BY_ADALORA.iter().all(|name| names.contains(name)));
    }

    #[test]
    fn a_beginning_that_needs_nothing_is_accepted() {
        let remedy = |value: Value| init_lora_weights(&value).map(|(_, remedies)| remedies.to_vec());
        for value in [json!(null), json!(true), json!(false), json!("gaussian"), json!("eva"), json!("MiCA")]
        {
            assert_eq!(remedy(value.clone()), None, "{value}");
        }
        for value in ["pissa", "olora", "OLoRA"] {
            assert_eq!(remedy(json!(value)), Some(vec![Merge, Convert]), "{value}");
        }
        // Merging would take another part away than training did.
        for value in ["pissa_niter_16", "corda", "lora_ga"] {
            assert_eq!(remedy(json!(value)), Some(vec![Convert]), "{value}");
        }
        assert_eq!(remedy(json!("loftq")), Some(vec![Merge]));
        assert_eq!(remedy(json!("next_year")), Some(vec![Merge]));
        assert_eq!(remedy(json!(1)), Some(vec![Retrain]));
    }

    #[test]
    fn the_pattern_of_layers_counts_where_layers_are_chosen() {
        let check = |pattern: Value, layers: Value| {
            let all = json!({"layers_to_transform": layers});
            layers_pattern(&pattern, all.as_object().unwrap()).is_none()
        };
        assert!(check(json!("h"), json!(null)) && check(json!("h"), json!([])));
        assert!(check(json!("layers"), json!([1])) && check(json!(["h", "layer"]), json!(1)));
        assert!(!check(json!("h"), json!([1])) && !check(json!(["blocks"]), json!(1)));
    }
}
