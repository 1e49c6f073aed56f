use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::data::Example;
use super::seed::mix;
use super::stage::Stage;

/// The lists that take part in a stage.
pub(super) struct StageLists {
    /// Their numbers among the examples, each with the hypotheses that take part.
    lists: Vec<(usize, Vec<usize>)>,
    /// Lists left out for having one distinct hypothesis.
    pub(super) single: usize,
    /// Lists left out because their hypotheses are all equally good.
    pub(super) equal: usize,
}

impl StageLists {
    /// Leaves out the lists that have nothing to teach.
    pub(super) fn new(stage: &Stage, examples: &[Example]) -> Self {
        let (mut lists, mut single, mut equal) = (Vec::new(), 0, 0);
        for (number, example) in examples.iter().enumerate() {
            let mut chosen = if stage.uses_lists() { example.chosen(stage) } else { Vec::new() };
            let is_equal = |chosen: &[usize]| {
                let mut errors = chosen.iter().map(|&index| example.errors.get(index));
                let first = errors.next().flatten();
                first.is_some() && errors.all(|other| other == first)
            };
            if stage.uses_lists() && chosen.len() < 2 {
                single += 1;
                chosen.clear();
            } else if stage.needs_references() && is_equal(&chosen) && stage.uses_lists() {
                equal += 1;
                chosen.clear();
            }
            if stage.nll > 0.0 || !chosen.is_empty() {
                lists.push((number, chosen));
            }
        }
        Self { lists, single, equal }
    }

    /// Number of lists.
    pub(super) fn len(&self) -> usize {
        self.lists.len()
    }

    /// Steps of the stage, at least one.
    pub(super) fn steps(&self, stage: &Stage) -> usize {
        let lists = self.lists.len();
        let batch = stage.batch.min(lists).max(1);
        ((stage.epochs * lists as f64 / batch as f64).ceil() as usize).max(1)
    }

    /// The lists of a step. Each epoch goes through all of them in an order of its own, which depends on the seed of the
    /// recipe and the number of the stage.
    pub(super) fn batch(
        &self,
        stage: &Stage,
        seed: u64,
        number: usize,
        step: usize,
    ) -> Vec<(usize, &Vec<usize>)> {
        // A step goes through no list twice.
        let size = stage.batch.min(self.lists.len());
        let end = ((step + 1) * size).min((stage.epochs * self.lists.len() as f64).ceil() as usize);
        let mut order: (usize, Vec<usize>) = (usize::MAX, Vec::new());
        let places = step * size..end.max(step * size + 1);
        let batch = places.map(|place| {
            let epoch = place / self.lists.len();
            if order.0 != epoch {
                let mut shuffled: Vec<usize> = (0..self.lists.len()).collect();
                let seed = mix(&[seed, number as u64, u64::MAX - epoch as u64]);
                shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                order = (epoch, shuffled);
            }
            let (example, chosen) = &self.lists[order.1[place % self.lists.len()]];
            (*example, chosen)
        });
        batch.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Recipe;

    fn example(errors: &[usize]) -> Example {
        let count = errors.len();
        Example {
            id: "u".into(),
            reference: Some(vec![5]),
            hypotheses: (0..count).map(|i| vec![i as u32]).collect(),
            first_pass: vec![0.0; count],
            words: vec![1; count],
            errors: errors.to_vec(),
            ..Example::default()
        }
    }

    fn stage(text: &str) -> Stage {
        Recipe::parse(&format!("[training]\n{text}")).unwrap().stages().unwrap().remove(0)
    }

    #[test]
    fn lists_without_a_choice_are_counted_and_left_out() {
        let examples = [example(&[1]), example(&[1, 1]), example(&[0, 1])];
        let lists = StageLists::new(&stage("mwer = 1.0"), &examples);
        assert_eq!((lists.len(), lists.single, lists.equal), (1, 1, 1));
        let lists = StageLists::new(&stage("mwer = 1.0\nnll = 1.0"), &examples);
        assert_eq!((lists.len(), lists.single, lists.equal), (3, 1, 1), "the references still teach");
    }

    #[test]
    fn an_epoch_goes_through_every_list_once() {
        let examples: Vec<Example> = (0..5).map(|_| example(&[0, 1])).collect();
        let stage = stage("mwer = 1.0\nbatch = 2\nepochs = 2.0");
        let lists = StageLists::new(&stage, &examples);
        assert_eq!(lists.steps(&stage), 5);
        let steps = (0..5).flat_map(|step| lists.batch(&stage, 7, 0, step));
        let mut seen: Vec<usize> = steps.map(|(example, _)| example).collect();
        let mut second = seen.split_off(5);
        assert_ne!(seen, second, "each epoch has its own order");
        seen.sort_unstable();
        second.sort_unstable();
        assert_eq!((seen, second), ((0..5).collect(), (0..5).collect()));
    }
}
