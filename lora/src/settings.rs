use std::collections::BTreeMap;

use rescorer_models::{ModuleNaming, ModulePath, TargetModule};

use crate::error::Error;
use crate::pattern::{check_end, check_whole, matches_end, matches_whole};

/// What kind of adapter the matrices are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `s · B · A` with a rank that was chosen beforehand.
    Vanilla,
    /// `s · B · diag(e) · A` that began with `init_rank` ranks everywhere and gave up the unimportant ones.
    RankAllocated {
        /// Ranks of every layer at the beginning. The scale belongs to these.
        init_rank: usize,
    },
}

/// Which linear layers an adapter changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Those whose path is or ends in one of these names, such as `q_proj`.
    Names(Vec<String>),
    /// Those whose whole path matches a regular expression.
    Pattern(String),
}

/// How an adapter was set up, in the terms of PEFT.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraSettings {
    /// Vanilla or rank-allocated.
    pub kind: Kind,
    /// `r`: ranks of a layer; for a rank-allocated adapter the mean that allocation aims at.
    pub rank: usize,
    /// Numerator of the scale.
    pub alpha: f64,
    /// Scale `alpha / √r` in place of `alpha / r`; vanilla alone.
    pub rslora: bool,
    /// Share of inputs that a training step leaves out.
    pub dropout: f64,
    /// The layers.
    pub targets: Targets,
    /// Numbers of the blocks, where not all take part.
    pub layers: Option<Vec<usize>>,
    /// Layers that the targets name but that are left out.
    pub exclude: Option<Targets>,
    /// Other ranks for layers whose path ends in a match of the key; vanilla alone.
    pub rank_pattern: BTreeMap<String, usize>,
    /// The same for `alpha`.
    pub alpha_pattern: BTreeMap<String, f64>,
}

impl Default for LoraSettings {
    /// Rank 8 on queries and values, scale 2, no dropout.
    fn default() -> Self {
        Self {
            kind: Kind::Vanilla,
            rank: 8,
            alpha: 16.0,
            rslora: false,
            dropout: 0.0,
            targets: Targets::Names(vec!["q_proj".into(), "v_proj".into()]),
            layers: None,
            exclude: None,
            rank_pattern: BTreeMap::new(),
            alpha_pattern: BTreeMap::new(),
        }
    }
}

impl LoraSettings {
    /// Most ranks that a layer was set up with.
    pub fn most_ranks(&self) -> usize {
        self.rank_pattern.values().copied().fold(self.rank, usize::max)
    }

    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// [`Error::Settings`] with the setting.
    pub fn check(&self) -> Result<(), Error> {
        let fail = |reason: &str| Err(Error::Settings { reason: reason.into() });
        if self.rank == 0 || self.rank_pattern.values().any(|rank| *rank == 0) {
            return fail("a rank of 0 has nothing to train; give at least 1");
        }
        let alphas = || self.alpha_pattern.values().chain([&self.alpha]);
        if !alphas().all(|alpha| alpha.is_finite() && *alpha > 0.0) {
            return fail("alpha has to be a number above 0");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return fail("dropout has to be at least 0 and less than 1");
        }
        if let Kind::RankAllocated { init_rank } = self.kind {
            if init_rank < self.rank {
                return fail("the initial rank is below the target rank; allocation only takes ranks away");
            }
            if self.rslora || !self.rank_pattern.is_empty() || !self.alpha_pattern.is_empty() {
                return fail("rank allocation knows neither rslora nor patterns of ranks; leave them out");
            }
        }
        for pattern in self.rank_pattern.keys().chain(self.alpha_pattern.keys()) {
            check_end(pattern)?;
        }
        for targets in [Some(&self.targets), self.exclude.as_ref()].into_iter().flatten() {
            targets.check()?;
        }
        Ok(())
    }

    /// The same with the layers called as the model calls them: `q_proj` is `attention.self.query` in BERT. A name that belongs to no
    /// decoder stays as it is.
    #[must_use]
    pub fn named_as(self, naming: ModuleNaming) -> Self {
        let Targets::Names(names) = &self.targets else { return self };
        let path = |name: &str| {
            let module = TargetModule::ALL.into_iter().find(|module| module.name() == name)?;
            naming.path(module)
        };
        if naming == ModuleNaming::Llama {
            return self;
        }
        let names: Vec<String> =
            names.iter().map(|name| path(name).map_or_else(|| name.clone(), str::to_owned)).collect();
        // A name is the end of a path, and one of BERT's is the end of another.
        let has = |module| naming.path(module).is_some_and(|path| names.iter().any(|name| name == path));
        let output =
            Targets::Names(naming.path(TargetModule::Output).map(str::to_owned).into_iter().collect());
        let is_ambiguous =
            naming == ModuleNaming::Bert && has(TargetModule::Down) && !has(TargetModule::Output);
        let exclude = if is_ambiguous { Some(output) } else { self.exclude };
        Self { targets: Targets::Names(names), exclude, ..self }
    }

