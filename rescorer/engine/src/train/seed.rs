use sha2::{Digest, Sha256};

/// One seed from several numbers.
pub(super) fn mix(numbers: &[u64]) -> u64 {
    let mut hasher = Sha256::new();
    numbers.iter().for_each(|number| hasher.update(number.to_le_bytes()));
    let mut seed = [0; 8];
    seed.copy_from_slice(&hasher.finalize()[..8]);
    u64::from_le_bytes(seed)
}
