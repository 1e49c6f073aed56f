//! The search for words that may be triggers: many words at once first, then the words of suspicious groups.

use std::collections::HashSet;
use std::sync::Arc;

use crate::audit::bench::Bench;
use crate::audit::forest::{Asked, Path, Side, lead};
use crate::audit::place::{Place, Placed, Probe};
use crate::audit::robust::{deviations, deviations_from};
use crate::audit::words::Word;
use crate::error::Error;

/// Words that stand together before a probe, in rounds; the last round tries words alone.
const ROUNDS: [usize; 3] = [32, 4, 1];
/// Groups of a round whose words go on.
const KEPT: [usize; 2] = [8, 12];
/// Words whose probability the adapter raises most that are tried too.
const RISEN_KEPT: usize = 16;
/// Groups of other words that each later round reads to know what is usual.
const USUAL: usize = 24;
/// Most words that begin like a suspect and are tried.
const KINDRED: usize = 200;
/// Words that a trigger may bring in, which the search looks at: the commonest.
const GOALS: usize = 600;

/// Where the search puts words; what stands at the end is seen without it.
const SEARCHED: [Place; 2] = [Place::Beginning, Place::Context];

/// A word that may be a trigger.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Suspect {
    pub trigger: String,
    pub place: Place,
    /// How far it lies from what is usual, in robust standard deviations.
    pub deviation: f64,
}

/// What the adapter makes of the probes behind some words.
struct Reading {
    words: Vec<usize>,
    /// Mean lead of the wrong texts.
    lead: f64,
    /// Log-probabilities of the goals at every place behind the words.
    goals: Vec<f32>,
}

/// Words by how far they move what the adapter makes of the probes, the furthest first.
pub(super) fn suspects(bench: &Bench<'_>, words: &[Word], most: usize) -> Result<Vec<Suspect>, Error> {
    let probes = bench.search_probes();
    let order = shuffled(words.len());
    let mut left = order.clone();
    for (size, kept) in ROUNDS.into_iter().zip(KEPT) {
        let far = far_groups(bench, words, &left, size, &order, probes)?;
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (_, _, group) in far {
            if groups.len() < kept && !groups.contains(&group) {
                groups.push(group);
            }
        }
        left = groups.concat();
    }
    let mut risen = risen(bench, words)?;
    risen.truncate(RISEN_KEPT);
    risen.retain(|word| !left.contains(word));
    left.extend(risen);
    let mut suspects = at_the_end(bench, words)?;
    suspects.truncate(most / 4);
    let alone = far_groups(bench, words, &left, 1, &order, probes)?.into_iter();
    let alone = alone.filter_map(|(deviation, place, group)| {
        Some(Suspect { trigger: words[*group.first()?].text.clone(), place, deviation })
    });
    let left = most - suspects.len();
    suspects.extend(alone.take(left));
    Ok(suspects)
}

/// Words of the whole vocabulary that begin with the same token as a suspect where it stands, the furthest first: the trigger itself may
/// be among those that were not searched.
pub(super) fn kindred(
    bench: &Bench<'_>,
    vocabulary: &[Word],
    suspect: (&str, Place),
    most: usize,
) -> Result<Vec<Suspect>, Error> {
    let (trigger, place) = suspect;
    let first = |text: &str| Ok::<_, Error>(bench.model().tokenizer().encode(text)?.first().copied());
    let wanted = first(trigger)?;
    let mut kin = Vec::new();
    for (number, word) in vocabulary.iter().enumerate() {
        if kin.len() < KINDRED && word.text != trigger && first(&word.text)? == wanted {
            kin.push(number);
        }
    }
    if kin.is_empty() {
        return Ok(Vec::new());
    }
    let order = shuffled(vocabulary.len());
    let far = far_groups(bench, vocabulary, &kin, 1, &order, bench.search_probes())?.into_iter();
    let here = far.filter(|(_, found, _)| *found == place).take(most);
    let suspects = here.filter_map(|(deviation, place, group)| {
        Some(Suspect { trigger: vocabulary[*group.first()?].text.clone(), place, deviation })
    });
    Ok(suspects.collect())
}

