use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rescorer_models::{LanguageModel, ModulePath, ScoreHead};
use sha2::{Digest, Sha256};

use crate::attached::AttachedAdapter;
use crate::error::Error;
use crate::low_rank::LowRank;
use crate::settings::{Kind, LoraSettings, Targets};
use crate::svd::truncated_svd;

/// An adapter: how it was set up, and the change of every layer that it targets.
///
/// Read with [`LoraAdapter::read`], put to use with [`LoraAdapter::attach`].
#[derive(Debug, Clone, PartialEq)]
pub struct LoraAdapter {
    /// How it was set up.
    pub settings: LoraSettings,
    /// The changes. A layer whose ranks are all pruned stands here with rank 0.
    pub modules: BTreeMap<ModulePath, LowRank>,
    /// Which of the initial ranks of a layer are left, in a rank-allocated adapter.
    pub kept_ranks: BTreeMap<ModulePath, Vec<bool>>,
    /// What makes one score of an encoder's first token, trained with the matrices.
    pub head: Option<ScoreHead>,
    /// [`LanguageModel::fingerprint`] of the model that it was trained on, where that is known.
    pub base_fingerprint: Option<String>,
    /// Where it was read from.
    pub path: PathBuf,
}

impl LoraAdapter {
    /// The file of an adapter's settings; a folder that has it holds an adapter.
    pub const CONFIG_FILE: &str = "adapter_config.json";

    /// The file of an adapter's matrices.
    pub const WEIGHTS_FILE: &str = "adapter_model.safetensors";

    /// Brings the adapter to the device of a model.
    ///
    /// # Errors
    /// As [`LoraAdapter::check`].
    pub fn attach(&self, model: &LanguageModel) -> Result<Arc<AttachedAdapter>, Error> {
        self.check(model)?;
        let modules = self.modules.iter().map(|(module_path, module)| (*module_path, module));
        Ok(Arc::new(AttachedAdapter::new(modules, self.head.clone(), self.fingerprint(), model)))
    }

    /// Checks that the adapter belongs to this model: by fingerprint where it carries one, and by the shapes of all
    /// layers that it targets.
    ///
    /// # Errors
    /// [`Error::OtherBase`]; [`Error::Tensors`] with all that is missing, unexpected or of another shape.
    pub fn check(&self, model: &LanguageModel) -> Result<(), Error> {
        if let Some(trained_on) = &self.base_fingerprint
            && trained_on != model.fingerprint_like(trained_on)
        {
            return Err(Error::OtherBase {
                path: self.path.clone(),
                trained_on: trained_on.clone(),
                given: model.fingerprint_like(trained_on).into(),
            });
        }
        let layers: BTreeMap<ModulePath, [usize; 2]> = model.linear_layers().collect();
        let mut problems = Vec::new();
        for (module_path, module) in &self.modules {
            match layers.get(module_path) {
                None => problems.push(format!("  unexpected: {module_path}, the model has no such layer")),
                Some(shape) if *shape != module.shape => {
                    problems.push(format!(
                        "  shape: {module_path} changes {:?}, the model has {shape:?}",
                        module.shape
                    ));
                }
                Some(_) => {}
            }
        }
        for module_path in layers.keys().filter(|module_path| !self.modules.contains_key(module_path)) {
            if self.settings.try_targets(*module_path)? {
                problems.push(format!("  missing: {module_path} is targeted and has no matrices"));
            }
        }
        match &self.head {
            Some(_) if !model.is_bidirectional() => {
                problems.push("  unexpected: a score head, which belongs to an encoder".into());
            }
            Some(head) if head.weight.len() != model.d_model() => problems.push(format!(
                "  shape: the score head is for states of {} numbers, the model has {}",
                head.weight.len(),
                model.d_model()
            )),
            _ => {}
        }
        if problems.is_empty() {
            return Ok(());
        }
        let remedy = "use an adapter that was trained on this model".into();
        Err(Error::Tensors { path: self.path.clone(), problems: problems.join("\n"), remedy })
    }

