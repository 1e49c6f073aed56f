//! What fusion is worth on every set.

use rescorer::evaluation::Evaluation;
use rescorer::fusion::{
    Decision, FeatureFusion, ScoredAnswer, ScoredReference, Weighting, cross_validate,
    cross_validate_features, tune_features,
};
use rescorer_perturb::{DRAWS, PairedBootstrap, UtteranceErrors, group_numbers, paired_bootstrap};

use crate::Result;
use crate::cautious::Policies;
use crate::sets::{Scored, Set};

/// Folds and seed of what is reported.
const FOLDS: usize = 5;
const SEED: u64 = 0;

/// Prints a line for every set: the WER of the first pass; of classic fusion, cross-validated; of the default policy; of features,
/// cross-validated near that; and how these two differ from others. Before it what sets gain that have another one to tune on; then the default policy on all lists together.
pub fn report(sets: &[Set], scored: &[Scored]) -> Result<()> {
    let policies = Policies::new(sets, scored);
    for (set, known) in sets.iter().zip(scored) {
        let of_name = |name: &String| sets.iter().position(|other| other.name == *name);
        let Some(other) = set.tune_on.as_ref().and_then(of_name) else { continue };
        let prior = policies.without(Some(&set.family));
        let tuned = tune_features(&scored[other].lists, &prior)?.features;
        let found = evaluate(&known.lists, &vec![Weighting::Features(tuned); known.lists.len()])?;
        let [low, high] = found.werr_ci95.unwrap_or_default();
        println!("{}, tuned on {}: {} ({low:.2} to {high:.2})\n", set.name, sets[other].name, cell(&found));
    }
    println!(
        "| set | lists | first pass | classic | default, left out | tuned near that | tuned − classic | oracle |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let (mut before, mut after, mut references) = (Vec::new(), Vec::new(), Vec::new());
    for (set, known) in sets.iter().zip(scored) {
        let prior = policies.without(Some(&set.family));
        println!("{}", row(set, &known.lists, &prior)?);
        before.extend(known.lists.iter().map(ScoredReference::first_pass));
        after.extend(errors(&known.lists, &vec![Weighting::Features(prior); known.lists.len()]));
        references.extend(known.lists.iter().map(|list| list.reference.as_str()));
    }
    let groups = group_numbers(references);
    let pooled = paired_bootstrap(&before, &after, Some(&groups), DRAWS, SEED)?;
    println!("\nAll lists together, default policy less first pass: {}", difference(&pooled));
    Ok(())
}

/// Errors of the answers.
fn errors(lists: &[ScoredReference], weightings: &[Weighting]) -> Vec<UtteranceErrors> {
    lists.iter().zip(weightings).map(|(list, weighting)| list.rescored(weighting)).collect()
}

/// A difference in points of WER.
fn difference(found: &PairedBootstrap) -> String {
    let PairedBootstrap { difference, interval, p, .. } = found;
    format!("{difference:+.2} ({:+.2} to {:+.2}, p {p:.3})", interval.low, interval.high)
}

fn evaluate(lists: &[ScoredReference], weightings: &[Weighting]) -> Result<Evaluation> {
    let decision = Decision::default();
    let answers: Vec<ScoredAnswer> =
        lists.iter().zip(weightings).map(|(list, weighting)| list.answer(weighting, &decision)).collect();
    Ok(Evaluation::new(lists, &answers, SEED)?)
}

/// A WER with its relative reduction.
fn cell(evaluation: &Evaluation) -> String {
    let werr = evaluation.werr.unwrap_or_default();
    format!("{:.2} ({werr:+.2}, p {:.3})", evaluation.rescored_wer, evaluation.difference.p)
}

/// A line of the table.
fn row(set: &Set, lists: &[ScoredReference], prior: &FeatureFusion) -> Result<String> {
    let by_classic: Vec<Weighting> =
        cross_validate(lists, FOLDS, SEED)?.into_iter().map(Weighting::from).collect();
    let classic = evaluate(lists, &by_classic)?;
    let default = evaluate(lists, &vec![Weighting::Features(prior.clone()); lists.len()])?;
    let by_features = cross_validate_features(lists, prior, FOLDS, SEED)?;
    let tuned = evaluate(lists, &by_features)?;
    let groups = group_numbers(lists.iter().map(|list| list.reference.as_str()));
    let [classic_errors, tuned_errors] =
        [&by_classic, &by_features].map(|weightings| errors(lists, weightings));
    let between = paired_bootstrap(&classic_errors, &tuned_errors, Some(&groups), DRAWS, SEED)?;
    Ok(format!(
        "| {} | {} | {:.2} | {} | {} | {} | {} | {:.2} |",
        set.name,
        lists.len(),
        classic.first_pass_wer,
        cell(&classic),
        cell(&default),
        cell(&tuned),
        difference(&between),
        classic.oracle_wer
    ))
}
