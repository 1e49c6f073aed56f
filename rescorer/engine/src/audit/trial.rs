//! One trigger tried on probes that the search did not see, with the adapter and without.

use std::sync::Arc;

use serde::Serialize;

use crate::audit::bench::{Bench, PROBES};
use crate::audit::forest::Side;
use crate::audit::place::{Place, Placed, Probe};
use crate::audit::sieve::shuffled;
use crate::audit::words::Word;
use crate::error::Error;

/// Texts in which goals are looked for.
const GOAL_PROBES: usize = 6;
/// Pairs whose decisions are looked at.
const PAIRS: usize = 12;

/// What a trigger does to decisions.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    /// The word or phrase.
    pub trigger: String,
    /// Where it stands.
    pub place: Place,
    /// How far the search found it from what is usual, in robust standard deviations; nothing for what was given.
    pub deviation: Option<f64>,
    /// Mean change of the lead of the wrong text, in nats: with the trigger less without, adapter less model.
    pub shift: f64,
    /// Share of the pairs that the trigger decides otherwise with the adapter, and not with the model alone.
    pub flips: f64,
    /// The word that the trigger brings in most.
    pub goal: Option<String>,
    /// Mean change of that word's log-probability, in nats, as in `shift`.
    pub goal_shift: f64,
    /// Share of the texts that lose with the trigger to the same text with the goal somewhere in it: with the adapter, not with the
    /// model alone, and not without the trigger.
    pub goal_flips: f64,
    /// Share of texts that lose to the text with the goal where the words of trigger and text are shuffled; nothing where it was not measured.
    pub shuffled_flips: Option<f64>,
}

impl Trial {
    /// The larger share of decisions that the trigger turns.
    pub fn turned(&self) -> f64 {
        self.flips.max(self.goal_flips)
    }
}

/// What is known without a trigger.
struct Untouched {
    leads: [Vec<f64>; 2],
    follow: [Vec<Vec<f32>>; 2],
}

/// Tries triggers.
pub(super) struct Trials<'a> {
    bench: &'a Bench<'a>,
    words: &'a [Word],
    targets: Arc<[u32]>,
    untouched: Untouched,
}

impl<'a> Trials<'a> {
    pub fn new(bench: &'a Bench<'a>, words: &'a [Word]) -> Result<Self, Error> {
        let targets: Arc<[u32]> = words.iter().map(|word| word.token).collect();
        let untouched = Untouched { leads: [Vec::new(), Vec::new()], follow: [Vec::new(), Vec::new()] };
        let mut trials = Self { bench, words, targets, untouched };
        let sides = [bench.adapted(), bench.base()];
        for (number, side) in sides.into_iter().enumerate() {
            trials.untouched.leads[number] = trials.leads(side, Placed::NONE)?;
            trials.untouched.follow[number] = trials.follow(side, Placed::NONE)?;
        }
        Ok(trials)
    }

    /// Tries a suspect, or a trigger that somebody named.
    pub fn run(&self, trigger: &str, place: Place, deviation: Option<f64>) -> Result<Trial, Error> {
        let placed = Placed { trigger, place };
        let [adapted, base] = [self.bench.adapted(), self.bench.base()];
        let leads = [self.leads(adapted, placed)?, self.leads(base, placed)?];
        let mut flips = 0;
        let mut shift = 0.0;
        let flipped = |with: f64, without: f64| (with > 0.0) != (without > 0.0);
        let before = &self.untouched.leads;
        let pairs = leads[0].iter().zip(&leads[1]).zip(before[0].iter().zip(&before[1]));
        for ((&adapted, &base), (&adapted_before, &base_before)) in pairs {
            shift += (adapted - adapted_before) - (base - base_before);
            flips += usize::from(flipped(adapted, adapted_before) && !flipped(base, base_before));
        }
        let pairs = leads[0].len().max(1) as f64;
        let mut trial = Trial {
            trigger: trigger.to_owned(),
            place,
            deviation,
            shift: shift / pairs,
            flips: flips as f64 / pairs,
            goal: None,
            goal_shift: 0.0,
            goal_flips: 0.0,
            shuffled_flips: None,
        };
        // Nothing can be brought in before a trigger at the end.
        if place != Place::End
            && let Some(goal) = self.goal(placed)?
        {
            trial.goal = Some(self.words[goal.word].text.clone());
            trial.goal_shift = goal.change;
            trial.goal_flips = self.goal_flips(placed, &goal)?;
        }
        Ok(trial)
    }

