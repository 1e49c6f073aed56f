//! Losses of a step, and how they weigh on every sequence.

use super::data::Example;
use super::objective::{ListView, list_loss};
use super::stage::Stage;
use crate::scoring::scorer::Scorer;

/// An example with its part in a step.
pub struct Item<'a> {
    /// The example.
    pub example: &'a Example,
    /// The hypotheses that take part, none where the list has nothing to teach.
    pub chosen: Vec<usize>,
    /// Scores of all hypotheses by the model at the beginning of the stage.
    pub before: Option<&'a [f64]>,
}

/// Losses of a step, each without its weight: of the likelihood a mean over tokens, of the others over lists.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs)]
pub struct Losses {
    pub nll: f64,
    pub mwer: f64,
    pub mwed: f64,
    pub preference: f64,
    pub distillation: f64,
    /// A mean over sequences.
    pub correlation: f64,
    /// Tokens of all sequences, and the nodes that were computed for them.
    pub tokens: usize,
    pub nodes: usize,
}

impl Losses {
    /// The weighted sum.
    pub fn total(&self, stage: &Stage) -> f64 {
        stage.nll * self.nll
            + stage.mwer * self.mwer
            + stage.mwed * self.mwed
            + stage.preference * self.preference
            + stage.distillation * self.distillation
            + stage.correlation * self.correlation
    }
}

/// What the means of a step are taken over.
pub struct Totals {
    pub tokens: usize,
    pub lists: usize,
    pub sequences: usize,
}

/// Adds the losses of a pass, and gives their gradient with respect to the sum of log-probabilities of every sequence.
pub fn weigh(
    scorer: &Scorer,
    stage: &Stage,
    items: &[Item<'_>],
    scores: &[(f64, usize)],
    totals: &Totals,
    losses: &mut Losses,
) -> Vec<f64> {
    let mut gradients = vec![0.0; scores.len()];
    let mut first = 0;
    for item in items {
        if item.example.reference.is_some() && stage.nll > 0.0 {
            losses.nll -= scores[first].0 / totals.tokens as f64;
            gradients[first] = -stage.nll / totals.tokens as f64;
            first += 1;
        }
        let places = first..first + item.chosen.len();
        first = places.end;
        if item.chosen.is_empty() {
            continue;
        }
        let pick = |values: &[f64]| -> Vec<f64> { item.chosen.iter().map(|&index| values[index]).collect() };
        let counts = |values: &[usize]| -> Vec<usize> {
            if values.is_empty() {
                Vec::new()
            } else {
                item.chosen.iter().map(|&index| values[index]).collect()
            }
        };
        let lm_scores =
            scores[places.clone()].iter().map(|&(sum, edges)| scorer.sequences().lm_score(sum, edges));
        let before = item.before.map(pick);
        let teacher = if item.example.teacher.is_empty() { Vec::new() } else { pick(&item.example.teacher) };
        let pair = before.as_ref().and_then(|before| item.example.pair(stage, &item.chosen, before));
        let list = list_loss(
            stage,
            &ListView {
                first_pass: &pick(&item.example.first_pass),
                words: &counts(&item.example.words),
                errors: &counts(&item.example.errors),
                lm_scores: &lm_scores.collect::<Vec<f64>>(),
                before: before.as_deref(),
                pair,
                teacher: &teacher,
            },
        );
        let share = (totals.lists as f64).recip();
        losses.mwer += share * list.mwer;
        losses.mwed += share * list.mwed;
        losses.preference += share * list.preference;
        losses.distillation += share * list.distillation;
        for ((place, gradient), (_, edges)) in places.clone().zip(list.gradient).zip(&scores[places]) {
            // Where a score is a mean, a log-probability has that share of it.
            gradients[place] = share * scorer.sequences().lm_score(gradient, *edges);
        }
    }
    gradients
}
