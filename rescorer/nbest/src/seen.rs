//! Ids that were read before.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// The ids read so far, eight bytes each.
///
/// A 64-bit hash stands for an id: among ten million ids two different ones collide, and the second is
/// refused as a repetition, with a probability of about 3 in a million.
#[derive(Clone, Debug, Default)]
pub struct SeenIds {
    state: RandomState,
    hashes: HashSet<u64, BuildHasherDefault<Hashed>>,
}

impl SeenIds {
    /// Notes an id; false if it was there before.
    pub fn insert(&mut self, id: &str) -> bool {
        self.hashes.insert(self.state.hash_one(id))
    }
}

/// Takes a hash for its own hash. It came from random keys, so nobody can choose ids that meet in the table.
#[derive(Clone, Copy, Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_second_time() {
        let mut seen = SeenIds::default();
        assert!(seen.insert("u1") && seen.insert("u2") && !seen.insert("u1"));
        let mut more = seen.clone();
        assert!(!more.insert("u2") && more.insert("u3") && seen.insert("u3"));
    }
}
