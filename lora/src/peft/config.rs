//! `adapter_config.json`: what its settings mean here, and which are refused.

use std::collections::BTreeMap;
use std::path::Path;

use rescorer_models::{Naming, Site};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{CONFIG, HEAD};
use crate::adapter::LoraAdapter;
use crate::error::Error;
use crate::settings::{Kind, LoraSettings, Targets};

/// What is read of the file. Everything else has to be known to change nothing.
#[derive(Deserialize)]
struct Fields {
    peft_type: Option<String>,
    #[serde(default = "default_rank")]
    r: usize,
    target_r: Option<usize>,
    #[serde(default = "default_init_rank")]
    init_r: usize,
    #[serde(default = "default_alpha")]
    lora_alpha: f64,
    #[serde(default)]
    lora_dropout: f64,
    #[serde(default)]
    use_rslora: bool,
    target_modules: Option<OneOrMany<String>>,
    exclude_modules: Option<OneOrMany<String>>,
    layers_to_transform: Option<OneOrMany<usize>>,
    rank_pattern: Option<BTreeMap<String, Rank>>,
    alpha_pattern: Option<BTreeMap<String, f64>>,
}

/// The defaults of PEFT.
fn default_rank() -> usize {
    8
}

fn default_init_rank() -> usize {
    12
}

fn default_alpha() -> f64 {
    8.0
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// A rank, or which of the initial ranks are left.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rank {
    Number(usize),
    Kept(Vec<bool>),
}

/// Settings that say how an adapter was made or loaded, not what it computes.
const HARMLESS: [&str; 30] = [
    "auto_mapping",
    "base_model_name_or_path",
    "revision",
    "peft_version",
    "task_type",
    "inference_mode",
    "init_lora_weights",
    "megatron_core",
    "loftq_config",
    "eva_config",
    "corda_config",
    "lora_ga_config",
    "qalora_group_size",
    "ensure_weight_tying",
    "runtime_config",
    "layers_pattern",
    "beta1",
    "beta2",
    "deltaT",
    "tinit",
    "tfinal",
    "total_step",
    "orth_reg_weight",
    "peft_type",
    "r",
    "target_r",
    "init_r",
    "lora_alpha",
    "lora_dropout",
    "use_rslora",
];

/// Settings that are read besides those.
const READ: [&str; 5] =
    ["target_modules", "exclude_modules", "layers_to_transform", "rank_pattern", "alpha_pattern"];

/// Names modules that are saved whole beside the matrices.
const SAVED: &str = "modules_to_save";

/// What the file says.
pub struct Config {
    /// How the adapter was set up.
    pub settings: LoraSettings,
    /// Which of the initial ranks are left.
    pub kept_ranks: BTreeMap<Site, Vec<bool>>,
    /// Whether a score head comes with the matrices.
    pub has_head: bool,
}

/// Reads the file's text.
///
/// # Errors
/// No JSON, another type of adapter, a setting that changes what it computes, a contradiction.
pub fn parse(path: &Path, text: &[u8]) -> Result<Config, Error> {
    let malformed = |reason: String| Error::Malformed { path: path.into(), reason };
    let json: Map<String, Value> = serde_json::from_slice(text)
        .map_err(|e| malformed(format!("{e}; the file is damaged, copy or download it again")))?;
    let kind = json.get("peft_type").and_then(Value::as_str).unwrap_or("(none)").to_string();
    if kind != "LORA" && kind != "ADALORA" {
        return Err(Error::Unsupported {
            path: path.into(),
            what: format!("peft_type {kind}"),
            supported: "LORA, ADALORA",
        });
    }
    let has_head = json.get(SAVED) == Some(&json!([HEAD]));
    refuse_variants(path, &json)?;
    let fields: Fields = serde_json::from_value(Value::Object(json)).map_err(|e| malformed(e.to_string()))?;
    let allocated = fields.peft_type.as_deref() == Some("ADALORA");
    let targets = fields.target_modules.ok_or_else(|| {
        malformed("target_modules is missing; it says which layers the adapter changes".into())
    })?;
    let (mut rank_pattern, mut kept_ranks) = (BTreeMap::new(), BTreeMap::new());
    for (key, rank) in fields.rank_pattern.unwrap_or_default() {
        match rank {
            Rank::Number(rank) if !allocated => _ = rank_pattern.insert(key, rank),
            Rank::Kept(kept) if allocated => {
                let path = key.strip_suffix(".lora_E").unwrap_or(&key);
                let path = path.strip_prefix(super::PREFIX).unwrap_or(path);
                let site = Site::from_path(path).ok_or_else(|| {
                    malformed(format!("rank_pattern names {key}, which is no linear layer"))
                })?;
                kept_ranks.insert(site, kept);
            }
            _ => {
                let wanted = if allocated { "a list of true and false" } else { "a number" };
                return Err(malformed(format!("rank_pattern of {key} has to be {wanted} in type {kind}")));
            }
        }
    }
    let settings = LoraSettings {
        kind: if allocated { Kind::RankAllocated { init_rank: fields.init_r } } else { Kind::Vanilla },
        rank: if allocated { fields.target_r.unwrap_or(fields.r) } else { fields.r },
        alpha: fields.lora_alpha,
        rslora: fields.use_rslora,
        dropout: fields.lora_dropout,
        targets: targets.into(),
        layers: fields.layers_to_transform.map(|layers| match layers {
            OneOrMany::One(layer) => vec![layer],
            OneOrMany::Many(layers) => layers,
        }),
        exclude: fields.exclude_modules.map(Into::into),
        rank_pattern,
        alpha_pattern: fields.alpha_pattern.unwrap_or_default(),
    };
    settings.check().map_err(|e| malformed(e.to_string()))?;
    Ok(Config { settings, kept_ranks, has_head })
}