    /// Whether this layer is among the targets. Settings that [`LoraSettings::check`] refuses have none.
    pub fn targets(&self, module_path: ModulePath) -> bool {
        self.try_targets(module_path).unwrap_or(false)
    }

    /// Whether this layer is among the targets. A name that is the whole path counts in every block.
    ///
    /// # Reference
    /// PEFT 0.21, `check_target_module_exists`.
    ///
    /// # Errors
    /// A pattern that is no regular expression or takes too long.
    pub fn try_targets(&self, module_path: ModulePath) -> Result<bool, Error> {
        if let Some(exclude) = &self.exclude
            && exclude.matching(module_path)? != Matching::Nothing
        {
            return Ok(false);
        }
        Ok(match self.targets.matching(module_path)? {
            Matching::Nothing => false,
            Matching::Path => true,
            Matching::Part => self.layers.as_ref().is_none_or(|layers| layers.contains(&module_path.layer)),
        })
    }

    /// Ranks that a layer begins with.
    pub fn rank_of(&self, module_path: ModulePath) -> usize {
        match self.kind {
            Kind::Vanilla => matching(&self.rank_pattern, module_path).unwrap_or(self.rank),
            Kind::RankAllocated { init_rank } => init_rank,
        }
    }

    /// The scale of a layer: `alpha / r`, with rslora `alpha / √r`; for a rank-allocated adapter
    /// `alpha / (init_rank + 1e-5)`, whatever ranks are left.
    ///
    /// # Reference
    /// PEFT 0.21, `LoraLayer.update_layer` and `SVDLinear.forward`; rslora: Kalajdzievski 2023, eq. 8.
    pub fn scale_of(&self, module_path: ModulePath) -> f32 {
        let rank = self.rank_of(module_path) as f64;
        let alpha = matching(&self.alpha_pattern, module_path).unwrap_or(self.alpha);
        let scale = match self.kind {
            Kind::Vanilla if self.rslora => alpha / rank.sqrt(),
            Kind::Vanilla => alpha / rank,
            Kind::RankAllocated { .. } => alpha / (rank + 1e-5),
        };
        scale as f32
    }
}

impl Targets {
    /// The modules of these kinds.
    pub fn modules(modules: &[TargetModule]) -> Self {
        Self::Names(modules.iter().map(|module| module.name().into()).collect())
    }

    /// Whether nothing is named.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Names(names) => names.is_empty(),
            Self::Pattern(pattern) => pattern.is_empty(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Names(names) if names.is_empty() => {
                Err(Error::Settings { reason: "no target modules; name at least one, such as q_proj".into() })
            }
            Self::Names(_) => Ok(()),
            Self::Pattern(pattern) => check_whole(pattern),
        }
    }

    fn matching(&self, module_path: ModulePath) -> Result<Matching, Error> {
        let paths = module_path.paths();
        match self {
            Self::Names(names) if paths.iter().any(|path| names.contains(path)) => Ok(Matching::Path),
            Self::Names(names) => {
                let ends = |path: &String| names.iter().any(|name| path.ends_with(&format!(".{name}")));
                Ok(if paths.iter().any(ends) { Matching::Part } else { Matching::Nothing })
            }
            Self::Pattern(pattern) => {
                for path in &paths {
                    if matches_whole(pattern, path)? {
                        return Ok(Matching::Part);
                    }
                }
                Ok(Matching::Nothing)
            }
        }
    }
}

/// How targets match a layer.
#[derive(Clone, Copy, PartialEq)]
enum Matching {
    Nothing,
    /// By a part of its path, or a pattern.
    Part,
    /// By its path, with the number of its block.
    Path,
}

