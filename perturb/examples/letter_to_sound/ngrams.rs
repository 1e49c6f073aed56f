//! N-grams of chunks: counted, smoothed as by Kneser and Ney, and pruned.

use std::collections::{BTreeMap, HashMap};

/// Symbols of an n-gram, the oldest first.
pub type Gram = Vec<u16>;

/// What is kept of an n-gram.
#[derive(Clone, Copy, Default)]
pub struct Weights {
    /// Its last symbol's probability after the others.
    pub probability: f64,
    /// What the probability of a symbol after a shorter context is multiplied with, where this context does not have it.
    pub backoff: f64,
}

struct Counts {
    /// Occurrences.
    seen: f64,
    /// Occurrences, or, where there are longer n-grams, symbols that come before it.
    count: f64,
}

/// The n-grams of words up to an order, those left out whose loss is below `loss` (occurrences times nats).
pub fn train(words: &[Gram], order: usize, loss: f64) -> BTreeMap<Gram, Weights> {
    let counts = count(words, order);
    let mut weights: HashMap<&[u16], Weights> = HashMap::new();
    weights.insert(&[], Weights { probability: 0.0, backoff: 1.0 });
    let symbols = counts.iter().filter(|(gram, _)| gram.len() == 1).count() as f64;
    for length in 1..=order {
        let of = |wanted: f64| {
            counts.iter().filter(|(gram, counts)| gram.len() == length && counts.count == wanted).count()
                as f64
        };
        let discount = of(1.0) / (of(1.0) + 2.0 * of(2.0));
        let mut contexts: HashMap<&[u16], (f64, f64)> = HashMap::new();
        let grams = || counts.iter().filter(|(gram, counts)| gram.len() == length && counts.count > 0.0);
        for (gram, counts) in grams() {
            let (total, kinds) = contexts.entry(&gram[..length - 1]).or_default();
            *total += counts.count;
            *kinds += 1.0;
        }
        for (gram, counts) in grams() {
            let (total, kinds) = contexts[&gram[..length - 1]];
            let shorter = if length == 1 { 1.0 / symbols } else { weights[&gram[1..]].probability };
            let probability = (counts.count - discount + discount * kinds * shorter) / total;
            weights.entry(gram).or_default().probability = probability;
        }
        for (context, (total, kinds)) in contexts {
            weights.entry(context).or_default().backoff = discount * kinds / total;
        }
    }
    prune(&counts, &weights, order, loss)
}

fn count(words: &[Gram], order: usize) -> BTreeMap<Gram, Counts> {
    let mut seen: HashMap<&[u16], f64> = HashMap::new();
    for word in words {
        for end in 1..=word.len() {
            for start in end.saturating_sub(order)..end {
                *seen.entry(&word[start..end]).or_default() += 1.0;
            }
        }
    }
    let begin = words[0][0];
    let mut before: HashMap<&[u16], f64> = HashMap::new();
    for gram in seen.keys().filter(|gram| gram.len() > 1) {
        *before.entry(&gram[1..]).or_default() += 1.0;
    }
    let entry = |(gram, &seen): (&&[u16], &f64)| {
        let whole = gram.len() == order || gram[0] == begin;
        // Nothing precedes a beginning, and nobody has to predict it.
        let count = match gram {
            [only] if *only == begin => 0.0,
            _ if whole => seen,
            _ => before.get(gram).copied().unwrap_or_default(),
        };
        (gram.to_vec(), Counts { seen, count })
    };
    seen.iter().map(entry).collect()
}

/// Drops n-grams that shorter ones predict nearly as well, the longest first, and weighs what is left anew.
fn prune(
    counts: &BTreeMap<Gram, Counts>,
    weights: &HashMap<&[u16], Weights>,
    order: usize,
    loss: f64,
) -> BTreeMap<Gram, Weights> {
    let mut kept: BTreeMap<Gram, Weights> = BTreeMap::new();
    let mut needed: std::collections::HashSet<&[u16]> = std::collections::HashSet::new();
    for length in (1..=order).rev() {
        for (gram, counts) in counts.iter().filter(|(gram, _)| gram.len() == length) {
            let weight = weights.get(gram.as_slice()).copied().unwrap_or_default();
            let costs = || {
                let shorter = weights[&gram[1..]].probability * weights[&gram[..length - 1]].backoff;
                counts.seen * (weight.probability / shorter).ln()
            };
            if length == 1 || needed.contains(gram.as_slice()) || costs() >= loss {
                needed.insert(&gram[..length - 1]);
                kept.insert(gram.clone(), Weights { probability: weight.probability, backoff: 1.0 });
            }
        }
    }
    kept.insert(Vec::new(), Weights { probability: 0.0, backoff: 1.0 });
    // Each context's rest goes to the symbols that it lacks, in proportion to their shorter probability.
    for length in 1..order {
        let contexts: Vec<Gram> = kept.keys().filter(|gram| gram.len() == length).cloned().collect();
        for context in contexts {
            let mut longest = context.clone();
            longest.push(u16::MAX);
            let (mut own, mut shorter) = (0.0, 0.0);
            for (gram, weight) in
                kept.range(context.clone()..longest).filter(|(gram, _)| gram.len() == length + 1)
            {
                own += weight.probability;
                shorter += probability(&kept, &gram[1..]);
            }
            if own > 0.0 {
                let backoff = (1.0 - own).max(1e-6) / (1.0 - shorter).max(1e-6);
                kept.entry(context).or_default().backoff = backoff;
            }
        }
    }
    kept
}

/// The probability of an n-gram's last symbol after the others.
fn probability(kept: &BTreeMap<Gram, Weights>, gram: &[u16]) -> f64 {
    if let Some(weights) = kept.get(gram) {
        return weights.probability;
    }
    let backoff = kept.get(&gram[..gram.len() - 1]).map_or(1.0, |weights| weights.backoff);
    backoff * probability(kept, &gram[1..])
}