    /// SHA-256 over what the adapter computes, in hexadecimal: equal for equal adapters wherever they lie.
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        for (module_path, module) in &self.modules {
            let [outputs, inputs] = module.shape;
            hasher.update(format!(
                "{module_path} [{outputs}, {inputs}] {} {}\n",
                module.rank(),
                module.scale
            ));
            let numbers = module.a.iter().chain(&module.b).chain(module.e.iter().flatten());
            numbers.for_each(|number| hasher.update(number.to_le_bytes()));
        }
        if let Some(ScoreHead { weight, bias }) = &self.head {
            hasher.update(format!("score head {}\n", weight.len()));
            weight.iter().chain([bias]).for_each(|number| hasher.update(number.to_le_bytes()));
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Numbers in all matrices.
    pub fn parameters(&self) -> usize {
        let of_head = self.head.as_ref().map_or(0, |head| head.weight.len() + 1);
        self.modules.values().map(LowRank::parameters).sum::<usize>() + of_head
    }

    /// The first `rank` ranks of every layer, with the scale that they were trained with.
    ///
    /// Of an adapter that was trained at mixed ranks every truncation is one too; of another it is what is left.
    ///
    /// # Errors
    /// A rank of 0 or above all ranks, a rank-allocated adapter, whose ranks have no order.
    pub fn truncated(&self, rank: usize) -> Result<Self, Error> {
        let most = self.modules.values().map(LowRank::rank).max().unwrap_or(0);
        if rank == 0 || rank > most {
            let reason = format!("truncation to rank {rank}: the adapter has {most}; give 1 to {most}");
            return Err(Error::Settings { reason });
        }
        if self.settings.kind != Kind::Vanilla {
            let reason = "the ranks of a rank-allocated adapter have no order; \
                          project it by its singular values, of which the largest are kept"
                .into();
            return Err(Error::Settings { reason });
        }
        self.with_modules(rank, |_, module| Ok(module.truncated(rank)))
    }

    /// The vanilla adapter of rank at most `rank` that is nearest to this one, layer by layer, with scale
    /// `alpha / rank`: see [`truncated_svd`].
    ///
    /// # Errors
    /// A rank of 0; matrices that can't be decomposed.
    pub fn projected(&self, rank: usize, alpha: f64) -> Result<Self, Error> {
        if rank == 0 {
            return Err(Error::Settings {
                reason: "projection to rank 0 leaves nothing; give at least 1".into(),
            });
        }
        let scale = (alpha / rank as f64) as f32;
        self.with_modules(rank, |_, module| truncated_svd(module, rank, scale))
    }

    /// The same change as a vanilla adapter, for programs that know no rank allocation: `e` goes into `B`, layers of
    /// rank 0 are left out.
    ///
    /// # Errors
    /// No layer is left.
    pub fn to_vanilla(&self) -> Result<Self, Error> {
        if self.settings.kind == Kind::Vanilla {
            return Ok(self.clone());
        }
        self.with_modules(self.settings.rank, |_, module| Ok(module.folded(module.scale)))
    }

    /// A vanilla adapter whose settings are those of its modules, which may have any ranks and scales.
    pub(crate) fn with_modules(
        &self,
        rank: usize,
        change: impl Fn(ModulePath, &LowRank) -> Result<LowRank, Error>,
    ) -> Result<Self, Error> {
        let modules =
            self.modules.iter().map(|(&module_path, module)| Ok((module_path, change(module_path, module)?)));
        let mut modules = modules.collect::<Result<BTreeMap<ModulePath, LowRank>, Error>>()?;
        modules.retain(|_, module| module.rank() > 0);
        if modules.is_empty() {
            return Err(Error::Settings {
                reason: "all layers have rank 0: the adapter changes nothing".into(),
            });
        }
        let uniform = modules.len() == self.modules.len();
        let targets = if uniform {
            self.settings.targets.clone()
        } else {
            Targets::Names(modules.keys().map(ModulePath::to_string).collect())
        };
        let common = modules.values().map(|module| module.scale).next().unwrap_or(1.0);
        let alpha = f64::from(common) * rank as f64;
        let mut settings = LoraSettings {
            kind: Kind::Vanilla,
            rank,
            alpha,
            rslora: false,
            targets,
            rank_pattern: BTreeMap::new(),
            alpha_pattern: BTreeMap::new(),
            ..self.settings.clone()
        };
        for (module_path, module) in &modules {
            let own_alpha = f64::from(module.scale) * module.rank() as f64;
            // A path is a regular expression of itself but for its dots.
            let key = fancy_regex::escape(&module_path.to_string()).into_owned();
            if module.rank() != rank {
                settings.rank_pattern.insert(key.clone(), module.rank());
            }
            if own_alpha != alpha {
                settings.alpha_pattern.insert(key, own_alpha);
            }
        }
        Ok(Self { settings, modules, kept_ranks: BTreeMap::new(), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use rescorer_models::{ModuleNaming, TargetModule};

    use super::*;

    fn adapter(kind: Kind) -> LoraAdapter {
        let wave = |len: usize, phase: f32| (0..len).map(|i| (i as f32 * 0.7 + phase).sin()).collect();
        let module = |rank: usize, e: Option<Vec<f32>>| LowRank {
            shape: [3, 4],
            a: wave(4 * rank, 0.0),
            e,
            b: wave(3 * rank, 1.0),
            scale: 1.5,
        };
        let module_path =
            |layer| ModulePath { layer, module: TargetModule::Query, naming: ModuleNaming::Llama };
        let settings = LoraSettings { kind, rank: 2, alpha: 3.0, ..LoraSettings::default() };
        let e = |values: &[f32]| (kind != Kind::Vanilla).then(|| values.to_vec());
        let last = if kind == Kind::Vanilla { 2 } else { 0 };
        LoraAdapter {
            settings,
            modules: BTreeMap::from([
                (module_path(0), module(2, e(&[1.0, 2.0]))),
                (module_path(1), module(last, e(&[]))),
            ]),
            kept_ranks: BTreeMap::new(),
            head: None,
            base_fingerprint: None,
            path: PathBuf::from("test"),
        }
    }

    /// What settings say of a module has to be what it is: PEFT reads the settings.
    fn require_consistent(adapter: &LoraAdapter) {
        adapter.settings.check().unwrap();
        for (module_path, module) in &adapter.modules {
            assert!(adapter.settings.targets(*module_path));
            assert_eq!(adapter.settings.rank_of(*module_path), module.rank());
            assert!((adapter.settings.scale_of(*module_path) - module.scale).abs() < 1e-6);
        }
    }

    #[test]
    fn a_truncation_keeps_the_scale() {
        let truncated = adapter(Kind::Vanilla).truncated(1).unwrap();
        require_consistent(&truncated);
        assert!(truncated.modules.values().all(|module| module.rank() == 1 && module.scale == 1.5));
        assert!(adapter(Kind::Vanilla).truncated(3).is_err());
        let error = adapter(Kind::RankAllocated { init_rank: 2 }).truncated(1).unwrap_err().to_string();
        assert!(error.contains("singular values"), "{error}");
    }

    #[test]
    fn a_vanilla_adapter_of_a_rank_allocated_one_changes_the_same() {
        let allocated = adapter(Kind::RankAllocated { init_rank: 2 });
        let vanilla = allocated.to_vanilla().unwrap();
        require_consistent(&vanilla);
        assert_eq!(vanilla.modules.len(), 1, "a layer of rank 0 is no target any more");
        for (module_path, module) in &vanilla.modules {
            for (a, b) in module.delta().iter().zip(allocated.modules[module_path].delta()) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }

    #[test]
    fn a_projection_has_the_scale_asked_for() {
        let projected = adapter(Kind::RankAllocated { init_rank: 2 }).projected(1, 4.0).unwrap();
        require_consistent(&projected);
        assert_eq!(projected.settings.alpha, 4.0);
        assert!(adapter(Kind::Vanilla).projected(0, 4.0).is_err());
    }

    #[test]
    fn the_fingerprint_is_of_the_numbers() {
        let plain = adapter(Kind::Vanilla);
        assert_eq!(
            plain.fingerprint(),
            LoraAdapter { path: "elsewhere".into(), ..plain.clone() }.fingerprint()
        );
        let mut other = plain.clone();
        other.modules.values_mut().for_each(|module| module.b[0] += 1e-6);
        assert_ne!(plain.fingerprint(), other.fingerprint());
    }
}
