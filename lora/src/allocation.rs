use crate::error::Error;

/// When and how fast ranks are given up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AllocationSettings {
    /// Steps before the first rank is given up.
    pub initial_steps: usize,
    /// Steps at the end with a fixed allocation.
    pub final_steps: usize,
    /// Steps from one allocation to the next.
    pub interval: usize,
    /// Steps of the whole training.
    pub total_steps: usize,
    /// Smoothing of the sensitivity, β₁.
    pub beta1: f32,
    /// Smoothing of its uncertainty, β₂.
    pub beta2: f32,
}

/// Gives up the ranks that matter least, until as many are left as the target says.
///
/// A triplet is a rank of one layer: an entry of `e`, a row of `A` and a column of `B`. With the sensitivity
/// `I = |w · ∂L/∂w|` of a number, smoothed `Ī ← β₁Ī + (1−β₁)I`, and its uncertainty `Ū ← β₂Ū + (1−β₂)|I − Ī|`, a number
/// scores `Ī·Ū` and a triplet the score of its `e` plus the means of those of its row and its column. At step `t` the budget is
/// `target + (initial − target)·(1 − (t − t_i)/(T − t_f − t_i))³`, rounded down; what lies below it gets `e = 0`, and may grow
/// back until the last allocation.
///
/// Ties and rounding never exceed the budget: of equal scores the later ones go.
///
/// # Reference
/// Zhang et al. 2023, "AdaLoRA", eq. 7 to 12; the order of the two updates and the means as in PEFT 0.21 (`RankAllocator`),
/// whose threshold drops all triplets that tie with the last one, where we keep exactly the budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    settings: AllocationSettings,
    initial: usize,
    target: usize,
    layers: Vec<Layer>,
}

/// Smoothed importance of the matrices of a layer, in the order `A`, `B`, `e`.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    rank: usize,
    sensitivity: [Vec<f32>; 3],
    uncertainty: [Vec<f32>; 3],
    kept: Vec<bool>,
}

/// A layer's matrices with their gradients, in the order `A: [rank, in]`, `B: [out, rank]`, `e: [rank]`.
pub(crate) struct LayerStep {
    pub values: [Vec<f32>; 3],
    pub gradients: [Vec<f32>; 3],
}

impl Allocation {
    /// An allocation over layers with these ranks and numbers of inputs and outputs.
    ///
    /// # Errors
    /// A schedule that does not fit its steps, betas outside of 0 to 1, a target above the initial ranks.
    pub(crate) fn new(
        settings: AllocationSettings,
        layers: &[(usize, [usize; 2])],
        target_rank: usize,
    ) -> Result<Self, Error> {
        let fail = |reason: String| Err(Error::Settings { reason });
        let AllocationSettings { initial_steps, final_steps, interval, total_steps, beta1, beta2 } = settings;
        if interval == 0 {
            return fail("allocation every 0 steps; give at least 1".into());
        }
        if initial_steps + final_steps >= total_steps {
            return fail(format!(
                "{initial_steps} steps before the allocation and {final_steps} after it leave none of {total_steps}; \
                 lessen them or train longer"
            ));
        }
        if ![beta1, beta2].iter().all(|beta| *beta > 0.0 && *beta < 1.0) {
            return fail(format!("betas {beta1} and {beta2} of the allocation have to lie between 0 and 1"));
        }
        let initial = layers.iter().map(|(rank, _)| rank).sum();
        let target = target_rank * layers.len();
        if target > initial {
            return fail(format!("{target} ranks are the target and {initial} the beginning"));
        }
        let layer = |&(rank, [outputs, inputs]): &(usize, [usize; 2])| {
            let zeros = || [vec![0.0; rank * inputs], vec![0.0; outputs * rank], vec![0.0; rank]];
            Layer { rank, sensitivity: zeros(), uncertainty: zeros(), kept: vec![true; rank] }
        };
        Ok(Self { settings, initial, target, layers: layers.iter().map(layer).collect() })
    }

    /// Ranks that may be left after a step, counted from 1, and whether ranks are given up at that step.
    pub fn budget(&self, step: usize) -> (usize, bool) {
        let AllocationSettings { initial_steps, final_steps, interval, total_steps, .. } = self.settings;
        if step <= initial_steps {
            return (self.initial, false);
        }
        if step >= total_steps - final_steps {
            return (self.target, true);
        }
        let span = (total_steps - final_steps - initial_steps) as f64;
        let left = 1.0 - (step - initial_steps) as f64 / span;
        let above = (self.initial - self.target) as f64 * left.powi(3);
        (self.target + above as usize, step.is_multiple_of(interval))
    }

