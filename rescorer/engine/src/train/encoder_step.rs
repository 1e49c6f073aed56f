//! A pass of an encoder in training: the score of a sequence is what the adapter's head makes of its first token.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use rescorer_lora::StepAdapter;
use rescorer_models::{Adapter, TreeBatch};

use super::losses::{Item, Losses, Totals, weigh};
use super::stage::Stage;
use crate::error::{Error, SettingsError};
use crate::scoring::scorer::Scorer;

/// Adds the losses of a pass, and gives the gradients of all matrices.
pub fn run_pass(
    scorer: &Scorer,
    stage: &Stage,
    items: &[Item<'_>],
    adapter: &Arc<StepAdapter>,
    totals: &Totals,
    losses: &mut Losses,
) -> Result<Vec<Tensor<2>>, Error> {
    let mut batch = TreeBatch::default();
    batch.set_adapter(Some(adapter.clone()));
    let hypotheses =
        items.iter().flat_map(|item| item.chosen.iter().map(|&index| &item.example.hypotheses[index]));
    for tokens in hypotheses {
        batch.push_chain(&scorer.sequences().whole(tokens), &[]);
    }
    let head = adapter.score_head().ok_or(SettingsError::NoScoreHead)?;
    let pass = scorer.model().states_pass(&batch)?;
    let width = head.weight.len();
    let scores: Vec<(f64, usize)> =
        pass.states().chunks_exact(width).map(|state| (head.score(state), 1)).collect();
    losses.tokens += batch.len();
    losses.nodes += batch.len();
    let of_scores = weigh(scorer, stage, items, &scores, totals, losses);
    let (mut of_weight, mut of_states) = (vec![0.0; width], Vec::with_capacity(pass.states().len()));
    for (state, &gradient) in pass.states().chunks_exact(width).zip(&of_scores) {
        let gradient = gradient as f32;
        of_weight.iter_mut().zip(state).for_each(|(sum, value)| *sum += gradient * value);
        of_states.extend(head.weight.iter().map(|weight| gradient * weight));
    }
    if stage.correlation > 0.0 && scores.len() > 1 {
        let share = scores.len() as f64 / totals.sequences as f64;
        let (loss, gradient) = correlation(pass.states(), width);
        losses.correlation += share * loss;
        let factor = (stage.correlation * share) as f32;
        of_states.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += factor * value);
    }
    let mut gradients = adapter.gradients(&pass.backward(&of_states)?);
    if let Some([weight, bias]) = adapter.head_places() {
        let matrix = |values: Vec<f32>, like: &Tensor<2>| {
            Tensor::from_data(TensorData::new(values, like.dims()), &like.device())
        };
        gradients[weight] = matrix(of_weight, &gradients[weight]);
        gradients[bias] = matrix(vec![of_scores.iter().sum::<f64>() as f32], &gradients[bias]);
    }
    Ok(gradients)
}

/// How much the numbers of a representation say the same: the mean square of the correlations of two different ones over a batch,
/// `Σ_{i≠j} C_ij² / (d(d − 1))`, with its gradient.
///
/// # Shapes
/// `states` and the gradient: `[sequences, width]`.
///
/// # Reference
/// The regulariser of Yu et al. 2023, "Low-rank Adaptation of Large Language Model Rescoring" (LoRB), holds the correlation matrix of
/// the representations close to the identity; its diagonal is 1 anyway, so here are the others, averaged so that the weight does not
/// depend on the width.
fn correlation(states: &[f32], width: usize) -> (f64, Vec<f32>) {
    const EPSILON: f64 = 1e-6;
    let count = states.len() / width;
    let device = burn::tensor::Device::flex().autodiff();
    let data = TensorData::new(states.to_vec(), [count, width]);
    let states = Tensor::<2>::from_data(data, &device).require_grad();
    let centred = states.clone() - states.clone().mean_dim(0);
    let variance = (centred.clone() * centred.clone()).mean_dim(0);
    let standard = centred / (variance + EPSILON).sqrt();
    let correlations = standard.clone().transpose().matmul(standard) / count as f64;
    let others = correlations * (Tensor::ones([width, width], &device) - Tensor::eye(width, &device));
    let pairs = (width * (width - 1)).max(1) as f64;
    let loss = (others.clone() * others).sum() / pairs;
    let value = f64::from(loss.clone().into_scalar::<f32>());
    let gradient = states.grad(&loss.backward());
    let gradient = gradient.and_then(|gradient| gradient.into_data().try_into_vec::<f32>().ok());
    (value, gradient.unwrap_or_else(|| vec![0.0; count * width]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_say_the_same_cost_1_and_others_nothing() {
        let same = correlation(&[1.0, -2.0, 2.0, -4.0, 3.0, -6.0], 2).0;
        assert!((same - 1.0).abs() < 1e-4, "{same}");
        let other = correlation(&[1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0], 2).0;
        assert!(other < 1e-6, "{other}");
    }

    #[test]
    fn the_gradient_is_the_slope() {
        let states: Vec<f32> = (0..15).map(|i| (i as f32 * 1.7).sin()).collect();
        let (_, gradient) = correlation(&states, 3);
        for (at, slope) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut states = states.clone();
                states[at] += by;
                correlation(&states, 3).0
            };
            let found = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((found - f64::from(*slope)).abs() < 2e-3, "{at}: {found} {slope}");
        }
    }
}
