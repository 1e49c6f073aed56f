//! `adapter_config.json`: what its settings mean here, and which are refused.

use std::collections::BTreeMap;
use std::path::Path;

use rescorer_models::{ModuleNaming, ModulePath};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::names::{self, Named, Part};
use super::refuse::refuse_settings;
use super::{CONFIG, HEAD};
use crate::adapter::LoraAdapter;
use crate::error::Error;
use crate::settings::{Kind, LoraSettings, Targets};

/// What is read of the file. Everything else has to be known to change nothing: see `fields.rs`.
#[derive(Deserialize)]
struct Fields {
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
const DEFAULT_RANK: usize = 8;

fn default_rank() -> usize {
    DEFAULT_RANK
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

impl<T> OneOrMany<T> {
    fn all(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }
}

/// A rank, or which of the initial ranks are left.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rank {
    Number(usize),
    Kept(Vec<bool>),
}

/// Names modules that are saved whole beside the matrices.
const SAVED: &str = "modules_to_save";

/// What the file says.
pub struct Config {
    /// How the adapter was set up.
    pub settings: LoraSettings,
    /// Which of the initial ranks are left.
    pub kept_ranks: BTreeMap<ModulePath, Vec<bool>>,
    /// Whether a score head comes with the matrices.
    pub has_head: bool,
}

/// Reads the file's text.
///
/// # Errors
/// No JSON, another type of adapter, a setting that changes what it computes, a contradiction.
pub fn parse(path: &Path, text: &[u8]) -> Result<Config, Error> {
    let malformed = |reason: String| Error::Malformed { path: path.into(), reason };
    let mut json: Map<String, Value> = serde_json::from_slice(text)
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
    let allocated = kind == "ADALORA";
    refuse_settings(path, &json, allocated)?;
    // What is null is as if it were not there.
    json.retain(|_, value| !value.is_null());
    let fields: Fields = serde_json::from_value(Value::Object(json)).map_err(|e| malformed(e.to_string()))?;
    let targets = fields.target_modules.ok_or_else(|| {
        malformed("target_modules is missing; it says which layers the adapter changes".into())
    })?;
    let (mut rank_pattern, mut kept_ranks) = (BTreeMap::new(), BTreeMap::new());
    for (key, rank) in fields.rank_pattern.unwrap_or_default() {
        match rank {
            Rank::Number(rank) if !allocated => _ = rank_pattern.insert(key, rank),
            Rank::Kept(kept) if allocated => {
                let Named::Matrix(module_path, Part::E, _) = names::parse(&key) else {
                    return Err(malformed(format!("rank_pattern names {key}, which is no linear layer")));
                };
                kept_ranks.insert(module_path, kept);
            }
            _ => {
                let wanted = if allocated { "a list of true and false" } else { "a number" };
                return Err(malformed(format!("rank_pattern of {key} has to be {wanted} in type {kind}")));
            }
        }
    }
    let init_rank = fields.init_r;
    let settings = LoraSettings {
        kind: if allocated { Kind::RankAllocated { init_rank } } else { Kind::Vanilla },
        // What allocation aimed at says nothing any more where it is more than there was.
        rank: if allocated { fields.target_r.unwrap_or(DEFAULT_RANK).min(init_rank) } else { fields.r },
        alpha: fields.lora_alpha,
        rslora: fields.use_rslora && !allocated,
        dropout: fields.lora_dropout,
        targets: targets.into(),
        layers: fields.layers_to_transform.map(OneOrMany::all).filter(|layers| !layers.is_empty()),
        exclude: fields.exclude_modules.map(Into::into).filter(|exclude| !Targets::is_empty(exclude)),
        rank_pattern,
        alpha_pattern: fields.alpha_pattern.filter(|_| !allocated).unwrap_or_default(),
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

/// The file for an adapter.
pub fn write(adapter: &LoraAdapter) -> Vec<u8> {
    let LoraAdapter { settings, kept_ranks, .. } = adapter;
    let is_of_encoder = adapter.modules.keys().any(|module_path| module_path.naming != ModuleNaming::Llama);
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
            let pattern =
                kept_ranks.iter().map(|(module_path, kept)| (format!("{module_path}.lora_E"), json!(kept)));
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