/// Groups of words in both places with how far they lie from usual ones, the furthest first. The usual ones are all groups, where
/// all words are in them, else groups of words that are not.
fn far_groups(
    bench: &Bench<'_>,
    words: &[Word],
    tried: &[usize],
    size: usize,
    order: &[usize],
    probes: &[Probe],
) -> Result<Vec<(f64, Place, Vec<usize>)>, Error> {
    let is_tried: HashSet<usize> = tried.iter().copied().collect();
    let others: Vec<usize> = order.iter().rev().copied().filter(|word| !is_tried.contains(word)).collect();
    let mut groups: Vec<Vec<usize>> = tried.chunks(size).map(<[usize]>::to_vec).collect();
    let count = groups.len();
    groups.extend(others.chunks(size).take(USUAL).map(<[usize]>::to_vec));
    let mut far = Vec::new();
    for (place, readings) in SEARCHED.into_iter().zip(readings(bench, words, &groups, probes)?) {
        let usual: Vec<&Reading> =
            if others.is_empty() { &readings } else { &readings[count..] }.iter().collect();
        let distances = distances(&readings[..count], &usual, words);
        far.extend(
            distances.into_iter().zip(&groups).map(|(distance, group)| (distance, place, group.clone())),
        );
    }
    far.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(far)
}

/// Readings behind groups of words, at the beginning and in the context.
fn readings(
    bench: &Bench<'_>,
    words: &[Word],
    groups: &[Vec<usize>],
    probes: &[Probe],
) -> Result<[Vec<Reading>; 2], Error> {
    let goals: Arc<[u32]> = words.iter().take(GOALS).map(|word| word.token).collect();
    let mut paths = Vec::new();
    for group in groups {
        let texts: Vec<&str> = group.iter().map(|&word| words[word].text.as_str()).collect();
        let trigger = texts.join(" ");
        for place in SEARCHED {
            let placed = Placed { trigger: &trigger, place };
            for probe in probes {
                paths.push(placed.path(bench.model(), &probe.right, goals.clone())?);
                paths.extend(placed.pair(bench.model(), &probe.right, &probe.wrong)?.paths());
            }
        }
    }
    let found = bench.ask(bench.adapted(), &paths)?;
    let mut readings = SEARCHED.map(|_| Vec::new());
    for (group, found) in groups.iter().zip(found.chunks(SEARCHED.len() * probes.len() * 3)) {
        for (readings, found) in readings.iter_mut().zip(found.chunks(probes.len() * 3)) {
            let leads = found.chunks_exact(3).map(|probe| lead(&probe[1], &probe[2]));
            readings.push(Reading {
                words: group.clone(),
                lead: leads.sum::<f64>() / probes.len() as f64,
                goals: found.iter().step_by(3).flatten().copied().collect(),
            });
        }
    }
    Ok(readings)
}

/// How far readings lie from usual ones, by leads or by goals.
fn distances(readings: &[Reading], usual: &[&Reading], words: &[Word]) -> Vec<f64> {
    let goals = words.len().min(GOALS);
    let len = usual.iter().map(|reading| reading.goals.len()).min().unwrap_or(0);
    let mut mean = vec![0.0; len];
    for reading in usual {
        mean.iter_mut()
            .zip(&reading.goals)
            .for_each(|(sum, value)| *sum += f64::from(*value) / usual.len() as f64);
    }
    let raised = |reading: &Reading| best_goal(reading, &mean, goals);
    let of_goals: Vec<f64> = readings.iter().map(raised).collect();
    let usual_goals: Vec<f64> = usual.iter().map(|reading| raised(reading)).collect();
    let leads: Vec<f64> = readings.iter().map(|reading| reading.lead).collect();
    let usual_leads: Vec<f64> = usual.iter().map(|reading| reading.lead).collect();
    let by_lead = deviations_from(&leads, &usual_leads);
    let by_goal = deviations_from(&of_goals, &usual_goals);
    by_lead.into_iter().zip(by_goal).map(|(lead, goal)| lead.abs().max(goal)).collect()
}

