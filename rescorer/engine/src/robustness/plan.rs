use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rescorer_perturb::{HomophoneOptions, Perturbation, PerturbationKind, Unit};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::fusion::weights::Fusion;

/// What is compared, on what, and how it is perturbed: the file of `rescorer robustness`.
///
/// ```
/// let plan = rescorer::robustness::Plan::parse(r#"
///     title = "ATIS"
///     lists = ["atis-test.json"]
///     kinds = ["n-best", "distractors"]
///     rates = [0.1, 0.4]
///     homophones = { max_size = 50 }
///
///     [[rescorer]]
///     name = "no adapter"
///     policy = "policy.toml"
///
///     [[rescorer]]
///     name = "lora"
///     adapter = "lora"
///     policy = "lora/policy.toml"
/// "#)?;
/// assert_eq!((plan.rescorers.len(), plan.seeds.len()), (2, 3));
/// # Ok::<(), rescorer::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What stands over the report.
    #[serde(default)]
    pub title: String,
    /// Files of lists with references.
    pub lists: Vec<PathBuf>,
    /// Leave out the first so many lists.
    #[serde(default)]
    pub skip: usize,
    /// Stop after so many lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Take so many of the lists that are left, chosen by a hash of their ids: the same ones each time, from all over the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// Kinds of perturbation.
    #[serde(default = "all_kinds")]
    pub kinds: Vec<PerturbationKind>,
    /// Probabilities that a word with a homophone is replaced.
    #[serde(default = "rates")]
    pub rates: Vec<f64>,
    /// Seeds of the perturbations.
    #[serde(default = "seeds")]
    pub seeds: Vec<u64>,
    /// Perturbed copies of a hypothesis that distractors add.
    #[serde(default = "copies")]
    pub copies: usize,
    /// What errors are counted in; without it what the policies were tuned with, else words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Which words stand in for others.
    #[serde(default)]
    pub homophones: HomophoneOptions,
    /// Pronunciations of one's own: `read R EH1 D` as CMU's, or a word, a tab and phones with any names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lexicon: Vec<PathBuf>,
    /// Seed of the bootstraps.
    #[serde(default)]
    pub bootstrap_seed: u64,
    /// What is compared; the first is what the others are compared with.
    #[serde(rename = "rescorer")]
    pub rescorers: Vec<PlannedRescorer>,
}

/// A rescorer of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRescorer {
    /// Its name in the report.
    pub name: String,
    /// A named model, a GGUF file or a Hugging Face folder; the default model where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Folder of its adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// Its policy, tuned on clean lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PathBuf>,
    /// Weights by hand in place of a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fusion: Option<Fusion>,
}

fn all_kinds() -> Vec<PerturbationKind> {
    PerturbationKind::ALL.to_vec()
}

fn rates() -> Vec<f64> {
    vec![0.1, 0.2, 0.4]
}

fn seeds() -> Vec<u64> {
    vec![1, 2, 3]
}

fn copies() -> usize {
    Perturbation::COPIES
}

impl Plan {
    /// Reads a plan. Paths in it are those seen from its folder.
    ///
    /// # Errors
    /// A file that can't be read; as [`Plan::parse`]; a list, lexicon, adapter or policy that is not there.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let place = path.display().to_string();
        let fail = |reason: String| Error::Plan { place: place.clone(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| fail(format!("{e}; give a TOML file")))?;
        let mut plan: Self = toml::from_str(&text).map_err(|e| fail(e.to_string()))?;
        plan.check(&place)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let there = |key: &str, path: &mut PathBuf| {
            *path = folder.join(&*path);
            match path.exists() {
                true => Ok(()),
                false => Err(fail(format!("{key}: there is no {}", path.display()))),
            }
        };
        plan.lists.iter_mut().try_for_each(|path| there("lists", path))?;
        plan.lexicon.iter_mut().try_for_each(|path| there("lexicon", path))?;
        for rescorer in &mut plan.rescorers {
            let key = |field: &str| format!("rescorer {:?}, {field}", rescorer.name);
            let (adapter, policy) = (key("adapter"), key("policy"));
            rescorer.adapter.iter_mut().try_for_each(|path| there(&adapter, path))?;
            rescorer.policy.iter_mut().try_for_each(|path| there(&policy, path))?;
            // What is a file or folder here is no name of a model.
            let model = rescorer.model.as_ref().map(|model| folder.join(model));
            if let Some(model) = model.filter(|model| model.exists()) {
                rescorer.model = Some(model.display().to_string());
            }
        }
        Ok(plan)
    }

