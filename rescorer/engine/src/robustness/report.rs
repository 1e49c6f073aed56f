use rescorer_perturb::{
    DRAWS, HomophoneOptions, Interval, NPRR_DEFINITION, NPRR_VERSION, NprrDifference, PairedBootstrap,
    PerturbationKind, RobustnessErrors, Unit, UtteranceErrors, Wer, WordCounts, gain_kept, nprr,
    nprr_difference, paired_bootstrap, wer_interval,
};
use serde::Serialize;

use super::{Benchmark, CacheKey, Contestant};
use crate::error::Error;
use crate::fusion::features::FeatureFusion;
use crate::fusion::weights::Fusion;

/// What a benchmark found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Title of the plan.
    pub title: String,
    /// Version of this library.
    pub version: String,
    /// Commit that it was built from, where that is known.
    pub commit: Option<String>,
    /// Version of the definition of NPRR.
    pub nprr_version: u32,
    /// The definition.
    pub definition: String,
    /// Files of the lists.
    pub data: Vec<DataFile>,
    /// Lists that took part.
    pub utterances: usize,
    /// What errors were counted in; the rates below are of that.
    pub unit: Unit,
    /// Words of their references, or other units.
    pub reference_words: usize,
    /// Lists left out because a policy was tuned on them.
    pub excluded: usize,
    /// Lists without any word that has a homophone; they took part as they are.
    pub untouchable: usize,
    /// Which words stood in for others.
    pub homophones: HomophoneOptions,
    /// Perturbed copies of a hypothesis in `distractors`.
    pub copies: usize,
    /// Seeds of the perturbations.
    pub seeds: Vec<u64>,
    /// Seed of the bootstraps, and their draws.
    pub bootstrap: (u64, usize),
    /// WER of the first pass on the clean lists, in %.
    pub first_pass_wer: f64,
    /// WER of the best hypotheses of the clean lists, in %.
    pub oracle_wer: f64,
    /// Every rescorer on the clean lists.
    pub clean: Vec<CleanRow>,
    /// Every rescorer in every kind and rate.
    pub rows: Vec<Row>,
    /// Every rescorer against every one before it.
    pub comparisons: Vec<Comparison>,
}

/// A file and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataFile {
    /// Its name.
    pub name: String,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// A rescorer on the clean lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CleanRow {
    /// The rescorer.
    pub rescorer: String,
    /// Model, adapter, convention and precision behind its scores.
    pub key: CacheKey,
    /// Its weights, where they are three numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fusion: Option<Fusion>,
    /// Its weights, where they are those of features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<FeatureFusion>,
    /// Its WER, in %.
    pub wer: f64,
    /// 95% interval.
    pub interval: Interval,
}

/// A rescorer in one kind and rate of perturbation, over all seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The rescorer.
    pub rescorer: String,
    /// Kind of perturbation.
    pub kind: PerturbationKind,
    /// Probability that a word with a homophone was replaced.
    pub rate: f64,
    /// WER on the clean lists, in %.
    pub clean_wer: f64,
    /// WER on the perturbed lists, in %, mean over seeds.
    pub perturbed_wer: f64,
    /// NPRR in %, mean over seeds. As the three below it is `None`, undefined, where the rescorer makes no error on the clean lists.
    pub nprr: Option<f64>,
    /// Its 95% interval.
    pub interval: Option<Interval>,
    /// NPRR for each seed.
    pub by_seed: Option<Vec<f64>>,
    /// Standard deviation over seeds, in points; 0 for one seed.
    pub spread: Option<f64>,
    /// 95% interval of the perturbed WER, all seeds pooled.
    pub wer_interval: Interval,
    /// WER of the first pass on the perturbed lists, in %, mean over seeds.
    pub first_pass_wer: f64,
    /// WER of the best hypotheses of the perturbed lists, in %, mean over seeds.
    pub oracle_wer: f64,
    /// Share of the clean gain over the first pass that is kept; none where there is no clean gain.
    pub gain_kept: Option<f64>,
    /// Share of the words that were replaced, of all in the texts that could be perturbed.
    pub replaced: f64,
    /// Share of them among words with a homophone.
    pub replaced_of_replaceable: f64,
}

