//! One step: the losses of a batch of lists and their gradient.

use std::sync::Arc;

use burn::tensor::Tensor;
use rescorer_lora::StepAdapter;
use rescorer_models::TreeBatch;

use super::data::Example;
use super::encoder_step;
use super::objective::{ListView, list_loss};
use super::stage::Stage;
use crate::error::Error;
use crate::scoring::scorer::Scorer;

/// Most tokens of a pass. What a pass remembers of a node takes 0.9 MB for SmolLM2-135M, its logits 0.2 MB.
const PASS_TOKENS: usize = 1536;

/// The same for encoders: some 0.2 MB a token for MiniLM.
const ENCODER_PASS_TOKENS: usize = 4096;

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

/// Computes the losses of a batch and the gradients of all matrices.
///
/// A batch may take several passes; `begin` gives the adapter of each, by its number.
pub fn losses(
    scorer: &Scorer,
    stage: &Stage,
    items: &[Item<'_>],
    begin: &dyn Fn(usize) -> Arc<StepAdapter>,
) -> Result<(Losses, Vec<Tensor<2>>), Error> {
    let eos = usize::from(scorer.config().eos);
    let references = items.iter().filter_map(|item| item.example.reference.as_ref());
    let totals = Totals {
        tokens: references.map(|reference| reference.len() + eos).sum::<usize>().max(1),
        lists: items.iter().filter(|item| !item.chosen.is_empty()).count().max(1),
        sequences: items.iter().map(|item| item.chosen.len()).sum::<usize>().max(1),
    };
    let mut losses = Losses::default();
    let mut gradients: Option<Vec<Tensor<2>>> = None;
    let mut rest = items;
    let mut number = 0;
    let is_encoder = scorer.model().is_bidirectional();
    let most = if is_encoder { ENCODER_PASS_TOKENS } else { PASS_TOKENS };
    while !rest.is_empty() {
        let mut tokens = 0;
        let fitting = rest.iter().take_while(|item| {
            tokens += sequences(stage, item).map(|(_, sequence)| sequence.len() + 1).sum::<usize>();
            tokens <= most
        });
        // A list that is larger has a pass of its own.
        let (pass, others) = rest.split_at(fitting.count().max(1));
        let adapter = begin(number);
        let own = if is_encoder {
            encoder_step::run_pass(scorer, stage, pass, &adapter, &totals, &mut losses)?
        } else {
            run_pass(scorer, stage, pass, &adapter, &totals, &mut losses)?
        };
        number += 1;
        gradients = Some(match gradients {
            None => own,
            Some(sum) => sum.into_iter().zip(own).map(|(sum, own)| sum + own).collect(),
        });
        rest = others;
    }
    Ok((losses, gradients.unwrap_or_default()))
}

/// What the means of a step are taken over.
pub struct Totals {
    pub tokens: usize,
    pub lists: usize,
    pub sequences: usize,
}

/// The reference (`None`) and the hypotheses (their numbers) that a step computes of an example.
fn sequences<'a>(stage: &Stage, item: &'a Item<'_>) -> impl Iterator<Item = (Option<usize>, &'a Vec<u32>)> {
    let reference = item.example.reference.as_ref().filter(|_| stage.nll > 0.0);
    let hypotheses = item.chosen.iter().map(|&index| (Some(index), &item.example.hypotheses[index]));
    reference.map(|reference| (None, reference)).into_iter().chain(hypotheses)
}

fn run_pass(
    scorer: &Scorer,
    stage: &Stage,
    items: &[Item<'_>],
    adapter: &Arc<StepAdapter>,
    totals: &Totals,
    losses: &mut Losses,
) -> Result<Vec<Tensor<2>>, Error> {
    let all: Vec<&Vec<u32>> =
        items.iter().flat_map(|item| sequences(stage, item)).map(|(_, tokens)| tokens).collect();
    let tries = scorer.tries(&[], &all, usize::MAX);
    let mut batch = TreeBatch::default();
    batch.set_adapter(Some(adapter.clone()));
    tries.iter().for_each(|trie| trie.push_to(&mut batch));
    let pass = scorer.model().training_pass(&batch)?;
    let paths = || tries.iter().flat_map(|trie| trie.paths());
    let mut scores = vec![(0.0, 0); all.len()];
    for (sequence, path) in paths() {
        let sum = path.iter().map(|&edge| f64::from(pass.log_probs()[edge as usize])).sum();
        scores[*sequence] = (sum, path.len());
    }
    losses.tokens += scores.iter().map(|(_, edges)| edges).sum::<usize>();
    losses.nodes += batch.len();
    let of_sequences = weigh(scorer, stage, items, &scores, totals, losses);
    let mut of_edges = vec![0.0; pass.log_probs().len()];
    for (sequence, path) in paths() {
        path.iter().for_each(|&edge| of_edges[edge as usize] += of_sequences[*sequence] as f32);
    }
    Ok(adapter.gradients(&pass.backward(&of_edges)?))
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
        let lm_scores = scores[places.clone()].iter().map(|&(sum, edges)| scorer.lm_score(sum, edges));
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
            gradients[place] = share * scorer.lm_score(gradient, *edges);
        }
    }
    gradients
}
