use super::config::DecoderConfig;
use crate::attention::{Angles, AttentionMask};
use crate::backend::Backend;
use crate::device::ComputeDevice;
use crate::tree::TreeBatch;

/// The plans of a batch: of the layers that see everything, and of those with a window, if there are any.
pub struct AttentionPlans<B: Backend> {
    global: B::Plan,
    local: Option<B::Plan>,
}

impl<B: Backend> AttentionPlans<B> {
    /// Lays out the nodes of `batch` from `start` on; on a GPU that is 0.
    pub fn new(batch: &TreeBatch, start: usize, config: &DecoderConfig, device: &ComputeDevice) -> Self {
        let positions = &batch.depths()[start..];
        let plan = |theta: f64, factors: Option<&[f64]>, window: usize| {
            // GPT-2 adds its positions to the embedding.
            let angles = (!config.is_gpt2()).then(|| Angles::new(positions, config.head_dim, theta, factors));
            B::plan(batch, angles, config.heads, AttentionMask::Path { window }, device)
        };
        let windows = config.variant.windows.as_ref();
        Self {
            global: plan(config.rope_theta, config.variant.rope_factors.as_deref(), usize::MAX),
            local: windows.map(|windows| plan(windows.rope_theta, None, windows.size)),
        }
    }

    /// The plan of a layer.
    pub fn of(&self, is_local: bool) -> &B::Plan {
        self.local.as_ref().filter(|_| is_local).unwrap_or(&self.global)
    }
}