/// Two rescorers in one kind and rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The one that comes first in the plan.
    pub first: String,
    /// The other one.
    pub second: String,
    /// Kind of perturbation.
    pub kind: PerturbationKind,
    /// Probability that a word with a homophone was replaced.
    pub rate: f64,
    /// NPRR of the second less that of the first; none where one of them makes no error on the clean lists.
    pub nprr: Option<NprrDifference>,
    /// WER of the second on the perturbed lists less that of the first, all seeds pooled.
    pub wer: PairedBootstrap,
}

/// What one rescorer picked in one kind and rate: errors for every seed.
struct Picked {
    kind: PerturbationKind,
    rate: f64,
    by_seed: Vec<Vec<UtteranceErrors>>,
}

impl Benchmark {
    /// WER, NPRR and comparisons of rescorers whose scores are all known. `data` and `commit` are written down as they are.
    ///
    /// # Errors
    /// A text without a score; references without a word.
    pub fn report(
        &self,
        contestants: &[Contestant],
        data: Vec<DataFile>,
        commit: Option<String>,
    ) -> Result<Report, Error> {
        let seed = self.plan.bootstrap_seed;
        let groups = Some(self.groups.as_slice());
        let clean_first: Wer = self.clean.first_pass().into_iter().collect();
        let clean_oracle: Wer = self.clean.oracle().into_iter().collect();
        let percent =
            |wer: Wer| wer.percent().ok_or_else(|| Error::no_words("robustness", wer.utterances, self.unit));
        let (first_pass_wer, oracle_wer) = (percent(clean_first)?, percent(clean_oracle)?);
        let mut clean = Vec::new();
        let mut rows = Vec::new();
        let mut known: Vec<(Vec<UtteranceErrors>, Vec<Picked>)> = Vec::new();
        for contestant in contestants {
            let own = self.rescored(&self.clean, contestant)?;
            let wer = percent(own.iter().copied().collect())?;
            clean.push(CleanRow {
                rescorer: contestant.name.clone(),
                key: contestant.key.clone(),
                fusion: contestant.weighting.classic().copied(),
                features: contestant.weighting.features().cloned(),
                wer,
                interval: wer_interval(&own, groups, DRAWS, seed)?,
            });
            let picked = self.picked(contestant)?;
            for found in &picked {
                rows.push(self.row(contestant, &own, found, (first_pass_wer, wer))?);
            }
            known.push((own, picked));
        }
        let mut comparisons = Vec::new();
        for (number, second) in contestants.iter().enumerate() {
            for (earlier, first) in contestants[..number].iter().enumerate() {
                let (a, b) = (&known[earlier], &known[number]);
                for (one, two) in a.1.iter().zip(&b.1) {
                    let (first_errors, second_errors) = (
                        RobustnessErrors { clean: &a.0, perturbed: &one.by_seed },
                        RobustnessErrors { clean: &b.0, perturbed: &two.by_seed },
                    );
                    comparisons.push(Comparison {
                        first: first.name.clone(),
                        second: second.name.clone(),
                        kind: one.kind,
                        rate: one.rate,
                        nprr: defined(nprr_difference(&first_errors, &second_errors, groups, DRAWS, seed))?,
                        wer: paired_bootstrap(
                            &pooled(&one.by_seed),
                            &pooled(&two.by_seed),
                            groups,
                            DRAWS,
                            seed,
                        )?,
                    });
                }
            }
        }
        Ok(Report {
            title: self.plan.title.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            commit,
            nprr_version: NPRR_VERSION,
            definition: NPRR_DEFINITION.into(),
            data,
            utterances: self.lists(),
            unit: self.unit,
            reference_words: clean_first.reference_words,
            excluded: self.excluded,
            untouchable: self.untouchable,
            homophones: self.plan.homophones,
            copies: self.plan.copies,
            seeds: self.plan.seeds.clone(),
            bootstrap: (seed, DRAWS),
            first_pass_wer,
            oracle_wer,
            clean,
            rows,
            comparisons,
        })
    }