    /// Takes note of a step, and says which ranks of every layer get `e = 0` now, if it is time.
    pub(crate) fn step(&mut self, step: usize, layers: &[LayerStep]) -> Option<Vec<Vec<bool>>> {
        let last = self.settings.total_steps - self.settings.final_steps;
        if step < last {
            for (layer, values) in self.layers.iter_mut().zip(layers) {
                layer.smooth(values, self.settings.beta1, self.settings.beta2);
            }
        }
        let (budget, is_due) = self.budget(step);
        if is_due && step <= last {
            self.allocate(budget);
        }
        is_due.then(|| self.kept().map(<[bool]>::to_vec).collect())
    }

    /// Keeps the best triplets of all layers.
    fn allocate(&mut self, budget: usize) {
        let mut triplets: Vec<(f32, usize, usize)> = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            triplets
                .extend(layer.scores().into_iter().enumerate().map(|(rank, score)| (score, number, rank)));
        }
        triplets.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (place, (_, layer, rank)) in triplets.into_iter().enumerate() {
            self.layers[layer].kept[rank] = place < budget;
        }
    }

    /// Which ranks of every layer are left.
    pub fn kept(&self) -> impl Iterator<Item = &[bool]> {
        self.layers.iter().map(|layer| &*layer.kept)
    }

    /// What a checkpoint has to hold: one list of numbers for each state of each matrix, and the kept ranks.
    pub(crate) fn state(&self) -> Vec<Vec<f32>> {
        let state = self.layers.iter().flat_map(|layer| {
            let kept = layer.kept.iter().map(|kept| f32::from(u8::from(*kept))).collect();
            layer.sensitivity.iter().chain(&layer.uncertainty).cloned().chain([kept])
        });
        state.collect()
    }

    /// Takes over what [`Allocation::state`] gave.
    ///
    /// # Errors
    /// Lists of other lengths.
    pub(crate) fn restore(&mut self, state: Vec<Vec<f32>>) -> Result<(), Error> {
        let fits = self.state().iter().map(Vec::len).eq(state.iter().map(Vec::len));
        if !fits {
            let reason = "the state of the allocation is that of another adapter; begin anew".into();
            return Err(Error::Settings { reason });
        }
        let mut state = state.into_iter();
        let mut next = || state.next().unwrap_or_default();
        for layer in &mut self.layers {
            layer.sensitivity.iter_mut().chain(&mut layer.uncertainty).for_each(|values| *values = next());
            layer.kept = next().into_iter().map(|kept| kept != 0.0).collect();
        }
        Ok(())
    }
}

impl Layer {
    fn smooth(&mut self, step: &LayerStep, beta1: f32, beta2: f32) {
        let states = self.sensitivity.iter_mut().zip(&mut self.uncertainty);
        let numbers = step.values.iter().zip(&step.gradients);
        for ((sensitivity, uncertainty), (values, gradients)) in states.zip(numbers) {
            let states = sensitivity.iter_mut().zip(uncertainty);
            for ((smoothed, spread), (value, gradient)) in states.zip(values.iter().zip(gradients)) {
                let now = (value * gradient).abs();
                *smoothed = beta1 * *smoothed + (1.0 - beta1) * now;
                *spread = beta2 * *spread + (1.0 - beta2) * (now - *smoothed).abs();
            }
        }
    }

