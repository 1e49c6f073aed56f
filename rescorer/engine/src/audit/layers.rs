//! What can be seen of an adapter without running it.

use std::collections::BTreeMap;

use rescorer_lora::{LoraAdapter, LowRank, truncated_svd};
use rescorer_models::TargetModule;
use serde::Serialize;

use crate::audit::robust::deviations;
use crate::error::Error;

/// The update `ΔW` of one layer, in four numbers, and how they lie among those of its kin: the layers of the same kind in all blocks.
#[derive(Debug, Clone, Serialize)]
pub struct LayerUpdate {
    /// Path of the layer.
    pub module: String,
    /// Number of ranks.
    pub rank: usize,
    /// `σ₁² / Σσᵢ²`: share of the energy in the first singular value.
    pub top_share: f64,
    /// `−Σ pᵢ ln pᵢ / ln rank` with `pᵢ = σᵢ² / Σσ²`: 1 where all ranks are used alike, 0 where one does everything.
    pub entropy: f64,
    /// Excess kurtosis of the entries of `ΔW`: 0 where they are normal.
    pub kurtosis: f64,
    /// Root of the mean square of the entries of `ΔW`.
    pub norm: f64,
    /// Largest distance of the four from the median of the kin, in robust standard deviations.
    pub deviation: f64,
}

/// The updates of all layers that have one.
///
/// # Errors
/// Matrices that can't be decomposed.
///
/// # Reference
/// Puertolas Merenciano et al. 2026, "Weight Space Detection of Backdoors in LoRA Adapters", where such statistics told poisoned
/// adapters from clean ones. Here they are only shown.
pub(super) fn updates(adapter: &LoraAdapter) -> Result<Vec<LayerUpdate>, Error> {
    let mut updates = Vec::new();
    let mut kin: BTreeMap<TargetModule, Vec<usize>> = BTreeMap::new();
    for (site, module) in adapter.modules.iter().filter(|(_, module)| module.rank() > 0) {
        kin.entry(site.module).or_default().push(updates.len());
        updates.push(update(site.to_string(), module)?);
    }
    let numbers: [fn(&LayerUpdate) -> f64; 4] = [
        |update| update.top_share,
        |update| update.entropy,
        |update| update.kurtosis,
        |update| update.norm.max(f64::MIN_POSITIVE).ln(),
    ];
    for places in kin.values() {
        for number in numbers {
            let values: Vec<f64> = places.iter().map(|&place| number(&updates[place])).collect();
            for (&place, deviation) in places.iter().zip(deviations(&values)) {
                updates[place].deviation = updates[place].deviation.max(deviation.abs());
            }
        }
    }
    Ok(updates)
}

fn update(module: String, low_rank: &LowRank) -> Result<LayerUpdate, Error> {
    // With scale 1 a row of A is √σ·v, so its square is σ.
    let decomposed = truncated_svd(low_rank, low_rank.rank(), 1.0)?;
    let sigma = |row: &[f32]| row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
    let energies: Vec<f64> =
        decomposed.a.chunks_exact(low_rank.shape[1]).map(|row| sigma(row).powi(2)).collect();
    let all: f64 = energies.iter().sum();
    let shares: Vec<f64> =
        energies.iter().filter(|energy| **energy > 0.0).map(|energy| energy / all).collect();
    let entropy = match shares.len() {
        0 | 1 => 0.0,
        _ => -shares.iter().map(|share| share * share.ln()).sum::<f64>() / (low_rank.rank() as f64).ln(),
    };
    let (norm, kurtosis) = moments(&low_rank.delta());
    let top_share = shares.iter().copied().fold(0.0, f64::max);
    Ok(LayerUpdate { module, rank: low_rank.rank(), top_share, entropy, kurtosis, norm, deviation: 0.0 })
}

/// Root mean square and excess kurtosis about 0.
fn moments(values: &[f32]) -> (f64, f64) {
    let (mut second, mut fourth) = (0.0, 0.0);
    for value in values {
        let square = f64::from(*value).powi(2);
        second += square;
        fourth += square * square;
    }
    let (second, fourth) = (second / values.len() as f64, fourth / values.len() as f64);
    (second.sqrt(), if second > 0.0 { fourth / (second * second) - 3.0 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_by_hand() {
        // ΔW = diag(3, 4): energies 9 and 16.
        let module = LowRank {
            shape: [2, 2],
            a: vec![1.0, 0.0, 0.0, 1.0],
            e: None,
            b: vec![3.0, 0.0, 0.0, 4.0],
            scale: 1.0,
        };
        let found = update("layer".into(), &module).unwrap();
        assert!((found.top_share - 16.0 / 25.0).abs() < 1e-6, "{found:?}");
        let entropy = -(0.36f64 * 0.36f64.ln() + 0.64 * 0.64f64.ln()) / 2f64.ln();
        assert!((found.entropy - entropy).abs() < 1e-6, "{found:?}");
        // Mean square 25/4, mean fourth power (81 + 256)/4.
        assert!((found.norm - 2.5).abs() < 1e-9);
        assert!((found.kurtosis - (84.25 / 39.0625 - 3.0)).abs() < 1e-9);
    }

    #[test]
    fn an_update_of_nothing_has_no_energy() {
        let module = LowRank { shape: [2, 2], a: vec![1.0, 1.0], e: None, b: vec![0.0, 0.0], scale: 1.0 };
        let found = update("layer".into(), &module).unwrap();
        assert_eq!((found.top_share, found.entropy, found.kurtosis, found.norm), (0.0, 0.0, 0.0, 0.0));
    }
}
