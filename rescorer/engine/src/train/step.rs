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
use crate::scoring::sequences::Sequences;

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
            tokens += item.example.context.len();
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
    let mut batch = TreeBatch::default();
    batch.set_adapter(Some(adapter.clone()));
    let (count, groups) = grouped(stage, items);
    let mut paths: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (context, sequences) in groups {
        push_group(scorer, context, &sequences, &mut batch, &mut paths);
    }
    let pass = scorer.model().training_pass(&batch)?;
    let score = |path: &Vec<u32>| {
        let sum = path.iter().map(|&edge| f64::from(pass.log_probs()[edge as usize])).sum();
        (sum, path.len())
    };
    let scores: Vec<(f64, usize)> = paths.iter().map(score).collect();
    losses.tokens += scores.iter().map(|(_, edges)| edges).sum::<usize>();
    losses.nodes += batch.len();
    let of_sequences = weigh(scorer, stage, items, &scores, totals, losses);
    let mut of_edges = vec![0.0; pass.log_probs().len()];
    for (path, of_sequence) in paths.iter().zip(of_sequences) {
        path.iter().for_each(|&edge| of_edges[edge as usize] += of_sequence as f32);
    }
    Ok(adapter.gradients(&pass.backward(&of_edges)?))
}

/// Sequences with their numbers among all of a pass.
type Numbered<'a> = Vec<(usize, &'a Vec<u32>)>;

/// The number of sequences of a pass, and those of each context together: what is without one shares a trie.
fn grouped<'a>(stage: &Stage, items: &'a [Item<'_>]) -> (usize, Vec<(&'a [u32], Numbered<'a>)>) {
    let mut groups: Vec<(&[u32], Numbered<'_>)> = Vec::new();
    let mut count = 0;
    for item in items {
        let context = &*item.example.context;
        let place = groups.iter().position(|(other, _)| *other == context).unwrap_or_else(|| {
            groups.push((context, Vec::new()));
            groups.len() - 1
        });
        for (_, sequence) in sequences(stage, item) {
            groups[place].1.push((count, sequence));
            count += 1;
        }
    }
    (count, groups)
}

/// Adds sequences to a batch, behind their context, and tells the edges of each.
fn push_group(
    scorer: &Scorer,
    context: &[u32],
    sequences: &Numbered<'_>,
    batch: &mut TreeBatch,
    paths: &mut [Vec<u32>],
) {
    let Sequences { bos, eos, .. } = scorer.sequences();
    let (root, before) = match context.split_last() {
        Some((last, before)) => (*last, Some(before)),
        None => (*bos, None),
    };
    let tokens: Vec<&Vec<u32>> = sequences.iter().map(|(_, sequence)| *sequence).collect();
    for trie in TokenTrie::build(&tokens, root, *eos, usize::MAX) {
        let chain = before.map(|before| std::iter::once(bos).chain(before));
        let parent =
            chain.into_iter().flatten().fold(None, |parent, &token| Some(batch.push_node(token, parent)));
        let first_edge = batch.edges().len() as u32;
        trie.push_behind(parent, batch);
        for (place, path) in trie.paths() {
            paths[sequences[*place].0] = path.iter().map(|edge| first_edge + edge).collect();
        }
    }
}