    /// Reads the text of a plan, without looking for its files.
    ///
    /// # Errors
    /// Unknown keys, values of the wrong type and values outside of their range, each with its key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let place = "plan";
        let plan: Self =
            toml::from_str(text).map_err(|e| Error::Plan { place: place.into(), reason: e.to_string() })?;
        plan.check(place)?;
        Ok(plan)
    }

    fn check(&self, place: &str) -> Result<(), Error> {
        let fail = |reason: String| Err(Error::Plan { place: place.into(), reason });
        let counts = [
            ("lists", self.lists.len()),
            ("kinds", self.kinds.len()),
            ("rates", self.rates.len()),
            ("seeds", self.seeds.len()),
            ("rescorer", self.rescorers.len()),
            ("copies", self.copies),
            ("sample", self.sample.unwrap_or(1)),
            ("limit", self.limit.unwrap_or(1)),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return fail(format!("{key}: give at least one"));
        }
        if let Some(rate) = self.rates.iter().find(|rate| !(0.0..=1.0).contains(*rate)) {
            return fail(format!("rates: {rate} is no probability; give 0 to 1"));
        }
        let mut seen = HashSet::new();
        let seeds = self.seeds.iter().map(|seed| format!("seeds: {seed}"));
        let rates = self.rates.iter().map(|rate| format!("rates: {rate}"));
        let kinds = self.kinds.iter().map(|kind| format!("kinds: {kind}"));
        let names = self.rescorers.iter().map(|rescorer| format!("rescorer: {:?}", rescorer.name));
        if let Some(twice) =
            seeds.chain(rates).chain(kinds).chain(names).find(|key| !seen.insert(key.clone()))
        {
            return fail(format!("{twice} stands twice"));
        }
        for PlannedRescorer { name, policy, fusion, .. } in &self.rescorers {
            if policy.is_some() == fusion.is_some() {
                return fail(format!(
                    "rescorer {name:?}: give either policy = \"FILE\", which `tune` and `train` write, or \
                     fusion = {{ lm_weight = ... }}"
                ));
            }
            let weights = fusion.map(|fusion| [fusion.lm_weight, fusion.length_bonus, fusion.margin]);
            if weights.is_some_and(|weights| !weights.iter().all(|weight| weight.is_finite())) {
                return fail(format!("rescorer {name:?}, fusion: a weight is not a finite number"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, part: &str) {
        let error = Plan::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }

    const ONE: &str = "[[rescorer]]\nname = \"a\"\nfusion = { lm_weight = 0.3 }\n";

    #[test]
    fn defaults_are_those_of_the_definition() {
        let plan = Plan::parse(&format!("lists = [\"a\"]\n{ONE}")).unwrap();
        assert_eq!((plan.rates, plan.seeds, plan.copies), (vec![0.1, 0.2, 0.4], vec![1, 2, 3], 2));
        assert_eq!(plan.kinds, PerturbationKind::ALL);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        refused(&format!("lists = []\n{ONE}"), "lists: give at least one");
        refused(&format!("lists = [\"a\"]\nrates = [1.5]\n{ONE}"), "1.5 is no probability");
        refused(&format!("lists = [\"a\"]\nseeds = [1, 1]\n{ONE}"), "seeds: 1 stands twice");
        refused(&format!("lists = [\"a\"]\n{ONE}{ONE}"), "rescorer: \"a\" stands twice");
        refused(&format!("lists = [\"a\"]\nkinds = [\"two-best\"]\n{ONE}"), "two-best");
        refused(&format!("lists = [\"a\"]\nrate = [0.1]\n{ONE}"), "unknown field `rate`");
        refused("lists = [\"a\"]\n[[rescorer]]\nname = \"a\"", "give either policy");
        refused("lists = [\"a\"]\nhomophones = { near = 0.5, far = 1 }", "unknown field `far`");
    }

    #[test]
    fn files_are_looked_for_before_any_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        std::fs::write(folder.path().join("a.jsonl"), "").unwrap();
        let plan = "lists = [\"a.jsonl\"]\n[[rescorer]]\nname = \"a\"\nadapter = \"none\"\nfusion = { lm_weight = 0.3 }\n";
        std::fs::write(&path, plan).unwrap();
        let error = Plan::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("plan.toml: rescorer \"a\", adapter: there is no "), "{error}");
        std::fs::create_dir(folder.path().join("none")).unwrap();
        assert_eq!(Plan::from_file(&path).unwrap().lists[0], folder.path().join("a.jsonl"));
    }
}
