//! Makes the default policy, or measures it on sets that were left out.
//!
//! ```text
//! cargo run --release -p rescorer --features robustness --example default_policy -- SCORES SETS.toml [default.toml]
//! ```
//!
//! SETS.toml names lists of several recognisers:
//!
//! ```toml
//! [[set]]
//! name = "atis"
//! family = "atis"                # sets of one family are left out together
//! files = ["atis-test.json"]
//! normalize = "none"
//! weight = 1.0                   # what the set counts in the default policy; 0 only reports it
//! ```
//!
//! With a file to write it fits the default policy to all sets. Without one it prints a line for every set: the WER of the first pass; of
//! classic fusion, cross-validated; of a default policy that was fitted without the family; and of features cross-validated near that
//! policy. SCORES is a folder for language-model scores, so that a second run scores nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rescorer::evaluation::Evaluation;
use rescorer::fusion::{
    Confidence, Decision, DefaultPolicy, Evidence, FeatureFusion, Metric, PriorSet, ScoredAnswer,
    ScoredReference, TuneOptions, Weighting, cross_validate, cross_validate_features, fit_prior,
};
use rescorer::robustness::{CacheKey, ScoreCache};
use rescorer::scoring::{ListScores, Need, Scorer, ScoringConfig};
use rescorer::{Hypothesis, NBest, Normalization, Rescorer, Utterance};
use serde::Deserialize;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Lists of each set that the policy is fitted to; all are reported.
const FITTED_LISTS: usize = 800;

/// What the lists count that are made of a set by leaving scores and repeats away.
const BARE_WEIGHT: f64 = 0.5;

/// Version of the policy that is written: answers change with it.
const VERSION: u32 = 1;

/// Folds and seed of what is reported.
const FOLDS: usize = 5;
const SEED: u64 = 0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sets {
    set: Vec<Set>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    name: String,
    family: String,
    files: Vec<PathBuf>,
    normalize: Normalization,
    weight: f64,
}

/// A set with its scores.
struct Scored {
    lists: Vec<ScoredReference>,
    /// Parts of it that the policy is fitted to.
    fitted: [PriorSet; 2],
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scores, sets, output @ ..] = arguments.as_slice() else {
        return Err("give SCORES SETS.toml [default.toml]".into());
    };
    let Sets { set: sets } = toml::from_str(&std::fs::read_to_string(sets)?)?;
    let rescorer = Rescorer::builder("smollm2-135m").offline().build()?;
    let scored =
        sets.iter().map(|set| set.score(&rescorer, Path::new(scores))).collect::<Result<Vec<_>>>()?;
    match output {
        [] => report(&sets, &scored),
        [output, ..] => {
            let features = fit_prior(&fitted(&sets, &scored, None));
            Ok(std::fs::write(output, toml::to_string(&policy(features, &sets, &scored))?)?)
        }
    }
}

/// Prints the table.
fn report(sets: &[Set], scored: &[Scored]) -> Result<()> {
    println!("| set | lists | first pass | classic | default, left out | tuned near that | oracle |");
    println!("|---|---|---|---|---|---|---|");
    for (set, known) in sets.iter().zip(scored) {
        let prior = fit_prior(&fitted(sets, scored, Some(&set.family)));
        println!("{}", row(set, &known.lists, &prior)?);
    }
    Ok(())
}

/// What the policy is fitted to, without a family.
fn fitted(sets: &[Set], scored: &[Scored], without: Option<&str>) -> Vec<PriorSet> {
    let others = sets.iter().zip(scored).filter(|(set, _)| Some(set.family.as_str()) != without);
    let others = others.filter(|(set, _)| set.weight > 0.0);
    others.flat_map(|(_, scored)| scored.fitted.clone()).collect()
}

/// The policy with the numbers of its rules and its confidences.
fn policy(features: FeatureFusion, sets: &[Set], scored: &[Scored]) -> DefaultPolicy {
    let lists: Vec<ScoredReference> = sets
        .iter()
        .zip(scored)
        .filter(|(set, _)| set.weight > 0.0)
        .flat_map(|(_, scored)| scored.fitted[0].lists.clone())
        .collect();
    let weighting = features.into();
    let (decision, _) = TuneOptions::default().decision(&lists, &weighting);
    // First-pass scores of several recognisers have no common scale: the share alone says how sure an answer is.
    let answers = lists.iter().map(|list| {
        let answer = list.answer(&weighting, &decision);
        ScoredAnswer { evidence: Evidence { first_pass: 0.0, ..answer.evidence }, ..answer }
    });
    let confidence = Confidence::fit(&answers.collect::<Vec<_>>());
    DefaultPolicy { version: VERSION, features, decision, confidence }
}

