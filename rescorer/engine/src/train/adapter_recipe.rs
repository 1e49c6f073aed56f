use std::collections::BTreeMap;
use std::path::PathBuf;

use rescorer_lora::{Kind, LoraAdapter, LoraSettings, Targets};
use serde::{Deserialize, Serialize};

use super::stage::{Stage, refusal};
use crate::adapter_source;
use crate::error::Error;

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Vanilla LoRA.
    #[default]
    Lora,
    /// LoRA that gives up unimportant ranks (AdaLoRA).
    RankAllocated,
    /// LoRA of which every truncation is an adapter (DyLoRA): each step trains the first so many ranks.
    MixedRank,
    /// All linear layers of the blocks.
    Full,
}

/// The adapter of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdapterRecipe {
    /// What is trained.
    pub method: Method,
    /// Folder of an adapter to begin with; rank, alpha and layers are then those of the adapter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// Ranks of a layer; for `rank-allocated` their mean at the end.
    pub rank: usize,
    /// Numerator of the scale `alpha / rank`.
    pub alpha: f64,
    /// Scale `alpha / √rank`.
    pub rslora: bool,
    /// Share of inputs that a step leaves out.
    pub dropout: f64,
    /// Names of the layers.
    pub targets: Vec<String>,
    /// Ranks that `rank-allocated` begins with.
    pub init_rank: usize,
    /// Share of the first stage before ranks are given up.
    pub allocation_start: f64,
    /// Share of the first stage after the last allocation.
    pub allocation_end: f64,
    /// Steps from one allocation to the next.
    pub allocation_interval: usize,
    /// Smoothing of importance and of its uncertainty.
    pub allocation_betas: [f32; 2],
    /// Weight of the penalty on ranks that overlap.
    pub orthogonality: f32,
    /// Other ranks for layers whose path ends in a match of the key.
    pub rank_pattern: BTreeMap<String, usize>,
    /// Other alphas.
    pub alpha_pattern: BTreeMap<String, f64>,
}

impl Default for AdapterRecipe {
    fn default() -> Self {
        Self {
            method: Method::Lora,
            init: None,
            rank: 8,
            alpha: 16.0,
            rslora: false,
            dropout: 0.0,
            targets: vec!["q_proj".into(), "v_proj".into()],
            init_rank: 12,
            allocation_start: 0.1,
            allocation_end: 0.3,
            allocation_interval: 5,
            allocation_betas: [0.85, 0.85],
            orthogonality: 0.1,
            rank_pattern: Default::default(),
            alpha_pattern: Default::default(),
        }
    }
}

impl AdapterRecipe {
    /// The adapter to begin with.
    ///
    /// # Errors
    /// An adapter that can't be read.
    pub(super) fn read_init(&self) -> Result<Option<LoraAdapter>, Error> {
        self.init.as_deref().map(adapter_source::read).transpose()
    }

    /// Takes over the settings of the adapter to begin with.
    ///
    /// # Errors
    /// An adapter of another method.
    pub(super) fn take_settings(&mut self, adapter: &LoraAdapter) -> Result<(), Error> {
        let LoraSettings { kind, rank, alpha, rslora, targets, rank_pattern, alpha_pattern, .. } =
            &adapter.settings;
        let is_allocated = self.method == Method::RankAllocated;
        let folder = self.init.clone().unwrap_or_default();
        let fail = |reason: &str| Err(refusal(format!("init {}", folder.display()), reason));
        match kind {
            Kind::RankAllocated { init_rank } if is_allocated => self.init_rank = *init_rank,
            Kind::Vanilla if !is_allocated && self.method != Method::Full => {}
            _ => return fail("the adapter is of another method than the recipe"),
        }
        let Targets::Names(names) = targets else {
            return fail("its layers are given by a pattern; name them in target_modules");
        };
        (self.rank, self.alpha, self.rslora, self.targets) = (*rank, *alpha, *rslora, names.clone());
        (self.rank_pattern, self.alpha_pattern) = (rank_pattern.clone(), alpha_pattern.clone());
        Ok(())
    }

    /// The settings of an adapter of this rank.
    pub fn settings(&self, rank: usize) -> LoraSettings {
        let kind = match self.method {
            Method::RankAllocated => Kind::RankAllocated { init_rank: self.init_rank },
            Method::Lora | Method::MixedRank | Method::Full => Kind::Vanilla,
        };
        LoraSettings {
            kind,
            rank,
            alpha: self.alpha,
            rslora: self.rslora,
            dropout: self.dropout,
            targets: Targets::Names(self.targets.clone()),
            rank_pattern: self.rank_pattern.clone(),
            alpha_pattern: self.alpha_pattern.clone(),
            ..LoraSettings::default()
        }
    }
    /// Refuses ranks that these stages cannot have, and shares of the steps that don't fit together.
    pub(super) fn check(&self, stages: &[Stage]) -> Result<(), Error> {
        let ranks = stages.windows(2).map(|pair| (pair[0].rank, pair[1].rank));
        if let Some((before, after)) = ranks.clone().find(|(before, after)| after > before) {
            let reason = format!("{after} after {before}: ranks can only be taken away between stages");
            return Err(refusal("rank", reason));
        }
        let Self { method, allocation_start, allocation_end, .. } = self;
        if *method != Method::Lora && ranks.clone().any(|(before, after)| before != after) {
            return Err(refusal("rank", "only method lora can change its rank between stages"));
        }
        if *method != Method::Full {
            let settings = self.settings(stages[0].rank);
            settings.check().map_err(|e| Error::Recipe { place: "recipe".into(), reason: e.to_string() })?;
        }
        if !(0.0..1.0).contains(&(allocation_start + allocation_end))
            || *allocation_start < 0.0
            || *allocation_end < 0.0
        {
            let reason = "together they have to be less than 1";
            return Err(refusal("allocation_start, allocation_end", reason));
        }
        Ok(())
    }
}
