//! Whether a model fits into memory, asked before it is read.

use std::path::Path;

#[cfg(feature = "memory-check")]
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::device::ComputeDevice;
use crate::weights::WeightStore;
use crate::{Error, Precision};

/// Refuses what needs more bytes than can be had. Without the cargo feature `memory-check` nothing is refused.
///
/// # Errors
/// [`Error::Memory`].
pub fn require(path: &Path, needed: u64, precision: Precision) -> Result<(), Error> {
    match obtainable() {
        Some(obtainable) if needed > obtainable => {
            Err(Error::Memory { path: path.into(), needed, obtainable, precision })
        }
        _ => Ok(()),
    }
}

/// What a checkpoint asks of the memory.
pub struct WeightNeeds<'a> {
    /// Its tensors.
    pub store: &'a WeightStore,
    /// Those that the model has, with their shapes.
    pub wanted: &'a [(String, Vec<usize>)],
    /// The table of embeddings.
    pub embedding: &'a str,
    /// Whether the head shares that table.
    pub has_tied_head: bool,
}

impl WeightNeeds<'_> {
    /// Fewest bytes that the weights take on the CPU: matrices as they are packed, the table of embeddings as it is stored.
    pub fn bytes(&self, device: &ComputeDevice) -> u64 {
        let bytes_of = |name: &str| {
            let Some(info) = self.store.tensors().get(name) else { return 0 };
            let values = info.shape.iter().map(|&len| len as u64).product::<u64>();
            let stored = info.byte_len() as u64;
            let packed = match (device.precision(), device.trains()) {
                // Blocks of up to 8 bits with their scales; 16 bits on the way back.
                (Precision::Quantized, false) => stored.min(values),
                (Precision::Quantized, true) => stored.min(values) + 2 * values,
                (_, true) => 8 * values,
                (_, false) => 4 * values,
            };
            match name == self.embedding {
                true if self.has_tied_head => stored.saturating_add(packed),
                true => stored,
                false => packed,
            }
        };
        self.wanted.iter().map(|(name, _)| bytes_of(name)).fold(0, u64::saturating_add)
    }
}

/// Bytes that this process can get: free or easily freed memory and swap, within what its control group may have. `None` where the
/// system does not tell.
#[cfg(feature = "memory-check")]
fn obtainable() -> Option<u64> {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::everything());
    let system = System::new_with_specifics(memory);
    let free = system.available_memory().saturating_add(system.free_swap());
    let group = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    (free > 0).then(|| free.min(group))
}

#[cfg(not(feature = "memory-check"))]
fn obtainable() -> Option<u64> {
    None
}

#[cfg(all(test, feature = "memory-check"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_memory_is_refused() {
        let require = |needed| require(Path::new("large.gguf"), needed, Precision::F32);
        assert!(require(1_000_000).is_ok());
        let message = require(1 << 60).unwrap_err().to_string();
        for part in ["large.gguf", "1152921504606 MB", "in f32", "int8"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