/// The value of the first key that a path ends in a match of.
fn matching<T: Copy>(pattern: &BTreeMap<String, T>, module_path: ModulePath) -> Option<T> {
    let paths = module_path.paths();
    let is_match = |key: &str| paths.iter().any(|path| matches_end(key, path).unwrap_or(false));
    pattern.iter().find(|(key, _)| is_match(key)).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: ModulePath =
        ModulePath { layer: 1, module: TargetModule::Query, naming: ModuleNaming::Llama };
    const UP: ModulePath = ModulePath { layer: 11, module: TargetModule::Up, naming: ModuleNaming::Llama };

    #[test]
    fn scales_are_those_of_peft() {
        let plain = LoraSettings::default();
        assert_eq!(plain.scale_of(QUERY), 2.0);
        assert_eq!(LoraSettings { rslora: true, rank: 16, ..plain.clone() }.scale_of(QUERY), 4.0);
        let allocated = LoraSettings { kind: Kind::RankAllocated { init_rank: 12 }, ..plain.clone() };
        assert_eq!(allocated.scale_of(QUERY), (16.0 / 12.00001) as f32);
        let rank_pattern = BTreeMap::from([("layers.1.self_attn.q_proj".into(), 4)]);
        let alpha_pattern = BTreeMap::from([("mlp.*".into(), 4.0)]);
        let patterns = LoraSettings { rank_pattern, alpha_pattern, ..plain };
        assert_eq!((patterns.rank_of(QUERY), patterns.rank_of(UP)), (4, 8));
        assert_eq!((patterns.scale_of(QUERY), patterns.scale_of(UP)), (4.0, 0.5));
    }

    #[test]
    fn targets_match_as_in_peft() {
        let with = |targets| LoraSettings { targets, ..LoraSettings::default() };
        let names = |name: &str| with(Targets::Names(vec![name.into()]));
        assert!(names("q_proj").targets(QUERY) && !names("q_proj").targets(UP));
        assert!(names("model.layers.1.self_attn.q_proj").targets(QUERY));
        assert!(!names("proj").targets(QUERY), "a name is a whole part of the path");
        let pattern = with(Targets::Pattern(r".*\.(q_proj|up_proj)".into()));
        assert!(pattern.targets(QUERY) && pattern.targets(UP));
        assert!(!with(Targets::Pattern("q_proj".into())).targets(QUERY), "a pattern matches the whole path");
        let first = LoraSettings { layers: Some(vec![1]), ..pattern.clone() };
        assert!(first.targets(QUERY) && !first.targets(UP));
        let whole = Targets::Names(vec!["model.layers.11.mlp.up_proj".into()]);
        let whole = LoraSettings { targets: whole, ..first };
        assert!(whole.targets(UP), "a whole path names its block");
        let without = LoraSettings { exclude: Some(Targets::Names(vec!["up_proj".into()])), ..pattern };
        assert!(without.targets(QUERY) && !without.targets(UP));
    }

    #[test]
    fn layers_are_named_as_the_model_names_them() {
        let with = |modules: &[TargetModule], naming| {
            let settings = LoraSettings { targets: Targets::modules(modules), ..LoraSettings::default() };
            let settings = settings.named_as(naming);
            let module_paths = TargetModule::ALL.map(|module| ModulePath { layer: 2, module, naming });
            let module_paths =
                module_paths.into_iter().filter(|module_path| naming.path(module_path.module).is_some());
            module_paths
                .filter(|module_path| settings.targets(*module_path))
                .map(|module_path| module_path.module)
                .collect::<Vec<_>>()
        };
        let sets = [
            vec![TargetModule::Query, TargetModule::Value],
            vec![TargetModule::Output],
            vec![TargetModule::Down],
            vec![TargetModule::Output, TargetModule::Down],
            vec![TargetModule::Up],
        ];
        for naming in ModuleNaming::ALL {
            for modules in &sets {
                assert_eq!(with(modules, naming), *modules, "{naming:?}");
            }
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let plain = LoraSettings::default();
        assert!(plain.check().is_ok());
        let refused = |settings: LoraSettings, part: &str| {
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(LoraSettings { rank: 0, ..plain.clone() }, "rank of 0");
        refused(LoraSettings { alpha: f64::NAN, ..plain.clone() }, "alpha");
        refused(LoraSettings { dropout: 1.0, ..plain.clone() }, "dropout");
        refused(LoraSettings { targets: Targets::Names(Vec::new()), ..plain.clone() }, "no target modules");
        refused(
            LoraSettings { targets: Targets::Pattern("(".into()), ..plain.clone() },
            "no regular expression",
        );
        let kind = Kind::RankAllocated { init_rank: 4 };
        refused(LoraSettings { kind, ..plain.clone() }, "below the target rank");
        let kind = Kind::RankAllocated { init_rank: 12 };
        refused(LoraSettings { kind, rslora: true, ..plain }, "neither rslora");
    }
}
