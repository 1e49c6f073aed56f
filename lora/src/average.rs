use std::collections::{BTreeMap, BTreeSet};

use rescorer_models::{ModulePath, ScoreHead};

use crate::adapter::LoraAdapter;
use crate::error::Error;
use crate::low_rank::LowRank;
use crate::settings::Targets;

impl LoraAdapter {
    /// The mean of several adapters of one model, such as those of several devices: `ΔW = Σ ΔW_i / n`, layer by layer. An adapter that
    /// does not have a layer counts as no change there.
    ///
    /// The mean of the changes, and not of the matrices: `A` and `B` of different adapters have ranks of their own. Its rank is the sum
    /// of theirs; [`projected`](Self::projected) then takes the nearest adapter of a smaller rank.
    ///
    /// # Errors
    /// No adapter; adapters of different models, or with layers of different shapes; a score head in some only.
    ///
    /// # Reference
    /// McMahan et al. 2017, "Communication-efficient learning of deep networks from decentralized data", for the mean; Sun et al. 2024,
    /// "Improving LoRA in privacy-preserving federated learning", for why not that of `A` and of `B`.
    pub fn average(adapters: &[Self]) -> Result<Self, Error> {
        let fail = |reason: &str| Error::Settings { reason: reason.into() };
        let Some(first) = adapters.first() else {
            return Err(fail("there is no adapter to average; give two or more"));
        };
        let bases: BTreeSet<&String> =
            adapters.iter().filter_map(|one| one.base_fingerprint.as_ref()).collect();
        if bases.len() > 1 {
            return Err(fail("the adapters are of different models; average those of one"));
        }
        let paths: BTreeSet<ModulePath> =
            adapters.iter().flat_map(|one| one.modules.keys().copied()).collect();
        let share = (adapters.len() as f32).recip();
        let modules = paths.into_iter().map(|path| {
            let parts: Vec<&LowRank> = adapters.iter().filter_map(|one| one.modules.get(&path)).collect();
            side_by_side(&parts, share).map(|module| (path, module)).ok_or_else(|| {
                fail(&format!(
                    "{path}: the adapters change layers of different shapes; average those of one model"
                ))
            })
        });
        let modules = modules.collect::<Result<BTreeMap<ModulePath, LowRank>, Error>>()?;
        let mut joined = Self {
            head: average_head(adapters)?,
            base_fingerprint: bases.first().map(|base| (*base).clone()),
            modules,
            ..first.clone()
        };
        joined.settings.targets = Targets::Names(joined.modules.keys().map(ModulePath::to_string).collect());
        let rank = joined.modules.values().map(LowRank::rank).max().unwrap_or(0);
        joined.with_modules(rank, |_, module| Ok(module.clone()))
    }
}

/// The sum of changes, each multiplied with `share`: the ranks of all behind each other. `None` where the shapes differ.
fn side_by_side(parts: &[&LowRank], share: f32) -> Option<LowRank> {
    let shape = parts.first()?.shape;
    if parts.iter().any(|part| part.shape != shape) {
        return None;
    }
    let rows: Vec<(Vec<f32>, usize)> = parts.iter().map(|part| (part.scaled_b(), part.rank())).collect();
    let b = (0..shape[0]).flat_map(|row| {
        rows.iter().flat_map(move |(b, rank)| b[row * rank..(row + 1) * rank].iter().map(move |b| b * share))
    });
    let a = parts.iter().flat_map(|part| part.a.iter().copied());
    Some(LowRank { shape, a: a.collect(), e: None, b: b.collect(), scale: 1.0 })
}

