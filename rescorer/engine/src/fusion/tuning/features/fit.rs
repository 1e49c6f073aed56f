//! Weights of the least loss near those of a prior.

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::BacktrackingLineSearch;
use argmin::solver::linesearch::condition::ArmijoCondition;
use argmin::solver::quasinewton::LBFGS;

use super::examples::{Examples, Objective};
use crate::fusion::features::{Feature, FeatureFusion, FeatureRow};

/// Most steps of the optimiser, and how many of them it remembers.
const STEPS: u64 = 200;
const MEMORY: usize = 10;

/// Share of the decrease promised by the slope that a step has to bring.
const DECREASE: f64 = 1e-4;

/// What a weight that may not be negative begins with at least: at 0 its square has no slope.
const LEAST_ROOT: f64 = 0.05;

/// Minimises `errors · expected errors + cross_entropy · cross-entropy + strength · |weights − prior|²` by L-BFGS, beginning with
/// `start`.
///
/// Weights of features that are not `free` stay as they are. Those of the model's features are squares of what is optimised, so that
/// they are never negative. Where no step brings less, `start` comes back.
///
/// # Reference
/// Expected errors over a list: Prabhavalkar et al. 2018, "Minimum word error rate training for attention-based sequence-to-sequence
/// models", equation 3. L-BFGS: Liu and Nocedal 1989, "On the limited memory BFGS method for large scale optimization".
pub(crate) fn fit(
    examples: &Examples,
    prior: &FeatureFusion,
    start: &FeatureFusion,
    objective: Objective,
    free: &[Feature],
) -> FeatureFusion {
    let loss = Loss { examples, prior: prior.weights(), start: start.weights(), objective, free };
    let begin = loss.parameters(start.weights());
    loss.minimised(begin).map_or(*start, |parameters| FeatureFusion::of_row(loss.weights(&parameters)))
}

/// The loss as a function of what is free.
#[derive(Clone, Copy)]
struct Loss<'a> {
    examples: &'a Examples,
    prior: &'a FeatureRow,
    start: &'a FeatureRow,
    objective: Objective,
    free: &'a [Feature],
}

impl Loss<'_> {
    fn minimised(&self, begin: Vec<f64>) -> Option<Vec<f64>> {
        let search = BacktrackingLineSearch::new(ArmijoCondition::new(DECREASE).ok()?);
        let run = Executor::new(*self, LBFGS::new(search, MEMORY));
        let mut done = run.configure(|state| state.param(begin).max_iters(STEPS)).run().ok()?;
        done.state.take_best_param()
    }

    fn parameters(&self, weights: &FeatureRow) -> Vec<f64> {
        let root = |feature: &Feature| match Feature::OF_MODEL.contains(feature) {
            true => weights[feature.index()].max(0.0).sqrt().max(LEAST_ROOT),
            false => weights[feature.index()],
        };
        self.free.iter().map(root).collect()
    }

    fn weights(&self, parameters: &[f64]) -> FeatureRow {
        let mut weights = *self.start;
        for (feature, parameter) in self.free.iter().zip(parameters) {
            let is_square = Feature::OF_MODEL.contains(feature);
            weights[feature.index()] = if is_square { parameter * parameter } else { *parameter };
        }
        weights
    }

    fn value(&self, parameters: &[f64]) -> (f64, Vec<f64>) {
        let Objective { errors, cross_entropy, strength } = self.objective;
        let weights = self.weights(parameters);
        let (mut loss, gradient) = self.examples.loss(&weights, errors, cross_entropy);
        let slopes = self.free.iter().zip(parameters).map(|(feature, parameter)| {
            let index = feature.index();
            let apart = weights[index] - self.prior[index];
            loss += strength * apart * apart;
            let slope = gradient[index] + 2.0 * strength * apart;
            if Feature::OF_MODEL.contains(feature) { 2.0 * parameter * slope } else { slope }
        });
        let slopes = slopes.collect();
        (loss, slopes)
    }
}

impl CostFunction for Loss<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.value(parameters).0)
    }
}

impl Gradient for Loss<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.value(parameters).1)
    }
}