    /// Importance of every rank.
    fn scores(&self) -> Vec<f32> {
        let score = |part: usize, at: usize| self.sensitivity[part][at] * self.uncertainty[part][at];
        let rank = self.rank;
        let (inputs, outputs) =
            (self.sensitivity[0].len() / rank.max(1), self.sensitivity[1].len() / rank.max(1));
        let of_rank = |index: usize| {
            let row: f32 = (0..inputs).map(|at| score(0, index * inputs + at)).sum();
            let column: f32 = (0..outputs).map(|at| score(1, at * rank + index)).sum();
            score(2, index) + row / inputs as f32 + column / outputs as f32
        };
        (0..rank).map(of_rank).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AllocationSettings {
        AllocationSettings {
            initial_steps: 2,
            final_steps: 3,
            interval: 2,
            total_steps: 15,
            beta1: 0.5,
            beta2: 0.5,
        }
    }

    fn allocation() -> Allocation {
        Allocation::new(settings(), &[(4, [2, 3]), (4, [2, 3])], 1).unwrap()
    }

    fn constant(value: f32) -> LayerStep {
        let parts = |value: f32| [vec![value; 12], vec![value; 8], vec![value; 4]];
        LayerStep { values: parts(1.0), gradients: parts(value) }
    }

    #[test]
    fn the_budget_falls_by_the_cube() {
        let budgets: Vec<(usize, bool)> = (1..=15).map(|step| allocation().budget(step)).collect();
        // 2 + 6·(1 − (t − 2)/10)³, rounded down.
        let numbers: Vec<usize> = budgets.iter().map(|(budget, _)| *budget).collect();
        assert_eq!(numbers, [8, 8, 6, 5, 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        let due: Vec<usize> = (1..=15).filter(|step| budgets[step - 1].1).collect();
        assert_eq!(due, [4, 6, 8, 10, 12, 13, 14, 15], "from step 12 on it stays");
    }

    #[test]
    fn ties_never_exceed_the_budget() {
        let mut allocation = allocation();
        for step in 1..=15 {
            let kept = allocation.step(step, &[constant(0.5), constant(0.5)]);
            if let Some(kept) = kept {
                let count = kept.iter().flatten().filter(|kept| **kept).count();
                assert_eq!(count, allocation.budget(step).0, "step {step}");
            }
        }
        assert_eq!(allocation.kept().next().unwrap(), [true, true, false, false]);
    }

    #[test]
    fn what_matters_is_kept() {
        let mut allocation = allocation();
        for step in 1..=15 {
            // The last rank of the second layer is the one with a gradient, and changes so that it is uncertain.
            let mut second = constant(0.0);
            second.gradients[2][3] = step as f32;
            second.gradients[0][9..12].fill(0.1);
            allocation.step(step, &[constant(0.0), second]);
        }
        let kept: Vec<&[bool]> = allocation.kept().collect();
        assert_eq!(kept[1], [false, false, false, true]);
        assert_eq!(kept.concat().iter().filter(|kept| **kept).count(), 2);
    }

    #[test]
    fn the_last_allocation_stays() {
        let mut allocation = allocation();
        for step in 1..=12 {
            allocation.step(step, &[constant(1.0), constant(0.0)]);
        }
        let kept: Vec<Vec<bool>> = allocation.kept().map(<[bool]>::to_vec).collect();
        for step in 13..=15 {
            assert_eq!(allocation.step(step, &[constant(0.0), constant(9.0)]).unwrap(), kept);
        }
    }

    #[test]
    fn scores_by_hand() {
        let mut allocation = Allocation::new(settings(), &[(1, [1, 2])], 1).unwrap();
        let step = |value: f32| LayerStep {
            values: [vec![1.0, 2.0], vec![1.0], vec![3.0]],
            gradients: [vec![value, value], vec![0.0], vec![value]],
        };
        allocation.step(1, &[step(2.0)]);
        // I = 2, 4 and 6: smoothed 1, 2, 3, spread half of what is left: 0.5, 1, 1.5.
        assert_eq!(allocation.layers[0].scores(), [4.5 + (0.5 + 2.0) / 2.0]);
    }

    #[test]
    fn the_state_comes_back() {
        let mut allocation = allocation();
        (1..=6).for_each(|step| _ = allocation.step(step, &[constant(step as f32), constant(0.1)]));
        let mut other = self::allocation();
        other.restore(allocation.state()).unwrap();
        assert_eq!(other, allocation);
        assert!(other.restore(vec![vec![0.0]]).is_err());
    }

    #[test]
    fn impossible_schedules_are_refused() {
        let with = |settings| Allocation::new(settings, &[(4, [2, 3])], 1).unwrap_err().to_string();
        assert!(with(AllocationSettings { interval: 0, ..settings() }).contains("every 0 steps"));
        assert!(with(AllocationSettings { final_steps: 13, ..settings() }).contains("leave none of 15"));
        assert!(with(AllocationSettings { beta1: 1.0, ..settings() }).contains("betas 1 and"));
        assert!(Allocation::new(settings(), &[(4, [2, 3])], 5).is_err());
    }
}
