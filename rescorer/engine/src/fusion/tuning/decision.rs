use rescorer_perturb::words;

use crate::answer::confidence::Confidence;
use crate::answer::posterior::posterior;
use crate::answer::rule::{Decision, DecisionRule, Voted, distances, least_risk, risks};
use crate::error::Error;
use crate::fusion::tuning::folds::folds_of;
use crate::fusion::tuning::scale::most_likely_scale;
use crate::fusion::tuning::scored_answer::ScoredAnswer;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;

/// Expected word errors that a change must save.
const MBR_MARGINS: [f64; 9] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0];
/// Lead in posterior that another word needs.
const MERGE_MARGINS: [f64; 9] = [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75];

/// Finds scale and margins on scored lists, for weights that were tuned before.
///
/// The scale is the one under which the best hypotheses are the most likely; each margin that of least WER, of equally good ones
/// the largest. The rule is left at `maximum`.
pub fn tune_decision(lists: &[ScoredReference], weighting: &Weighting) -> Decision {
    tune_on(&lists.iter().collect::<Vec<_>>(), weighting)
}

fn tune_on(lists: &[&ScoredReference], weighting: &Weighting) -> Decision {
    let scale = most_likely_scale(lists, weighting);
    let mut mbr = [0usize; MBR_MARGINS.len()];
    let mut merge = [0usize; MERGE_MARGINS.len()];
    for list in lists {
        let texts: Vec<Vec<&str>> = list.texts.iter().map(|text| words(text)).collect();
        let candidates = list.weighed(weighting);
        let shares = posterior(&candidates, weighting, scale);
        let risks = risks(&shares, &distances(&texts));
        for (errors, margin) in mbr.iter_mut().zip(MBR_MARGINS) {
            *errors += list.errors[least_risk(&risks, margin)];
        }
        let winner = weighting.winner(&candidates);
        let voted = Voted::new(winner, &shares, &texts);
        let reference = words(&list.reference);
        for (errors, margin) in merge.iter_mut().zip(MERGE_MARGINS) {
            let merged = voted.merged(margin);
            let text: Vec<&str> = merged.iter().map(|word| texts[word.hypothesis][word.index]).collect();
            *errors += rescorer_perturb::word_errors(&reference, &text);
        }
    }
    let last_of_least = |errors: &[usize], margins: &[f64]| {
        let least = errors.iter().zip(margins).rev().min_by_key(|(errors, _)| **errors);
        least.map_or(0.0, |(_, margin)| *margin)
    };
    Decision {
        rule: DecisionRule::Maximum,
        scale,
        mbr_margin: last_of_least(&mbr, &MBR_MARGINS),
        merge_margin: last_of_least(&merge, &MERGE_MARGINS),
    }
}

/// Finds [`tune_decision`] and the [`Confidence`] of a rule for every list on the lists of the other folds, which are those of
/// [`cross_validate`](crate::fusion::cross_validate): `weightings` is what that found. There is no confidence where those answers have no word.
///
/// # Errors
/// A fold without lists.
pub fn cross_validate_decision(
    lists: &[ScoredReference],
    weightings: &[Weighting],
    rule: DecisionRule,
    folds: usize,
    seed: u64,
) -> Result<Vec<(Decision, Option<Confidence>)>, Error> {
    let fold_of = folds_of(lists, folds, seed)?;
    let mut chosen = Vec::new();
    for number in 0..folds {
        let at = fold_of.iter().position(|&fold| fold == number);
        let others = lists.iter().zip(&fold_of).filter(|(_, fold)| **fold != number);
        let others: Vec<&ScoredReference> = others.map(|(list, _)| list).collect();
        let Some(weighting) = at.map(|at| &weightings[at]) else {
            return Err(Error::Folds { folds, filled: chosen.len() });
        };
        let decision = Decision { rule, ..tune_on(&others, weighting) };
        let answers: Vec<ScoredAnswer> =
            others.iter().map(|list| list.answer(weighting, &decision)).collect();
        chosen.push((decision, Confidence::fit(&answers)));
    }
    Ok(fold_of.iter().map(|&fold| chosen[fold]).collect())
}