/// A line of the table.
fn row(set: &Set, lists: &[ScoredReference], prior: &FeatureFusion) -> Result<String> {
    let evaluate = |weightings: &[Weighting]| {
        let decision = Decision::default();
        let answers: Vec<ScoredAnswer> =
            lists.iter().zip(weightings).map(|(list, weighting)| list.answer(weighting, &decision)).collect();
        Evaluation::new(lists, &answers, SEED)
    };
    let classic: Vec<Weighting> =
        cross_validate(lists, FOLDS, SEED)?.into_iter().map(Weighting::from).collect();
    let classic = evaluate(&classic)?;
    let default = evaluate(&vec![Weighting::Features(*prior); lists.len()])?;
    let tuned = evaluate(&cross_validate_features(lists, prior, FOLDS, SEED)?)?;
    let cell = |evaluation: &Evaluation| {
        let werr = evaluation.werr.unwrap_or_default();
        format!("{:.2} ({werr:+.2}, p {:.3})", evaluation.rescored_wer, evaluation.difference.p)
    };
    Ok(format!(
        "| {} | {} | {:.2} | {} | {} | {} | {:.2} |",
        set.name,
        lists.len(),
        classic.first_pass_wer,
        cell(&classic),
        cell(&default),
        cell(&tuned),
        classic.oracle_wer
    ))
}

impl Set {
    fn score(&self, rescorer: &Rescorer, folder: &Path) -> Result<Scored> {
        let scorer = rescorer.scorer();
        let key = CacheKey {
            model: rescorer.model().fingerprint().into(),
            adapter: None,
            convention: ScoringConfig::default(),
            precision: rescorer.model().device().precision().to_string(),
        };
        let mut cache = ScoreCache::open(&folder.join(&self.name), &key)?;
        let mut utterances = Vec::new();
        for file in &self.files {
            for utterance in rescorer_nbest::Reader::open(file, &rescorer_nbest::ReadOptions::default())? {
                utterances.push(utterance?);
            }
        }
        let unknown = |list: &&Utterance| list.nbest.iter().any(|one| cache.get(&one.text).is_none());
        let missing: Vec<std::result::Result<Utterance, rescorer::Error>> =
            utterances.iter().filter(unknown).map(|list| Ok(list.clone())).collect();
        eprintln!("{}: {} lists, {} to score", self.name, utterances.len(), missing.len());
        for scored in scorer.score_stream_as(Need::Scores, missing, false) {
            let (utterance, scores) = scored?;
            let texts = scores
                .distinct
                .hypotheses()
                .iter()
                .map(|known| &utterance.nbest.hypotheses()[known.position].text);
            cache.add(texts.zip(&scores.scores).map(|(text, score)| (text.as_str(), score.lm_score)))?;
        }
        let metric = Metric::from(self.normalize);
        let judge = |utterance: &Utterance| judge(scorer, &cache, utterance, metric);
        let step = utterances.len().div_ceil(FITTED_LISTS);
        let bare: Vec<Utterance> = utterances.iter().step_by(step).map(bare).collect::<Result<_>>()?;
        let lists = utterances.iter().map(judge).collect::<Result<Vec<_>>>()?;
        let fitted = lists.iter().step_by(step).cloned().collect();
        let fitted = [
            PriorSet { lists: fitted, weight: self.weight },
            PriorSet {
                lists: bare.iter().map(judge).collect::<Result<_>>()?,
                weight: BARE_WEIGHT * self.weight,
            },
        ];
        Ok(Scored { lists, fitted })
    }
}

/// A list with the scores that are known of its texts.
fn judge(
    scorer: &Scorer,
    cache: &ScoreCache,
    utterance: &Utterance,
    metric: Metric,
) -> Result<ScoredReference> {
    let prepared = scorer.prepare_utterance(utterance)?;
    let known: HashMap<&str, f64> =
        utterance.nbest.iter().filter_map(|one| Some((one.text.as_str(), cache.get(&one.text)?))).collect();
    let scores = ListScores::known(&prepared, |text| known.get(text).copied().unwrap_or(f64::NAN));
    Ok(ScoredReference::new(utterance, &scores, metric)?)
}

/// A list without scores and repeats.
fn bare(utterance: &Utterance) -> Result<Utterance> {
    let unique = utterance.nbest.unique();
    let texts =
        unique.hypotheses().iter().map(|known| utterance.nbest.hypotheses()[known.position].text.clone());
    let nbest = NBest::new(texts.map(Hypothesis::new).collect())?;
    Ok(Utterance { nbest, ..utterance.clone() })
}
