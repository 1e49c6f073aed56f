//! How much a number of lists gives.

use std::collections::BTreeMap;

use rescorer::fusion::{FeatureFusion, ScoredReference, tune_features};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::cautious::{Policies, reduction};
use crate::sets::{Scored, Set};

/// Numbers of lists.
const SIZES: [usize; 5] = [25, 50, 100, 200, 500];

/// Draws of each.
const DRAWS: u64 = 5;

/// Lists that must be left to measure on.
const LEAST_LEFT: usize = 50;

/// Prints a line for every set: the relative reduction of the WER by the default policy, and what tuning on a few lists adds to it on the
/// others, in points of that, mean of several draws and the worst of them.
pub fn curves(sets: &[Set], scored: &[Scored]) -> Result<()> {
    let policies = Policies::new(sets, scored);
    println!("| set | default | {} |", SIZES.map(|size| size.to_string()).join(" | "));
    println!("|---|---|{}", "---|".repeat(SIZES.len()));
    for (set, known) in sets.iter().zip(scored) {
        let prior = policies.without(Some(&set.family));
        let all: Vec<&ScoredReference> = known.lists.iter().collect();
        let cells = SIZES.iter().map(|&size| cell(&all, &prior, size)).collect::<Result<Vec<_>>>()?;
        println!("| {} | {:+.2} | {} |", set.name, reduction(all.iter().copied(), &prior), cells.join(" | "));
    }
    Ok(())
}

fn cell(lists: &[&ScoredReference], prior: &FeatureFusion, size: usize) -> Result<String> {
    if lists.len() < size + LEAST_LEFT {
        return Ok(String::new());
    }
    let gains = (0..DRAWS).map(|draw| {
        let order = shuffled(lists, draw);
        let (few, rest) = order.split_at(size);
        let few: Vec<ScoredReference> = few.iter().map(|&list| list.clone()).collect();
        let tuned = tune_features(&few, prior)?.features;
        Ok(reduction(rest.iter().copied(), &tuned) - reduction(rest.iter().copied(), prior))
    });
    let gains = gains.collect::<Result<Vec<f64>>>()?;
    let mean = gains.iter().sum::<f64>() / DRAWS as f64;
    Ok(format!("{mean:+.2} (worst {:+.2})", gains.iter().copied().fold(f64::INFINITY, f64::min)))
}

/// The lists in the order of a seeded hash of their references, so that equal references stay together.
fn shuffled<'a>(lists: &[&'a ScoredReference], seed: u64) -> Vec<&'a ScoredReference> {
    let mut order: BTreeMap<(Vec<u8>, usize), &ScoredReference> = BTreeMap::new();
    for (number, &list) in lists.iter().enumerate() {
        let hash = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(&list.reference).finalize();
        order.insert((hash.to_vec(), number), list);
    }
    order.into_values().collect()
}
