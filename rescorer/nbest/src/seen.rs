//! Ids that were read before.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The ids read so far, eight bytes each.
///
/// A 64-bit hash stands for an id: among ten million ids two different ones collide, and the second is
/// refused as a repetition, with a probability of about 3 in a million.
#[derive(Clone, Debug, Default)]
pub struct SeenIds {
    hashes: HashSet<u64>,
}

impl SeenIds {
    /// Notes an id; false if it was there before.
    pub fn insert(&mut self, id: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        self.hashes.insert(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_second_time() {
        let mut seen = SeenIds::default();
        assert!(seen.insert("u1") && seen.insert("u2") && !seen.insert("u1"));
    }
}