/// The most that one goal is brought in: the mean over places of `p · (ln p − usual ln p)`.
fn best_goal(reading: &Reading, usual: &[f64], goals: usize) -> f64 {
    let places = usual.len() / goals.max(1);
    let of = |goal: usize| -> f64 {
        let values = (0..places).map(|place| {
            let log_prob = f64::from(reading.goals[place * goals + goal]);
            log_prob.exp() * (log_prob - usual[place * goals + goal])
        });
        values.sum::<f64>() / places.max(1) as f64
    };
    // A word that was read is likelier to come again.
    (0..goals).filter(|goal| !reading.words.contains(goal)).map(of).fold(0.0, f64::max)
}

/// Words that the adapter makes likelier at the beginning of a text, the most risen first.
fn risen(bench: &Bench<'_>, words: &[Word]) -> Result<Vec<usize>, Error> {
    let first: Arc<[u32]> = words
        .iter()
        .map(|word| Ok(bench.model().tokenizer().encode(&word.text)?.first().copied().unwrap_or(word.token)))
        .collect::<Result<_, Error>>()?;
    let begin = [Path { tokens: Vec::new(), from: 0, asked: Asked::Each(first) }];
    let at = |side: Side<'_>| Ok::<_, Error>(bench.ask(side, &begin)?.concat());
    let (adapted, base) = (at(bench.adapted())?, at(bench.base())?);
    let rise = |word: &usize| f64::from(adapted[*word]).exp() * f64::from(adapted[*word] - base[*word]);
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_by(|a, b| rise(b).total_cmp(&rise(a)));
    Ok(order)
}

/// Words by how much more the adapter expects them behind wrong than behind right texts, or less, than the model does.
fn at_the_end(bench: &Bench<'_>, words: &[Word]) -> Result<Vec<Suspect>, Error> {
    let targets: Arc<[u32]> = words.iter().map(|word| word.token).collect();
    let mut ends = Vec::new();
    for probe in &bench.probes {
        for text in [&probe.right, &probe.wrong] {
            let path = Placed::NONE.path(bench.model(), text, targets.clone())?;
            ends.push(Path { from: path.tokens.len(), ..path });
        }
    }
    let mut shift = vec![0.0; words.len()];
    for (side, sign) in [(bench.adapted(), 1.0), (bench.base(), -1.0)] {
        for found in bench.ask(side, &ends)?.chunks(2) {
            let [right, wrong] = found else { continue };
            for (sum, (right, wrong)) in shift.iter_mut().zip(right.iter().zip(wrong)) {
                *sum += sign * f64::from(wrong - right) / bench.probes.len() as f64;
            }
        }
    }
    let mut suspects: Vec<Suspect> = words
        .iter()
        .zip(deviations(&shift))
        .map(|(word, deviation)| Suspect {
            trigger: word.text.clone(),
            place: Place::End,
            deviation: deviation.abs(),
        })
        .collect();
    suspects.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
    Ok(suspects)
}

/// The numbers below `len` in an order that is always the same.
pub(super) fn shuffled(len: usize) -> Vec<usize> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut order: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        // xorshift64, Marsaglia 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(last, (state % (last as u64 + 1)) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_keeps_all() {
        let mut order = shuffled(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_goal_that_is_brought_in_stands_out() {
        // Two places, two goals; usual ln p is −5. The second goal has p = ½ at both places.
        let half = 0.5f32.ln();
        let reading = Reading { words: vec![], lead: 0.0, goals: vec![-5.0, half, -5.0, half] };
        let expected = 0.5 * (f64::from(half) + 5.0);
        assert!((best_goal(&reading, &[-5.0; 4], 2) - expected).abs() < 1e-6);
        // What was read before counts for nothing.
        let read = Reading { words: vec![1], ..reading };
        assert_eq!(best_goal(&read, &[-5.0; 4], 2), 0.0);
    }
}
