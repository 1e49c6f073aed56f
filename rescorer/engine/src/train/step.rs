//! One step: the losses of a batch of lists and their gradient.

use std::sync::Arc;

use burn::tensor::Tensor;
use rescorer_lora::StepAdapter;
use rescorer_models::TreeBatch;

use super::encoder_step;
use super::losses::{Item, Losses, Totals, weigh};
use super::stage::Stage;
use crate::error::Error;
use crate::scoring::decoder::trie::TokenTrie;
use crate::scoring::scorer::Scorer;

/// Most tokens of a pass. What a pass remembers of a node takes 0.9 MB for SmolLM2-135M, its logits 0.2 MB.
const PASS_TOKENS: usize = 1536;

/// The same for encoders: some 0.2 MB a token for MiniLM.
const ENCODER_PASS_TOKENS: usize = 4096;

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
    let is_encoder = !scorer.list_scorer().capabilities().prefixes;
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
    let tries = TokenTrie::build(&all, scorer.sequences().bos, scorer.sequences().eos, usize::MAX);
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