fn average_head(adapters: &[LoraAdapter]) -> Result<Option<ScoreHead>, Error> {
    let heads: Vec<&ScoreHead> = adapters.iter().filter_map(|one| one.head.as_ref()).collect();
    let Some(first) = heads.first() else { return Ok(None) };
    let fits = |head: &&ScoreHead| head.weight.len() == first.weight.len();
    if heads.len() < adapters.len() || !heads.iter().all(fits) {
        let reason = "some adapters have a score head and others have none, or one of another size; average adapters of one kind";
        return Err(Error::Settings { reason: reason.into() });
    }
    let count = heads.len() as f32;
    let mean = |of: &dyn Fn(&ScoreHead) -> f32| heads.iter().map(|head| of(head)).sum::<f32>() / count;
    let weight = (0..first.weight.len()).map(|at| mean(&|head| head.weight[at])).collect();
    Ok(Some(ScoreHead { weight, bias: mean(&|head| head.bias) }))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rescorer_models::{ModuleNaming, TargetModule};

    use super::*;
    use crate::settings::LoraSettings;

    fn path(layer: usize) -> ModulePath {
        ModulePath { layer, module: TargetModule::Query, naming: ModuleNaming::Llama }
    }

    fn adapter(rank: usize, phase: f32, layers: usize) -> LoraAdapter {
        let wave = |len: usize, phase: f32| (0..len).map(|i| (i as f32 * 0.7 + phase).sin()).collect();
        let module =
            LowRank { shape: [3, 4], a: wave(4 * rank, phase), e: None, b: wave(3 * rank, 1.0), scale: 1.5 };
        let settings = LoraSettings { rank, alpha: 1.5 * rank as f64, ..LoraSettings::default() };
        LoraAdapter {
            settings,
            modules: (0..layers).map(|layer| (path(layer), module.clone())).collect(),
            kept_ranks: BTreeMap::new(),
            head: None,
            base_fingerprint: Some("base".into()),
            path: PathBuf::from("test"),
        }
    }

    fn assert_close(found: &[f32], expected: impl Iterator<Item = f32>) {
        let pairs = found.iter().zip(expected);
        pairs.for_each(|(found, expected)| assert!((found - expected).abs() < 1e-5, "{found} {expected}"));
    }

    #[test]
    fn the_change_is_the_mean_of_the_changes() {
        let (one, other) = (adapter(2, 0.0, 2), adapter(1, 2.0, 1));
        let mean = LoraAdapter::average(&[one.clone(), other.clone()]).unwrap();
        let deltas = |layer| [&one, &other].map(|one| one.modules.get(&path(layer)).map(LowRank::delta));
        let [Some(first), Some(second)] = deltas(0) else { panic!("both have it") };
        let expected = first.iter().zip(&second).map(|(one, other)| (one + other) / 2.0);
        assert_close(&mean.modules[&path(0)].delta(), expected);
        let [Some(alone), None] = deltas(1) else { panic!("one has it") };
        assert_close(&mean.modules[&path(1)].delta(), alone.iter().map(|delta| delta / 2.0));
        assert_eq!((mean.modules[&path(0)].rank(), mean.modules[&path(1)].rank()), (3, 2));
        mean.settings.check().unwrap();
        for (path, module) in &mean.modules {
            assert_eq!(mean.settings.rank_of(*path), module.rank());
            assert!((mean.settings.scale_of(*path) - module.scale).abs() < 1e-6);
        }
    }

    #[test]
    fn the_mean_of_equal_adapters_is_the_adapter() {
        let one = adapter(2, 0.0, 2);
        let mean = LoraAdapter::average(&[one.clone(), one.clone()]).unwrap().projected(2, 3.0).unwrap();
        for (path, module) in &mean.modules {
            assert_close(&module.delta(), one.modules[path].delta().into_iter());
        }
    }

    #[test]
    fn adapters_that_do_not_belong_together_are_refused() {
        let one = adapter(2, 0.0, 2);
        let refused = |adapters: &[LoraAdapter], part: &str| {
            let message = LoraAdapter::average(adapters).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        };
        refused(&[], "no adapter");
        refused(
            &[one.clone(), LoraAdapter { base_fingerprint: Some("other".into()), ..one.clone() }],
            "different models",
        );
        let mut wide = one.clone();
        wide.modules.values_mut().for_each(|module| module.shape = [6, 2]);
        refused(&[one.clone(), wide], "different shapes");
        let head = Some(ScoreHead { weight: vec![1.0], bias: 0.0 });
        refused(&[one.clone(), LoraAdapter { head, ..one }], "score head");
    }
}