impl From<OneOrMany<String>> for Targets {
    fn from(targets: OneOrMany<String>) -> Self {
        match targets {
            OneOrMany::Many(names) => Self::Names(names),
            // PEFT's name for all linear layers but the head.
            OneOrMany::One(pattern) if pattern == "all-linear" => Self::Pattern(".*".into()),
            OneOrMany::One(pattern) => Self::Pattern(pattern),
        }
    }
}

/// A setting that is set and not known to be harmless may change what the adapter computes: better no score than a
/// wrong one.
fn refuse_variants(path: &Path, json: &Map<String, Value>) -> Result<(), Error> {
    let is_unset = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        Value::String(text) => text == "none",
        _ => false,
    };
    let known = |key: &str| HARMLESS.contains(&key) || READ.contains(&key);
    let is_head = |key: &str, value: &Value| key == SAVED && *value == json!([HEAD]);
    let variants = json.iter().filter(|(key, value)| !known(key) && !is_unset(value) && !is_head(key, value));
    let variants: Vec<String> = variants.map(|(key, value)| format!("{key} = {value}")).collect();
    if variants.is_empty() {
        return Ok(());
    }
    Err(Error::Unsupported {
        path: path.into(),
        what: format!("setting {}", variants.join(", ")),
        supported: "plain LORA and ADALORA without DoRA, biases and the like; of modules_to_save the score head of an encoder",
    })
}

/// The file for an adapter.
pub fn write(adapter: &LoraAdapter) -> Vec<u8> {
    let LoraAdapter { settings, kept_ranks, .. } = adapter;
    let is_of_encoder = adapter.modules.keys().any(|site| site.naming != Naming::Llama);
    let targets = |targets: &Targets| match targets {
        Targets::Names(names) => json!(names),
        Targets::Pattern(pattern) => json!(pattern),
    };
    // PEFT's own numbers are whole.
    let alpha =
        if settings.alpha.fract() == 0.0 { json!(settings.alpha as i64) } else { json!(settings.alpha) };
    let mut config = json!({
        "task_type": if is_of_encoder { "SEQ_CLS" } else { "CAUSAL_LM" },
        "inference_mode": true,
        "bias": "none",
        "fan_in_fan_out": false,
        "init_lora_weights": true,
        "r": settings.rank,
        "lora_alpha": alpha,
        "lora_dropout": settings.dropout,
        "target_modules": targets(&settings.targets),
        "exclude_modules": settings.exclude.as_ref().map(targets),
        "layers_to_transform": settings.layers,
    });
    if adapter.head.is_some() {
        config[SAVED] = json!([HEAD]);
    }
    let fields = match settings.kind {
        Kind::Vanilla => json!({
            "peft_type": "LORA",
            "use_rslora": settings.rslora,
            "rank_pattern": settings.rank_pattern,
            "alpha_pattern": settings.alpha_pattern,
        }),
        Kind::RankAllocated { init_rank } => {
            let pattern = kept_ranks.iter().map(|(site, kept)| (format!("{site}.lora_E"), json!(kept)));
            json!({
                "peft_type": "ADALORA",
                "init_r": init_rank,
                "target_r": settings.rank,
                // PEFT refuses a configuration without it, and reads it only in training.
                "total_step": 1,
                "rank_pattern": pattern.collect::<Map<String, Value>>(),
            })
        }
    };
    if let (Value::Object(config), Value::Object(fields)) = (&mut config, fields) {
        config.extend(fields);
    }
    let mut text = serde_json::to_vec_pretty(&config).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Path of the file in a folder.
pub fn path_in(folder: &Path) -> std::path::PathBuf {
    folder.join(CONFIG)
}