    fn rescored(
        &self,
        lists: &super::condition::KnownLists,
        contestant: &Contestant,
    ) -> Result<Vec<UtteranceErrors>, Error> {
        let rows = lists.rescored(
            &contestant.weighting,
            |text| contestant.cache.get(text),
            contestant.tokens.as_ref(),
        );
        rows.ok_or_else(|| Error::NothingLeft {
            what: "robustness",
            reason: format!("{}: not all texts are scored", contestant.name),
        })
    }

    /// What a rescorer picks, the seeds of a kind and rate together, in the order of the plan.
    fn picked(&self, contestant: &Contestant) -> Result<Vec<Picked>, Error> {
        let mut picked: Vec<Picked> = Vec::new();
        for (condition, lists) in &self.conditions {
            let rows = self.rescored(lists, contestant)?;
            match picked.last_mut().filter(|last| (last.kind, last.rate) == (condition.kind, condition.rate))
            {
                Some(last) => last.by_seed.push(rows),
                None => {
                    picked.push(Picked { kind: condition.kind, rate: condition.rate, by_seed: vec![rows] })
                }
            }
        }
        Ok(picked)
    }

    fn row(
        &self,
        contestant: &Contestant,
        clean: &[UtteranceErrors],
        picked: &Picked,
        (clean_first, clean_wer): (f64, f64),
    ) -> Result<Row, Error> {
        let Picked { kind, rate, by_seed } = picked;
        let seed = self.plan.bootstrap_seed;
        let groups = Some(self.groups.as_slice());
        let errors = RobustnessErrors { clean, perturbed: by_seed };
        let own = self
            .conditions
            .iter()
            .filter(|(condition, _)| (condition.kind, condition.rate) == (*kind, *rate));
        let (mut first, mut oracle) = (Wer::default(), Wer::default());
        let mut counts = WordCounts::default();
        for (_, lists) in own {
            first.extend(lists.first_pass());
            oracle.extend(lists.oracle());
            counts += lists.counts;
        }
        let wer: Wer = by_seed.iter().flatten().copied().collect();
        let percent = |wer: &Wer| wer.percent().unwrap_or_default();
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        let found = defined(nprr(&errors, groups, DRAWS, seed))?;
        Ok(Row {
            rescorer: contestant.name.clone(),
            kind: *kind,
            rate: *rate,
            clean_wer,
            perturbed_wer: percent(&wer),
            nprr: found.as_ref().map(|found| found.nprr),
            interval: found.as_ref().map(|found| found.interval),
            spread: found.as_ref().map(|found| found.spread),
            by_seed: found.map(|found| found.by_seed),
            wer_interval: wer_interval(&pooled(by_seed), groups, DRAWS, seed)?,
            first_pass_wer: percent(&first),
            oracle_wer: percent(&oracle),
            gain_kept: gain_kept((clean_first, clean_wer), (percent(&first), percent(&wer))),
            replaced: share(counts.replaced, counts.words),
            replaced_of_replaceable: share(counts.replaced, counts.replaceable),
        })
    }
}

/// Errors of every utterance, summed over seeds.
fn pooled(by_seed: &[Vec<UtteranceErrors>]) -> Vec<UtteranceErrors> {
    let utterances = by_seed.first().map_or(0, Vec::len);
    let sum = |index: usize| {
        let mut total = UtteranceErrors::default();
        for rows in by_seed {
            total.errors += rows[index].errors;
            total.reference_words += rows[index].reference_words;
        }
        total
    };
    (0..utterances).map(sum).collect()
}

/// A ratio to no errors at all is undefined, and no reason to stop.
fn defined<T>(found: Result<T, rescorer_perturb::Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(rescorer_perturb::Error::NoErrors { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