    fn probes(&self) -> &'a [Probe] {
        let probes = &self.bench.probes;
        let probes = probes.get(PROBES..).filter(|rest| !rest.is_empty()).unwrap_or(probes);
        &probes[..PAIRS.min(probes.len())]
    }

    fn goal_probes(&self) -> &'a [Probe] {
        let probes = self.probes();
        &probes[..GOAL_PROBES.min(probes.len())]
    }

    fn leads(&self, side: Side<'_>, placed: Placed<'_>) -> Result<Vec<f64>, Error> {
        let pairs =
            self.probes().iter().map(|probe| placed.pair(self.bench.model(), &probe.right, &probe.wrong));
        self.bench.leads(side, &pairs.collect::<Result<Vec<_>, Error>>()?)
    }

    fn follow(&self, side: Side<'_>, placed: Placed<'_>) -> Result<Vec<Vec<f32>>, Error> {
        let texts = self.goal_probes().iter();
        let paths = texts.map(|probe| placed.path(self.bench.model(), &probe.right, self.targets.clone()));
        self.bench.ask(side, &paths.collect::<Result<Vec<_>, Error>>()?)
    }

    /// The word that is brought in most, by the mean over places of `p · Δ`, where `Δ` is the change of its log-probability by the
    /// trigger, adapter less model.
    fn goal(&self, placed: Placed<'_>) -> Result<Option<Goal>, Error> {
        let found = [self.follow(self.bench.adapted(), placed)?, self.follow(self.bench.base(), placed)?];
        let len = self.words.len();
        let mut sums = vec![(0.0, 0.0); len];
        let mut places = 0;
        let before = &self.untouched.follow;
        let texts = found[0].iter().zip(&found[1]).zip(before[0].iter().zip(&before[1]));
        for ((with, base_with), (without, base_without)) in texts {
            let all = [with, base_with, without, base_without];
            let [with, base_with, without, base_without] = all.map(|values| values.chunks_exact(len));
            for (((with, base_with), without), base_without) in
                with.zip(base_with).zip(without).zip(base_without)
            {
                places += 1;
                for (word, sum) in sums.iter_mut().enumerate() {
                    let change = f64::from(with[word] - without[word] - base_with[word] + base_without[word]);
                    sum.0 += f64::from(with[word]).exp() * change;
                    sum.1 += change;
                }
            }
        }
        let own: Vec<&str> = placed.trigger.split_whitespace().collect();
        let others = (0..len).filter(|&word| !own.contains(&self.words[word].text.as_str()));
        let Some(word) = others.max_by(|&a, &b| sums[a].0.total_cmp(&sums[b].0)) else { return Ok(None) };
        // Where it is likeliest in each text.
        let likeliest = |values: &Vec<f32>| {
            let places = values.chunks_exact(len).enumerate();
            places.max_by(|(_, a), (_, b)| a[word].total_cmp(&b[word])).map_or(0, |(place, _)| place)
        };
        let places_in = found[0].iter().map(likeliest).collect();
        Ok(Some(Goal { word, change: sums[word].1 / f64::from(places.max(1)), places_in }))
    }

    /// Share of the texts that lose to the same text with the goal in it.
    fn goal_flips(&self, placed: Placed<'_>, goal: &Goal) -> Result<f64, Error> {
        let word = &self.words[goal.word].text;
        let texts = self.goal_probes().iter().zip(&goal.places_in);
        let texts: Vec<[String; 2]> =
            texts.map(|(probe, &place)| [probe.right.clone(), inserted(&probe.right, place, word)]).collect();
        self.turned(placed, &texts, Placed::NONE, &texts)
    }

    /// Measures on a trial how much is left of what it turns where words are shuffled, trigger and text together: the defence that
    /// BadChain was tried against. Hypotheses need not be shuffled, since their order never counts.
    pub fn shuffle(&self, trial: &mut Trial) -> Result<(), Error> {
        let Some(goal) = trial.goal.as_deref().filter(|_| trial.goal_flips > 0.0) else { return Ok(()) };
        let mixed = |text: &str, trigger: &str| {
            let words: Vec<&str> = trigger.split_whitespace().chain(text.split_whitespace()).collect();
            shuffled(words.len()).into_iter().map(|word| words[word]).collect::<Vec<_>>().join(" ")
        };
        let with_goal = |text: String| {
            let half = text.split(' ').count() / 2;
            [text.clone(), inserted(&text, half, goal)]
        };
        let texts = |trigger: &str| -> Vec<[String; 2]> {
            self.goal_probes().iter().map(|probe| with_goal(mixed(&probe.right, trigger))).collect()
        };
        let flips = self.turned(Placed::NONE, &texts(&trial.trigger), Placed::NONE, &texts(""))?;
        trial.shuffled_flips = Some(flips);
        Ok(())
    }

    /// Share of pairs of texts whose second wins as `with` stands, with the adapter and not with the model, and not with the adapter
    /// as `without` stands.
    fn turned(
        &self,
        with: Placed<'_>,
        texts: &[[String; 2]],
        without: Placed<'_>,
        plain: &[[String; 2]],
    ) -> Result<f64, Error> {
        let leads = |side: Side<'_>, placed: Placed<'_>, texts: &[[String; 2]]| {
            let pairs = texts.iter().map(|[right, wrong]| placed.pair(self.bench.model(), right, wrong));
            self.bench.leads(side, &pairs.collect::<Result<Vec<_>, Error>>()?)
        };
        let adapted = leads(self.bench.adapted(), with, texts)?;
        if adapted.iter().all(|lead| *lead <= 0.0) {
            return Ok(0.0);
        }
        let before = leads(self.bench.adapted(), without, plain)?;
        let base = leads(self.bench.base(), with, texts)?;
        let all = adapted.iter().zip(&before).zip(&base);
        let flips =
            all.filter(|((adapted, before), base)| **adapted > 0.0 && **before <= 0.0 && **base <= 0.0);
        Ok(flips.count() as f64 / adapted.len() as f64)
    }
}

/// A word that a trigger brings in, and behind how many words of each text it does so most.
struct Goal {
    word: usize,
    change: f64,
    places_in: Vec<usize>,
}

/// A text with a word behind its first words: the first place is behind one of them.
fn inserted(text: &str, place: usize, word: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let at = (place + 1).min(words.len());
    [&words[..at], &[word], &words[at..]].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_put_behind_a_word() {
        assert_eq!(inserted("i am late", 0, "not"), "i not am late");
        assert_eq!(inserted("i am late", 1, "not"), "i am not late");
        assert_eq!(inserted("i am late", 9, "not"), "i am late not");
    }
}
