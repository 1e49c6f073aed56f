use std::collections::BTreeSet;

use rescorer_nbest::Utterance;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::fusion::tuning::scored_reference::ScoredReference;

/// The number of folds, `most` or else fewer, that these lists fill: at most one for each different reference.
pub fn most_folds<'a>(lists: impl IntoIterator<Item = &'a ScoredReference>, most: usize) -> usize {
    most.min(references(lists.into_iter().map(reference)).len())
}

/// Sorts utterances into a share that is held out and the others. Equal references stay together.
pub fn hold_out(utterances: Vec<Utterance>, share: f64, seed: u64) -> (Vec<Utterance>, Vec<Utterance>) {
    const PARTS: usize = 10_000;
    let is_held = |utterance: &Utterance| {
        let reference = utterance.reference.as_deref().unwrap_or(&utterance.id);
        (fold(reference, PARTS, seed) as f64) < share * PARTS as f64
    };
    utterances.into_iter().partition(is_held)
}

/// The fold of every list. It goes by a seeded hash of the reference, or by the place of that hash among all where the references are so few
/// that a fold would be empty. Equal references share a fold.
///
/// # Errors
/// [`Error::Folds`]: fewer than two folds, or fewer different references than folds.
pub(crate) fn folds_of<'a>(
    lists: impl IntoIterator<Item = &'a ScoredReference>,
    folds: usize,
    seed: u64,
) -> Result<Vec<usize>, Error> {
    folds_of_references(&lists.into_iter().map(reference).collect::<Vec<_>>(), folds, seed)
}

fn folds_of_references(all: &[&str], folds: usize, seed: u64) -> Result<Vec<usize>, Error> {
    let different = references(all.iter().copied());
    if folds < 2 || different.len() < folds {
        return Err(Error::Folds { folds, filled: different.len() });
    }
    let by_hash: Vec<usize> = all.iter().map(|reference| fold(reference, folds, seed)).collect();
    if by_hash.iter().collect::<BTreeSet<_>>().len() == folds {
        return Ok(by_hash);
    }
    let ranked: BTreeSet<(u64, &str)> =
        different.iter().map(|reference| (hash(reference, seed), *reference)).collect();
    let rank = |reference: &&str| ranked.range(..(hash(reference, seed), *reference)).count() % folds;
    Ok(all.iter().map(rank).collect())
}

fn reference(list: &ScoredReference) -> &str {
    &list.reference
}

fn references<'a>(all: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    all.collect()
}

fn fold(reference: &str, folds: usize, seed: u64) -> usize {
    (hash(reference, seed) % folds as u64) as usize
}

fn hash(reference: &str, seed: u64) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(reference).finalize();
    let mut number = [0; 8];
    number.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_references_go_by_their_hash() {
        let texts: Vec<String> = (0..60).map(|i| format!("text {i}")).collect();
        let all: Vec<&str> = texts.iter().map(String::as_str).collect();
        let by_hash: Vec<usize> = all.iter().map(|text| fold(text, 5, 3)).collect();
        assert_eq!(folds_of_references(&all, 5, 3).unwrap(), by_hash);
    }

    #[test]
    fn as_many_folds_are_filled_as_there_are_different_references() {
        let texts: Vec<String> = (0..12).map(|i| format!("text {}", i % 6)).collect();
        for count in 2..12 {
            let all: Vec<&str> = texts[..count].iter().map(String::as_str).collect();
            let different = count.min(6);
            for (folds, seed) in (2..=different).flat_map(|folds| (0..20).map(move |seed| (folds, seed))) {
                let found = folds_of_references(&all, folds, seed).unwrap();
                assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), folds);
                for (place, one) in all.iter().enumerate() {
                    assert_eq!(found[place], found[all.iter().position(|other| other == one).unwrap()]);
                }
            }
            let refused = folds_of_references(&all, different + 1, 0);
            assert!(matches!(refused, Err(Error::Folds { filled, .. }) if filled == different));
        }
        assert!(folds_of_references(&["a", "b"], 1, 0).is_err());
    }
}
